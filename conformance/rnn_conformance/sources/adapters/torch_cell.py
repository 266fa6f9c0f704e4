"""torch.nn.RNNCell in a Python loop.

The weights are those of torch.nn.RNN without _l0; both biases stay apart. It has what the cell has:
relu, no bias, one sequence without a batch.
"""

from collections.abc import Callable

import torch

from rnn_conformance.contract.call import DTYPES, HALF_DTYPES, LAYOUTS, Answer, Call
from rnn_conformance.sources.adapters.sizes import state_of_one
from rnn_conformance.sources.adapters.torch_layer import array, tensor

Step = Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor]


class TorchCell:
    """torch.nn.RNNCell on the CPU, in inference mode, called once for each step."""

    name = "torch.nn.RNNCell"
    adapter = True
    claims = frozenset((*DTYPES, *HALF_DTYPES, *LAYOUTS, "tanh", "relu", "no_bias", "h_0", "h_n"))

    def step(self, cell: torch.nn.RNNCell) -> Step:
        """What is called for each step."""
        return cell

    @torch.inference_mode()
    def run(self, call: Call) -> Answer:
        o, inputs, h_0 = call.options, tensor(call.inputs, call), state_of_one(call)
        cell = torch.nn.RNNCell(
            o.input_size, o.hidden_size, o.bias, o.nonlinearity, dtype=inputs.dtype
        )
        cell.load_state_dict(
            {n.removesuffix("_l0"): tensor(value, call) for n, value in call.weights.items()}
        )
        step, axis = self.step(cell), 1 if call.layout == "batch_first" else 0
        state, states = None if h_0 is None else tensor(h_0, call), []
        for x in inputs.unbind(axis):
            state = step(x, state)
            states.append(state)
        output = torch.stack(states, axis)
        return Answer(array(output), array(output.select(axis, -1)[None]))
