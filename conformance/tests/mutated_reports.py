"""Reports with random damage; `python -m tests.mutated_reports 10000` tries so many."""

import copy
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rnn_conformance import Report
from rnn_conformance.faces.reports.badge import badge
from rnn_conformance.faces.reports.html import html
from rnn_conformance.faces.reports.markdown import markdown
from rnn_conformance.faces.reports.reading import read_report

from .report_samples import known, right, wrong

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, 1e308, -0.0, 10**400, "", "inf", "nan", "passed", "failed",
    "\ud800", "\x00", "x" * 2000, [], {}, [[]], [None] * 300, {"step": 0}, {"": {}},
)  # fmt: skip
TOKENS = ("[", "]", "{", "}", ",", ":", '"', "\\", "NaN", "-Infinity", "1e999", "[" * 50, "\x00")


def small() -> list[str]:
    """A right, a wrong and a known report, each of a few records, as JSON."""
    return [json.dumps(cut(report).to_json()) for report in (right(), wrong(), known())]


def cut(report: Report) -> Report:
    """Some records of every outcome that there is."""
    outcomes = {record.outcome for record in report.records}
    kept = [[r for r in report.records if r.outcome == o][:3] for o in sorted(outcomes)]
    return replace(report, records=tuple(record for group in kept for record in group))


def damaged(text: str, rng: np.random.Generator) -> bytes:
    """The report with one to three random changes, in its structure or in its bytes."""
    if rng.random() < 0.5:
        data = json.loads(text)
        for _ in range(rng.integers(1, 4)):
            data = _with_odd_value(data, rng)
        return json.dumps(data).encode()
    content = text.encode()
    for _ in range(rng.integers(1, 4)):
        at, to = sorted(rng.integers(0, len(content), 2))
        match rng.integers(0, 5):
            case 0:
                content = content[:at] or b" "
            case 1:
                content = content[:at] + bytes(rng.integers(0, 256, 3).tolist()) + content[at + 3 :]
            case 2:
                content = content[:at] + content[at + rng.integers(1, 40) :] or b" "
            case 3:
                content = content[:to] + content[at : at + 200] + content[to:]
            case _:
                content = content[:at] + str(rng.choice(TOKENS)).encode() + content[at:]
    return content


def _with_odd_value(data: Any, rng: np.random.Generator) -> Any:
    """One value, at any depth, is another, is gone, or stands twice."""
    if not isinstance(data, list | dict) or not data or rng.random() < 0.08:
        return copy.deepcopy(ODD[rng.integers(len(ODD))])
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    key = keys[rng.integers(len(keys))]
    if rng.random() < 0.1:
        del data[key]
    elif rng.random() < 0.1:
        other = keys[rng.integers(len(keys))]
        data[other] = copy.deepcopy(data[key])
    elif isinstance(data, dict) and rng.random() < 0.05:
        data["added"] = copy.deepcopy(data[key])
    else:
        data[key] = _with_odd_value(data[key], rng)
    return data


def try_one(path: Path, content: bytes) -> str:
    """The message with which this is refused; empty where it is read, and then it is rendered."""
    path.write_bytes(content)
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


def main(count: int, seed: int = 0) -> tuple[int, int]:
    """How many of so many damaged reports were refused, and how many were still right."""
    rng, texts = np.random.default_rng(seed), small()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        refused = sum(
            bool(try_one(path, damaged(texts[number % len(texts)], rng))) for number in range(count)
        )
    return refused, count - refused


if __name__ == "__main__":
    print("refused {}, read and rendered {}".format(*main(int(sys.argv[1]))))  # noqa: T201
