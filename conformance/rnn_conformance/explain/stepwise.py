"""Findings: what is done otherwise in which steps, with how many numbers say so."""

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from rnn_conformance.cases.case import Case
from rnn_conformance.checks.findings import Finding
from rnn_conformance.explain import numbers
from rnn_conformance.explain.calls import Asked, asked_again, chosen_cases
from rnn_conformance.explain.observation import without_place
from rnn_conformance.explain.what import PLACED, Explained, Explanation, explain
from rnn_conformance.explain.where import shortest

MOST_DEEP = 80  # calls of several layers


def findings(
    implementation: object, claimed: frozenset[str], cases: Sequence[Case], failing: frozenset[Case]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What explains wrong numbers and refusals, and what is left unexplained, in sentences."""
    calls = asked_again(implementation, claimed, chosen_cases(cases, failing))
    answered = [c for c in calls if c.answer is not None and numbers.can_be_computed(c.case)]
    deep = [c for c in answered if c.case.L > 1]
    kept = {id(c) for c in deep[:: len(deep) // MOST_DEEP + 1]}
    answered = [c for c in answered if c.case.L == 1 or id(c) in kept]
    found, left = [*_refusals(calls)], list[str]()
    states: tuple[Explanation, ...] = ()
    for most in sorted({c.case.L for c in answered}):
        table = numbers.of_states([c for c in answered if most >= c.case.L], claimed, states)
        if table is None:
            break
        explained = explain(*table)
        states = tuple(one for one, *_ in explained.explanations)
    called = _words(implementation)
    tables = {
        "states": table,
        "h_n": numbers.of_final_states(answered, states),
        "y": numbers.of_readouts(answered),
    }
    for result, of_result in tables.items():
        if of_result is None:
            continue
        if result != "states":
            explained = explain(*of_result)
        found += _told(result, explained, called)
        if explained.left:
            where = f", where {explained.where}" if explained.where.conditions else ""
            left.append(f"{explained.left} of {explained.wrong} wrong numbers of {result}{where}")
    return tuple(found), tuple(left)


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
