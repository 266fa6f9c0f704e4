"""torch.nn.RNNCell, LSTMCell and GRUCell in a Python loop.

The weights are those of the layer of torch without _l0; both biases stay apart. A cell has no bias
where that is asked for, and takes one sequence without a batch.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch

from rnn_conformance.contract.call import (
    DTYPES,
    HALF_DTYPES,
    LAYOUTS,
    NONLINEARITIES,
    Answer,
    Call,
)
from rnn_conformance.sources.adapters.sizes import parts_of, state_of, state_of_one
from rnn_conformance.sources.adapters.torch_layer import answered, tensor

Step = Callable[[torch.Tensor, Any], Any]  # from an input and a state to a state: h, or (h, c)


class TorchCell:
    """A cell of torch on the CPU, called once for each step."""

    adapter = True
    suffix = ""

    def __init__(
        self,
        own: type[torch.nn.RNNCellBase] = torch.nn.RNNCell,
        cells: Collection[str] = NONLINEARITIES,
    ) -> None:
        self.name = f"torch.nn.{own.__name__}{self.suffix}"
        self.claims = frozenset(
            (*DTYPES, *HALF_DTYPES, *LAYOUTS, *cells, "no_bias", "h_0", "h_n", "gradients")
        )
        self._own: Any = own

    def step(self, cell: torch.nn.RNNCellBase) -> Step:
        """What is called for each step."""
        return cell

    def run(self, call: Call) -> Answer:
        o = call.options
        kind = (o.nonlinearity,) if o.cell in NONLINEARITIES else ()
        dtype = torch.bfloat16 if call.bfloat16 else getattr(torch, call.dtype.name)
        cell = self._own(o.input_size, o.hidden_size, o.bias, *kind, dtype=dtype)
        cell.load_state_dict(
            {n.removesuffix("_l0"): tensor(value, call) for n, value in call.weights.items()}
        )
        step, axis = self.step(cell), 1 if call.layout == "batch_first" else 0
        state_of_one(call)  # refuses states of more layers

        def forward(
            inputs: torch.Tensor, given: Sequence[torch.Tensor]
        ) -> tuple[torch.Tensor, Any]:
            state, shown = state_of(part[0] for part in given), []
            for x in inputs.unbind(axis):
                state = step(x, state)
                shown.append(parts_of(state)[0])
            last = state_of(part[None] for part in parts_of(state) if part is not None)
            return torch.stack(shown, axis), last

        named = ((f"{name}_l0", weight) for name, weight in cell.named_parameters())
        return answered(call, named, forward)


LSTM_CELL = TorchCell(torch.nn.LSTMCell, ("lstm",))
GRU_CELL = TorchCell(torch.nn.GRUCell, ("gru",))
