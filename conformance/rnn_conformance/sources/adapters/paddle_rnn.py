"""paddle.nn.SimpleRNN, LSTM and GRU.

The weights have the names, the shapes and the gates that torch gives them, and both biases stay
apart. Inputs are batches alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any, ClassVar

import paddle

from rnn_conformance.contract.call import (
    FEATURES,
    GRADIENTS,
    HALF_DTYPES,
    NONLINEARITIES,
    Answer,
    Array,
    Call,
    Options,
)
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.sizes import losses_of, parts_of, state_of

LACKING = {"single", "no_bias", "readout", "reverse", *HALF_DTYPES, *NONLINEARITIES}
RELU = KnownFailure(
    "nan_is_propagated",
    "relu makes 0 of NaN",
    "*relu*",
    link="findings.md, 5, and PaddlePaddle/Paddle#79351",
)
STATE_OF_PADDING = "of the reverse direction, 0 is taken for h_0 where a row starts after padding"


def _of_padding(check: str, *cases: str) -> tuple[KnownFailure, ...]:
    return tuple(KnownFailure(check, STATE_OF_PADDING, c, "findings.md, 17") for c in cases)


def _of_weights(*cases: str) -> tuple[KnownFailure, ...]:
    sums = ("gradient_of_weights", "gradients_of_calls")
    return tuple(known for check in sums for known in _of_padding(check, *cases))


WRONG_GRADIENTS = _of_weights("*bidirectional-unsorted-h0*")
AS_A_WHOLE = ("*bidirectional-unsorted-h0-loss*", "*bidirectional-unsorted-h0-batch_first-loss*")
WRONG_GRADIENTS_OF_GRU = (
    *WRONG_GRADIENTS,
    *_of_padding("gradient_of_steps", "*bidirectional-unsorted-h0*"),
    *_of_padding("gradient_of_inputs", *AS_A_WHOLE),
    *_of_padding("gradient_of_states", *AS_A_WHOLE),
)
_DEFAULT_DTYPE = Lock()  # paddle has one for the whole process


class PaddleRNN:
    """A recurrent layer of Paddle on the CPU, in the options that it documents.

    But for no bias: to leave it out ends the process (findings.md, 3).
    """

    adapter = True
    can_crash = True
    conventions: ClassVar[dict[str, str]] = {
        "T = 0": "undefined",  # it ends the process (findings.md, 3)
        "B = 0": "undefined",  # refused by two layers in both directions, taken by the others
        "NaN in padding": "undefined",
        "length 0": "h_0",
    }
    known_failures: tuple[KnownFailure, ...] = (
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
    )

    def __init__(
        self,
        own: "type[paddle.nn.Layer]",
        cells: Collection[str],
        *known: KnownFailure,
    ) -> None:
        self.name = f"paddle.nn.{own.__name__}"
        self.claims = FEATURES - LACKING | {*cells, GRADIENTS}
        self.known_failures += known
        self._own = own

    def run(self, call: Call) -> Answer:
        T, lengths = call.inputs.shape[0 if call.layout == "time_first" else 1], call.lengths
        bad = lengths is not None and (lengths.min() < 0 or lengths.max() > T)
        if bad and call.inputs.ndim == 3:
            # paddle may end the process (findings.md, 4): a wrong answer stands for it.
            return Answer(call.inputs, call.inputs)
        rnn = self._layer(call.options, call.weights, time_major=call.layout == "time_first")
        asked = call.upstream is not None
        # In evaluation it has no gradients (findings.md, 16).
        rnn.train() if call.training or asked else rnn.eval()
        inputs, *state = (
            paddle.to_tensor(value, stop_gradient=not asked)
            for value in (call.inputs, *call.state.values())
        )
        lengths = None if lengths is None else paddle.to_tensor(lengths)
        with paddle.set_grad_enabled(asked):
            output, last = rnn(inputs, state_of(state), lengths)
        results = [output, *(part for part in parts_of(last) if part is not None)]
        h_n, c_n = (None if part is None else part.numpy() for part in parts_of(last))
        answer = Answer(output.numpy(), h_n, c_n=c_n)
        if not asked:
            return answer
        of = {"inputs": inputs, **dict(zip(call.state, state, strict=True))}
        of |= {name: getattr(rnn, name) for name in call.weights}
        losses = [paddle.to_tensor(loss) for loss in (losses_of(call)[0], *losses_of(call)[1])]
        found = paddle.grad(results, [*of.values()], losses)
        gradients = {name: part.numpy() for name, part in zip(of, found, strict=True)}
        return replace(answer, gradients=gradients)

    def _layer(self, o: Options, weights: Mapping[str, Array], *, time_major: bool) -> Any:
        """The layer with these weights, in their dtype."""
        with _DEFAULT_DTYPE:
            before = paddle.get_default_dtype()
            paddle.set_default_dtype(str(weights["weight_hh_l0"].dtype))
            try:
                sizes = o.input_size, o.hidden_size, o.num_layers
                way = "bidirect" if o.bidirectional else "forward"
                kind = [o.cell] if o.cell in NONLINEARITIES else []
                rnn = self._own(*sizes, way, time_major, o.dropout, *kind)
            finally:
                paddle.set_default_dtype(before)
        for name, value in weights.items():
            getattr(rnn, name).set_value(value)
        return rnn


RNN = PaddleRNN(paddle.nn.SimpleRNN, NONLINEARITIES, RELU, *WRONG_GRADIENTS)
LSTM = PaddleRNN(paddle.nn.LSTM, ("lstm",), *WRONG_GRADIENTS)
GRU = PaddleRNN(paddle.nn.GRU, ("gru",), *WRONG_GRADIENTS_OF_GRU)
