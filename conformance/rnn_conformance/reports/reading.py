"""Reports from files, which may come from anybody."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from rnn_conformance.findings import Diagnosis, Heat
from rnn_conformance.records import Record, Report
from rnn_conformance.reports.content import plain

MOST_BYTES = 16 * 2**20


def read_report(path: str | Path) -> Report:
    """The report that `rnn-conformance check --json` wrote to a file.

    Raises ValueError, one line that names the file and what is wrong with it, for whatever is no
    such report; and OSError where the file cannot be read.
    """
    try:
        return report_from(_text(Path(path)))
    except RecursionError:
        why = "expected a report, got lists within lists without end"
    except ValueError as error:
        why = str(error)
    raise ValueError(plain(f"{path}: {' '.join(why.split())[:400]}"))


def report_from(text: str) -> Report:
    """The report of this JSON. Raises ValueError or RecursionError where it is none."""
    data = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    if isinstance(data, dict) and "format" not in data and "records" in data:
        raise ValueError("format: expected 1, got a report of a version that gave none")
    error = best_match(islice(_validator().iter_errors(data), 10))
    if error is not None:
        raise ValueError(f"{error.json_path.removeprefix('$.')}: {error.message}")
    report = Report(
        data["implementation"],
        data["seed"],
        data["environment"],
        tuple(map(Record.from_json, data["records"])),
        data["complete"],
        data["patterns"],
        tuple(map(Diagnosis.from_json, data["diagnoses"])),
        tuple(data["in_vain"]),
        data["undiagnosed"],
        data["heat"] and Heat.from_json(data["heat"]),
        data["command"],
    )
    for what, expected, got in _contradictions(report, data):
        raise ValueError(f"{what}: expected {expected!r}, got {got!r}")
    return report


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a report."""
    text = files("rnn_conformance.reports").joinpath("report.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise ValueError("expected a file")  # a pipe would be waited for
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"expected a report of at most {MOST_BYTES} bytes")
    return content.decode("utf-8")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"expected each name once, got {twice[:100]!r} twice in an object")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"expected JSON, which has no number {name}")


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
        if (record.id, record.implementation) != (identifier, report.implementation):
            yield f"records[{number}].id", identifier, record.id
    if report.heat is not None:
        heat, widths = report.heat, {len(row) for row in report.heat.shares}
        if len(widths) > 1:
            yield "heat.shares", "rows of one length", f"rows of {len(widths)} lengths"
        if heat.of_steps < len(heat.shares) or heat.of_units < max(widths):
            yield "heat.shares", f"at most {heat.of_steps} x {heat.of_units} numbers", "more"
