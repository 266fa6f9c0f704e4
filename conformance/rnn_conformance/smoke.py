"""The smoke check: whether there is anything to judge, before all else is asked."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from rnn_conformance.cases import Case
from rnn_conformance.declaration import Declaration, ImplementationOrLayer, declared
from rnn_conformance.layer.call import Nonlinearity
from rnn_conformance.layer.cases import LayerCase
from rnn_conformance.loading import CannotBeJudged
from rnn_conformance.profiles import LAYER, Profile, profiles_of
from rnn_conformance.protocol import DTYPES, HALF_DTYPES, Dtype, Layout
from rnn_conformance.run import Planned
from rnn_conformance.subject import Violation

T, B, I, H = 2, 3, 4, 5  # all different, so that every exchange of axes shows
FIRST_STEPS = {"core": ("hidden_states", "outputs"), "layer": ("layer_output",)}
LAYOUTS: tuple[Layout, ...] = ("time_first", "batch_first", "single")  # the usual ones first
NO_VERDICT = "there is no verdict: "
FLOAT64_ALONE = "float32 is not claimed: a float32 call was answered in float64"


def smoke(implementation: ImplementationOrLayer) -> ImplementationOrLayer:
    """Ask for the simplest there is, two steps from no h_0: shapes, and of an adapter numbers.

    What has `adapter = True` stands between the suite and somebody else's RNN: where its first
    steps are wrong, the weights are not where they belong, which says nothing about the RNN.

    Returns:
        the implementation. What it does not claim itself but was assumed is narrowed to what it
        does: single sequences if it takes no batches, float64 if it answers in nothing else.

    Raises CannotBeJudged with what is most likely the slip.
    """
    refused: dict[str, CannotBeJudged] = {}
    for found in _readings(implementation):
        try:
            in_float64 = _asked(found)
        except CannotBeJudged as error:
            refused.setdefault(str(error), error)
            continue
        if in_float64:
            return declared(found, Declaration(dtypes=("float64",)), notes=(FLOAT64_ALONE,))
        return found
    batched, *single = refused
    details = "".join(
        f"; and, asked for single sequences, {m.split(NO_VERDICT)[1]}" for m in single
    )
    raise CannotBeJudged(f"{batched}{details}") from refused[batched]


def _readings(implementation: ImplementationOrLayer) -> Iterator[ImplementationOrLayer]:
    """The implementation as it is, then with claims that are narrower where they were assumed."""
    yield implementation
    if "layouts" in _assumed(implementation):
        yield declared(implementation, Declaration(layouts=("single",)))


def _assumed(implementation: ImplementationOrLayer) -> frozenset[str]:
    assumed: frozenset[str] = getattr(implementation, "assumed", frozenset())
    return assumed


def _asked(implementation: ImplementationOrLayer) -> bool:
    """Whether float32 was assumed, and answered in float64. Raises CannotBeJudged."""
    wider = False
    for profile in profiles_of(implementation):
        case = _simplest(profile, implementation)
        if case is None:
            continue  # it claims nothing so simple; every check says for itself what it lacks
        subject = profile.subject(implementation)
        try:
            subject.result(case)
        except Violation as violation:
            raise CannotBeJudged(_told(implementation, profile, str(violation))) from violation
        if "dtypes" in _assumed(implementation) and case.dtype == "float32":
            parts = vars(subject.first(case)[1]).values()
            wider |= any(getattr(part, "dtype", None) == np.float64 for part in parts)
        if getattr(implementation, "adapter", False):
            for name in FIRST_STEPS[profile.name]:
                _right(Planned(profile, subject, profile.checks[name], case))
    return wider


def _right(item: Planned) -> None:
    record = item.execute()
    if record.outcome != "failed":
        return
    from rnn_conformance.diagnosis import reproduced_by  # it imports every mutant

    slips = reproduced_by(item)
    likely = f"; most likely: {', or '.join(slips[:2])}" if slips else ""
    raise CannotBeJudged(
        _told(item.subject.implementation, item.profile, f"{record.message}{likely}")
    )


def _told(implementation: Any, profile: Profile, what: str) -> str:
    return (
        f"implementation {implementation.name!r}: the smoke check ({profile.name}) failed, so "
        f"nothing else was asked and {NO_VERDICT}{what}"
    )


def _simplest(profile: Profile, implementation: Any) -> Any:
    """The simplest case that is claimed, None where there is none."""
    claimed = profile.claimed(implementation)
    layout = next((layout for layout in LAYOUTS if layout in claimed), None)
    dtype: Dtype | None = next((d for d in (*DTYPES, *HALF_DTYPES) if d in claimed), None)
    if layout is None or dtype is None:
        return None
    rows = 1 if layout == "single" else B
    if profile is not LAYER:
        return Case(T, rows, I, H, 2, dtype, layout, h_0="none", weights="contractive")
    nonlinearity: Nonlinearity = "tanh" if "tanh" in claimed else "relu"
    # Of another size, for which a module is made anew: what is kept from call to call is no slip.
    case = LayerCase(
        T, rows, H + 1, H, nonlinearity=nonlinearity, layout=layout, dtype=dtype, h_0="none"
    )
    return case if case.features <= claimed else None
