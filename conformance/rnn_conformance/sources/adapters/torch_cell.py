"""torch.nn.RNNCell, LSTMCell and GRUCell in a Python loop.

The weights are those of the layer of torch without _l0; both biases stay apart. A cell has no bias
where that is asked for, and takes one sequence without a batch.
"""

from collections.abc import Callable, Collection
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
from rnn_conformance.sources.adapters.torch_layer import array, tensor

Step = Callable[[torch.Tensor, Any], Any]  # from an input and a state to a state: h, or (h, c)


class TorchCell:
    """A cell of torch on the CPU, in inference mode, called once for each step."""

    adapter = True
    suffix = ""

    def __init__(
        self,
        own: type[torch.nn.RNNCellBase] = torch.nn.RNNCell,
        cells: Collection[str] = NONLINEARITIES,
    ) -> None:
        self.name = f"torch.nn.{own.__name__}{self.suffix}"
        self.claims = frozenset((*DTYPES, *HALF_DTYPES, *LAYOUTS, *cells, "no_bias", "h_0", "h_n"))
        self._own: Any = own

    def step(self, cell: torch.nn.RNNCellBase) -> Step:
        """What is called for each step."""
        return cell

    @torch.inference_mode()
    def run(self, call: Call) -> Answer:
        o, inputs = call.options, tensor(call.inputs, call)
        kind = (o.nonlinearity,) if o.cell in NONLINEARITIES else ()
        cell = self._own(o.input_size, o.hidden_size, o.bias, *kind, dtype=inputs.dtype)
        cell.load_state_dict(
            {n.removesuffix("_l0"): tensor(value, call) for n, value in call.weights.items()}
        )
        step, axis = self.step(cell), 1 if call.layout == "batch_first" else 0
        state, shown = state_of(tensor(part, call) for part in state_of_one(call)), []
        for x in inputs.unbind(axis):
            state = step(x, state)
            shown.append(parts_of(state)[0])
        output = torch.stack(shown, axis)
        h_n, c_n = (None if part is None else array(part[None]) for part in parts_of(state))
        return Answer(array(output), h_n, c_n=c_n)


LSTM_CELL = TorchCell(torch.nn.LSTMCell, ("lstm",))
GRU_CELL = TorchCell(torch.nn.GRUCell, ("gru",))
