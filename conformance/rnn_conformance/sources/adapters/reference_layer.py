"""The reference's stack of layers, as one implementation under test like any other."""

from typing import ClassVar

import numpy as np
from rnn_reference import RNN

from rnn_conformance.contract.call import FEATURES, HALF_DTYPES, Answer, Call


class ReferenceLayer:
    """rnn_reference.RNN; what dropout drops is drawn from one generator, call after call."""

    name = "rnn_reference.RNN"
    claims = FEATURES - {"readout", *HALF_DTYPES}
    conventions: ClassVar[dict[str, str]] = {"B = 0": "refused"}

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def run(self, call: Call) -> Answer:
        o = call.options
        rnn = RNN.from_weights(
            call.weights,
            nonlinearity=o.nonlinearity,
            batch_first=call.layout == "batch_first",
            dropout=o.dropout,
        )
        output, h_n = rnn.forward(
            call.inputs,
            call.h_0,
            lengths=call.lengths,
            training=call.training,
            rng=self._rng if call.training else None,
        )
        return Answer(output, h_n)
