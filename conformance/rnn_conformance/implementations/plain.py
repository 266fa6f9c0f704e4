"""Plain functions, and classes like those of the reference, as implementations."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnn_conformance.protocol import Answer, Array, Call, Claims


class PlainFunction:
    """A function `f(weights, inputs, h_0)`, or `f(weights, inputs, h_0, batch_first=True)`.

    `weights`, `inputs` and `h_0` are those of `Call`; it returns a mapping with "hidden_states",
    and "h_n" and "outputs" where it has them, in the shapes of `Answer`. `batch_first` is passed
    only in that layout, which only a function that claims it is asked for.
    """

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.claims: Claims = getattr(function, "claims", Claims())
        self._function = function

    def run(self, call: Call) -> Answer:
        options = {"batch_first": True} if call.layout == "batch_first" else {}
        found = self._function(call.weights, call.inputs, call.h_0, **options)
        if not isinstance(found, Mapping):
            raise TypeError(
                f'expected a mapping with "hidden_states", "h_n", "outputs", '
                f"got {type(found).__name__}"
            )
        unknown = set(found) - {"hidden_states", "h_n", "outputs"}
        if unknown or "hidden_states" not in found:
            raise TypeError(
                f'expected a mapping with "hidden_states", and "h_n" and "outputs" where given, '
                f"got {', '.join(map(repr, found)) or 'an empty one'}"
            )
        return Answer(**found)


class StepByStepClass:
    """A class with the constructor, attributes and `forward` of the reference classes.

    Batched, states and outputs are columns: h_0 goes in as (H, B), and `forward` gives two mappings
    by time step, outputs (O, B) and hidden states (H, B). In the layout "single", B is 1. The
    final state is the last of them, so there is none to judge of its own.
    """

    def __init__(self, name: str, cls: type[Any], claims: Claims | None = None) -> None:
        self.name = name
        self.claims: Claims = getattr(cls, "claims", Claims()) if claims is None else claims
        self._class = cls

    def run(self, call: Call) -> Answer:
        output_size, hidden_size = call.weights["W_ho"].shape
        model = self._class(
            call.inputs.shape[-1], hidden_size, output_size, dtype=call.dtype, rng=0
        )
        for name, value in call.weights.items():
            setattr(model, name, value)
        single = call.layout == "single"
        columns = None if call.h_0 is None else call.h_0[:, np.newaxis] if single else call.h_0.T
        step_output, hidden_states = model.forward(call.inputs, columns)
        steps = range(call.inputs.shape[0])
        return Answer(
            _stacked(hidden_states, steps, single), outputs=_stacked(step_output, steps, single)
        )


def _stacked(by_step: Mapping[int, Array], steps: range, single: bool) -> Array:
    """(T, units), or (T, B, units)."""
    columns = np.stack([by_step[t] for t in steps])
    return columns[..., 0] if single else columns.swapaxes(1, 2)
