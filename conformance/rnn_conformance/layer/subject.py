"""A layer under test: asks it, refuses what is no answer, brings it into one order."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from rnn_conformance.layer.call import LayerAnswer, LayerCall, LayerImplementation
from rnn_conformance.layer.cases import LayerCase, LayerData
from rnn_conformance.layer.conventions import declared
from rnn_conformance.protocol import Array, Layout
from rnn_conformance.subject import Violation, array_of, attempt, in_order

REMEMBERED = 4


class LayerSubject:
    """An implementation with its last few answers: each case is run once for all checks.

    Attributes:
        claimed: what the implementation claims, and what it follows where practice differs.
    """

    def __init__(self, implementation: LayerImplementation) -> None:
        self.implementation = implementation
        self.claimed = implementation.claims | declared(implementation)
        self._remembered = lru_cache(REMEMBERED)(self._attempt)

    def result(self, case: LayerCase) -> LayerAnswer:
        """What the layer computes for a case, in one order. Raises Violation."""
        return ordered(self.raw(case), case.data(), case.layout)

    def as_given(self, case: LayerCase) -> LayerAnswer:
        """The same with the padding as it came. Raises Violation."""
        return in_one_order(self.raw(case), case.data(), case.layout)

    def raw(self, case: LayerCase) -> LayerAnswer:
        """What the layer gives for a case, as it comes. Raises Violation."""
        return self.first(case)[1]

    def first(self, case: LayerCase) -> tuple[LayerCall, LayerAnswer]:
        """The first call of a case, as it was left, and what it gave. Raises Violation."""
        call, answer = self._remembered(case)
        if isinstance(answer, Violation):
            raise answer
        return call, answer

    def run(self, data: LayerData, layout: Layout = "time_first") -> LayerAnswer:
        """Run anew, on copies of these numbers. Raises Violation."""
        return ordered(self.answer(data.call(layout)), data, layout)

    def reread(self, answer: LayerAnswer) -> LayerAnswer:
        """What an earlier answer reads as now, if the implementation keeps it elsewhere."""
        again = getattr(self.implementation, "reread", None)
        return answer if again is None else attempt(again, answer, LayerAnswer)

    def answer(self, call: LayerCall) -> LayerAnswer:
        """Run anew on this very call; what is not claimed is left out. Raises Violation."""
        answer = attempt(self.implementation.run, call, LayerAnswer)
        if answer.h_n is not None and "h_n" not in self.claimed:
            answer = replace(answer, h_n=None)
        if answer.y is not None and "readout" not in self.claimed:
            answer = replace(answer, y=None)
        return answer

    def _attempt(self, case: LayerCase) -> tuple[LayerCall, LayerAnswer | Violation]:
        call = case.call()
        try:
            return call, self.answer(call)
        except Violation as violation:
            return call, violation


def expected_shapes(data: LayerData, layout: Layout) -> dict[str, tuple[int, ...]]:
    """The shape of each part of an answer, as `LayerAnswer` says."""
    T, B, _ = data.inputs.shape
    o = data.options
    width, states = o.directions * o.hidden_size, o.num_layers * o.directions
    steps = {"single": (T,), "time_first": (T, B), "batch_first": (B, T)}[layout]
    rows = () if layout == "single" else (B,)
    shapes = {"output": (*steps, width), "h_n": (states, *rows, o.hidden_size)}
    return shapes | ({"y": (*steps, o.output_size)} if o.output_size else {})


def ordered(answer: LayerAnswer, data: LayerData, layout: Layout) -> LayerAnswer:
    """As `in_one_order`, with zeros in the padding, which one check alone looks at."""
    found = in_one_order(answer, data, layout)
    y = None if found.y is None else np.where(data.real, found.y, 0)
    return replace(found, output=np.where(data.real, found.output, 0), y=y)


def in_one_order(answer: LayerAnswer, data: LayerData, layout: Layout) -> LayerAnswer:
    """The answer as (T, B, D·H), (L·D, B, H), (T, B, O). Raises Violation for a wrong shape."""
    shapes = expected_shapes(data, layout)
    parts = {
        name: array_of(name, value, shapes[name])
        for name in shapes
        if (value := getattr(answer, name)) is not None or name == "output"
    }
    h_n, y = parts.get("h_n"), parts.get("y")
    return LayerAnswer(
        in_order(parts["output"], layout),
        h_n[:, np.newaxis] if h_n is not None and layout == "single" else h_n,
        None if y is None else in_order(y, layout),
    )


def given(answer: LayerAnswer, name: str) -> Array:
    """A part of an answer that is claimed. Raises Violation where it is not there."""
    value: Array | None = getattr(answer, name)
    if value is None:
        raise Violation(f"{name}: claimed, but not given")
    return value


def parts_of(answer: LayerAnswer) -> dict[str, Array]:
    """The parts that were given, by name."""
    return {name: value for name, value in vars(answer).items() if value is not None}
