"""Every deliberately wrong layer, and what is known of it."""

from collections.abc import Callable, Set

from rnn_conformance.layer.cases import FEATURES
from rnn_conformance.mutants.registry import M, Mutant, registering

LAYER_MUTANTS: dict[str, Mutant] = {}


def layer_mutant(
    kind: str, *, caught_by: str, shipped_in: str = "", needs: Set[str] = frozenset()
) -> Callable[[M], M]:
    """Register a class as a mutant, as `registering` does.

    Raises ValueError for an unknown feature too.
    """
    if not needs <= FEATURES:
        raise ValueError(f"a mutant of kind {kind}: no features {sorted(needs - FEATURES)}")
    return registering(LAYER_MUTANTS, kind, caught_by, shipped_in, frozenset(needs))
