"""From an implementation to a report: all checks, then why some of them fail."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from rnn_conformance.checks.findings import Diagnosis
from rnn_conformance.checks.plan import Asked, asked_of, known_failures, refuse_wrong
from rnn_conformance.checks.records import Record, Report
from rnn_conformance.contract.refusal import Broken
from rnn_conformance.explain.explaining import Watched, diagnosis_of, unwatched
from rnn_conformance.explain.pattern import patterns
from rnn_conformance.run import environment
from rnn_conformance.run.isolation import Isolation, Workers
from rnn_conformance.run.smoke import smoke
from rnn_conformance.sources.loading import as_implementation, load
from rnn_conformance.sources.source import Source

Diagnose = Callable[[Iterable[Record]], Diagnosis | None]
How = Isolation | Literal["as marked"] | None


class Interrupted(KeyboardInterrupt):
    """A run was interrupted from the keyboard; `report` has the records until then."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"after {len(report.records)} checks")
        self.report = report


def check(
    implementation: Any,
    *,
    seed: int = 0,
    checks: Sequence[str] | None = None,
    diagnosed: bool = True,
    isolation: How = "as marked",
    progress: Watched = unwatched,
    searched: Watched = unwatched,
) -> Report:
    """Judge an implementation and return every record.

    Args:
        implementation, checks: as for `plan`; with isolation, a name or a `Source`.
        seed: the numbers of the cases are drawn from it.
        diagnosed: whether the cause of failures is searched for, which can take a minute and asks
            the implementation again.
        isolation: whether checks are executed in child processes, and in how many, where the smoke
            check comes first; None in none, "as marked" as `as_marked` says.
        progress: wraps the records, of which it is told the number, while they come.
        searched: likewise what is tried while the cause is searched for.

    Claims that were assumed are narrowed by the smoke check, as in child processes.

    Raises what `plan` raises, CannotBeJudged, Vacuous (a ValueError) for a seed that makes a case
    one that anybody could pass, and Interrupted. A failing implementation raises nothing.
    """
    refuse_wrong(seed, checks)
    implementation, isolation = as_marked(implementation, isolation)
    if isolation is None:
        found = as_implementation(implementation)
        found = smoke(found) if getattr(found, "assumed", ()) else found
        asked = asked_of(found, seed=seed, checks=checks)
        start = _start(asked, seed, environment.describe())
        records = (item.execute() for item in asked.planned)
        diagnose = partial(diagnosis_of, asked.planned, watched=searched) if diagnosed else None
        return _report(start, asked, progress(records, len(asked.planned)), diagnose, bool(checks))
    with Workers(source_of(implementation), isolation, seed=seed, checks=checks) as workers:
        start = _start(workers.asked, seed, workers.environment)
        watched = progress(workers.records(), len(workers.planned))
        told = partial(workers.diagnosis, watched=searched) if diagnosed else None
        return _report(start, workers.asked, watched, told, bool(checks))


def as_marked(implementation: Any, isolation: How) -> tuple[Any, Isolation | None]:
    """What to judge, and how: "as marked" in a child process what says that it can crash.

    It says so with an attribute, `can_crash = True`, since what it calls may end the process; and
    it is named, or a `Source`, as another process cannot be given an object.

    Raises CannotBeJudged, and TypeError for another isolation.
    """
    if isolation != "as marked":
        if not isinstance(isolation, Isolation | None):
            raise TypeError(f'isolation: expected Isolation, None, "as marked", got {isolation!r}')
        return implementation, isolation
    if isinstance(implementation, Source):
        found = implementation.implementation()
    elif isinstance(implementation, str):
        found = load(implementation)
    else:
        return implementation, None
    return (implementation, Isolation()) if can_crash(found) else (found, None)


def can_crash(implementation: object) -> bool:
    """Whether it says so."""
    return bool(getattr(implementation, "can_crash", False))


def notes_on(implementation: object) -> tuple[str, ...]:
    """What is not asked of it, and why."""
    return tuple(getattr(implementation, "notes", ()))


def source_of(implementation: object) -> Source:
    """A name as a source. Raises TypeError for an object, which no other process understands."""
    if isinstance(implementation, str):
        return Source(implementation)
    if not isinstance(implementation, Source):
        raise TypeError(
            "implementation: expected a name or a Source, which another process understands, "
            f"got {type(implementation).__name__}"
        )
    return implementation


def _start(asked: Asked, seed: int, seen_with: Mapping[str, str]) -> Report:
    """A report without records."""
    name, notes = asked.implementation.name, notes_on(asked.implementation)
    return Report(name, seed, seen_with, (), not_claimed=asked.not_claimed, notes=notes)


def _report(
    start: Report, asked: Asked, executed: Iterable[Record], diagnose: Diagnose | None, some: bool
) -> Report:
    records: list[Record] = []
    try:
        records.extend(_with_one_map(executed))
    except KeyboardInterrupt:
        found = patterns(asked.planned, records)
        unfinished = replace(start, records=tuple(records), complete=False, patterns=found)
        raise Interrupted(unfinished) from None
    report = replace(
        start,
        records=tuple(records),
        patterns=patterns(asked.planned, records),
        in_vain=() if some or _given_up(records) else in_vain(asked, records),
    )
    if diagnose is None:
        return report
    try:
        return replace(report, diagnosis=diagnose(records))
    except Broken as broken:
        return replace(report, undiagnosed=f"asked again for it, the process {broken}")
    except KeyboardInterrupt:  # the records are complete all the same
        return replace(report, undiagnosed="interrupted")


def _with_one_map(records: Iterable[Record]) -> Iterator[Record]:
    """The first map of errors is kept: all of them would be most of a report."""
    kept = False
    for record in records:
        yield replace(record, error_map=None) if kept and record.error_map else record
        kept = kept or record.error_map is not None


def _given_up(records: Sequence[Record]) -> bool:
    """Whether checks were left out that could have been asked: after several that hung."""
    return any(record.outcome == "not_claimed" for record in records)


def in_vain(asked: Asked, records: Sequence[Record]) -> tuple[str, ...]:
    """What is claimed, or known to fail, and no executed check had to do with, by all records."""
    implementation, came = asked.implementation, zip(asked.planned, records, strict=True)
    executed = [item for item, record in came if record.outcome != "not_claimed"]
    exercised = frozenset[str]().union(*(i.case.features | i.check.needs for i in executed))
    stale = [
        f"known failure of {some.check} in {some.case}"
        for some in known_failures(implementation)
        if not any(some.fits(item.check.name, item.case.id) for item in executed)
    ]
    return (*sorted(implementation.claims - exercised), *stale)
