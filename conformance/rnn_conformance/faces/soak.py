"""The soak: random cases over the whole space of options, as many as one has time for.

    python -m rnn_conformance.faces.soak --implementation torch.nn.RNN --cases 100000 --seed 0

Several implementations are judged in the same cases, which costs little more than one: what is
expected is computed once. Case number n of a seed is drawn from the two numbers alone: neither the
number of processes nor the cases before it matter. Each is judged by the checks of values and by
one relation between two runs, where whole results can be compared.
"""

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, partial
from multiprocessing import get_context
from typing import TypeVar, get_args

import numpy as np
from rich.console import Console

from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases import expected
from rnn_conformance.cases.case import H0, Bias, Case, LengthsKind
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import DTYPES, LAYOUTS, Implementation, Nonlinearity
from rnn_conformance.contract.refusal import CannotBeJudged, Violation
from rnn_conformance.faces.terminal import share, watched
from rnn_conformance.sources.loading import load

V = TypeVar("V")

NAMED = {
    "torch.nn.RNN": "rnn_conformance.sources.adapters.torch_layer:TorchLayer",
    "rnn_reference.RNN": "rnn_conformance.sources.adapters.reference_layer:ReferenceLayer",
    "Recurrence": "rnn_conformance.variants.recurrence:Recurrence",
}
VALUES = ("shape_and_dtype", "output", "final_state")
PADDING = "padding_is_zero"
CHUNK = 25  # cases that a process judges at a time


def random_case(rng: np.random.Generator) -> Case:
    """One case, any combination of options; small sizes, and so coinciding ones, come more often.

    Only one layer of tanh is drawn chaotic: of several, too little shows to judge step by step, and
    relu grows without bound.
    """

    def one_of(values: tuple[V, ...]) -> V:
        return values[rng.integers(len(values))]

    def size(most: int) -> int:
        return 1 + int(most * rng.random() ** 2)

    layout = one_of(LAYOUTS)
    single = layout == "single"
    L, nonlinearity = 1 + int(rng.integers(4)), one_of(get_args(Nonlinearity))
    lengths: LengthsKind = "none" if single else one_of(get_args(LengthsKind))
    return Case(
        T=size(40),
        B=1 if single else size(9),
        I=size(20),
        H=size(24),
        L=L,
        nonlinearity=nonlinearity,
        bias=one_of(get_args(Bias)),
        bidirectional=one_of((False, True)),
        layout=layout,
        h_0=one_of(get_args(H0)),
        lengths=lengths,
        dtype=one_of(DTYPES),
        padding_nan=lengths != "none" and one_of((False, True)),
        weights=one_of(
            ("contractive", "normal" if L == 1 and nonlinearity == "tanh" else "contractive")
        ),
        seed=int(rng.integers(2**32)),
    )


def options_show(case: Case) -> bool:
    """Whether each option changed alone must change the output, by more than rounding could.

    With relu it need not: a state that is 0 with a bias can be 0 without.
    """
    other: Nonlinearity = "relu" if case.nonlinearity == "tanh" else "tanh"
    changed = [replace(case, nonlinearity=other), replace(case, bias="off")]
    changed += [replace(case, h_0="none")]
    here = expected.as_a_whole(case)
    for there in map(expected.as_a_whole, changed):
        rounding = here.output_bound + there.output_bound
        if not (np.abs(here.output - there.output) > rounding).any():
            return False
    return True


def any_case(_: Case) -> bool:
    """No condition but that of `holds`."""
    return True


# What each relation presumes of a case, beside what `holds` asks of all. The catalogue asks for the
# usual sizes too, to save time; and where h_0 or biases are 0 or omitted, relations hold as well.
PRECONDITIONS: Mapping[str, Callable[[Case], bool]] = {
    "split_and_carry": lambda c: c.T > 1 and not c.bidirectional and c.lengths == "none",
    "chain_of_layers": lambda c: c.L > 1,
    "directions_apart": lambda c: c.bidirectional and c.L == 1,
    "rows_permuted": lambda c: c.B > 1,
    "units_permuted": lambda c: c.H > 1,
    "negated": lambda c: c.nonlinearity == "tanh",
    "padding_added": lambda c: c.lengths != "none",
    "powers_of_two": any_case,
    "union_of_two": lambda c: c.L == 1,
    "options_matter": options_show,
    "memory_layouts": any_case,
    "dropout_off_in_evaluation": lambda c: c.L > 1,
}


def holds(relation: str, case: Case) -> bool:
    """Whether a relation must hold in a case: whole results can be compared, and it has a point."""
    return case.weights == "contractive" and PRECONDITIONS[relation](case)


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Attributes:
        shares: the worst error of each executed check as a share of its bound; empty where the
            implementation does not claim the case.
        failures: a message for each check that failed.
        dead: whether relu leaves no output but 0, so that little shows.
    """

    implementation: str
    number: int
    case: Case
    shares: Mapping[str, float]
    failures: Mapping[str, str]
    dead: bool = False


def judge(subject: Subject, seed: int, number: int) -> Outcome:
    """Draw a case, judge it. A layer that fails in whatever way makes a failure, no exception."""
    name = subject.implementation.name
    rng = np.random.default_rng([seed, number])
    case, features = random_case(rng), subject.claimed
    shares: dict[str, float] = {}
    failures: dict[str, str] = {}
    if not case.features <= features:
        return Outcome(name, number, case, shares, failures)
    claimed = [name for name in PRECONDITIONS if CHECKS[name].needs <= features]
    drawn = (claimed[i] for i in rng.permutation(len(claimed)))
    relation = next((name for name in drawn if holds(name, case)), None)
    names = [name for name in VALUES if CHECKS[name].needs <= features]
    names += [relation] if relation else []
    if case.lengths != "none" and CHECKS[PADDING].needs <= features:
        names.append(PADDING)
    for check in names:
        shares[check], message = _executed(check, subject, case)
        if message:
            failures[check] = message
    dead = case.nonlinearity == "relu" and not expected.as_a_whole(case).output.any()
    return Outcome(name, number, case, shares, failures, dead)


@np.errstate(all="ignore")  # of what NumPy would warn, the outcome tells
def _executed(name: str, subject: Subject, case: Case) -> tuple[float, str]:
    """The worst share of a check in a case, and why it failed; empty where it passed."""
    try:
        judgements: list[Judgement] = list(CHECKS[name].judge(subject, case))
    except Violation as violation:
        return float("inf"), str(violation)
    outside = ((j, j.first_outside()) for j in judgements)
    first = next((j.describe(place) for j, place in outside if place is not None), "")
    return max((j.worst()[0] for j in judgements), default=0.0), first


def soak(
    implementation: Implementation, numbers: Iterable[int], seed: int = 0
) -> Iterator[Outcome]:
    """The outcomes of the cases of these numbers, one by one."""
    return _together([Subject(implementation)], numbers, seed)


def _together(subjects: Sequence[Subject], numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
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
    dead: int = 0
    executed: Counter[str] = field(default_factory=Counter)
    worst: dict[str, float] = field(default_factory=dict)
    since: float = field(default_factory=time.perf_counter)

    def add(self, outcome: Outcome) -> None:
        self.cases += 1
        self.judged += bool(outcome.shares)
        self.failed += bool(outcome.failures)
        self.dead += outcome.dead
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
        unclaimed = self.cases - self.judged
        lines.append(
            f"{self.cases} cases in {took:.0f} s, {self.cases / took:.1f} a second: "
            f"{self.failed} failed, {unclaimed} not claimed, {self.dead} with no output but 0; "
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
        for outcome in watched(_outcomes(options, layers, numbers), total, "cases"):
            name = outcome.implementation
            summaries.setdefault(name, Summary()).add(outcome)
            for check, message in outcome.failures.items():
                case = f"{name}-{outcome.case.id}"
                out.print(f"FAILED case {outcome.number} {check}[{case}]: {message}")
    except (CannotBeJudged, BrokenExecutor) as error:
        problem = str(error)
    except KeyboardInterrupt:
        done = min((summary.cases for summary in summaries.values()), default=0)
        problem = f"interrupted before case {options.start + done}"
    for name, summary in summaries.items():
        out.print(f"{name}:\n{summary}")
    if problem or not all(summary.judged for summary in summaries.values()):
        Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print(
            f"rnn-conformance: {problem or 'no case was judged'}"
        )
        return 2
    return 1 if any(summary.failed for summary in summaries.values()) else 0


def _outcomes(
    options: argparse.Namespace, layers: Sequence[Implementation], numbers: range
) -> Iterator[Outcome]:
    if options.processes == 1:
        return _together([Subject(layer) for layer in layers], numbers, options.seed)
    return soak_in_processes(options.implementation, numbers, options.seed, options.processes)


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
