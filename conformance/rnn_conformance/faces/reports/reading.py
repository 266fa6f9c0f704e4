"""Reports from files, which may come from anybody."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rnn_conformance.checks.findings import Diagnosis
from rnn_conformance.checks.records import FORMAT, Record, Report
from rnn_conformance.contract.documents import content_of, json_of
from rnn_conformance.contract.refusal import need, printable

MOST_BYTES = 16 * 2**20
SCHEMA = Path(__file__).with_name("report.schema.json")


def read_report(path: str | Path) -> Report:
    """The report that `rnn-conformance check --json` wrote to a file.

    Raises ValueError, one line that names the file and what is wrong with it, for whatever is no
    such report, and CannotBeJudged without the extra.
    """
    need("reports", str(path))
    data = json_of(str(path), content_of(str(path), Path(path), MOST_BYTES), SCHEMA, FORMAT)
    parts = {field.name: data[field.name] for field in fields(Report)}
    parts |= {name: tuple(parts[name]) for name in ("in_vain", "notes")}
    parts["records"] = tuple(map(Record.from_json, parts["records"]))
    if parts["diagnosis"] is not None:
        parts["diagnosis"] = Diagnosis.from_json(parts["diagnosis"])
    report = Report(**parts)
    for what, expected, got in _contradictions(report, data):
        why = printable(f"{what}: expected {expected!r}, got {got!r}")
        raise ValueError(f"{printable(str(path))}: {why}")
    return report


def _contradictions(
    report: Report, data: Mapping[str, Any]
) -> Iterator[tuple[str, object, object]]:
    """What the records say, and what else is said: the name of the field, expected and got."""
    derived = report.to_json()
    for name in ("conforms", "executed", "failed", "known_failures", "worst_share"):
        if derived[name] != data[name]:
            yield f"{name}, by the records", derived[name], data[name]
    for number, record in enumerate(report.records):
        identifier = f"{record.check}[{report.implementation}-{record.case}]"
        errors = record.error_map
        if errors is not None:
            sizes = [len(errors.units)] * len(errors.steps)
            if (got := [*map(len, errors.shares)]) != sizes:
                yield f"records[{number}].error_map.shares, the lengths of its rows", sizes, got
        if (record.id, record.implementation) != (identifier, report.implementation):
            yield f"records[{number}].id", identifier, record.id
