"""The suite's own score: how many wrong implementations are caught, how many right ones pass."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import chain, zip_longest

from rnn_conformance.checks.every import OF_GRADIENTS
from rnn_conformance.checks.plan import Planned, plan
from rnn_conformance.checks.records import Trial
from rnn_conformance.contract.call import GRADIENTS, NONLINEARITIES
from rnn_conformance.run.verdict import check
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.every import HEALTHY, MUTANTS
from rnn_conformance.variants.wrong.registry import Mutant

OF_VALUES = ("output", "final_state", "trajectory", "large_preactivations")


def trials(processes: int = 1, *, thorough: bool = False) -> Iterator[Trial]:
    """All mutants, then all healthy implementations, in a fixed order.

    Args:
        thorough: whether every mutant goes through every check and is diagnosed as a stranger's
            implementation is, rather than through the one check that must catch it.
    """
    try_wrong = diagnose_mutant if thorough else try_mutant
    if processes == 1:
        yield from map(try_wrong, MUTANTS)
        yield from map(try_healthy, HEALTHY)
        return
    with ProcessPoolExecutor(processes) as pool:
        accepted = pool.map(try_healthy, HEALTHY)  # the longest first, on the other core
        yield from pool.map(try_wrong, MUTANTS)
        yield from accepted


def try_mutant(name: str) -> Trial:
    """Whether the check that must catch a mutant does, in some case."""
    mutant = MUTANTS[name]
    return _trial(mutant, fails_somewhere(plan(mutant.make(), checks=[mutant.caught_by])))


def fails_somewhere(planned: Iterable[Planned]) -> bool:
    """Whether some check fails. Kinds of weights take turns, as a bug may show in one alone."""
    of_kind = defaultdict[tuple[str, str], list[Planned]](list)
    for item in sorted(planned, key=lambda item: item.case.T * item.case.L):  # soon executed
        of_kind[item.case.weights, item.check.name].append(item)
    turns = chain.from_iterable(zip_longest(*of_kind.values()))
    return any(item.execute().outcome == "failed" for item in turns if item is not None)


def diagnose_mutant(name: str) -> Trial:
    """Which checks catch a mutant, and what a diagnosis makes of it."""
    mutant = MUTANTS[name]
    report = check(mutant.make())
    caught_by = tuple(dict.fromkeys(failure.check for failure in report.failures))
    causes = () if report.diagnosis is None else report.diagnosis.causes
    caught = mutant.caught_by in caught_by
    named = tuple(cause.names for cause in causes)
    return replace(_trial(mutant, caught), caught_by=caught_by, named=named)


def _trial(mutant: Mutant, caught: bool) -> Trial:
    why = "" if caught else f"{mutant.caught_by} accepts it: {mutant.sentence}"
    return Trial(mutant.name, mutant.kind, caught, why)


def try_healthy(name: str) -> Trial:
    """Whether all checks accept a healthy implementation, and some were executed.

    One of a gated cell differs from `Recurrence` in its sums alone, and is asked for its values;
    one that computes gradients otherwise, for these.
    """
    right = HEALTHY[name]()
    otherwise = GRADIENTS in right.claims and type(right) is not Differentiable
    gated = not right.claims & {*NONLINEARITIES}
    checks = OF_GRADIENTS if otherwise else OF_VALUES if gated else None
    report = check(right, checks=checks, diagnosed=False)
    why = report.failures[0].message if report.failures else ""
    return Trial(name, "healthy", report.conforms, why)
