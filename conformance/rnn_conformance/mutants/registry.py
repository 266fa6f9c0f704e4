"""What is known of each deliberately wrong implementation."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import getdoc

from rnn_conformance.recurrence import Recurrence


@dataclass(frozen=True)
class Mutant:
    """A wrong implementation and what is known of it.

    Attributes:
        make: gives a new implementation; every run of the suite gets its own.
        sentence: what it does wrong.
        kind: the class of bug, such as "cell" or "state".
        caught_by: the check that must reject it.
        shipped_in: where such a bug was shipped; empty where no place is known.
    """

    make: type[Recurrence]
    sentence: str
    kind: str
    caught_by: str
    shipped_in: str

    @property
    def name(self) -> str:
        return self.make.__name__


MUTANTS: dict[str, Mutant] = {}


def mutant(
    kind: str, *, caught_by: str, shipped_in: str = ""
) -> Callable[[type[Recurrence]], type[Recurrence]]:
    """Register a class as a mutant; its docstring is the sentence, ValueError without one."""

    def register(cls: type[Recurrence]) -> type[Recurrence]:
        sentence = getdoc(cls)
        if cls.__doc__ is None or not sentence or cls.__name__ in MUTANTS:
            raise ValueError(f"mutant {cls.__name__}: expected a docstring and a name of its own")
        cls.name = cls.__name__
        MUTANTS[cls.__name__] = Mutant(cls, sentence, kind, caught_by, shipped_in)
        return cls

    return register
