"""The command line: a thin face over `rnn_conformance.check`."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

from rich.console import Console

from rnn_conformance.checks.records import Report
from rnn_conformance.contract.refusal import CannotBeJudged, need
from rnn_conformance.faces import status
from rnn_conformance.faces.arguments import ELSEWHERE, PROGRAM, parser
from rnn_conformance.faces.reports import files
from rnn_conformance.faces.terminal import print_power, print_report, print_score, watched
from rnn_conformance.run.isolation import ONE_THREAD, Isolation
from rnn_conformance.run.smoke import smoke
from rnn_conformance.run.verdict import Interrupted, check
from rnn_conformance.sources.source import Source

CALLS = 100  # more than a check makes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status 0 (conforms), 1 (does not) or 2 (not judged)."""
    arguments = sys.argv[1:] if arguments is None else [*arguments]
    if arguments and arguments[0] in ELSEWHERE:
        module, extra, _ = ELSEWHERE[arguments[0]]
        try:
            if extra:
                need(extra, arguments[0])
        except CannotBeJudged as error:
            return status.not_judged(str(error))
        command: int = import_module(module).main(arguments[1:])
        return command
    options = parser().parse_args(arguments)
    if options.command == "mutants":
        return _mutants(options)
    return _check(options)


def _check(options: argparse.Namespace) -> int:
    options.implementation = options.implementation and _shown(options.implementation)
    options.claims = _shown(options.claims)
    asked = {kind: getattr(options, kind) for kind in files.KINDS}
    places = {kind: place for kind, place in asked.items() if place is not None}
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a failing print would lose the report
    try:
        files.refuse(places)  # now rather than after the run
        report = replace(_judged(options), command=_command(options))
        try:
            files.write(report, places)
        finally:
            print_report(_Console(), report)
    except (CannotBeJudged, ValueError, OSError) as error:
        return status.not_judged(str(error))
    except KeyboardInterrupt:
        return status.not_judged("interrupted")
    return status.of(report)


def _shown(path: str) -> str:
    """The path from the working directory, if it lies there: reports are for others to read."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _command(options: argparse.Namespace) -> str:
    """What asks the same again, without the files that were written."""
    named = {"--exec": options.program, "--like": options.like, "--claims": options.claims}
    words = [word for option, value in named.items() if value for word in (option, value)]
    words += [word for name in options.checks or () for word in ("--check", name)]
    judged = [options.implementation] if options.implementation else []
    return shlex.join([PROGRAM, "check", *judged, *words, "--seed", str(options.seed)])


def _mutants(options: argparse.Namespace) -> int:
    """Print the score; 0 if every mutant is caught and no healthy implementation, else 1."""
    from rnn_conformance.run.score import trials  # every mutant, which nothing else needs

    found = [*watched(trials(options.processes, thorough=options.thorough), None, "trials")]
    print_score(_Console(), found)
    if options.thorough:
        print_power(_Console(), found)
    right = all(trial.right for trial in found)
    return status.CONFORMS if right else status.DOES_NOT_CONFORM


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
    if isolation is None:
        os.environ.update({**ONE_THREAD, **os.environ})  # before a framework is imported
    try:
        found = source if isolation else smoke(source.implementation())
        return check(
            found,
            seed=options.seed,
            checks=options.checks,
            diagnosed=options.diagnosed,
            isolation=isolation,
            progress=partial(watched, what="checks"),
            searched=partial(watched, what="known bugs that could be the cause"),
        )
    except Interrupted as interrupted:
        return interrupted.report


if __name__ == "__main__":
    sys.exit(main())
