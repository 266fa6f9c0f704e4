"""The suite's own score: how many wrong implementations are caught, how many right ones pass."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

from rnn_conformance.records import Trial
from rnn_conformance.run import plan
from rnn_conformance.variants import HEALTHY_OF, MUTANTS_OF
from rnn_conformance.verdict import check


def trials(processes: int = 1, *, thorough: bool = False) -> Iterator[Trial]:
    """All mutants, then all healthy implementations, in a fixed order.

    Args:
        thorough: whether every mutant goes through every check and is diagnosed as a stranger's
            implementation is, rather than through the one check that must catch it.
    """
    try_wrong = diagnose_mutant if thorough else try_mutant
    wrong = [(profile, name) for profile, some in MUTANTS_OF.items() for name in some]
    right = [(profile, name) for profile, some in HEALTHY_OF.items() for name in some]
    if processes == 1:
        yield from map(try_wrong, wrong)
        yield from map(try_healthy, right)
        return
    with ProcessPoolExecutor(processes) as pool:
        accepted = pool.map(try_healthy, right)  # the longest first, on the other core
        yield from pool.map(try_wrong, wrong)
        yield from accepted


def try_mutant(named: tuple[str, str]) -> Trial:
    """Whether the check that must catch a mutant does, in some case."""
    profile, name = named
    mutant = MUTANTS_OF[profile][name]
    planned = plan(mutant.make(), checks=[mutant.caught_by])
    caught = any(item.execute().outcome == "failed" for item in planned)
    return _trial(profile, mutant, caught)


def diagnose_mutant(named: tuple[str, str]) -> Trial:
    """Which checks catch a mutant, and what a diagnosis makes of it."""
    profile, name = named
    mutant = MUTANTS_OF[profile][name]
    report = check(mutant.make())
    caught_by = tuple(dict.fromkeys(failure.check for failure in report.failures))
    causes = tuple(cause.names for found in report.diagnoses for cause in found.causes)
    caught = mutant.caught_by in caught_by
    return replace(_trial(profile, mutant, caught), caught_by=caught_by, named=causes)


def _trial(profile: str, mutant: Any, caught: bool) -> Trial:
    why = "" if caught else f"{mutant.caught_by} accepts it: {mutant.sentence}"
    return Trial(profile, mutant.name, mutant.kind, caught, why)


def try_healthy(named: tuple[str, str]) -> Trial:
    """Whether all checks accept a healthy implementation, and some were executed."""
    profile, name = named
    report = check(HEALTHY_OF[profile][name](), diagnosed=False)
    why = report.failures[0].message if report.failures else ""
    return Trial(profile, name, "healthy", report.conforms, why)
