"""Why checks fail: what is done otherwise in a step, and every known bug as the explanation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from warnings import catch_warnings

import numpy as np

from rnn_conformance.checks.every import CHECKS, OF_GRADIENTS
from rnn_conformance.checks.findings import Cause, Diagnosis, Finding
from rnn_conformance.checks.plan import Planned, in_words_of, known_failures
from rnn_conformance.checks.records import Record
from rnn_conformance.checks.registry import Check
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.refusal import TAKEN
from rnn_conformance.explain.dropping import keeps_something, with_dropout
from rnn_conformance.explain.evidence import chosen
from rnn_conformance.explain.explaining import Watched, unwatched
from rnn_conformance.explain.observation import (
    Observation,
    alike,
    alike_places,
    alike_shares,
    asking,
    shows_numbers,
    without_place,
)
from rnn_conformance.explain.pattern import pattern
from rnn_conformance.explain.stepwise import findings
from rnn_conformance.variants.every import known_bugs

CLOSE = 1e-3
AREAS: Mapping[str, Callable[[Check], bool]] = {
    "dropout": lambda check: "dropout" in check.needs,
    "memory": lambda check: check.name in ("inputs_unchanged", "earlier_results_kept"),
}
Seen = Sequence[tuple[Any, Observation]]


def diagnose(
    planned: Sequence[Planned], records: Sequence[Record], watched: Watched = unwatched
) -> Diagnosis | None:
    """Why checks fail; None if none does.

    The implementation is asked anew. What is done otherwise in single steps is looked for number by
    number. A known bug is first tried on some of the checks, then on all that were executed, in
    their order; it is given up at the first difference that rounding does not explain.

    Args:
        planned: the planned checks.
        records: what came of the first of them, in the same order.
        watched: wraps the known bugs, of which it is told the number, while they are tried.
    """
    executed = [
        (item, record)
        for item, record in zip(planned, records, strict=False)
        if _counts(item, record)
    ]
    if not any(record.outcome == "failed" for _, record in executed):
        return None
    # What NumPy warns of in a mutant is no news to whoever wrote another implementation.
    with catch_warnings(action="ignore", category=RuntimeWarning):
        return _diagnosis(_of_results(executed) or executed, watched)


def _of_results(executed: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """What was executed without gradients, if something failed: wrong results have wrong ones."""
    some = [(item, record) for item, record in executed if item.case.loss == "none"]
    return some if any(record.outcome == "failed" for _, record in some) else []


def reproduced_by(item: Planned) -> tuple[str, ...]:
    """The sentences of the known bugs that alone give what is seen in one check."""
    seen = asked_anew([item])
    with catch_warnings(action="ignore", category=RuntimeWarning):
        bugs = known_bugs(item.subject.claimed)
        return tuple(bug.sentence for bug in bugs if _gives(bug.make, seen)[0])


def _counts(item: Any, record: Any) -> bool:
    known = known_failures(item.subject.implementation)
    expected = any(some.fits(record.check, record.case) for some in known)
    return record.outcome in ("passed", "failed") and not expected


def _diagnosis(executed: Sequence[tuple[Any, Any]], watched: Watched) -> Diagnosis:
    items = [item for item, _ in executed]
    failed = [record.outcome == "failed" for _, record in executed]
    seen = asked_anew(chosen(items, failed))
    repeated = any(observation.failed for _, observation in seen)
    tried = seen if repeated else []
    drops = any("dropout" in item.check.needs for item in items)
    wrong = [item for item, bad in zip(items, failed, strict=True) if bad]
    alone = all(item.check.name in OF_GRADIENTS for item in wrong)  # where steps are right
    bugs = known_bugs(items[0].subject.claimed)
    bugs = [bug for bug in bugs if bug.caught_by in OF_GRADIENTS] if alone else bugs
    causes = [
        Cause((bug.name,), (bug.sentence,), (bug.shipped_in,) if bug.shipped_in else ())
        for bug in watched(bugs, len(bugs))
        if reproduces(with_dropout(bug.make) if drops else bug.make, tried, executed)
    ]
    subject = items[0].subject
    failing = frozenset(item.case for item in wrong)
    cases = list(dict.fromkeys(item.case for item in items))
    found: tuple[Finding, ...] = ()
    unexplained: tuple[str, ...] = ()
    if not alone:
        found, unexplained = findings(subject.implementation, subject.claimed, cases, failing)
    if causes and unexplained:  # a part of what is known as a whole
        found, unexplained = (), ()
    if repeated and not causes:
        found = (*found, *_of_areas(executed))
    found = (*_answered(executed), *found)
    return Diagnosis(
        tuple(causes),
        sum(failed),
        len(executed),
        sum(shows_numbers(item) for item, _ in tried),
        unexplained,
        repeated,
        found,
    )


def _of_areas(executed: Sequence[tuple[Any, Any]]) -> Iterator[Finding]:
    """Known bugs that give all that fails in some checks, whatever else is wrong."""
    for area, concerns in AREAS.items():
        some = [(item, record) for item, record in executed if concerns(item.check)]
        failed = [record.outcome == "failed" for _, record in some]
        if not any(failed):
            continue
        seen = asked_anew(chosen([item for item, _ in some], failed))
        claimed = some[0][0].subject.claimed
        bugs = [bug for bug in known_bugs(claimed) if concerns(CHECKS[bug.caught_by])]
        says = [
            bug.sentence.rstrip(".")
            for bug in bugs
            if reproduces(with_dropout(bug.make) if area == "dropout" else bug.make, seen, some)
        ]
        if says:
            yield Finding(area, ", or: ".join(says[:3]), "everywhere", sum(failed), sum(failed), 0)


def _answered(executed: Sequence[tuple[Any, Any]]) -> Iterator[Finding]:
    """What should be refused, and is answered."""
    where: dict[tuple[str, str], list[Any]] = {}
    for item, record in executed:
        what, _, rest = record.message.rpartition(": ")
        if rest == TAKEN:
            where.setdefault((item.check.name, what), []).append(item.case)
    for (name, what), cases in where.items():
        others = [i.case for i, _ in executed if i.check.name == name and i.case not in cases]
        place = pattern(cases, others)[:1] if others else ["everywhere"]
        if place:
            says = f"{what}: answered, not refused"
            yield Finding("answers", says, place[0], len(cases), len(cases), 0)


def asked_anew(items: Sequence[Any]) -> Seen:
    """What each of the checks sees, asked anew; what is not given is left out."""
    asked = asking(items[0].subject.implementation, items[0])
    return [(item, seen) for item in items if (seen := asked(item)) is not None]


def reproduces(make: Callable[[], Any], seen: Seen, executed: Sequence[tuple[Any, Any]]) -> bool:
    """Whether a wrong implementation gives what was seen, and fails just where it was seen to.

    One that keeps something from call to call need not give it, asked anew in another order; it
    must then show the very numbers that were outside at first.
    """
    gives, tried = _gives(make, seen)
    return (gives or keeps_something(tried)) and _fails_alike(make(), executed, closely=not gives)


def _gives(make: Callable[[], Any], seen: Seen) -> tuple[bool, Any]:
    """Whether a wrong implementation gives what was seen, and the one that was asked.

    One that keeps nothing gives the same in any order: what failed rules out most, and comes first.
    """
    tried = make()
    if not vars(tried):
        gives = _gives_in_turn(tried, sorted(seen, key=lambda one: not one[1].failed))
        if not vars(tried):
            return gives, tried
        tried = make()
    return _gives_in_turn(tried, seen), tried


def _gives_in_turn(implementation: Any, seen: Seen) -> bool:
    if not seen:
        return True
    asked = asking(implementation, seen[0][0])
    return all(_explains(item, theirs, asked(item)) for item, theirs in seen)


def _explains(item: Any, theirs: Observation, ours: Observation | None) -> bool:
    return not theirs.failed if ours is None else alike(item, theirs, ours)


def _fails_alike(
    implementation: Any, executed: Sequence[tuple[Any, Any]], *, closely: bool = False
) -> bool:
    asked = executed[0][0].subject  # the stranger: what it does not claim, no bug is asked
    subject, stranger = Subject(implementation, among=asked.claimed), asked.implementation
    for item, theirs in executed:
        ours = replace(item, subject=subject).execute()
        ours = replace(ours, message=in_words_of(stranger, ours.message))
        if ours.outcome == "not_claimed":
            if theirs.outcome == "failed":
                return False
        elif not _alike_records(item, theirs, ours) or (closely and not _same_place(theirs, ours)):
            return False
    return True


def _same_place(one: Any, other: Any) -> bool:
    """Whether the same number of the same result is the first outside, with nearly one value."""
    if one.first_outside is None or other.first_outside is None:
        return one.first_outside is other.first_outside
    here, there = one.first_outside, other.first_outside
    places = [(p.step, p.row, p.unit) for p in (here, there)]
    results = [record.message.partition(":")[0] for record in (one, other)]
    near = np.isclose(here.found, there.found, rtol=CLOSE, atol=CLOSE, equal_nan=True)
    return places[0] == places[1] and results[0] == results[1] and bool(near)


def _alike_records(item: Any, one: Any, other: Any) -> bool:
    if one.worst_share is not None and other.worst_share is not None:
        if one.first_outside and other.first_outside:
            return alike_places(item, one.first_outside, other.first_outside)
        return alike_shares(one.worst_share, other.worst_share)
    if one.outcome != other.outcome or (one.worst_share is None) != (other.worst_share is None):
        return False
    return without_place(one.message) == without_place(other.message)
