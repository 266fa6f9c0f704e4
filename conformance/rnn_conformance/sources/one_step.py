"""What computes one step alone, called for each step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnn_conformance.contract.call import Array
from rnn_conformance.sources.functions import Function
from rnn_conformance.sources.models import Model
from rnn_conformance.sources.results import (
    Key,
    array_of,
    array_or_none,
    elements,
    kept,
    part_at,
    place_of,
)
from rnn_conformance.sources.slots import Weights


@dataclass(frozen=True)
class OneStep:
    """A class or function of one step, as one of inputs whose first axis is time.

    Attributes:
        next: where in its results the parts of the next state are.
    """

    of: Model | Function
    next: Sequence[Key]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)

    def __call__(self, weights: Weights, inputs: Array, state: Sequence[Array]) -> Any:
        each: list[Any] = []
        step = self.of.with_weights(weights, inputs.dtype)
        for x in inputs:
            each.append(kept(step(x, state)))
            state = [part_at(each[-1], key) for key in self.next]
            if self.of.tape is None:
                state = [array_of(part, None) for part in state]
        parts = elements(each[0])
        return tuple(
            [part_at(found, key) for found in each]
            for key in parts
            if (*key, 0) not in parts and array_or_none(parts[key], None) is not None
        )

    def __str__(self) -> str:
        return f"one step, which is called for each, {self.of}"


def next_state(found: Any, shape: tuple[int, ...], parts: int) -> Sequence[Key]:
    """Where in the results of one step the next state is, whose parts have this shape.

    Raises TypeError where it is not.
    """
    keys = [
        key
        for key, value in elements(found).items()
        if (array := array_or_none(value, None)) is not None
        and place_of(key, array, shape, None) is not None
    ]
    if len(keys) < parts:
        raise TypeError("asked for one step, it gave no state")
    return keys[:parts]
