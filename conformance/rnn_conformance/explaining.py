"""What is said of a run beside its records: why checks fail, and where the worst errors lie."""

from collections.abc import Iterable

from rnn_conformance.findings import Diagnosis, Heat
from rnn_conformance.heat import worst_heat
from rnn_conformance.records import Record
from rnn_conformance.run import Planned

Explained = tuple[tuple[Diagnosis, ...], Heat | None]


def explained(planned: Iterable[Planned], records: Iterable[Record], diagnosed: bool) -> Explained:
    """The diagnoses, if they are asked for, and the heat; the implementation is asked again.

    Args:
        planned: the planned checks; those without a record are left out.
        records: what came of them, in whatever order.
    """
    items, found = matched(planned, records)
    return diagnoses(items, found) if diagnosed else (), worst_heat(items, found)


def diagnoses(planned: Iterable[Planned], records: Iterable[Record]) -> tuple[Diagnosis, ...]:
    """Why checks fail, of the same; none where none fails."""
    items, found = matched(planned, records)
    if not any(record.outcome == "failed" for record in found):
        return ()
    from rnn_conformance.diagnosis import diagnose  # it imports every mutant: 0.1 s

    return diagnose(items, found)


def matched(
    planned: Iterable[Planned], records: Iterable[Record]
) -> tuple[list[Planned], list[Record]]:
    """The planned checks that have a record, and their records, in one order."""
    by_id = {record.id: record for record in records}
    items = [item for item in planned if item.id in by_id]
    return items, [by_id[item.id] for item in items]
