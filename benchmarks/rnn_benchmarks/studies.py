"""`python -m rnn_benchmarks.studies studies.json`: what the report says beside the times.

The tanh of NumPy and torch, and the peak memory of each line: minutes, a process for each line and
length. `python -m rnn_benchmarks.report results.json --studies studies.json` shows it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rnn_benchmarks.evidence import read_tables
from rnn_benchmarks.memory_study import measure
from rnn_benchmarks.names import chosen_names
from rnn_benchmarks.results import ResultsError
from rnn_benchmarks.tanh_study import compare_tanh


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the studies; 0, or 2 with one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m rnn_benchmarks.studies")
    parser.add_argument(
        "file", type=Path, help="write them to it; it holds studies, or nothing yet"
    )
    parser.add_argument("--rnn-lines", default="", metavar="NAMES", help="as in bench_loops.py")
    options = parser.parse_args(arguments)
    try:
        if options.file.exists():
            read_tables(options.file)  # so that no results are overwritten
        memory, absent = measure(chosen_names(options.rnn_lines))
    except ResultsError as error:
        sys.stderr.write(f"{error}; not overwritten\n")
        return 2
    except ValueError as error:
        sys.stderr.write(f"--rnn-{error}\n")
        return 2
    document = {
        "tanh": [asdict(each) for each in compare_tanh()],
        "memory": [asdict(each) for each in memory],
        "no_memory": absent,
    }
    options.file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
