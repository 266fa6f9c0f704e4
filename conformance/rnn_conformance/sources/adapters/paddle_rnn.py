"""paddle.nn.SimpleRNN.

The weights have the names and shapes that torch gives them, and both biases stay apart. Inputs are
batches alone.
"""

from collections.abc import Mapping
from threading import Lock
from typing import ClassVar

import paddle

from rnn_conformance.contract.call import FEATURES, HALF_DTYPES, Answer, Array, Call, Options
from rnn_conformance.contract.declaration import KnownFailure

_DEFAULT_DTYPE = Lock()  # paddle has one for the whole process


class PaddleRNN:
    """paddle.nn.SimpleRNN on the CPU, in the options that it documents.

    But for no bias: to leave it out ends the process (findings.md, 3).
    """

    name = "paddle.nn.SimpleRNN"
    adapter = True
    can_crash = True
    claims = FEATURES - {"single", "no_bias", "readout", "reverse", *HALF_DTYPES}
    conventions: ClassVar[dict[str, str]] = {
        "T = 0": "undefined",  # it ends the process (findings.md, 3)
        "B = 0": "undefined",  # refused by two layers in both directions, taken by the others
        "NaN in padding": "undefined",
        "length 0": "h_0",
    }
    known_failures = (
        KnownFailure(
            "lengths_refused",
            "lengths beyond T write beyond memory, those below 0 are taken",
            link="findings.md, 4",
        ),
        KnownFailure(
            "dropout_between_layers",
            "one dropout mask for all layers",
            "*-L3-*",
            link="findings.md, 7",
        ),
        KnownFailure(
            "nan_is_propagated",
            "relu makes 0 of NaN",
            "*relu*",
            link="findings.md, 5, and PaddlePaddle/Paddle#79351",
        ),
    )

    def run(self, call: Call) -> Answer:
        T, lengths = call.inputs.shape[0 if call.layout == "time_first" else 1], call.lengths
        bad = lengths is not None and (lengths.min() < 0 or lengths.max() > T)
        if bad and call.inputs.ndim == 3:
            # paddle may end the process (findings.md, 4): a wrong answer stands for it.
            return Answer(call.inputs, call.inputs)
        rnn = _rnn(call.options, call.weights, time_major=call.layout == "time_first")
        rnn.train() if call.training else rnn.eval()
        with paddle.no_grad():
            output, h_n = rnn(
                paddle.to_tensor(call.inputs),
                None if call.h_0 is None else paddle.to_tensor(call.h_0),
                None if call.lengths is None else paddle.to_tensor(call.lengths),
            )
        return Answer(output.numpy(), h_n.numpy())


def _rnn(o: Options, weights: Mapping[str, Array], *, time_major: bool) -> "paddle.nn.SimpleRNN":
    """The layer with these weights, in their dtype."""
    with _DEFAULT_DTYPE:
        before = paddle.get_default_dtype()
        paddle.set_default_dtype(str(weights["weight_hh_l0"].dtype))
        try:
            sizes = o.input_size, o.hidden_size, o.num_layers
            way = "bidirect" if o.bidirectional else "forward"
            rnn = paddle.nn.SimpleRNN(*sizes, way, time_major, o.dropout, o.nonlinearity)
        finally:
            paddle.set_default_dtype(before)
    for name, value in weights.items():
        getattr(rnn, name).set_value(value)
    return rnn
