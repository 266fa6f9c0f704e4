"""The calls that a cause is looked for in, and what they gave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64, Precision
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.cases.expected import in_direction
from rnn_conformance.checks.subject import Subject, expected_shapes, in_one_order
from rnn_conformance.contract.call import DTYPES, Answer
from rnn_conformance.contract.refusal import Broken, Violation, in_the_dtype

MOST = 180  # calls of the plan
LARGE, MOST_LARGE = 300_000, 20  # products of a layer, from which on few are asked
SMOKE_ROWS = 3  # of the call that comes first, where claims are assumed
NEW_SIZES = ((6, 3, 7, 6), (5, 4, 6, 7))  # that no other call has: the first of them is known


@dataclass(frozen=True)
class Asked:
    """One call, and what came of it.

    Attributes:
        number: of the calls of its sizes among these, from 0 on; those of the plan count as later
            ones, since they were asked before.
        answer: in one order, padding as it came; None where it was refused.
        complaint: why it is no answer, or not in the right dtype; empty if it is right.
        rows_of_first: how many rows the first call of all can have had.
        last: the call before, of the same sizes of weights.
        first: what the first call of these sizes was given, as far as known.
        like: the last call of as many rows and units.
    """

    case: Case
    data: Data
    number: int
    answer: Answer | None
    complaint: str
    last: "Asked | None"
    first: Data | None
    like: "Asked | None"
    rows_of_first: tuple[int, ...]

    @property
    def precision(self) -> Precision:
        return Precision.of(self.case.dtype)

    @cached_property
    def has_nan(self) -> bool:
        """Whether NaN is to be read, not only in padding."""
        return bool((np.isnan(self.data.inputs) & self.data.real).any())

    @cached_property
    def states(self) -> Float64:
        """Of the last layer: (D, T, B, H) in the order in which each direction computes them."""
        assert self.answer is not None
        return self.read(self.answer.output)

    def read(self, output: Any) -> Float64:
        """(T, B, D·H) by direction, (D, T, B, H), as `states`."""
        parts = np.split(output.astype(np.float64), self.case.options.directions, axis=2)
        ways = zip(self.case.options.ways, parts, strict=True)
        return np.array([in_direction(h, self.data.lengths, way) for way, h in ways])


def asked_again(
    implementation: Any, claimed: frozenset[str], cases: Sequence[Case], every: Sequence[Case]
) -> list[Asked]:
    """What the implementation gives for these cases, and for calls that resemble each other.

    Args:
        every: the cases that were asked before, in that order.
    """
    firsts = {_sizes(case): case.data() for case in reversed(every)}
    subject = Subject(implementation, among=claimed)
    first_rows = tuple({SMOKE_ROWS, cases[0].B})
    found, by_sizes, by_rows = list[Asked](), dict[Any, list[Asked]](), dict[Any, Asked]()
    for case, data, new in (*((c, c.data(), False) for c in cases), *_further(cases)):
        sizes = _sizes(case)
        same = by_sizes.setdefault(sizes, [])
        answer, complaint = _answer(subject, case, data)
        number = len(same) + (0 if new else 2)
        last = same[-1] if same else None
        first = firsts.get(sizes) if not new else same[0].data if same else None
        rows = by_rows.get((case.B, case.H, case.L))
        asked = Asked(case, data, number, answer, complaint, last, first, rows, first_rows)
        same.append(asked)
        by_rows[case.B, case.H, case.L] = asked
        found.append(asked)
    return found


def _sizes(case: Case) -> tuple[Any, ...]:
    """What layers are made for."""
    return case.I, case.H, case.L, case.O, case.bidirectional, case.reverse, case.dtype


def _answer(subject: Subject, case: Case, data: Data) -> tuple[Answer | None, str]:
    try:
        raw = subject.answer(data.call(case.layout))
        answer = in_one_order(raw, data, case.layout)
    except Broken:
        raise
    except Violation as violation:
        return None, str(violation)
    try:
        for name in expected_shapes(data, case.layout):
            if (value := getattr(raw, name)) is not None:
                in_the_dtype(name, value, case.dtype)
    except Violation as violation:
        return answer, str(violation)
    return answer, ""


def _further(cases: Sequence[Case]) -> Iterator[tuple[Case, Data, bool]]:
    """Calls with NaN, with growing inputs, and calls of the same sizes one after the other."""
    plain = [case for case in cases if case.L == 1 and case.dtype in DTYPES and case.T > 2]
    kinds: dict[Any, Case] = {}
    for case in plain:
        if case.lengths == "none" and case.weights == "contractive":
            kinds.setdefault((case.dtype, case.cell, case.h_0 == "none"), case)
    for case in kinds.values():
        inputs = case.data().inputs.copy()
        inputs[case.T // 2, case.B // 2, 0] = np.nan
        yield case, replace(case.data(), inputs=inputs), False
        growth = np.geomspace(1, 2000, case.T).astype(inputs.dtype)[:, None, None]
        yield case, replace(case.data(), inputs=case.data().inputs * growth), False
    for case in kinds.values():
        for T, B, I, H in NEW_SIZES:
            rows = 1 if case.layout == "single" else B
            sized = replace(case, T=T, B=rows, I=I, H=H)
            for seed in range(4):
                new = replace(sized, seed=case.seed + seed)
                yield new, new.data(), True


def chosen_cases(cases: Sequence[Case], failing: frozenset[Case]) -> list[Case]:
    """As many failing and passing ones as take little time, in their order."""
    rng = np.random.default_rng(0)
    kept = set[Case]()
    for group in ([c for c in cases if c in failing], [c for c in cases if c not in failing]):
        order = [group[i] for i in rng.permutation(len(group))]
        small = [case for case in order if _products(case) <= LARGE]
        large = [case for case in order if _products(case) > LARGE]
        kept |= {*small[: MOST // 2], *large[: MOST_LARGE // 2]}
    return [case for case in cases if case in kept]


def _products(case: Case) -> int:
    return case.T * case.B * (case.I + case.H) * case.H * case.L
