"""What is known of each deliberately wrong layer."""

from collections.abc import Callable, Set
from dataclasses import dataclass
from inspect import getdoc

from rnn_conformance.layer.cases import FEATURES
from rnn_conformance.layer.recurrence import LayerRecurrence


@dataclass(frozen=True)
class LayerMutant:
    """A wrong layer and what is known of it.

    Attributes:
        make: gives a new layer; every run of the suite gets its own.
        sentence: what it does wrong.
        kind: the class of bug, such as "direction" or "lengths".
        caught_by: the check that must reject it.
        shipped_in: where such a bug was shipped, with the cell where that is not a plain RNN; empty
            where no place is known.
        needs: the features without which a case cannot show it.
    """

    make: type[LayerRecurrence]
    sentence: str
    kind: str
    caught_by: str
    shipped_in: str
    needs: frozenset[str]

    @property
    def name(self) -> str:
        return self.make.__name__


LAYER_MUTANTS: dict[str, LayerMutant] = {}


def layer_mutant(
    kind: str, *, caught_by: str, shipped_in: str = "", needs: Set[str] = frozenset()
) -> Callable[[type[LayerRecurrence]], type[LayerRecurrence]]:
    """Register a class as a mutant; its docstring is the sentence.

    Raises ValueError without a docstring, without a name of its own, or for an unknown feature.
    """

    def register(cls: type[LayerRecurrence]) -> type[LayerRecurrence]:
        sentence, name = getdoc(cls), cls.__name__
        if cls.__doc__ is None or not sentence or name in LAYER_MUTANTS:
            raise ValueError(f"mutant {name}: expected a docstring and a name of its own")
        if not needs <= FEATURES:
            raise ValueError(f"mutant {name}: no features {sorted(needs - FEATURES)}")
        cls.name = name
        LAYER_MUTANTS[name] = LayerMutant(
            cls, sentence, kind, caught_by, shipped_in, frozenset(needs)
        )
        return cls

    return register
