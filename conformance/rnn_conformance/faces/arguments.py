"""What the command line takes."""

import argparse
from functools import partial

from rnn_conformance.checks.every import CHECKS
from rnn_conformance.faces.reports import files
from rnn_conformance.run import environment
from rnn_conformance.sources.loading import names
from rnn_conformance.sources.seed_model import EQUATION
from rnn_conformance.sources.source import ADAPTERS

PROGRAM = "rnn-conformance"
# Commands with a parser of their own: module, the extra that it needs, help.
BOARD = "rnn_conformance.faces.reports.scoreboard"
ELSEWHERE = {
    "new": (
        "rnn_conformance.faces.starter",
        "",
        "a file to start from: a function, class or layer",
    ),
    "vectors": ("rnn_conformance.vectors.cli", "files", "frozen test vectors: export, verify"),
    "scoreboard": (BOARD, "reports", "several reports side by side"),
}


def parser() -> argparse.ArgumentParser:
    """Of all commands."""
    found = argparse.ArgumentParser(
        prog=PROGRAM,
        description=f"Judge an implementation of the recurrence {EQUATION}.",
        epilog="Exit status: 0 conforms, 1 does not conform, 2 could not be judged.",
    )
    version = environment.describe().get("rnn-conformance", "not installed")
    found.add_argument("--version", action="version", version=f"rnn-conformance {version}")
    commands = found.add_subparsers(required=True, metavar="command", dest="command")
    judge = commands.add_parser("check", help="judge one implementation", epilog=found.epilog)
    judged = judge.add_mutually_exclusive_group(required=True).add_argument
    named = f"{', '.join(names())}; or package.module:object; or file.py:object"
    judged("implementation", nargs="?", help=named)
    program = "a program in any language, that reads and writes files as exchange.md says"
    judged("--exec", dest="program", metavar="COMMAND", help=program)
    add = judge.add_argument
    like = "what the object stands in for: made, loaded and called as that is"
    add("--like", default="", choices=tuple(ADAPTERS), help=like)
    claims = "TOML: what the implementation claims, and its known failures"
    add("--claims", default="", metavar="FILE", help=claims)
    some = f"run this check alone (repeatable): {', '.join(CHECKS)}"
    add("--check", action="append", dest="checks", choices=tuple(CHECKS), metavar="NAME", help=some)
    for kind, (_, what) in files.KINDS.items():
        add(f"--{kind}", metavar="FILE", help=f"write a report: {what}")
    undiagnosed = "do not search for the cause of failures, which can take a minute"
    add("--no-diagnosis", action="store_false", dest="diagnosed", help=undiagnosed)
    add("--seed", type=int, default=0, metavar="N", help="of the cases' numbers")
    processes = (
        "share the cases among N child processes, in which a crash or a hang is one failed "
        "check (%(default)s); 0: judge in this very process, for a debugger"
    )
    number, usual = partial(_processes, 0), min(environment.cores(), 4)
    add("--processes", type=number, default=usual, metavar="N", help=processes)
    limit = "seconds for each check in a child process, or each answer of a program (%(default)g)"
    add("--time-limit", type=float, default=60.0, metavar="S", help=limit)
    power = "judge the suite itself: wrong implementations caught, right ones accepted"
    add = commands.add_parser("mutants", help=power).add_argument
    thorough = (
        "every check on every mutant, and a diagnosis of it: what only one check catches, and "
        "which causes are named rightly (an hour or two on two cores)"
    )
    add("--thorough", action="store_true", help=thorough)
    number, shared = partial(_processes, 1), "share the work among N"
    add("--processes", type=number, default=1, metavar="N", help=shared)
    for name, (*_, what) in ELSEWHERE.items():
        commands.add_parser(name, help=what)
    return found


def _processes(least: int, text: str) -> int:
    if not text.isdecimal() or not least <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"expected a number from {least} to 64, got {text!r}")
    return int(text)
