"""The suite's own score: how many wrong implementations are caught, how many right ones pass."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from rnn_conformance.healthy import HEALTHY
from rnn_conformance.layer.healthy import LAYER_HEALTHY
from rnn_conformance.layer.mutants import LAYER_MUTANTS
from rnn_conformance.mutants import MUTANTS
from rnn_conformance.records import Trial
from rnn_conformance.run import check, plan

# A name may stand in both profiles, for a bug of the seed model and one of a layer.
MUTANTS_OF: Mapping[str, Mapping[str, Any]] = {"core": MUTANTS, "layer": LAYER_MUTANTS}
HEALTHY_OF: Mapping[str, Mapping[str, Any]] = {"core": HEALTHY, "layer": LAYER_HEALTHY}


def trials(processes: int = 1) -> Iterator[Trial]:
    """All mutants, then all healthy implementations, in a fixed order."""
    wrong = [(profile, name) for profile, some in MUTANTS_OF.items() for name in some]
    right = [(profile, name) for profile, some in HEALTHY_OF.items() for name in some]
    if processes == 1:
        yield from map(try_mutant, wrong)
        yield from map(try_healthy, right)
        return
    with ProcessPoolExecutor(processes) as pool:
        accepted = pool.map(try_healthy, right)  # the longest first, on the other core
        yield from pool.map(try_mutant, wrong)
        yield from accepted


def try_mutant(named: tuple[str, str]) -> Trial:
    """Whether the check that must catch a mutant does, in some case."""
    profile, name = named
    mutant = MUTANTS_OF[profile][name]
    planned = plan(mutant.make(), checks=[mutant.caught_by])
    caught = any(item.execute().outcome == "failed" for item in planned)
    why = "" if caught else f"{mutant.caught_by} accepts it: {mutant.sentence}"
    return Trial(profile, name, mutant.kind, caught, why)


def try_healthy(named: tuple[str, str]) -> Trial:
    """Whether all checks accept a healthy implementation, and some were executed."""
    profile, name = named
    report = check(HEALTHY_OF[profile][name]())
    why = report.failures[0].message if report.failures else ""
    return Trial(profile, name, "healthy", report.conforms, why)
