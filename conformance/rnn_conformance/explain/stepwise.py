"""Findings: what is done otherwise in which steps, with how many numbers say so."""

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from rnn_conformance.cases.case import Case
from rnn_conformance.cells.edits import Some, Trials
from rnn_conformance.checks.findings import Finding
from rnn_conformance.explain import numbers
from rnn_conformance.explain.calls import Asked, asked_again, chosen_cases
from rnn_conformance.explain.observation import without_place
from rnn_conformance.explain.what import PLACED, Explained, Explanation, explain, fits_as_said
from rnn_conformance.explain.where import Features, shortest

MOST_DEEP = 60  # calls of several layers


def findings(
    implementation: object, claimed: frozenset[str], cases: Sequence[Case], failing: frozenset[Case]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What explains wrong numbers and refusals, and what is left unexplained, in sentences.

    Args:
        cases: what was asked; some of them are asked again.
        failing: those of them in which a check failed.
    """
    calls = asked_again(implementation, claimed, chosen_cases(cases, failing), cases)
    answered = _computable(calls)
    states, placed = _of_states(answered, claimed)
    clear = states is None or not states.left  # else nobody knows what hidden layers hold
    known = [c for c in answered if clear or c.case.L == 1]
    with_nan = [c for c in calls if clear and c.has_nan and c.answer is not None]
    by_result = {
        "states": states,
        "states at NaN": _at_nan(with_nan, claimed, placed),
        "h_n": _explained(numbers.of_final_states(known, placed)),
        "y": _explained(numbers.of_readouts(answered)),
    }
    found, called = [*_refusals(calls)], _words(implementation)
    for result, explained in by_result.items():
        found += _told(result, explained, called) if explained else []
    left = (_left(result, explained) for result, explained in by_result.items() if explained)
    return tuple(found), tuple(filter(None, left))


def _computable(calls: Sequence[Asked]) -> list[Asked]:
    """Those that were answered, without NaN; of several layers, not too many."""
    library = type(calls[0].case.equation).trials  # cells of one family have it in common
    some = [
        c
        for c in calls
        if c.answer is not None
        and not c.has_nan
        and numbers.can_be_computed(c.case)
        and type(c.case.equation).trials is library
    ]
    deep = [c for c in some if c.case.L > 1]
    return [c for c in some if c.case.L == 1] + deep[:: len(deep) // MOST_DEEP + 1]


def _of_states(
    calls: Sequence[Asked], claimed: frozenset[str]
) -> tuple[Explained | None, tuple[Explanation, ...]]:
    """The states of one layer first: with what is found there, those below others are computed.

    Where that does not do, those below the last are taken to be right.
    """
    explained, placed, last = None, tuple[Explanation, ...](), False
    for most in sorted({c.case.L for c in calls}):
        if explained and explained.left == explained.wrong > 0:
            break  # what is not understood in one layer is not understood in several
        some = [c for c in calls if most >= c.case.L]
        explained = _explained(numbers.of_states(some, claimed, placed), last=last)
        if explained and explained.left and placed and most > 1 and not last:
            other = _explained(numbers.of_states(some, claimed, ()), last=True)
            last = other is not None and other.left < explained.left
            explained = other if last else explained
        placed = tuple(one for one, *_ in explained.explanations) if explained else ()
    return explained, placed


def _at_nan(
    calls: Sequence[Asked], claimed: frozenset[str], placed: Sequence[Explanation]
) -> Explained | None:
    """The states that are NaN, or depend on NaN, unless what was found gives them."""
    table = numbers.of_states(calls, claimed, ()) if calls else None
    if table is None:
        return None
    trials, features = table
    known = fits_as_said(trials, placed, {**features, **trials.features})
    right = trials.fits(frozenset(), np.arange(len(known)))
    which = (features[numbers.NAN_GOES_IN] | np.isnan(trials.found)) & (right | ~known)
    return explain(Some(trials, which), {name: part[which] for name, part in features.items()})


def _explained(table: tuple[Trials, Features] | None, *, last: bool = False) -> Explained | None:
    if table is None:
        return None
    trials, features = table
    return explain(trials, numbers.of_last_layers(features) if last else features)


def _left(result: str, explained: Explained) -> str:
    if not explained.left:
        return ""
    where = f", where {explained.where}" if explained.where.conditions else ""
    off = f", off by up to {explained.most:.2g}"
    return f"{explained.left} of {explained.wrong} wrong numbers of {result}{where}{off}"


def _told(result: str, explained: Explained, called: Mapping[str, str]) -> Iterator[Finding]:
    for one, explains, against in explained.explanations:
        says = one.edit.says
        for ours, theirs in called.items():
            says = re.sub(rf"\b{ours}\b", theirs, says)
        yield Finding(result, says, str(one.rule), explains, explained.wrong, against)


def _words(implementation: object) -> dict[str, str]:
    """What the implementation calls a weight, by the short name that edits have for it."""
    called: Mapping[str, str] = getattr(implementation, "called", {})
    first = {name.removesuffix("_l0"): theirs for name, theirs in called.items()}
    return {n.replace("weight", "W").replace("bias", "b"): theirs for n, theirs in first.items()}


def _refusals(calls: Sequence[Asked]) -> Iterator[Finding]:
    """What is refused, or given in another dtype or shape, and where."""
    kinds = [without_place(call.complaint) for call in calls]
    every = [numbers.of_call(call) for call in calls]
    features = {name: np.array([one[name] for one in every]) for name in every[0]}
    refused = np.array([bool(kind) for kind in kinds])
    if not refused.any():
        return
    rule, share = shortest(features, refused, ~refused)
    together = share == 1 and len(rule.conditions) < 3
    for kind in [""] if together else dict.fromkeys(kind for kind in kinds if kind):
        inside = refused if together else np.array([one == kind for one in kinds])
        rule, share = shortest(features, inside, ~refused)
        if share > PLACED:
            within = rule.holds(features)
            said = ", or ".join([*dict.fromkeys(filter(None, kinds))][:2]) if together else kind
            counts = int((within & inside).sum()), int(inside.sum()), int((within & ~refused).sum())
            yield Finding("calls", said, str(rule), *counts)
