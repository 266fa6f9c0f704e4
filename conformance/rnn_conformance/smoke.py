"""The smoke check: whether there is anything to judge, before all else is asked."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_conformance.cases import Case
from rnn_conformance.declaration import Declaration, ImplementationOrLayer, declared
from rnn_conformance.layer.call import Nonlinearity
from rnn_conformance.layer.cases import LayerCase
from rnn_conformance.loading import CannotBeJudged
from rnn_conformance.profiles import CORE, LAYER, Profile, profiles_of
from rnn_conformance.protocol import DTYPES, HALF_DTYPES, Answer, Array, Dtype, Layout
from rnn_conformance.run import Planned
from rnn_conformance.subject import Subject, Violation

T, B, I, H = 2, 3, 4, 5  # all different, so that every exchange of axes shows
FIRST_STEPS = {"core": ("hidden_states", "outputs"), "layer": ("layer_output",)}
LAYOUTS: tuple[Layout, ...] = ("time_first", "batch_first", "single")  # the usual ones first
NO_VERDICT = "there is no verdict: "
SINGLE_ALONE = "batches are not asked: a batch was refused, a single sequence was not"


def smoke(implementation: ImplementationOrLayer) -> ImplementationOrLayer:
    """Ask for the simplest there is, two steps from no h_0: shapes, and of an adapter numbers.

    What has `adapter = True` stands between the suite and somebody else's RNN: where its first
    steps are wrong, the weights are not where they belong, which says nothing about the RNN.

    Returns:
        the implementation. What it does not claim itself but was assumed is narrowed to what it
        does: single sequences if it takes no batches, one dtype if it answers in nothing else.

    Raises CannotBeJudged with what is most likely the slip.
    """
    refused: dict[str, CannotBeJudged] = {}
    for found in _readings(implementation):
        try:
            _asked(found)
        except CannotBeJudged as error:
            refused.setdefault(str(error), error)
            continue
        return _narrowed_to_a_dtype(found) if "dtypes" in _assumed(found) else found
    batched, *single = refused
    details = "".join(
        f"; and, asked for single sequences, {m.split(NO_VERDICT)[1]}" for m in single
    )
    raise CannotBeJudged(f"{batched}{details}") from refused[batched]


def _readings(implementation: ImplementationOrLayer) -> Iterator[ImplementationOrLayer]:
    """The implementation as it is, then with claims that are narrower where they were assumed."""
    yield implementation
    if "layouts" in _assumed(implementation):
        yield declared(implementation, Declaration(layouts=("single",)), notes=(SINGLE_ALONE,))


def _narrowed_to_a_dtype(implementation: ImplementationOrLayer) -> ImplementationOrLayer:
    """Without the dtype that it answers in the other one, whatever the dtype of the call is.

    Raises CannotBeJudged if it does not read the weights that it is given.
    """
    answers = {dtype: _simplest_answer(implementation, dtype) for dtype in DTYPES}
    _refuse_ignored_weights(implementation, DTYPES[-1], answers[DTYPES[-1]])
    for dtype, other in zip(DTYPES, reversed(DTYPES), strict=True):
        parts = vars(answers[dtype]).values()
        if any(getattr(part, "dtype", None) == other for part in parts):
            note = f"{dtype} is not claimed: a {dtype} call was answered in {other}"
            return declared(implementation, Declaration(dtypes=(other,)), notes=(note,))
    return implementation


def _simplest_answer(implementation: Any, dtype: Dtype, **weights: Array) -> Answer:
    """The answer to the simplest call, with some weights changed. Raises CannotBeJudged."""
    case = _simplest(CORE, implementation)
    call = replace(case, dtype=dtype).call()
    call = replace(call, weights={**call.weights, **weights})
    try:
        return Subject(implementation).answer(call)
    except Violation as violation:
        raise CannotBeJudged(_told(implementation, CORE, str(violation))) from violation


def _refuse_ignored_weights(implementation: Any, dtype: Dtype, before: Answer) -> None:
    """Raises CannotBeJudged if other weights give the same answer as those before."""
    weights = replace(_simplest(CORE, implementation), dtype=dtype).call().weights
    changed = {name: -weights[name] for name in ("W_xh", "W_hh")}
    after = _simplest_answer(implementation, dtype, **changed)
    if np.array_equal(before.hidden_states, after.hidden_states):
        what = "W_xh and W_hh were set as attributes, and nothing changed: `forward` reads others"
        raise CannotBeJudged(_told(implementation, CORE, what))


def _assumed(implementation: ImplementationOrLayer) -> frozenset[str]:
    assumed: frozenset[str] = getattr(implementation, "assumed", frozenset())
    return assumed


def _asked(implementation: ImplementationOrLayer) -> None:
    """Raises CannotBeJudged."""
    for profile in profiles_of(implementation):
        case = _simplest(profile, implementation)
        if case is None:
            continue  # it claims nothing so simple; every check says for itself what it lacks
        subject = profile.subject(implementation)
        try:
            subject.result(case)
        except Violation as violation:
            raise CannotBeJudged(_told(implementation, profile, str(violation))) from violation
        if getattr(implementation, "adapter", False):
            for name in FIRST_STEPS[profile.name]:
                _right(Planned(profile, subject, profile.checks[name], case))


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
