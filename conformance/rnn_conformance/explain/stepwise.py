"""Findings: what is done otherwise in which steps, with how many numbers say so."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rnn_conformance.cases.case import Case
from rnn_conformance.cells.cell import Cell
from rnn_conformance.cells.edits import Some, Trials
from rnn_conformance.checks.findings import Finding
from rnn_conformance.explain import numbers
from rnn_conformance.explain.calls import Asked, asked_again, chosen_cases
from rnn_conformance.explain.observation import without_place
from rnn_conformance.explain.what import PLACED, Explained, Explanation, explain, fits_as_said
from rnn_conformance.explain.where import Condition, Features, Rule, shortest

MOST_DEEP = 60  # calls of several layers
SMALL = 200  # numbers of one of them, in which hidden layers are looked into
LAYERS = (
    Rule(),
    Rule((Condition("layer", "=", 0),)),
    Rule((Condition("layer", "≥", 1),)),
    Rule((Condition("direction", "=", "reverse"),)),
)
STARTS = Rule((Condition(numbers.READ, "=", 0),))
MOST_POINTS = 120  # of a plot
FAR, HUGE = 6.0, 1e6  # its pre-activations are no further from 0, its states neither
Point = tuple[float, float, float]
Table = tuple[Trials, Features]


def findings(
    implementation: object, claimed: frozenset[str], cases: Sequence[Case], failing: frozenset[Case]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What explains wrong numbers and refusals, and what is left unexplained, in sentences.

    Args:
        cases: what was asked; some of them are asked again.
        failing: those of them in which a check failed.
    """
    calls = asked_again(implementation, claimed, chosen_cases(cases, failing), cases)
    if not any(map(_has_library, calls)):
        return tuple(_refusals(calls)), ()
    answered = _computable(calls)
    states, placed, table = _of_states(answered, claimed)
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
        of = table if result == "states" else None
        found += _told(result, explained, called, of) if explained else []
    left = (_left(result, explained) for result, explained in by_result.items() if explained)
    return tuple(found), tuple(filter(None, left))


def _has_library(call: Asked) -> bool:
    """Whether there are edits to try on a step of its cell."""
    return type(call.case.equation).trials is not Cell.trials


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
) -> tuple[Explained | None, tuple[Explanation, ...], Table | None]:
    """The states of one layer first: with what is found there, those below others are computed.

    Where that does not do, those below the last are taken to be right.
    """
    explained, placed, last, table = None, tuple[Explanation, ...](), False, None
    for most in sorted({c.case.L for c in calls}):
        if explained and explained.left == explained.wrong > 0:
            break  # what is not understood in one layer is not understood in several
        before: Explained | None = explained
        some = [c for c in calls if most >= c.case.L]
        table = _table(some, claimed, placed, last=last)
        explained = _explained(table)
        others = ((_in_first_layer(placed), False), ((), True)) if placed and most > 1 else ()
        for found_there, alone in others:
            if explained and explained.left and not last:
                other = _table(some, claimed, found_there, last=alone)
                found = _explained(other)
                if found and found.left < explained.left:
                    explained, table, last = found, other, alone
        if explained and most > 1 and explained.left > explained.wrong / 5:
            hidden = _hidden(some, claimed, placed)
            with_it = _table(some, claimed, (*placed, *hidden), last=False) if hidden else None
            found = _explained(with_it)
            if found and found.left < explained.left:
                explained = _with_hidden(found, hidden, explained.wrong)
                table = with_it
        if explained and before and not explained.explanations:  # what one layer shows is kept
            explained = replace(before, wrong=explained.wrong, left=explained.wrong - before.wrong)
            break
        placed = tuple(one for one, *_ in explained.explanations) if explained else ()
    return explained, placed, table


def _in_first_layer(placed: Sequence[Explanation]) -> tuple[Explanation, ...]:
    """The same, but in the first layer alone."""
    first = Condition("layer", "=", 0)
    return tuple(Explanation(one.edit, Rule((*one.rule.conditions, first))) for one in placed)


def _hidden(
    calls: Sequence[Asked], claimed: frozenset[str], placed: Sequence[Explanation]
) -> list[Explanation]:
    """One thing done otherwise in layers that do not show, with which most numbers come out."""
    deep = [c for c in calls if c.case.L > 1 and c.states.size <= SMALL]
    deep = [c for c in deep if numbers.wrong_states(c).any()]
    deep = sorted(deep, key=lambda c: c.case.L)
    few = [c for two in (False, True) for c in [c for c in deep if c.case.bidirectional == two][:2]]
    every = [one.edit for one in placed]
    table = numbers.of_states(few, claimed, placed, every)
    if table is None:
        return []
    right: dict[Explanation, int] = {}
    tried = [(edit, rule) for edit in table[0].of_layers for rule in LAYERS]
    for edit, rule in (*tried, *((edit, STARTS) for edit in table[0].of_starts)):
        found = [*placed, one := Explanation(edit, rule)]
        trials, features = numbers.of_states(few, claimed, found, [*every, edit]) or table
        right[one] = int(fits_as_said(trials, found, features).sum())
    trials, features = table
    before = int(fits_as_said(trials, placed, features).sum())
    best = max(right, key=right.__getitem__)
    return [best] if right[best] - before > (len(trials.found) - before) / 2 else []


def _with_hidden(found: Explained, hidden: Sequence[Explanation], wrong: int) -> Explained:
    """What was found, with what is done in hidden layers too, of so many numbers that are wrong."""
    every = list(found.explanations)
    for one in hidden:
        alike = [other for other in every if other[0].edit == one.edit]
        explains = wrong - found.wrong + sum(n for _, n, _ in alike)
        against = sum(n for *_, n in alike)
        every = [(one, explains, against), *(other for other in every if other not in alike)]
    return replace(found, explanations=tuple(every), wrong=wrong)


def _table(
    calls: Sequence[Asked],
    claimed: frozenset[str],
    placed: tuple[Explanation, ...],
    *,
    last: bool,
) -> Table | None:
    """The states of these calls; with `last`, told by whether they are of the last layer."""
    table = numbers.of_states(calls, claimed, placed)
    if table is None or not last:
        return table
    return table[0], numbers.of_last_layers(table[1])


def _at_nan(
    calls: Sequence[Asked], claimed: frozenset[str], placed: Sequence[Explanation]
) -> Explained | None:
    """The states that are NaN, or depend on NaN, unless what was found gives them."""
    table = numbers.of_states(calls, claimed, ()) if calls else None
    if table is None:
        return None
    trials, features = table
    known = fits_as_said(trials, placed, features)
    right = trials.fits(frozenset(), np.arange(len(known)))
    which = (features[numbers.NAN_GOES_IN] | np.isnan(trials.found)) & (right | ~known)
    return explain(Some(trials, which), {name: part[which] for name, part in features.items()})


def _explained(table: Table | None) -> Explained | None:
    return None if table is None else explain(*table)


def _left(result: str, explained: Explained) -> str:
    if not explained.left:
        return ""
    where = f", where {explained.where}" if explained.where.conditions else ""
    off = f", off by up to {explained.most:.2g}"
    return f"{explained.left} of {explained.wrong} wrong numbers of {result}{where}{off}"


def _told(
    result: str, explained: Explained, called: Mapping[str, str], table: Table | None
) -> Iterator[Finding]:
    for one, explains, against in explained.explanations:
        says = one.edit.says
        for ours, theirs in called.items():
            says = re.sub(rf"\b{ours}\b", theirs, says)
        points = _points(one, *table) if table else ()
        yield Finding(result, says, str(one.rule), explains, explained.wrong, against, points)


def _points(one: Explanation, trials: Trials, features: Features) -> tuple[Point, ...]:
    """Pre-activations with the states found there and the right ones; none for other edits."""
    of = {**features, **trials.features}
    if "f" not in one.edit.does or "a" not in of:
        return ()
    at = np.flatnonzero(one.rule.holds(of) & (np.abs(of["a"]) < FAR) & np.isfinite(trials.found))
    at = at[np.argsort(of["a"][at])]
    at = at[np.linspace(0, len(at) - 1, min(len(at), MOST_POINTS)).astype(int)]
    right, _ = trials.values(frozenset(), at)
    columns = of["a"][at], trials.found[at], right
    return tuple(
        (float(f"{a:.4g}"), float(f"{h:.4g}"), float(f"{y:.4g}"))
        for a, h, y in zip(*columns, strict=True)
        if max(abs(h), abs(y)) < HUGE
    )


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
