"""Findings: what is done otherwise in which steps, with how many numbers say so."""

from collections.abc import Iterator, Sequence

import numpy as np

from rnn_conformance.cases.case import Case
from rnn_conformance.checks.findings import Finding
from rnn_conformance.explain import numbers
from rnn_conformance.explain.calls import Asked, asked_again, chosen_cases
from rnn_conformance.explain.what import Explained, Explanation, explain
from rnn_conformance.explain.where import shortest
from rnn_conformance.explain.observation import without_place

ROUNDS = 2  # of the states: those of hidden layers come from what was found in the first


def findings(
    implementation: object, claimed: frozenset[str], cases: Sequence[Case], failing: frozenset[Case]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What explains wrong numbers and refusals, and what is left unexplained, in sentences."""
    calls = asked_again(implementation, claimed, chosen_cases(cases, failing))
    answered = [c for c in calls if c.answer is not None and numbers.can_be_computed(c.case)]
    found, left = [*_refusals(calls)], list[str]()
    states: tuple[Explanation, ...] = ()
    single = [c for c in answered if c.case.L == 1]
    for of in (single, answered) if len(single) < len(answered) else (single,):
        table = numbers.of_states(of, claimed, states)
        if table is None:
            break
        explained = explain(*table)
        states = tuple(one for one, *_ in explained.explanations)
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
        found += _told(result, explained)
        if unexplained := int(explained.left.sum()):
            left.append(f"{unexplained} of {explained.wrong} wrong numbers of {result}")
    return tuple(found), tuple(left)


def _told(result: str, explained: Explained) -> Iterator[Finding]:
    for one, explains, against in explained.explanations:
        twins = tuple(twin.says for twin in one.twins)
        yield Finding(result, one.edit.says, str(one.rule), explains, explained.wrong, against, twins)


def _refusals(calls: Sequence[Asked]) -> Iterator[Finding]:
    """What is refused, or given in another dtype or shape, and where."""
    kinds = [without_place(call.complaint) for call in calls]
    zero = (np.zeros(1, np.int64),) * 3
    features = numbers.joined([numbers._features(c, 0, 0, zero, None) for c in calls])
    for kind in dict.fromkeys(kind for kind in kinds if kind):
        inside = np.array([one == kind for one in kinds])
        outside = np.array([not one for one in kinds])
        rule, share = shortest(features, inside, outside)
        if share > 0.3:
            within = rule.holds(features)
            counts = int((within & inside).sum()), int(inside.sum()), int((within & outside).sum())
            yield Finding("calls", kind, str(rule), *counts)
