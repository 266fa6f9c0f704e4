"""The command line: a thin face over `rnn_conformance.check`."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rnn_conformance import environment
from rnn_conformance.checks import CHECKS
from rnn_conformance.loading import BUILT_IN, CannotBeJudged
from rnn_conformance.records import Report
from rnn_conformance.run import Planned, check
from rnn_conformance.terminal import print_report

CONFORMS, DOES_NOT_CONFORM, NOT_JUDGED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status 0 (conforms), 1 (does not) or 2 (not judged)."""
    options = _parser().parse_args(arguments)
    try:
        report = check(
            options.implementation,
            seed=options.seed,
            checks=options.checks,
            progress=_progress,
        )
        if options.json is not None:
            _write_json(options.json, report)
    except (CannotBeJudged, ValueError, OSError) as error:
        print(f"rnn-conformance: {' '.join(str(error).split())}", file=sys.stderr)
        return NOT_JUDGED
    print_report(Console(), report)
    if report.executed == 0:
        return NOT_JUDGED
    return CONFORMS if report.conforms else DOES_NOT_CONFORM


def _write_json(place: str, report: Report) -> None:
    """Raises OSError where the file cannot be written."""
    Path(place).write_text(json.dumps(report.to_json(), indent=1, allow_nan=False) + "\n")


def _progress(planned: Sequence[Planned]) -> Iterator[Planned]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        yield from bar.track(planned, description="checks")


def _seed(text: str) -> int:
    seed = int(text)
    if seed < 0:
        raise argparse.ArgumentTypeError(f"expected an integer from 0 on, got {text}")
    return seed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rnn-conformance",
        description="Judge an implementation of the recurrence "
        "h_t = tanh(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh), y_t = W_ho h_t + b_ho.",
        epilog="Exit status: 0 conforms, 1 does not conform, 2 could not be judged.",
    )
    version = environment.describe().get("rnn-conformance", "not installed")
    parser.add_argument("--version", action="version", version=f"rnn-conformance {version}")
    commands = parser.add_subparsers(required=True, metavar="command")
    judge = commands.add_parser("check", help="judge one implementation", epilog=parser.epilog)
    judge.add_argument(
        "implementation",
        help=f"{', '.join(BUILT_IN)}; or package.module:object; or file.py:object",
    )
    judge.add_argument(
        "--check",
        action="append",
        dest="checks",
        choices=tuple(CHECKS),
        metavar="NAME",
        help=f"run this check alone (repeatable): {', '.join(CHECKS)}",
    )
    judge.add_argument("--json", metavar="FILE", help="write all records to this file")
    judge.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the cases' numbers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
