"""The soak: random cases over the whole space of options, as many as one has time for.

    python -m rnn_conformance.faces.soak --implementation torch.nn.RNN --cases 100000 --seed 0

Several implementations are judged in the same cases, which costs little more than one: what is
expected is computed once. Case number n of a seed is drawn from the two numbers alone: neither the
number of processes nor the cases before it matter. Each is judged by the checks that are asked in
every case, and by one of the others that must hold there.
"""

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from multiprocessing import get_context

import numpy as np
from rich.console import Console

from rnn_conformance.cases.case import Case
from rnn_conformance.cases.catalogue import fitted
from rnn_conformance.cases.drawn import drawn_case
from rnn_conformance.cases.vacuity import why_vacuous
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.plan import Planned
from rnn_conformance.checks.registry import always
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import Implementation
from rnn_conformance.contract.refusal import CannotBeJudged
from rnn_conformance.faces import status
from rnn_conformance.faces.terminal import share, watched
from rnn_conformance.sources.loading import load

NAMED = {
    "torch.nn.RNN": "rnn_conformance.sources.adapters.torch_layer:TorchLayer",
    "rnn_reference.RNN": "rnn_conformance.sources.adapters.reference:ReferenceLayer",
    "Recurrence": "rnn_conformance.variants.recurrence:Recurrence",
}
PRODUCTS = 20_000  # of a case, in one layer and direction
CHUNK = 25  # cases that a process judges at a time
SELDOM = {"threads": 25}  # one in so many cases: it takes as long as all else in that many


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Attributes:
        shares: the worst error of each executed check as a share of its bound; empty where the
            implementation does not claim the case, or it is vacuous.
        failures: a message for each check that failed.
        vacuous: whether the case shows too little to be judged.
    """

    implementation: str
    number: int
    case: Case
    shares: Mapping[str, float]
    failures: Mapping[str, str]
    vacuous: bool = False


def judge(subject: Subject, seed: int, number: int) -> Outcome:
    """Draw a case, judge it. A layer that fails in whatever way makes a failure, no exception."""
    name = subject.implementation.name
    rng = np.random.default_rng([seed, number])
    drawn, claimed = drawn_case(rng, int(rng.integers(2**32)), PRODUCTS), subject.claimed
    case = fitted(drawn, claimed)
    if case is None or why_vacuous(case.in_one_order):
        return Outcome(name, number, case or drawn, {}, {}, vacuous=case is not None)
    shares: dict[str, float] = {}
    failures: dict[str, str] = {}
    fitting = [c for c in CHECKS.values() if c.needs <= claimed and c.presumes(case, claimed)]
    relations = [
        check
        for check in fitting
        if check.among is not always and number % SELDOM.get(check.name, 1) == 0
    ]
    asked = [check for check in fitting if check.among is always]
    asked += [relations[rng.integers(len(relations))]] if relations else []
    for check in asked:
        record = Planned(subject, check, case).execute()
        shares[check.name] = record.worst_share or 0.0
        if record.outcome == "failed":
            failures[check.name] = record.message
    return Outcome(name, number, case, shares, failures)


def soak(
    implementations: Iterable[Implementation], numbers: Iterable[int], seed: int = 0
) -> Iterator[Outcome]:
    """The outcomes of the cases of these numbers, case by case."""
    subjects = [*map(Subject, implementations)]
    return (judge(subject, seed, number) for number in numbers for subject in subjects)


def soak_in_processes(
    names: Sequence[str], numbers: range, seed: int, processes: int
) -> Iterator[Outcome]:
    """As `soak`, of implementations that each process loads by name, all of them case by case."""
    chunks = [numbers[i : i + CHUNK] for i in range(0, len(numbers), CHUNK)]
    # Not forked: a framework's threads do not survive that.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            for outcomes in pool.map(partial(_chunk, names, seed), chunks):
                yield from outcomes
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _chunk(names: Sequence[str], seed: int, numbers: range) -> list[Outcome]:
    return [judge(_subject(name), seed, number) for number in numbers for name in names]


@cache
def _subject(name: str) -> Subject:
    return Subject(layer_named(name))


def layer_named(name: str) -> Implementation:
    """A layer by its name: one of `NAMED`, a healthy variant, or module:Class or file.py:Class.

    Raises CannotBeJudged.
    """
    variant = f"rnn_conformance.variants.healthy:{name}"
    return load(NAMED.get(name, name if ":" in name else variant))


@dataclass
class Summary:
    """What a soak has shown so far."""

    cases: int = 0
    judged: int = 0
    failed: int = 0
    vacuous: int = 0
    executed: Counter[str] = field(default_factory=Counter)
    worst: dict[str, float] = field(default_factory=dict)
    since: float = field(default_factory=time.perf_counter)

    def add(self, outcome: Outcome) -> None:
        self.cases += 1
        self.judged += bool(outcome.shares)
        self.failed += bool(outcome.failures)
        self.vacuous += outcome.vacuous
        self.executed.update(outcome.shares.keys())
        for check, worst in outcome.shares.items():
            self.worst[check] = max(worst, self.worst.get(check, 0.0))

    def __str__(self) -> str:
        took = time.perf_counter() - self.since
        lines = [
            f"{check:26}{self.executed[check]:8} times, worst error {share(self.worst[check])} "
            "of its bound"
            for check in CHECKS
            if check in self.executed
        ]
        unclaimed = self.cases - self.judged - self.vacuous
        lines.append(
            f"{self.cases} cases in {took:.0f} s, {self.cases / took:.1f} a second: "
            f"{self.failed} failed, {unclaimed} not claimed, {self.vacuous} vacuous; "
            f"worst error {share(max(self.worst.values(), default=None))} of its bound"
        )
        return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak; returns 0 (no case failed), 1 (some did) or 2 (could not be judged)."""
    options = _parser().parse_args(arguments)
    options.implementation = list(dict.fromkeys(options.implementation or ["torch.nn.RNN"]))
    out = Console(soft_wrap=True, markup=False, highlight=False)
    summaries: dict[str, Summary] = {}
    numbers = range(options.start, options.start + options.cases)
    problem = ""
    try:
        layers = [layer_named(name) for name in options.implementation]  # refused here, and once
        total = len(numbers) * len(layers)
        outcomes = soak(layers, numbers, options.seed)
        if options.processes > 1:
            names = options.implementation
            outcomes = soak_in_processes(names, numbers, options.seed, options.processes)
        for outcome in watched(outcomes, total, "cases"):
            summaries.setdefault(outcome.implementation, Summary()).add(outcome)
            case = f"{outcome.implementation}-{outcome.case.id}"
            for check, message in outcome.failures.items():
                out.print(f"FAILED case {outcome.number} {check}[{case}]: {message}")
    except (CannotBeJudged, BrokenExecutor) as error:
        problem = str(error)
    except KeyboardInterrupt:
        done = min((summary.cases for summary in summaries.values()), default=0)
        problem = f"interrupted before case {options.start + done}"
    for name, summary in summaries.items():
        out.print(f"{name}:\n{summary}")
    if problem or not all(summary.judged for summary in summaries.values()):
        return status.not_judged(problem or "no case was judged")
    failed = any(summary.failed for summary in summaries.values())
    return status.DOES_NOT_CONFORM if failed else status.CONFORMS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rnn_conformance.faces.soak",
        description="Judge an implementation in random cases.",
        epilog="Exit status: 0 no case failed, 1 some did, 2 could not be judged.",
    )
    named = f"{', '.join(NAMED)}; or a healthy variant; or package.module:Class; or file.py:Class"
    parser.add_argument(
        "--implementation", action="append", metavar="NAME", help=f"repeatable: {named}"
    )
    numbers = (
        ("cases", 1, 1000, "how many cases"),
        ("seed", 0, 0, "all cases are drawn from it"),
        ("start", 0, 0, "the number of the first case, to repeat one that failed"),
        ("processes", 1, 1, "how many processes share the cases"),
    )
    for name, least, usual, what in numbers:
        at_least = partial(_integer, least)
        parser.add_argument(f"--{name}", type=at_least, default=usual, metavar="N", help=what)
    return parser


def _integer(least: int, text: str) -> int:
    value = int(text)
    if value < least:
        raise argparse.ArgumentTypeError(f"expected an integer from {least} on, got {value}")
    return value


if __name__ == "__main__":
    # A framework that is loaded from here on starts no threads, which only wait in cases so small.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for stop in (signal.SIGINT, signal.SIGTERM):  # what was judged is told in any case
        signal.signal(stop, signal.default_int_handler)
    sys.exit(main())
