"""torch.nn.RNN as a layer: every option under its own name, weights by state_dict name."""

import warnings
from typing import ClassVar

import numpy as np
import torch

from rnn_conformance.layer.call import LayerAnswer, LayerCall
from rnn_conformance.layer.cases import FEATURES
from rnn_conformance.protocol import Array


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
                dtype=_tensor(call.inputs).dtype,
            )
        rnn.load_state_dict({name: _tensor(value) for name, value in call.weights.items()})
        rnn.train(call.training)
        inputs, h_0 = _tensor(call.inputs), None if call.h_0 is None else _tensor(call.h_0)
        if call.lengths is None:
            output, h_n = rnn(inputs, h_0)
            return LayerAnswer(output.numpy(), h_n.numpy())
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            inputs, torch.from_numpy(call.lengths), batch_first, enforce_sorted=False
        )
        output, h_n = rnn(packed, h_0)
        padded, _ = torch.nn.utils.rnn.pad_packed_sequence(
            output, batch_first, total_length=inputs.shape[1 if batch_first else 0]
        )
        return LayerAnswer(padded.numpy(), h_n.numpy())


def _tensor(array: Array) -> torch.Tensor:
    """The array's own memory where torch can have it: strides not negative, and writable."""
    if min(array.strides, default=0) < 0 or not array.flags.writeable:
        array = np.array(array, order="C")
    return torch.from_numpy(array)
