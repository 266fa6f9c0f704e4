"""The calls that a cause is looked for in, and what they gave."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64, Precision
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.cases.expected import shown_through
from rnn_conformance.cases.order import in_direction
from rnn_conformance.cells.weights import handing_on
from rnn_conformance.checks.conduct import changed, fortran
from rnn_conformance.checks.registry import comparable
from rnn_conformance.checks.subject import Subject, expected_shapes, in_one_order
from rnn_conformance.contract.call import DTYPES, Answer
from rnn_conformance.contract.conventions import ANY_MEMORY
from rnn_conformance.contract.refusal import Broken, Violation, in_the_dtype

MOST = 180  # calls of the plan
LARGE, MOST_LARGE = 300_000, 20  # products of a layer, from which on few are asked
SMOKE_ROWS = 3  # of the call that comes first, where claims are assumed
OMITTED = " with h_0 omitted"
MANY_ROWS = 48  # of the calls with growing inputs, in which a row may break at one step alone
STACK = (6, 4, 5, 4)  # of calls of two layers, of every kind
NEW_SIZES = ((6, 3, 7, 6), (5, 4, 6, 7))  # that no other call has: the first of them is known


ALIKE: Mapping[str, Callable[[Case], Any]] = {  # what earlier calls have in common, in words
    "": lambda _: (),
    " of the same sizes": lambda c: _sizes(c),
    " of as many units and this dtype": lambda c: (c.H, c.bidirectional, c.dtype),
    " of as many rows and units": lambda c: (c.B, c.H, c.L, c.bidirectional),
    " of this dtype and as many rows and units": lambda c: (
        c.B, c.H, c.L, c.bidirectional, c.dtype,
    ),
}  # fmt: skip
KEPT = 3  # of them, from the first and from the last


@dataclass(frozen=True)
class Asked:
    """One call, and what came of it.

    Attributes:
        number: of the calls of its sizes among these, from 0 on; those of the plan count as later
            ones, since they were asked before.
        answer: in one order, padding as it came; None where it was refused.
        complaint: why it is no answer, or not in the right dtype; empty if it is right.
        rows_of_first: how many rows the first call of all can have had.
        memory: the order in which its arrays lie in memory.
        below: of each layer below the last, (D, T, B, H) as `states`, as the last one shows it
            where the layers between hand it on; nothing where it cannot be told.
        off: of states that do not show but should be these, how far off they can be, as `states`.
        apart: by result, how far from what the same call gave before, in the mean of squares.
        earlier: calls before of as many units, each with words for what it is among those alike.
        first_rows: how many rows the first call of these sizes had.
        before: by words, the last of the calls before that were alike.
    """

    case: Case
    data: Data
    number: int
    answer: Answer | None
    complaint: str
    earlier: tuple["Earlier", ...]
    first_rows: int
    before: Mapping[str, "Asked"]
    rows_of_first: tuple[int, ...]
    memory: str
    below: tuple[Ball, ...] = ()
    off: Float64 | None = None
    apart: Mapping[str, float] = field(default_factory=dict)

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

    def final(self, part: int) -> Float64 | None:
        """A part of the last state, (L·D, B, H), where it is given."""
        if self.answer is None or self.answer.h_n is None:
            return None
        given = self.answer.h_n.astype(np.float64)  # the parts side by side
        return np.split(given, len(self.case.options.parts), axis=-1)[part]

    def read(self, output: Any) -> Float64:
        """(T, B, D·H) by direction, (D, T, B, H), as `states`."""
        parts = np.split(output.astype(np.float64), self.case.options.directions, axis=2)
        ways = zip(self.case.options.ways, parts, strict=True)
        return np.array([in_direction(h, self.data.lengths, way) for way, h in ways])


class Earlier(NamedTuple):
    """A call before; words for what it is."""

    says: frozenset[str]
    case: Case
    data: Data


class Given(NamedTuple):
    """What was asked, and some numbers that tell its weights from others."""

    case: Case
    data: Data
    numbers: bytes


def asked_again(
    implementation: Any, claimed: frozenset[str], cases: Sequence[Case], every: Sequence[Case]
) -> list[Asked]:
    """What the implementation gives for these cases, and for calls that resemble each other.

    Args:
        every: the cases that were asked before, in that order.
    """
    history = [Given(case, data, _first_numbers(data)) for case in every for data in [case.data()]]
    subject = Subject(implementation, among=claimed)
    rows = tuple({SMOKE_ROWS, cases[0].B})
    again = [*(Again(case, case.data()) for case in cases), *_further(cases, claimed)]
    known = [one for one in again if not one.new]  # asked twice, so that every call has some before
    found, by_sizes, alike = list[Asked](), Counter[Any](), dict[Any, Asked]()
    for case, data, new, memory in (*known, *again):
        sizes, keys = _sizes(case), _keys(case)
        answer, complaint = _answer(subject, case, data, memory)
        number = by_sizes[sizes] + (0 if new else 2)
        earlier = _earlier(case, history)
        history.append(Given(case, data, _first_numbers(data)))
        first_rows = next(given.case.B for given in history if _sizes(given.case) == sizes)
        before = {says: alike[says, *key] for says, key in keys.items() if (says, *key) in alike}
        asked = Asked(
            case, data, number, answer, complaint, earlier, first_rows, before, rows, memory
        )
        by_sizes[sizes] += 1
        alike |= {
            (says, *key): replace(asked, before={})
            for says, key in keys.items()
            if not says.endswith(OMITTED) or case.h_0 == "none"
        }
        found.append(asked)
    first, rest = found[: len(known)], found[len(known) :]
    earlier_answers = {id(one.data): one for one in first}
    return [
        replace(
            one, below=_below(subject, one), apart=_apart(one, earlier_answers.get(id(one.data)))
        )
        for one in rest
    ]


def _apart(one: Asked, other: Asked | None) -> Mapping[str, float]:
    if other is None or one.answer is None or other.answer is None or one.has_nan:
        return {}
    pairs = {
        "states": (one.answer.output, other.answer.output),
        "h_n": (one.answer.h_n, other.answer.h_n),
        "y": (one.answer.y, other.answer.y),
    }
    with np.errstate(all="ignore"):
        return {
            name: float(np.sqrt(np.mean(np.square(mine.astype(np.float64) - theirs))))
            for name, (mine, theirs) in pairs.items()
            if mine is not None and theirs is not None
        }


def _below(subject: Subject, asked: Asked) -> tuple[Ball, ...]:
    """What each layer below the last gives, seen through layers that hand it on."""
    case, data, found = asked.case, asked.data, list[Ball]()
    can_show = asked.answer is not None and comparable(case) and case.equation.memoryless
    for number in range(case.L - 1 if can_show else 0):
        through = handing_on(data.options, data.inputs.dtype, case.equation.pins)
        ours = tuple(f"_l{n}{way}" for n in range(number + 1) for way in ("", "_reverse"))
        kept = {n: w for n, w in data.weights.items() if n.endswith((*ours, "_ho"))}
        answer, _ = _answer(subject, case, replace(data, weights={**through, **kept}), asked.memory)
        if answer is None:
            return ()
        with np.errstate(all="ignore"):
            seen = shown_through(data, asked.precision, answer.output, number)
        if not np.isfinite(seen.value + seen.radius).all():
            return ()
        found.append(seen)
    return tuple(found)


def _earlier(case: Case, history: Sequence[Given]) -> tuple[Earlier, ...]:
    """The first and the last calls before this one that were alike, of other weights each."""
    found, says = dict[bytes, Given](), defaultdict[bytes, set[str]](set)
    for what, key in ALIKE.items():
        own = key(case)
        alike = [given for given in history if key(given.case) == own]
        for which, order in (("first", alike), ("last", alike[::-1])):
            distinct = {given.numbers: given for given in order}
            for n, numbers in enumerate([*distinct][:KEPT]):
                found[numbers] = distinct[numbers]
                says[numbers] |= set() if n else {f"the {which} call{what}"}
    return tuple(Earlier(frozenset(says[n]), one.case, one.data) for n, one in found.items())


def _first_numbers(data: Data) -> bytes:
    return b"".join(value.ravel()[:1].tobytes() for value in data.weights.values())


def _keys(case: Case) -> dict[str, Any]:
    """What calls must have in common to be alike, by words."""
    keys = {f"the last call{what}": key(case) for what, key in ALIKE.items()}
    return keys | {f"{says}{OMITTED}": key for says, key in keys.items()}


def _sizes(case: Case) -> tuple[Any, ...]:
    """What layers are made for."""
    return case.I, case.H, case.L, case.O, case.bidirectional, case.reverse, case.dtype


def _answer(subject: Subject, case: Case, data: Data, memory: str) -> tuple[Answer | None, str]:
    call = data.call(case.layout)
    try:
        raw = subject.answer(call if memory == "C" else changed(call, fortran))
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


class Again(NamedTuple):
    """A call to be made: whether it is of sizes that no other call has, and its memory order."""

    case: Case
    data: Data
    new: bool = False
    memory: str = "C"


def _further(cases: Sequence[Case], claimed: frozenset[str]) -> Iterator[Again]:
    """Calls with NaN, growing inputs, two layers, in Fortran order, of the same sizes in turn."""
    plain = [case for case in cases if case.L == 1 and case.dtype in DTYPES and case.T > 2]
    kinds: dict[Any, Case] = {}
    for case in plain:
        if case.lengths == "none" and case.weights == "contractive":
            kinds.setdefault((case.dtype, case.cell, case.h_0 == "none"), case)
    for case in kinds.values():
        inputs = case.data().inputs.copy()
        inputs[case.T // 2, case.B // 2, case.I // 2] = np.nan
        yield Again(case, replace(case.data(), inputs=inputs))
        many = case if case.layout == "single" else replace(case, B=MANY_ROWS)
        sizes = np.geomspace(1, 2000, many.T * many.B).astype(inputs.dtype)
        growth = sizes.reshape(many.T, many.B, 1)
        yield Again(many, replace(many.data(), inputs=many.data().inputs * growth))
        if ANY_MEMORY in claimed:
            yield Again(case, case.data(), memory="Fortran")
    stacks = dict[Any, Case]()
    for case in cases:
        if case.L > 1 and comparable(case):
            left_out = case.bias == "off", case.h_0 == "none", case.lengths == "none"
            stacks.setdefault((case.cell, case.bidirectional, case.layout, *left_out), case)
    for case in stacks.values():
        T, B, I, H = STACK
        sized = replace(case, L=2, T=T, B=1 if case.layout == "single" else B, I=I, H=H)
        yield Again(sized, sized.data())
    for case in kinds.values():
        for T, B, I, H in NEW_SIZES:
            rows = 1 if case.layout == "single" else B
            sized = replace(case, T=T, B=rows, I=I, H=H)
            for seed in range(4):
                seeded = replace(sized, seed=case.seed + seed)
                yield Again(seeded, seeded.data(), new=True)


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
