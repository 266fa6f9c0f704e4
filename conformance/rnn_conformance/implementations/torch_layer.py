"""torch.nn.RNN as a layer: every option under its own name, weights by state_dict name."""

import warnings
from collections.abc import Callable

import numpy as np
import torch

from rnn_conformance.declaration import KnownFailure
from rnn_conformance.layer.call import LayerAnswer, LayerCall, Options
from rnn_conformance.layer.cases import FEATURES
from rnn_conformance.protocol import Array, Call

ROWS_DROPPED = KnownFailure(
    "lengths_refused",
    "pack_padded_sequence(enforce_sorted=False) drops the rows beyond the lengths given",
    link="findings.md, 1",
)


class TorchLayer:
    """torch.nn.RNN on the CPU, or a class that stands in for it: made, loaded and called alike.

    Variable lengths go in and out as a packed sequence.

    Args:
        make: a class, or what makes a module: called with input_size and hidden_size, and by name
            with those options of torch.nn.RNN that are not at their default.
    """

    features = FEATURES
    known_failures = (ROWS_DROPPED,)  # it is torch's function that packs
    adapter = True

    def __init__(
        self, make: Callable[..., torch.nn.Module] = torch.nn.RNN, name: str = "torch.nn.RNN"
    ) -> None:
        self.name = name
        self._make = make

    @torch.inference_mode()
    def run_layer(self, call: LayerCall) -> LayerAnswer:
        batch_first = call.layout == "batch_first"
        inputs = tensor(call.inputs, call)
        weights = {name: tensor(value, call) for name, value in call.weights.items()}
        rnn = self.module(call.options, weights, inputs.dtype, batch_first=batch_first)
        rnn.train(call.training)
        h_0 = None if call.h_0 is None else tensor(call.h_0, call)
        if call.lengths is None:
            output, h_n = rnn(inputs, h_0)
            return LayerAnswer(array(output), array(h_n))
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            inputs, torch.from_numpy(call.lengths), batch_first, enforce_sorted=False
        )
        output, h_n = rnn(packed, h_0)
        padded, _ = torch.nn.utils.rnn.pad_packed_sequence(
            output, batch_first, total_length=inputs.shape[1 if batch_first else 0]
        )
        return LayerAnswer(array(padded), array(h_n))

    def module(
        self,
        options: Options,
        weights: dict[str, torch.Tensor],
        dtype: torch.dtype,
        *,
        batch_first: bool,
    ) -> torch.nn.Module:
        """The module with these options and weights, in evaluation mode."""
        usual = vars(Options(options.input_size, options.hidden_size))
        named = {name: value for name, value in vars(options).items() if value != usual[name]}
        if batch_first:
            named["batch_first"] = True
        with warnings.catch_warnings():
            # torch warns that dropout does nothing in a single layer, which is what is asked for.
            warnings.filterwarnings("ignore", "dropout option adds dropout after all but last")
            if self._make is torch.nn.RNN:
                rnn: torch.nn.Module = _Unset(
                    options.input_size, options.hidden_size, **named, dtype=dtype
                )
            else:
                rnn = self._make(options.input_size, options.hidden_size, **named).to(dtype)
        rnn.load_state_dict(weights)
        return rnn.eval()


class _Unset(torch.nn.RNN):
    """A layer whose weights are all loaded: drawing them first takes longer than to run it."""

    def reset_parameters(self) -> None:
        pass


def tensor(value: Array, call: Call | LayerCall) -> torch.Tensor:
    """The array's own memory where torch can have it: strides not negative, and writable."""
    if min(value.strides, default=0) < 0 or not value.flags.writeable:
        value = np.array(value, order="C")
    found = torch.from_numpy(value)
    return found.bfloat16() if call.bfloat16 else found


def array(value: torch.Tensor) -> Array:
    """The numbers of a tensor; bfloat16 becomes float32."""
    found: Array = (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    return found
