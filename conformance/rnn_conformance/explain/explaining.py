"""Why checks fail, from records in whatever order."""

from collections.abc import Callable, Iterable
from typing import Any

from rnn_conformance.checks.findings import Diagnosis
from rnn_conformance.checks.plan import Planned
from rnn_conformance.checks.records import Record

Watched = Callable[[Iterable[Any], int], Iterable[Any]]


def unwatched(tried: Iterable[Any], _: int) -> Iterable[Any]:
    """What is tried, as it is."""
    return tried


def diagnosis_of(
    planned: Iterable[Planned], records: Iterable[Record], watched: Watched = unwatched
) -> Diagnosis | None:
    """Why checks fail, None if none does; the implementation is asked again.

    Args:
        planned: the planned checks; those without a record are left out.
        records: what came of them.
        watched: wraps what is tried, of which it is told the number, while the cause is searched.
    """
    by_id = {record.id: record for record in records}
    if not any(record.outcome == "failed" for record in by_id.values()):
        return None
    from rnn_conformance.explain.search import diagnose  # it imports every mutant: 0.1 s

    items = [item for item in planned if item.id in by_id]
    return diagnose(items, [by_id[item.id] for item in items], watched)
