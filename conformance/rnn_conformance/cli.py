"""The command line: a thin face over `rnn_conformance.check`."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from io import TextIOWrapper

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rnn_conformance import environment
from rnn_conformance.environment import cores
from rnn_conformance.isolation import Isolation
from rnn_conformance.loading import BUILT_IN, CannotBeJudged
from rnn_conformance.profiles import ALL_CHECKS
from rnn_conformance.records import Record, Report
from rnn_conformance.reports import files
from rnn_conformance.smoke import smoke
from rnn_conformance.source import ADAPTERS, Source
from rnn_conformance.terminal import print_power, print_report, print_score
from rnn_conformance.verdict import Interrupted, check

_PROGRAM = "rnn-conformance"
# Commands with a parser of their own: they need libraries that the others do not wait for.
ELSEWHERE = {
    "vectors": ("rnn_conformance.vectors.cli", "frozen test vectors: export, verify"),
    "scoreboard": ("rnn_conformance.reports.scoreboard", "several reports side by side"),
}
CALLS = 100  # more than a check makes
CONFORMS, DOES_NOT_CONFORM, NOT_JUDGED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status 0 (conforms), 1 (does not) or 2 (not judged)."""
    arguments = sys.argv[1:] if arguments is None else [*arguments]
    if arguments and arguments[0] in ELSEWHERE:
        command: int = import_module(ELSEWHERE[arguments[0]][0]).main(arguments[1:])
        return command
    options = _parser().parse_args(arguments)
    if options.command == "mutants":
        return _mutants(options)
    return _check(options)


def _check(options: argparse.Namespace) -> int:
    asked = {kind: getattr(options, kind) for kind in files.KINDS}
    places = {kind: place for kind, place in asked.items() if place is not None}
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a failing print would lose the report
    try:
        files.refuse_unwritable(places)  # now rather than after the run
        report = replace(_judged(options), command=_command(options))
        try:
            files.write(report, places)
        finally:
            print_report(_Console(), report)
    except (CannotBeJudged, ValueError, OSError) as error:
        return _not_judged(str(error))
    except KeyboardInterrupt:
        return _not_judged("interrupted")
    if not report.judged:
        return NOT_JUDGED
    return CONFORMS if report.conforms else DOES_NOT_CONFORM


def _command(options: argparse.Namespace) -> str:
    """What asks the same again, without the files that were written."""
    named = {"--exec": options.program, "--like": options.like, "--claims": options.claims}
    words = [word for option, value in named.items() if value for word in (option, value)]
    words += [word for name in options.checks or () for word in ("--check", name)]
    judged = [options.implementation] if options.implementation else []
    return shlex.join([_PROGRAM, "check", *judged, *words, "--seed", str(options.seed)])


def _mutants(options: argparse.Namespace) -> int:
    """Print the score; 0 if every mutant is caught and no healthy implementation, else 1."""
    from rnn_conformance.score import trials  # it imports every mutant, which nothing else needs

    found = []
    with _bar() as bar:
        for trial in bar.track(
            trials(options.processes, thorough=options.thorough), total=None, description="trials"
        ):
            found.append(trial)
    print_score(_Console(), found)
    if options.thorough:
        print_power(_Console(), found)
    return CONFORMS if all(trial.right for trial in found) else DOES_NOT_CONFORM


class _Console(Console):
    """A console that lets its reader go: `| head` changes no verdict."""

    def on_broken_pipe(self) -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _judged(options: argparse.Namespace) -> Report:
    """The report, of the checks until then where the run is interrupted."""
    limit, number = options.time_limit, options.processes
    source = Source(options.implementation, options.like, options.claims)
    if options.program is not None:
        source = Source(options.program, "", options.claims, program=True, time_limit=limit)
        limit *= CALLS  # the program's own is for each of its answers
    isolation = Isolation(number, limit) if number else None
    try:
        found = source if isolation else smoke(source.implementation())
        return check(
            found,
            seed=options.seed,
            checks=options.checks,
            diagnosed=options.diagnosed,
            isolation=isolation,
            progress=_progress,
        )
    except Interrupted as interrupted:
        return interrupted.report


def _not_judged(why: str) -> int:
    print(f"rnn-conformance: {' '.join(why.split())}", file=sys.stderr)
    return NOT_JUDGED


def _progress(records: Iterable[Record], total: int) -> Iterator[Record]:
    with _bar() as bar:
        yield from bar.track(records, total=total, description="checks")


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    return Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Judge an implementation of the recurrence "
        "h_t = tanh(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh), y_t = W_ho h_t + b_ho.",
        epilog="Exit status: 0 conforms, 1 does not conform, 2 could not be judged.",
    )
    version = environment.describe().get("rnn-conformance", "not installed")
    parser.add_argument("--version", action="version", version=f"rnn-conformance {version}")
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")
    judge = commands.add_parser("check", help="judge one implementation", epilog=parser.epilog)
    judged = judge.add_mutually_exclusive_group(required=True)
    judged.add_argument(
        "implementation",
        nargs="?",
        help=f"{', '.join(BUILT_IN)}; or package.module:object; or file.py:object",
    )
    judged.add_argument(
        "--exec",
        dest="program",
        metavar="COMMAND",
        help="a program in any language, that reads and writes files as exchange.md says",
    )
    judge.add_argument(
        "--like",
        default="",
        choices=tuple(ADAPTERS),
        help="what the object stands in for: made, loaded and called as that is",
    )
    judge.add_argument(
        "--claims",
        default="",
        metavar="FILE",
        help="TOML: what the implementation claims, and its known failures",
    )
    judge.add_argument(
        "--check",
        action="append",
        dest="checks",
        choices=tuple(ALL_CHECKS),
        metavar="NAME",
        help=f"run this check alone (repeatable): {', '.join(ALL_CHECKS)}",
    )
    for kind, (_, what) in files.KINDS.items():
        judge.add_argument(f"--{kind}", metavar="FILE", help=f"write a report: {what}")
    judge.add_argument(
        "--no-diagnosis",
        action="store_false",
        dest="diagnosed",
        help="do not search for the cause of failures, which can take a minute",
    )
    judge.add_argument("--seed", type=int, default=0, metavar="N", help="of the cases' numbers")
    judge.add_argument(
        "--processes",
        type=_processes,
        default=min(cores(), 4),
        metavar="N",
        help="share the cases among N child processes, in which a crash or a hang is one failed "
        "check (%(default)s); 0: judge in this very process, for a debugger",
    )
    judge.add_argument(
        "--time-limit",
        type=float,
        default=60.0,
        metavar="S",
        help="seconds for each check in a child process, or each answer of a program (%(default)g)",
    )
    score = commands.add_parser(
        "mutants", help="judge the suite itself: wrong implementations caught, right ones accepted"
    )
    score.add_argument(
        "--thorough",
        action="store_true",
        help="every check on every mutant, and a diagnosis of it: what only one check catches, and "
        "which causes are named rightly (half an hour on two cores)",
    )
    score.add_argument(
        "--processes", type=_at_least_one, default=1, metavar="N", help="share the work among N"
    )
    for name, (_, what) in ELSEWHERE.items():
        commands.add_parser(name, help=what)
    return parser


def _processes(text: str) -> int:
    if not text.isdecimal() or int(text) > 64:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 64, got {text!r}")
    return int(text)


def _at_least_one(text: str) -> int:
    if (found := _processes(text)) == 0:
        raise argparse.ArgumentTypeError("expected a number from 1 to 64, got '0'")
    return found


if __name__ == "__main__":
    sys.exit(main())
