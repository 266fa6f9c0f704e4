"""The reference itself, as implementations under test like any other."""

from collections.abc import Collection
from typing import Any, ClassVar

import numpy as np
from rnn_reference import GRU, LSTM, RNN, BatchRNN, SingleSequenceRNN

from rnn_conformance.contract.call import (
    BASIC,
    FEATURES,
    GRADIENTS,
    HALF_DTYPES,
    NONLINEARITIES,
    Answer,
    Call,
)
from rnn_conformance.sources.adapters.sizes import parts_of, state_of, upstream_of
from rnn_conformance.sources.plain import StepByStepClass

OF_A_BATCH = BASIC - {"h_n"}
OF_ONE_SEQUENCE = OF_A_BATCH - {"time_first"} | {"single"}
BATCH = StepByStepClass("rnn_reference.BatchRNN", BatchRNN, OF_A_BATCH)
SINGLE = StepByStepClass("rnn_reference.SingleSequenceRNN", SingleSequenceRNN, OF_ONE_SEQUENCE)
OF_A_LAYER = FEATURES - {"readout", "reverse", *HALF_DTYPES, *NONLINEARITIES}
RESETS = {"gru": True, "gru_reset_before": False}


class ReferenceLayer:
    """rnn_reference.RNN, LSTM or GRU; what dropout drops is drawn from one generator."""

    conventions: ClassVar[dict[str, str]] = {"B = 0": "refused"}

    def __init__(self, own: type[Any] = RNN, cells: Collection[str] = NONLINEARITIES) -> None:
        self.name = f"rnn_reference.{own.__name__}"
        self.claims = OF_A_LAYER | {*cells, GRADIENTS}
        self._own, self._rng = own, np.random.default_rng(0)

    def run(self, call: Call) -> Answer:
        o = call.options
        kind: dict[str, Any] = {"nonlinearity": o.cell} if o.cell in NONLINEARITIES else {}
        if o.cell in RESETS:
            kind["reset_after"] = RESETS[o.cell]
        layer = self._own.from_weights(
            call.weights, **kind, batch_first=call.layout == "batch_first", dropout=o.dropout
        )
        if call.upstream is not None:
            return self._with_gradients(call, layer)
        output, last = layer.forward(
            call.inputs,
            state_of(call.state.values()),
            lengths=call.lengths,
            training=call.training,
            rng=self._rng if call.training else None,
        )
        h_n, c_n = parts_of(last)
        return Answer(output, h_n, c_n=c_n)

    def _with_gradients(self, call: Call, layer: Any) -> Answer:
        losses = {f"d_{name}": loss for name, loss in upstream_of(call).items()}
        state = state_of(call.state.values())
        found = layer.backward(call.inputs, state, lengths=call.lengths, **losses)
        gradients = {"inputs": found.gradients.inputs, **found.gradients.weights}
        gradients |= {name: getattr(found.gradients, name) for name in call.state}
        return Answer(found.output, found.h_n, c_n=found.c_n, gradients=gradients)


LAYER = ReferenceLayer()
LSTM_LAYER = ReferenceLayer(LSTM, ("lstm",))
GRU_LAYER = ReferenceLayer(GRU, ("gru", "gru_reset_before"))
