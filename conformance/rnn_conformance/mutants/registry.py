"""What is known of each deliberately wrong implementation."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import getdoc
from typing import Any, TypeVar

M = TypeVar("M", bound=type[Any])


@dataclass(frozen=True)
class Mutant:
    """A wrong implementation, of the seed model or a layer, and what is known of it.

    Attributes:
        make: gives a new implementation; every run of the suite gets its own.
        sentence: what it does wrong.
        kind: the class of bug, such as "cell" or "state".
        caught_by: the check that must reject it.
        shipped_in: where such a bug was shipped, with the cell where that is not a plain RNN; empty
            where no place is known.
        needs: the features without which a case cannot show it.
    """

    make: type[Any]
    sentence: str
    kind: str
    caught_by: str
    shipped_in: str
    needs: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.make.__name__


MUTANTS: dict[str, Mutant] = {}


def mutant(kind: str, *, caught_by: str, shipped_in: str = "") -> Callable[[M], M]:
    """Register a class as a mutant of the seed model, as `registering` does."""
    return registering(MUTANTS, kind, caught_by, shipped_in)


def registering(
    mutants: dict[str, Mutant],
    kind: str,
    caught_by: str,
    shipped_in: str,
    needs: frozenset[str] = frozenset(),
) -> Callable[[M], M]:
    """Register a class; its docstring is the sentence.

    Raises ValueError without a docstring or without a name of its own.
    """

    def register(cls: M) -> M:
        sentence, name = getdoc(cls), cls.__name__
        if cls.__doc__ is None or not sentence or name in mutants:
            raise ValueError(f"mutant {name}: expected a docstring and a name of its own")
        cls.name = name
        mutants[name] = Mutant(cls, sentence, kind, caught_by, shipped_in, needs)
        return cls

    return register
