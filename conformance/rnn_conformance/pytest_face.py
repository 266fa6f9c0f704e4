"""The checks as pytest sees them: parameters, one test each, and records out of its reports."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from rnn_conformance.findings import Diagnosis
from rnn_conformance.records import Record
from rnn_conformance.run import Planned, plan
from rnn_conformance.terminal import describe
from rnn_conformance.vacuity import refuse_vacuous

PROPERTY = "rnn_conformance"


def parameters(implementation: Any, *, seed: int = 0) -> list[Any]:
    """Every planned check as a `pytest.param`, under its id. Raises what `plan` raises."""
    return [pytest.param(planned, id=planned.id) for planned in plan(implementation, seed=seed)]


def judge(planned: Planned, record_property: Callable[[str, object], None]) -> None:
    """Execute one check as a test: it passes, fails with the text of the record, or is skipped.

    Raises Vacuous where the case is one that anybody could pass.
    """
    refuse_vacuous(planned.case)
    record = planned.execute()
    record_property(PROPERTY, record.to_json())
    if record.outcome == "not_claimed":
        pytest.skip(record.message)
    if record.outcome == "known_failure":
        pytest.xfail(record.message)
    if record.outcome == "failed":
        pytest.fail(describe(record), pytrace=False)


def records_of(stats: Mapping[str, Iterable[Any]]) -> list[Record]:
    """The records behind the reports of a session, from pytest-xdist's workers too."""
    return [
        Record.from_json(value)
        for reports in stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]


def diagnoses(planned: Iterable[Planned], records: Iterable[Record]) -> tuple[Diagnosis, ...]:
    """Why checks fail, from the records of a session in whatever order; none where none fails."""
    by_id = {record.id: record for record in records}
    executed = [item for item in planned if item.id in by_id]
    if not any(by_id[item.id].outcome == "failed" for item in executed):
        return ()
    from rnn_conformance.diagnosis import diagnose  # it imports every mutant

    return diagnose(executed, [by_id[item.id] for item in executed])
