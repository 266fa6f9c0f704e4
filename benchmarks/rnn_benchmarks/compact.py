"""`python -m rnn_benchmarks.compact results.json small.json`: summaries in place of all rounds.

What is left is what the report and the comparison read, with a line for each measurement.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnn_benchmarks.results import ResultsError, read_document, read_results
from rnn_benchmarks.summary import Summary

BAD_INPUT = 2
DIGITS = 5  # far below the noise
DROPPED = ("yardstick_seconds", "warmup_rounds", "largest_difference", "allowed_difference")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the small file; 0, or 2 with one line on standard error where that cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m rnn_benchmarks.compact",
        description="Keep of what pytest wrote with --benchmark-json what a report needs.",
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("small", type=Path)
    options = parser.parse_args(arguments)
    try:
        text = compact(options.results)
        options.small.write_text(text, encoding="utf-8")
    except ResultsError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT
    except OSError as error:
        sys.stderr.write(f"{options.small}: cannot be written: {error.strerror}\n")
        return BAD_INPUT
    return 0


def compact(path: Path) -> str:
    """The small file's text. ResultsError where the file at `path` cannot be reported on."""
    results, document = read_results(path), read_document(path)
    entries = [
        {
            "name": entry.get("name"),
            "extra_info": {k: v for k, v in entry["extra_info"].items() if k not in DROPPED},
            "summary": _rounded(measurement.summary),
        }
        for entry, measurement in zip(document["benchmarks"], results.measurements, strict=True)
    ]
    head = {
        "machine_info": {"rnn_benchmarks": document["machine_info"]["rnn_benchmarks"]},
        "commit_info": document.get("commit_info"),
        "datetime": document["datetime"],
    }
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    start = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{start},\n "benchmarks": [\n{lines}\n ]\n}}\n'


def _rounded(summary: Summary) -> dict[str, Any]:
    def short(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: short(inner) for key, inner in value.items()}
        return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value

    rounded: dict[str, Any] = short(asdict(summary))
    return rounded


if __name__ == "__main__":
    sys.exit(main())
