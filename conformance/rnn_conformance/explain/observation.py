"""What one check sees of an implementation, and whether two implementations show it the same."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64, Precision
from rnn_conformance.bounds.judgement import Judgement, Place
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.expected import of_part, whole
from rnn_conformance.checks.every import OF_GRADIENTS
from rnn_conformance.checks.plan import Planned
from rnn_conformance.checks.subject import Subject, parts_of
from rnn_conformance.contract.call import Answer, Call
from rnn_conformance.contract.refusal import Violation

# The checks whose numbers are a result of the case itself, of which it is known how far rounding
# can carry it; and the one whose numbers are means.
RESULT_OF = {
    "output": "output",
    "trajectory": "output",
    "final_state": of_part("h"),
    "readout": "y",
}
RESULTS = frozenset(("output", "h_n"))
OF_STATISTICS = ("systematic_error", "dropout_between_layers")
BY_CHANCE = ("threads", *OF_STATISTICS)  # which numbers are wrong
ROUGHLY = 0.01  # how far apart numbers may be of which no bound is known
ALIKE = 4  # a mutant's sums may have a few terms more than the bound counts
COMPARABLE = 1e-3  # where rounding may have grown beyond, numbers say nothing


@dataclass(frozen=True)
class Observation:
    """What came of one check.

    Attributes:
        refusal: why there was nothing to compare; empty where there was.
        judgements: what was compared, by a name that is its own.
        answers: what each of its calls gave.
    """

    refusal: str
    judgements: Mapping[str, Judgement]
    answers: tuple[Answer, ...] = ()

    @cached_property
    def failed(self) -> bool:
        return bool(self.refusal) or any(
            judgement.shares().max() > 1 for judgement in self.judgements.values()
        )


def observe(item: Planned) -> Observation:
    """Execute a planned check."""
    with np.errstate(all="ignore"):
        try:
            judgements = list(item.check.judge(item.subject, item.case))
        except Violation as violation:
            return Observation(without_place(str(violation)), {}, _answers(item))
    return Observation("", dict(_by_name(judgements)), _answers(item))


def _answers(item: Planned) -> tuple[Answer, ...]:
    return tuple(getattr(item.subject, "answers", ()))


def _by_name(judgements: Sequence[Judgement]) -> Iterator[tuple[str, Judgement]]:
    """Each by what it judges, and how many before it judge the same."""
    seen = Counter[str]()
    for judgement in judgements:
        yield f"{judgement.what} {seen[judgement.what]}", judgement
        seen[judgement.what] += 1


class Watched(Subject):
    """Keeps the answers of a check."""

    def __init__(self, implementation: Any, among: frozenset[str]) -> None:
        super().__init__(implementation, among=among)
        self.answers: list[Answer] = []

    def answer(self, call: Call) -> Answer:
        self.answers.append(answer := super().answer(call))
        return answer


def asking(implementation: Any, first: Any) -> Callable[[Any], Observation | None]:
    """What shows what an implementation gives in a check; to be asked one check after the other.

    One more call, of the first check, is made at once, so that what is kept from the last call is
    the same for whatever is asked the same. None where the implementation does not claim what is
    asked.
    """

    def shown(item: Any) -> Observation | None:
        subject = Watched(implementation, first.subject.claimed)  # which remembers no answer
        asked = replace(item, subject=subject)
        return None if asked.lacking else observe(asked)

    shown(first)
    return shown


def without_place(violation: str) -> str:
    """A refusal without what belongs to one implementation alone: a message, a line of code."""
    if violation.startswith("raised "):
        return violation.partition(":")[0].partition(" (")[0]
    return violation


def alike(item: Any, one: Observation, other: Observation) -> bool:
    """Whether two implementations of one bug could have been seen so, in the same check.

    The other may give parts of a result that the one does not give.
    """
    if one.refusal != other.refusal or not one.judgements.keys() <= other.judgements.keys():
        return False
    with np.errstate(all="ignore"):
        by_chance = item.check.name in BY_CHANCE or "dropout" in item.check.needs
        if (
            not by_chance
            and item.case.weights == "contractive"
            and not all(map(_alike_answers, one.answers, other.answers))
        ):
            return False
        return all(
            _alike_judgements(item, judgement, other.judgements[name])
            for name, judgement in one.judgements.items()
        )


def _alike_answers(one: Answer, other: Answer) -> bool:
    """Whether what both give is the same up to rounding."""
    mine, others = _arrays(one), _arrays(other)
    both = [(mine[name], others[name]) for name in mine if name in others]
    return all(
        np.shape(part) == np.shape(theirs)
        and np.allclose(part, theirs, rtol=ROUGHLY, atol=ROUGHLY, equal_nan=True)
        for part, theirs in both
    )


def _arrays(answer: Answer) -> dict[str, Any]:
    """The results and the gradients that were given, by name."""
    gradients = answer.gradients if isinstance(answer.gradients, Mapping) else {}
    return {**parts_of(answer), **gradients}


def _alike_judgements(item: Any, one: Judgement, other: Judgement) -> bool:
    if item.check.name in OF_STATISTICS and one.what not in RESULTS:
        apart = ALIKE * np.maximum(one.bound, other.bound)  # chance, where draws are not many
        both_outside = (one.shares() > 1) & (other.shares() > 1)
        opposed = (one.found > one.expected) != (other.found > other.expected)
        near = np.abs(one.found - other.found) <= apart
        return bool((near & ~(both_outside & opposed)).all())
    near = _close_errors if item.check.name in OF_GRADIENTS else _close
    return alike_shares(one.worst()[0], other.worst()[0]) and near(item, one, other)


def _close_errors(_: Any, one: Judgement, other: Judgement) -> bool:
    """Whether each number is off by the same, of which its bound is from its own steps."""
    mine, others = (j.found.astype(np.float64) - j.expected for j in (one, other))
    apart = ROUGHLY * np.maximum(np.abs(mine), np.abs(others))
    near = np.abs(mine - others) <= apart + ALIKE * np.maximum(one.bound, other.bound)
    return bool((near | (np.isnan(mine) & np.isnan(others))).all())


def alike_shares(one: float, other: float) -> bool:
    """Whether two shares of a bound say the same: on one side of it, or next to each other."""
    return (one > 1) == (other > 1) or max(one, other) <= ALIKE * min(one, other)


def shows_numbers(item: Any) -> bool:
    """Whether a check shows a result of its case, whose numbers can be compared."""
    return item.check.name in RESULT_OF


def alike_places(item: Any, one: Place, other: Place) -> bool:
    """Whether the first number outside is the same one, with the same value up to rounding."""
    if not shows_numbers(item) or one == other:
        return True
    with np.errstate(all="ignore"):
        apart = max(_spread(item, one), _spread(item, other))
        if not apart < COMPARABLE:
            # Each step is judged from the state before it, so that the first wrong one is the same.
            by_step = item.check.name == "output" and item.case.by_step
            return not by_step or one.step == other.step or min(one.share, other.share) <= ALIKE
        if (one.step, one.row, one.unit) != (other.step, other.row, other.unit):
            return min(one.share, other.share) <= ALIKE  # the other may have been just inside
        return bool(_near(np.float64(one.found), np.float64(other.found), apart))


@lru_cache(maxsize=256)
def spreads(case: Case) -> Mapping[str, Float64]:
    """By the name of each result: output (T, B, D·H), h_n and so on (L·D, B, H), y (T, B, O).

    The bound of a trajectory, for an activation that is nowhere steeper than one, whatever it is:
    a wrong one need not be the right one.
    """
    with np.errstate(all="ignore"):  # what grows beyond all bounds is not compared
        limits = whole(case.data(), Precision.of(case.dtype), loose=True)
    parts = case.options.parts
    states = zip(parts, np.split(limits.h_n_bound, len(parts), axis=-1), strict=True)
    found = {"output": limits.output_bound, **{of_part(part): bound for part, bound in states}}
    return found if limits.y_bound is None else {**found, "y": limits.y_bound}


def _spread(item: Any, place: Place) -> np.float64:
    """How far rounding can carry this number of the result that the check judges."""
    name, of = RESULT_OF[item.check.name], spreads(item.case)
    if name == of_part("h"):  # or another part, of which a place does not tell
        found = max(
            of[of_part(p)][place.step, place.row, place.unit] for p in item.case.options.parts
        )
        return np.float64(found)
    return np.float64(of[name][place.step, place.row, place.unit])


def _close(item: Any, one: Judgement, other: Judgement) -> bool:
    if not shows_numbers(item):
        return True
    return bool(_near(one.found, other.found, spreads(item.case)[one.what]).all())


def _near(one: Any, other: Any, apart: Any) -> Any:
    """Where two numbers are the same up to rounding, or rounding may have grown too large."""
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    near = np.abs(one.astype(np.float64) - other) <= ALIKE * apart
    return same | near | ~(apart < COMPARABLE)
