"""`python -m rnn_benchmarks.report results.json --markdown report.md --html report.html`.

With `--studies studies.json`, what `rnn_benchmarks.studies` wrote is in it too.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rnn_benchmarks import html, markdown
from rnn_benchmarks.content import write
from rnn_benchmarks.evidence import read_tables
from rnn_benchmarks.results import ResultsError, read_results

BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report; 0, or 2 with one line on standard error where that cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m rnn_benchmarks.report",
        description="A report on what bench_loops.py measured. "
        "Without a file to write it goes to the terminal, as Markdown.",
    )
    parser.add_argument("results", type=Path, help="what pytest wrote with --benchmark-json")
    parser.add_argument(
        "--studies", type=Path, metavar="FILE", help="what rnn_benchmarks.studies wrote"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write Markdown")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one HTML page with plots")
    options = parser.parse_args(arguments)
    try:
        content = write(
            read_results(options.results), read_tables(options.studies) if options.studies else ()
        )
        if options.markdown:
            _write(options.markdown, markdown.render(content))
        if options.html:
            _write(options.html, html.render(content))
    except ResultsError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT
    if not (options.markdown or options.html):
        sys.stdout.write(markdown.render(content))
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResultsError(f"{path}: cannot be written: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
