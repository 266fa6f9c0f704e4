"""Findings: what is done otherwise in which steps, with how many numbers say so."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_conformance.cases.case import Case
from rnn_conformance.cells.cell import Cell
from rnn_conformance.cells.edits import Edit, Some, Trials
from rnn_conformance.checks.findings import Finding
from rnn_conformance.explain import numbers
from rnn_conformance.explain.calls import Asked, asked_again, chosen_cases
from rnn_conformance.explain.features import NAN_GOES_IN, of_call
from rnn_conformance.explain.observation import without_place
from rnn_conformance.explain.what import (
    ALL_BUT,
    FEW,
    MOST,
    PLACED,
    Explained,
    Explanation,
    explain,
    explained_by,
    fits_as_said,
)
from rnn_conformance.explain.where import Features, shortest

MISREAD = 0.1  # of the numbers of layers as they show, that may stay unexplained
MANY = 0.25  # of them, from which on another reading may need several edits
MOST_DEEP = 60  # calls of several layers
MOST_GATED, MOST_STEPS = 110, 140  # calls of cells with gates, and where not all shows, steps
MOST_POINTS = 120  # of a plot
CHANCE = 1e-5  # numbers of one call, made twice, are no further apart by rounding
FAR, HUGE = 6.0, 1e6  # its pre-activations are no further from 0, its states neither
Point = tuple[float, float, float]
Table = tuple[Trials, Features]
Below = tuple[Explanation, ...] | None  # with what layers below the last are computed
Reading = tuple[Table | None, Below]
Whole = tuple[Explained, Below, Table]


def findings(
    implementation: object, claimed: frozenset[str], cases: Sequence[Case], failing: frozenset[Case]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What explains wrong numbers and refusals, and what is left unexplained, in sentences.

    Args:
        cases: what was asked; some of them are asked again.
        failing: those of them in which a check failed.
    """
    calls = asked_again(implementation, claimed, chosen_cases(cases, failing), cases)
    families = dict[Any, list[Asked]]()
    for call in filter(_has_library, calls):
        cell = call.case.equation
        families.setdefault(cell.name if cell.gates > 1 else type(cell).trials, []).append(call)
    found, left = [*_refusals(calls)], list[str]()
    for some in families.values():
        more, unexplained = _of_a_family(some, claimed, _words(implementation))
        found += more
        left += unexplained
    return tuple(found), tuple(left)


def _of_a_family(
    calls: Sequence[Asked], claimed: frozenset[str], called: Mapping[str, str]
) -> tuple[list[Finding], list[str]]:
    """The same of wrong numbers, of cells that have their edits in common."""
    answered = _computable(calls)
    carried, otherwise = numbers.of_shown(answered)
    shown = _explained(otherwise, 1)
    told = shown is not None and shown.explanations and shown.left <= ALL_BUT * shown.wrong
    states, below, table = _of_states(answered, claimed, 1 if told else MOST)
    by_result = _results(calls, answered, claimed, states, below)
    if told and states is not None:
        again = {"states": shown, **_of_what_follows(carried, None, ())}
        if _unclear(again) < _unclear(by_result):
            by_result, table = again, None
    found = list[Finding]()
    for result, explained in by_result.items():
        of = table if result == "states" else None
        found += _told(result, explained, called, of) if explained else []
    left = [
        _left(result, explained) + _by_chance(result, calls)
        for result, explained in by_result.items()
        if explained and explained.left
    ]
    return found, left


def _by_chance(result: str, calls: Sequence[Asked]) -> str:
    """That the same call gives other numbers whenever it is made, if they are further apart than
    rounding leads in weights with which it does not grow.
    """
    steady = [c.apart[result] for c in calls if numbers.is_steady(c) and result in c.apart]
    differ = [apart for apart in steady if apart > CHANCE]
    if len(differ) < max(FEW, PLACED * len(steady)):
        return ""
    return f"; the same call gives other numbers each time, about {np.median(differ):.2g} apart"


def _results(
    calls: Sequence[Asked],
    answered: Sequence[Asked],
    claimed: frozenset[str],
    states: Explained | None,
    below: Below,
) -> dict[str, Explained | None]:
    """What explains each result, by its name, where the states that show are those that count."""
    placed = [one for one, *_ in states.explanations] if states else []
    clear = states is None or not states.left  # else nobody knows what hidden layers hold
    with_nan = [c for c in calls if clear and c.has_nan and c.answer is not None]
    known = [c for c in answered if clear or below is None or c.case.L == 1]
    at_nan = _at_nan(with_nan, claimed, placed)
    follow = _of_what_follows(known, below, placed, answered)
    return {"states": states, "states at NaN": at_nan, **follow}


def _of_what_follows(
    known: Sequence[Asked],
    below: Below,
    placed: Sequence[Explanation],
    answered: Sequence[Asked] | None = None,
) -> dict[str, Explained | None]:
    finals = numbers.of_final_states(known, below, placed)
    readouts = numbers.of_readouts(known if answered is None else answered, placed)
    return {**{name: _explained(of) for name, of in finals.items()}, "y": _explained(readouts)}


def _unclear(by_result: Mapping[str, Explained | None]) -> tuple[float, int]:
    """Of how many results how much stays unexplained, and how much is said."""
    some = [one for one in by_result.values() if one is not None and one.wrong]
    share = sum(one.left / one.wrong for one in some)
    return round(share, 2), sum(len(one.explanations) for one in some)


def _has_library(call: Asked) -> bool:
    """Whether there are edits to try on a step of its cell."""
    return type(call.case.equation).trials is not Cell.trials


def _computable(calls: Sequence[Asked]) -> list[Asked]:
    """Those that were answered, without NaN; of several layers, not too many."""
    some = [
        c
        for c in calls
        if c.answer is not None
        and not c.has_nan
        and (c.case.L == 1 or numbers.can_be_computed(c.case))
    ]
    if some and some[0].case.equation.gates > 1:
        some = [c for c in some if c.case.T <= MOST_STEPS or len(c.case.options.parts) == 1]
        return some[:: len(some) // MOST_GATED + 1]
    deep = [c for c in some if c.case.L > 1]
    return [c for c in some if c.case.L == 1] + deep[:: len(deep) // MOST_DEEP + 1]


def _of_states(
    calls: Sequence[Asked], claimed: frozenset[str], most_edits: int
) -> tuple[Explained | None, Below, Table | None]:
    """Last layers, those below computed with what is found, of few layers first; or as they show.

    Those below the last show where the last hands them on, which one that is wrong may not do.

    Returns:
        what explains them, with what layers below the last are computed, and the numbers.
    """
    explained, table, tried, placed = None, None, None, tuple[Explanation, ...]()
    below = before = placed
    every = {c.case.L for c in calls}
    deepest = max(every, default=1)
    for most in sorted({1, 2, deepest} & every):
        few = [c for c in calls if most >= c.case.L]
        inner = tuple(one for one in placed if "place" not in one.edit.does)
        tables = {  # what is done in a last layer may not be done in others
            edits: numbers.of_states(few, claimed, edits)
            for edits in dict.fromkeys((placed, inner, before))
        }
        below = max(tables, key=lambda edits: _fitting(tables[edits], placed))
        table, known = tables[below], [*dict.fromkeys(one.edit for one in placed)]
        readings: list[Reading] = [(table, below)]
        if most == deepest > 1:
            tried = numbers.of_states(calls, claimed)
            readings.append((tried, None))
        whole = next(_whole(known, readings), None)
        if whole is not None and most == deepest:
            return whole
        explained = whole[0] if whole else _explained(table, most_edits)
        found = explained.explanations if explained else ()
        before, placed = placed, tuple(one for one, *_ in found)
    if explained is None or not explained.left or tried is None:
        return explained, below, table
    little = explained.left <= MANY * explained.wrong  # another reading must be as simple
    shown = _explained(tried, 1 if little else most_edits)
    share = shown.left / max(shown.wrong, 1) if shown else 1  # much: the reading may be wrong
    if share <= min(MISREAD, explained.left / explained.wrong):
        return shown, None, tried
    return explained, below, table


def _whole(known: Sequence[Edit], readings: Sequence[Reading]) -> Iterator[Whole]:
    """The readings of which these edits explain every number."""
    for table, below in readings if known else ():
        if table is not None and not (explained := explained_by(known, *table)).left:
            yield explained, below, table


def _fitting(table: Table | None, found: Sequence[Explanation]) -> int:
    """How many numbers come out as they are said to."""
    return int(fits_as_said(table[0], found, table[1]).sum()) if table else 0


def _at_nan(
    calls: Sequence[Asked], claimed: frozenset[str], placed: Sequence[Explanation]
) -> Explained | None:
    """The states that are NaN, or depend on NaN, unless what was found gives them."""
    table = numbers.of_states(calls, claimed) if calls else None
    if table is None:
        return None
    trials, features = table
    known = fits_as_said(trials, placed, features)
    right = trials.fits(frozenset(), np.arange(len(known)))
    which = (features[NAN_GOES_IN] | np.isnan(trials.found)) & (right | ~known)
    return explain(Some(trials, which), {name: part[which] for name, part in features.items()})


def _explained(table: Table | None, most: int = MOST) -> Explained | None:
    return None if table is None else explain(*table, most)


def _left(result: str, explained: Explained) -> str:
    where = f", where {explained.where}" if explained.where.conditions else ""
    off = f", off by up to {explained.most:.2g}"
    cut = "; not every two edits were tried together, which takes long" if explained.cut else ""
    return f"{explained.left} of {explained.wrong} wrong numbers of {result}{where}{off}{cut}"


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
    kinds = [re.sub(r"\b\d+\b", "n", without_place(call.complaint)) for call in calls]
    every = [of_call(call) for call in calls]
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
