"""Reports from files: what `to_json` gives is read back, anything else is one clear error."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from rnn_conformance import Report
from rnn_conformance.faces.reports.files import badge
from rnn_conformance.faces.reports.html import html
from rnn_conformance.faces.reports.markdown import markdown
from rnn_conformance.faces.reports.reading import SCHEMA, read_report

from .damage import damaged_bytes, damaged_json, written_anew
from .report_samples import SAMPLES, known, right, wrong

MUTATED = 300


def written(report: Report, path: Path) -> Path:
    path.write_text(json.dumps(report.to_json(), indent=1, allow_nan=False), "utf-8")
    return path


def cut(report: Report) -> Report:
    """Some records of every outcome that there is."""
    outcomes = {record.outcome for record in report.records}
    kept = [[r for r in report.records if r.outcome == o][:3] for o in sorted(outcomes)]
    return replace(report, records=tuple(record for group in kept for record in group))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json.loads(SCHEMA.read_text("utf-8")))


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_real_report_fits_the_schema_and_is_read_back(
    sample: Callable[[], Report], tmp_path: Path
) -> None:
    path = written(sample(), tmp_path / "report.json")
    assert read_report(path) == sample()


def at(*path: str | int) -> Callable[[Any], tuple[Any, Any]]:
    """The object or list that has the last of these, and the last."""

    def find(data: Any) -> tuple[Any, Any]:
        for key in path[:-1]:
            data = data[key]
        return data, path[-1]

    return find


SPOILED = {
    "format: expected 3, got 1; another version wrote it": (at("format"), 1),
    "not_claimed.readout: 0 is less than the minimum of 1": (at("not_claimed", "readout"), 0),
    "Additional properties are not allowed ('extra' was unexpected)": (at("extra"), 1),
    "records[0]: Additional properties are not allowed ('extra'": (at("records", 0, "extra"), 1),
    "records[0].check: 'a-b' does not match": (at("records", 0, "check"), "a-b"),
    "records[0].clauses[0]: 'CELL' does not match": (at("records", 0, "clauses"), ["CELL"]),
    "records[0].worst_share: -1 is less than the minimum": (at("records", 0, "worst_share"), -1),
    "records[3].worst_share: 1.5 is greater than the": (at("records", 3, "worst_share"), 1.5),
    "records[0].worst_share: 'nan' does not match": (at("records", 0, "worst_share"), "nan"),
    "records[0].first_outside: 'step' is a required": (at("records", 0, "first_outside"), {}),
    "records[0].check: 'a\\n' does not match": (at("records", 0, "check"), "a\n"),
    "records[0].clauses[0]: 'RNN-A-1\\n' does": (at("records", 0, "clauses"), ["RNN-A-1\n"]),
    "seed: -1 is less than the minimum of 0": (at("seed"), -1),
    "diagnosis.causes[0].names: [] should be": (at("diagnosis", "causes", 0, "names"), []),
    "conforms, by the records: expected False, got True": (at("conforms"), True),
    "failed, by the records: expected 3, got 0": (at("failed"), 0),
    "known_failures, by the records: expected 0, got 1": (at("known_failures"), 1),
    "worst_share, by the records: expected": (at("worst_share"), 0.999),
    "records[0].error_map: 'steps' is a required": (at("records", 0, "error_map"), {}),
    "records[0].error_map.shares[0][0]: -1 is less": (
        at("records", 0, "error_map", "shares", 0, 0), -1,
    ),
    "records[0].error_map.shares, the lengths of its rows: expected": (
        at("records", 0, "error_map", "units"), [0],
    ),
    "records[0].id: expected": (at("records", 0, "case"), "another"),
}  # fmt: skip


@pytest.mark.parametrize("message", SPOILED)
def test_a_spoiled_report_is_refused(message: str, tmp_path: Path) -> None:
    data = json.loads(json.dumps(cut(wrong()).to_json()))
    assert data["records"][3]["outcome"] == "passed"
    find, value = SPOILED[message]
    holder, key = find(data)
    holder[key] = value
    path = tmp_path / "report.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"report\.json") as refused:
        read_report(path)
    assert message.strip() in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff"),
        (b'{"a": NaN}', "expected JSON, which has no number NaN"),
        (b'{"seed": 1, "seed": 1}', "got 'seed' twice in an object"),
        (b"[" * 1_000_000, "recursion"),
        (b"1" * 5000, "Exceeds the limit"),
        (b'{"records": []}', "format: expected 3, got None; another version wrote it"),
    ],
    ids=range(7),
)
def test_what_is_no_report_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"report\.json") as refused:
        read_report(path)
    assert message in str(refused.value)


def try_one(path: Path, content: bytes) -> str:
    """The message with which this is refused; empty where it is read, and then it is rendered."""
    written_anew(path, content)
    try:
        report = read_report(path)
    except ValueError as error:
        message = str(error)
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        assert message.isprintable()
        assert len(message) < 1000
        return message
    for text in (markdown(report), html(report), json.dumps(badge(report))):
        assert text.encode()
    assert json.loads(json.dumps(report.to_json(), allow_nan=False)) == json.loads(content)
    return ""


def test_damaged_reports_are_refused_or_rendered(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(1), tmp_path / "report.json"
    texts = [json.dumps(cut(each()).to_json()).encode() for each in (right, wrong, known)]
    assert [try_one(path, text) for text in texts] == ["", "", ""]
    messages = [
        try_one(path, damage(rng, texts[number % 3]))
        for number in range(MUTATED // 2)
        for damage in (damaged_bytes, damaged_json)
    ]
    assert sum(map(bool, messages)) > MUTATED / 2
    assert len({message.rpartition(": ")[2] for message in messages}) > 30
