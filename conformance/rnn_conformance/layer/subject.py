"""A layer under test: asks it, refuses what is no answer, brings it into one order."""

from functools import lru_cache

import numpy as np

from rnn_conformance.layer.call import LayerAnswer, LayerCall, LayerImplementation
from rnn_conformance.layer.cases import LayerCase, LayerData
from rnn_conformance.protocol import Layout
from rnn_conformance.subject import Violation, array_of, attempt, in_order

REMEMBERED = 4


class LayerSubject:
    """A layer with its last few answers: each case is run once for all checks."""

    def __init__(self, implementation: LayerImplementation) -> None:
        self.implementation = implementation
        self._remembered = lru_cache(REMEMBERED)(self._attempt)

    def result(self, case: LayerCase) -> LayerAnswer:
        """What the layer computes for a case, in one order. Raises Violation."""
        return ordered(self.raw(case), case.data(), case.layout)

    def as_given(self, case: LayerCase) -> LayerAnswer:
        """The same with the padding as it came. Raises Violation."""
        return in_one_order(self.raw(case), case.data(), case.layout)

    def raw(self, case: LayerCase) -> LayerAnswer:
        """What the layer gives for a case, as it comes. Raises Violation."""
        answer = self._remembered(case)
        if isinstance(answer, Violation):
            raise answer
        return answer

    def run(self, data: LayerData, layout: Layout = "time_first") -> LayerAnswer:
        """Run anew, on copies of these numbers. Raises Violation."""
        return ordered(self.answer(data.call(layout)), data, layout)

    def answer(self, call: LayerCall) -> LayerAnswer:
        """Run anew on this very call; what comes back is not looked at. Raises Violation."""
        return attempt(self.implementation.run_layer, call, LayerAnswer)

    def _attempt(self, case: LayerCase) -> LayerAnswer | Violation:
        try:
            return self.answer(case.call())
        except Violation as violation:
            return violation


def expected_shapes(data: LayerData, layout: Layout) -> dict[str, tuple[int, ...]]:
    """The shape of each part of an answer, as `LayerAnswer` says."""
    T, B, _ = data.inputs.shape
    o = data.options
    width, states = o.directions * o.hidden_size, o.num_layers * o.directions
    steps = {"single": (T,), "time_first": (T, B), "batch_first": (B, T)}[layout]
    rows = () if layout == "single" else (B,)
    return {"output": (*steps, width), "h_n": (states, *rows, o.hidden_size)}


def ordered(answer: LayerAnswer, data: LayerData, layout: Layout) -> LayerAnswer:
    """As `in_one_order`, with zeros in the padding, which one check alone looks at."""
    found = in_one_order(answer, data, layout)
    return LayerAnswer(np.where(data.real, found.output, 0), found.h_n)


def in_one_order(answer: LayerAnswer, data: LayerData, layout: Layout) -> LayerAnswer:
    """The answer as (T, B, D·H) and (L·D, B, H). Raises Violation where a shape is wrong."""
    shapes = expected_shapes(data, layout)
    output = array_of("output", answer.output, shapes["output"])
    h_n = array_of("h_n", answer.h_n, shapes["h_n"])
    rows = h_n[:, np.newaxis] if layout == "single" else h_n
    return LayerAnswer(in_order(output, layout), rows)
