"""The smoke check: whether there is anything to judge, before all else is asked."""

from typing import Any

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


def smoke(implementation: ImplementationOrLayer) -> ImplementationOrLayer:
    """Ask for the simplest there is, two steps from no h_0: shapes, and of an adapter numbers.

    What has `adapter = True` stands between the suite and somebody else's RNN: where its first
    steps are wrong, the weights are not where they belong, which says nothing about the RNN.

    Returns:
        the implementation; where it claims nothing itself, and takes single sequences but no
        batches, one that claims these alone.

    Raises CannotBeJudged with what is most likely the slip.
    """
    try:
        _asked(implementation)
    except CannotBeJudged:
        if not getattr(implementation, "claims_by_default", False):
            raise
        single = declared(implementation, Declaration(layouts=("single",)))
        try:
            _asked(single)
        except CannotBeJudged:
            pass
        else:
            return single
        raise
    return implementation


def _asked(implementation: ImplementationOrLayer) -> None:
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
        f"nothing else was asked and there is no verdict: {what}"
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
