"""Every deliberately wrong and every right implementation, by name."""

from collections.abc import Set
from dataclasses import replace

from rnn_conformance.contract.call import GATED, GATES, GRADIENTS, NONLINEARITIES
from rnn_conformance.variants import gated, gradient_ways, healthy, wrong
from rnn_conformance.variants.recurrence import of_cell
from rnn_conformance.variants.wrong import Mutant

__all__ = ["HEALTHY", "MUTANTS", "known_bugs"]


def _on(bug: Mutant, cell: str) -> Mutant:
    """A bug that any cell can have, or any with gates, in this one."""
    return replace(bug, make=of_cell(bug.make, cell), needs=bug.needs | {cell})


_EVERY = wrong.MUTANTS.values()
_ON_CELLS = [
    _on(bug, cell)
    for cell in ("lstm", "gru")
    for bug in _EVERY
    if bug.of != "plain" and not bug.needs & {*GATED, *NONLINEARITIES}
]
_AS_THEY_ARE = [bug for bug in _EVERY if bug.of != "gated"]
MUTANTS = {bug.name: bug for bug in (*_AS_THEY_ARE, *_ON_CELLS)}
HEALTHY = healthy.HEALTHY | gated.RIGHT | gradient_ways.RIGHT


def known_bugs(claimed: Set[str]) -> list[Mutant]:
    """Those of the cells that are claimed, and of gradients where these are."""
    cells, lacking = claimed & GATES.keys(), {GRADIENTS} - claimed
    every = MUTANTS.values()
    return [bug for bug in every if bug.make.claims & cells and not bug.needs & lacking]
