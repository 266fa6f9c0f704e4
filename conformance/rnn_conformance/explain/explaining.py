"""Why checks fail, from records in whatever order."""

from collections.abc import Iterable

from rnn_conformance.checks.findings import Diagnosis
from rnn_conformance.checks.plan import Planned
from rnn_conformance.checks.records import Record


def diagnosis_of(planned: Iterable[Planned], records: Iterable[Record]) -> Diagnosis | None:
    """Why checks fail, None if none does; the implementation is asked again.

    Args:
        planned: the planned checks; those without a record are left out.
        records: what came of them.
    """
    by_id = {record.id: record for record in records}
    if not any(record.outcome == "failed" for record in by_id.values()):
        return None
    from rnn_conformance.explain.search import diagnose  # it imports every mutant: 0.1 s

    items = [item for item in planned if item.id in by_id]
    return diagnose(items, [by_id[item.id] for item in items])
