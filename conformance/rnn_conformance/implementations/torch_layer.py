"""torch.nn.RNN as a layer: every option under its own name, weights by state_dict name."""

import warnings
from typing import ClassVar

import numpy as np
import torch

from rnn_conformance.layer.call import LayerAnswer, LayerCall
from rnn_conformance.layer.cases import FEATURES
from rnn_conformance.protocol import Array, Call


class TorchLayer:
    """torch.nn.RNN on the CPU; variable lengths go in and out as a packed sequence."""

    name = "torch.nn.RNN"
    features = FEATURES
    known_failures: ClassVar[dict[str, str]] = {
        "lengths_refused": "pack_padded_sequence(enforce_sorted=False) drops the rows beyond the "
        "lengths given; findings.md, 1"
    }

    @torch.inference_mode()
    def run_layer(self, call: LayerCall) -> LayerAnswer:
        o, batch_first = call.options, call.layout == "batch_first"
        with warnings.catch_warnings():
            # torch warns that dropout does nothing in a single layer, which is what is asked for.
            warnings.filterwarnings("ignore", "dropout option adds dropout after all but last")
            rnn = torch.nn.RNN(
                o.input_size,
                o.hidden_size,
                o.num_layers,
                o.nonlinearity,
                o.bias,
                batch_first,
                o.dropout,
                o.bidirectional,
                dtype=tensor(call.inputs, call).dtype,
            )
        rnn.load_state_dict({name: tensor(value, call) for name, value in call.weights.items()})
        rnn.train(call.training)
        inputs = tensor(call.inputs, call)
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
