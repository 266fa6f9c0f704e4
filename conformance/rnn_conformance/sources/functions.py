"""Functions as people write them: what each of their parameters gets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from inspect import Parameter
from typing import Any, ClassVar, TypeVar

import numpy.typing as npt
from rnn_reference import WEIGHT_NAMES

from rnn_conformance.contract.call import Array
from rnn_conformance.sources.models import Filled, positional
from rnn_conformance.sources.slots import INITIAL_STATE, Weights

MAPPINGS = ("weights", "params", "parameters", "theta")  # parameters that are all weights by name


@dataclass(frozen=True)
class Function:
    """A function, and what each of its parameters gets.

    Attributes:
        names: our names of weights, such as "W_xh" or "W_xh.T", by those that the function has.
        flat: whether biases are (H,); else columns (H, 1).
    """

    function: Callable[..., Any]
    names: Mapping[str, str]
    flat: bool
    cell: ClassVar = "tanh"
    ones: ClassVar = False
    reads_out: ClassVar = True
    tape: ClassVar = None

    @cached_property
    def parameters(self) -> list[Parameter]:
        """Those that can be given by their place."""
        return positional(self.function)

    @property
    def takes_a_state(self) -> bool:
        return any(p.name in INITIAL_STATE for p in self.parameters)

    @property
    def needs_a_state(self) -> bool:
        states = [p for p in self.parameters if p.name in INITIAL_STATE]
        return any(p.default is Parameter.empty for p in states)

    def __call__(self, weights: Weights, inputs: Array, state: Sequence[Array]) -> Any:
        return self.with_weights(weights, inputs.dtype)(inputs, state)

    def with_weights(self, weights: Weights, _: npt.DTypeLike) -> Filled:
        """What is called with inputs and the state."""
        named = {theirs: self._weight(weights, ours) for theirs, ours in self.names.items()}
        return partial(self._called, named)

    def _called(self, named: Weights, inputs: Array, state: Sequence[Array]) -> Any:
        given: dict[str, Any] = {}
        others = []
        for p in self.parameters:
            if p.name in named:
                given[p.name] = named[p.name]
            elif p.name in MAPPINGS:
                given[p.name] = named
            elif p.name in INITIAL_STATE:
                given |= dict(zip([p.name], state, strict=False))
            elif p.default is Parameter.empty:
                others.append(p.name)
        if len(others) == 2 and not given.keys() & {*named, *MAPPINGS}:
            given[others.pop(0)] = named  # all weights by name stand first
        return self.function(**given, **dict.fromkeys(others, inputs))

    def _weight(self, weights: Weights, ours: str) -> Array:
        name, _, turned = ours.partition(".")
        value = weights[name][:, 0] if self.flat and name.startswith("b") else weights[name]
        return value.T.copy() if turned else value

    def __str__(self) -> str:
        other = [f"{theirs} is {ours}" for theirs, ours in self.names.items() if theirs != ours]
        return ", ".join([*other, f"biases are {'(H,)' if self.flat else '(H, 1)'}"])


F = TypeVar("F", bound=Callable[..., Any])


def weights_named(**names: str) -> Callable[[F], F]:
    """Decorate a function with what it calls the weights: `weights_named(W_in="W_xh", ...)`.

    `"W_xh.T"` is for a weight that stands to the right, as in x @ W. Raises ValueError for a name
    that is none of ours.
    """
    for ours in names.values():
        if ours.removesuffix(".T") not in WEIGHT_NAMES:
            known = ", ".join(WEIGHT_NAMES)
            raise ValueError(
                f"weights_named: expected some of {known}, or one with .T; got {ours!r}"
            )

    def decorate(function: F) -> F:
        function.weights_named = names  # type: ignore[attr-defined]
        return function

    return decorate
