"""torch.nn.RNNCell in a Python loop, with a torch.nn.Linear for the readout.

The weights are those of torch.nn.RNN without _l0; both biases stay apart. As a layer it has what
the cell has: relu, no bias, one sequence without a batch.
"""

from collections.abc import Callable

import torch

from rnn_conformance.implementations.torch_layer import array, tensor
from rnn_conformance.layer.call import LayerAnswer, LayerCall, Options
from rnn_conformance.protocol import DTYPES, EVERYTHING, HALF_DTYPES, LAYOUTS, Answer, Call

Step = Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor]


class TorchCell:
    """torch.nn.RNNCell on the CPU, in inference mode, called once for each step."""

    name = "torch.nn.RNNCell"
    adapter = True
    claims = EVERYTHING
    features = frozenset((*DTYPES, *HALF_DTYPES, *LAYOUTS, "tanh", "relu", "no_bias"))

    def step(self, cell: torch.nn.RNNCell) -> Step:
        """What is called for each step."""
        return cell

    @torch.inference_mode()
    def run(self, call: Call) -> Answer:
        w = {name: tensor(value, call) for name, value in call.weights.items()}
        named = {
            "weight_ih": w["W_xh"],
            "weight_hh": w["W_hh"],
            "bias_ih": w["b_xh"][:, 0],
            "bias_hh": w["b_hh"][:, 0],
        }
        options = Options(call.inputs.shape[-1], len(w["W_hh"]))
        h_0 = None if call.h_0 is None else tensor(call.h_0, call)
        states, h_n = self._loop(options, named, call, h_0)
        outputs = torch.nn.functional.linear(states, w["W_ho"], w["b_ho"][:, 0])
        return Answer(array(states), array(h_n), array(outputs))

    @torch.inference_mode()
    def run_layer(self, call: LayerCall) -> LayerAnswer:
        named = {n.removesuffix("_l0"): tensor(value, call) for n, value in call.weights.items()}
        h_0 = None if call.h_0 is None else tensor(call.h_0[0], call)
        output, h_n = self._loop(call.options, named, call, h_0)
        return LayerAnswer(array(output), array(h_n[None]))

    def _loop(
        self,
        o: Options,
        weights: dict[str, torch.Tensor],
        call: Call | LayerCall,
        state: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The state after each step, in the layout of the call, and the last."""
        inputs = tensor(call.inputs, call)
        cell = torch.nn.RNNCell(
            o.input_size, o.hidden_size, o.bias, o.nonlinearity, dtype=inputs.dtype
        )
        cell.load_state_dict(weights)
        step, axis = self.step(cell), 1 if call.layout == "batch_first" else 0
        states = []
        for x in inputs.unbind(axis):
            state = step(x, state)
            states.append(state)
        stacked = torch.stack(states, axis)
        return stacked, stacked.select(axis, -1)
