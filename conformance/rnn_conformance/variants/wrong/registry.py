"""Every deliberately wrong layer, and what is known of it."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import getdoc
from typing import Literal, TypeVar

from rnn_conformance.contract.call import FEATURES, GATED, GRADIENTS
from rnn_conformance.variants.recurrence import Recurrence

M = TypeVar("M", bound=type[Recurrence])
Of = Literal["any", "plain", "gated"]


@dataclass(frozen=True)
class Mutant:
    """A wrong layer, and what is known of it.

    Attributes:
        make: gives a new implementation; every run of the suite gets its own.
        sentence: what it does wrong.
        kind: the class of bug, such as "cell" or "state".
        caught_by: the check that must reject it.
        shipped_in: where such a bug was shipped, with the cell where that is not a plain RNN; empty
            where no place is known.
        needs: the features without which a case cannot show it.
        of: the cells that can have it, beside those of `needs`: the class itself is of a plain RNN,
            and those of gates are tried on gated cells alone.
    """

    make: type[Recurrence]
    sentence: str
    kind: str
    caught_by: str
    shipped_in: str = ""
    needs: frozenset[str] = frozenset()
    of: Of = "any"

    @property
    def name(self) -> str:
        return self.make.__name__


MUTANTS: dict[str, Mutant] = {}


def mutant(
    kind: str, *needs: str, caught_by: str, shipped_in: str = "", of: Of = "any"
) -> Callable[[M], M]:
    """Register a class; its docstring is the sentence, and arguments are those of `Mutant`.

    Raises ValueError for an unknown feature, without a docstring or without a name of its own.
    """
    if unknown := {*needs} - FEATURES - {*GATED, GRADIENTS}:
        raise ValueError(f"a mutant of kind {kind}: no features {sorted(unknown)}")

    def register(cls: M) -> M:
        sentence, name = getdoc(cls), cls.__name__
        if cls.__doc__ is None or not sentence or name in MUTANTS:
            raise ValueError(f"mutant {name}: expected a docstring and a name of its own")
        cls.name = name
        MUTANTS[name] = Mutant(cls, sentence, kind, caught_by, shipped_in, frozenset(needs), of)
        return cls

    return register
