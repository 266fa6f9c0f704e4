"""Every known bug, and every two of them, as the explanation of what was seen."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from warnings import catch_warnings

import numpy as np

from rnn_conformance.checks.findings import Cause, Diagnosis
from rnn_conformance.checks.plan import Planned, in_words_of, known_failures
from rnn_conformance.checks.records import Record
from rnn_conformance.checks.subject import Subject
from rnn_conformance.explain.evidence import chosen
from rnn_conformance.explain.observation import (
    Observation,
    alike,
    alike_places,
    alike_shares,
    asking,
    shows_numbers,
    without_place,
)
from rnn_conformance.explain.pairs import both, keeps_something, promising_pairs, with_dropout
from rnn_conformance.explain.places import places, shows_places
from rnn_conformance.variants.every import MUTANTS

PLACES_FROM = 40  # results, to say where in them the wrong numbers lie
CLOSE = 1e-3
Seen = Sequence[tuple[Any, Observation]]


def diagnose(planned: Sequence[Planned], records: Sequence[Record]) -> Diagnosis | None:
    """Why checks fail; None if none does.

    An explanation is first tried on some of the checks, for which the implementation is asked anew
    and every number is compared; then on all that were executed, in their order. It is given up at
    the first difference that rounding does not explain.

    Args:
        planned: the planned checks.
        records: what came of the first of them, in the same order.
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
        return _diagnosis(executed)


def reproduced_by(item: Planned) -> tuple[str, ...]:
    """The sentences of the known bugs that alone give what is seen in one check."""
    seen = asked_anew([item])
    with catch_warnings(action="ignore", category=RuntimeWarning):
        return tuple(bug.sentence for bug in MUTANTS.values() if _gives(bug.make, seen)[0])


def _counts(item: Any, record: Any) -> bool:
    known = known_failures(item.subject.implementation)
    expected = any(some.fits(record.check, record.case) for some in known)
    return record.outcome in ("passed", "failed") and not expected


def _diagnosis(executed: Sequence[tuple[Any, Any]]) -> Diagnosis:
    items = [item for item, _ in executed]
    failed = [record.outcome == "failed" for _, record in executed]
    seen = asked_anew(chosen(items, failed))
    repeated = any(observation.failed for _, observation in seen)
    tried = seen if repeated else []
    drops = any("dropout" in item.check.needs for item in items)

    def causes_among(candidates: Iterable[tuple[str, ...]]) -> list[Cause]:
        return [
            _cause([MUTANTS[name] for name in names])
            for names in candidates
            if (make := _made([MUTANTS[name].make for name in names], drops)) is not None
            and reproduces(make, tried, executed)
        ]

    causes = causes_among((name,) for name in MUTANTS)
    if not causes and repeated:
        causes = causes_among(promising_pairs(MUTANTS, seen))
    return Diagnosis(
        tuple(causes),
        sum(failed),
        len(executed),
        sum(shows_numbers(item) for item, _ in tried),
        () if causes else _places(executed),
        repeated,
    )


def _cause(bugs: Sequence[Any]) -> Cause:
    return Cause(
        tuple(bug.name for bug in bugs),
        tuple(bug.sentence for bug in bugs),
        tuple(bug.shipped_in for bug in bugs if bug.shipped_in),
    )


def _made(bugs: Sequence[type[Any]], drops: bool) -> type[Any] | None:
    """One class with one bug or two, that drops out in training if what it explains does."""
    make = bugs[0] if len(bugs) == 1 else both(*bugs)
    return with_dropout(make) if make is not None and drops else make


def _places(executed: Sequence[tuple[Any, Any]]) -> tuple[str, ...]:
    failing = [i for i, record in executed if record.outcome == "failed" and shows_places(i)]
    some = failing[:: len(failing) // PLACES_FROM + 1]
    return tuple(places(asked_anew(some))) if some else ()


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
