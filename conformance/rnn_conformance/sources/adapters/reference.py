"""The reference itself, as implementations under test like any other."""

from typing import ClassVar

import numpy as np
from rnn_reference import RNN, BatchRNN, SingleSequenceRNN

from rnn_conformance.contract.call import BASIC, FEATURES, HALF_DTYPES, Answer, Call
from rnn_conformance.sources.plain import StepByStepClass

OF_A_BATCH = BASIC - {"h_n"}
OF_ONE_SEQUENCE = OF_A_BATCH - {"time_first"} | {"single"}
BATCH = StepByStepClass("rnn_reference.BatchRNN", BatchRNN, OF_A_BATCH)
SINGLE = StepByStepClass("rnn_reference.SingleSequenceRNN", SingleSequenceRNN, OF_ONE_SEQUENCE)


class ReferenceLayer:
    """rnn_reference.RNN; what dropout drops is drawn from one generator, call after call."""

    name = "rnn_reference.RNN"
    claims = FEATURES - {"readout", "reverse", *HALF_DTYPES}
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
