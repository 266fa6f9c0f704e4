"""Functions that compute one layer of an LSTM or a GRU: their weights in the order they declare.

W_ih  weight_ih_l0 (G·H, I)      W_hh  weight_hh_l0 (G·H, H)      G = 4 of an LSTM, 3 of a GRU
b_ih  bias_ih_l0 (G·H,)          b_hh  bias_hh_l0 (G·H,)          W_ho (O, H), b_ho (O,)
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from rnn_conformance.contract.call import GATED, GRADIENTS, NONLINEARITIES, Answer, Array, Call
from rnn_conformance.sources.adapters.sizes import state_of
from rnn_conformance.sources.derivatives import OfFunction, wants_gradients
from rnn_conformance.sources.gates import Gates
from rnn_conformance.sources.seed_model import CAN_CLAIM, CONVENTIONS, of_one_layer, results_of

NAMES = {f"{part}_l0": part.replace("weight", "W").replace("bias", "b")
         for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}  # fmt: skip
CAN_CLAIM_GATED = CAN_CLAIM - {*NONLINEARITIES} | {*GATED}


class GatedFunction:
    """A function `f(weights, inputs, h_0)`, or `f(weights, inputs, h_0, batch_first=True)`.

    `weights` has W_ih, W_hh, b_ih, b_hh, and W_ho and b_ho, zeros where there is no readout.
    `h_0` is (B, H), or (H,) in the layout "single"; of an LSTM the pair (h_0, c_0); None where it
    is omitted. It returns a mapping with "hidden_states", (T, B, H) by layout, and with "h_n",
    "c_n" of an LSTM, and "outputs" where it has them.

    Attributes:
        claims: those of the function, one cell among them.
        called: what its results and weights are called in messages.

    Raises ValueError for claims that a function cannot have, and TypeError for an order of gates
    that is none.
    """

    called = MappingProxyType({**NAMES, "output": "hidden_states", "y": "outputs"})

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name, self._function = name, function
        self.claims = of_one_layer(getattr(function, "claims", frozenset()), CAN_CLAIM_GATED)
        self.conventions: Mapping[str, str] = getattr(function, "conventions", CONVENTIONS)
        self.assumed = frozenset(() if hasattr(function, "conventions") else ("memory",))
        cells = sorted(self.claims & {*GATED})
        if len(cells) > 1:
            raise ValueError(f"claims: expected one cell, got {', '.join(cells)}")
        self._gates: Gates = getattr(function, "gates", Gates()).of(cells[0])
        if wants_gradients(function):
            self.claims |= {GRADIENTS}
            self.assumed |= {"gradients"}
        self._derivative = OfFunction(function)

    def run(self, call: Call) -> Answer:
        options = {"batch_first": True} if call.layout == "batch_first" else {}
        units, dtype = call.options.hidden_size, call.dtype
        weights = {"W_ho": np.zeros((1, units), dtype), "b_ho": np.zeros(1, dtype)}
        weights |= self._weights(call)
        if call.upstream is not None:
            return self._derivative.answered(call, weights, self._answer, self._weights)
        h_0 = state_of(part[0] for part in call.state.values())
        return self._answer(call, self._function(weights, call.inputs, h_0, **options))

    def gradients_follow(self, call: Call) -> Mapping[str, str] | None:
        """The conventions that the gradients of a first call follow; None where there are none."""
        return self._derivative.follows(call, self.run)

    def _weights(self, call: Call) -> dict[str, Array]:
        """The weights of a call by their names."""
        return {
            NAMES.get(name, name): self._gates.stacked(value) if name in NAMES else value
            for name, value in call.weights.items()
        }

    def _answer(self, call: Call, results: Any) -> Answer:
        parts = results_of(results, ("h_n", "c_n", "outputs"))
        found = {"output": parts["hidden_states"]}
        found |= {name: parts[name][np.newaxis] for name in ("h_n", "c_n") if name in parts}
        if call.options.output_size and "outputs" in parts:
            found["y"] = parts["outputs"]
        return Answer.of(found)
