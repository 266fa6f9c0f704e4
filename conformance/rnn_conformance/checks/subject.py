"""A layer under test: asks it, refuses what is no answer, brings it into one order."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from rnn_conformance.cases import expected, gradients
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.cases.expected import Expectation
from rnn_conformance.contract.call import Answer, Array, Call, Implementation, Layout, Options
from rnn_conformance.contract.conventions import OF_WEIGHTS, OWN_PASS, declared
from rnn_conformance.contract.refusal import Violation, array_of, attempt, in_order

REMEMBERED = 64


class Subject:
    """An implementation with its last few answers: each case is run once for all checks.

    Args:
        among: of what it claims, what may be asked; everything where it is None.

    Attributes:
        claimed: what the implementation claims, and what it follows where practice differs.
    """

    def __init__(
        self, implementation: Implementation, *, among: frozenset[str] | None = None
    ) -> None:
        self.implementation = implementation
        claimed = implementation.claims | declared(implementation)
        self.claimed = claimed if among is None else claimed & among
        self._remembered = lru_cache(REMEMBERED)(self._attempt)
        self.result = lru_cache(REMEMBERED)(self._result)
        self.expected = lru_cache(REMEMBERED)(self._expected)
        self.expected_gradients = lru_cache(REMEMBERED)(self._expected_gradients)

    def _result(self, case: Case) -> Answer:
        """What the layer computes for a case, in one order. Raises Violation."""
        return ordered(self.raw(case), case.data(), case.layout)

    def _expected(self, case: Case) -> Expectation:
        """What is expected of that result. Raises Violation."""
        return expected.of_answer(case, self.result(case))

    def _expected_gradients(self, case: Case) -> gradients.Expected:
        """What is expected of its gradients. Raises Violation."""
        layers, own_pass = self.expected(case).layers, OWN_PASS in self.claimed
        return gradients.of_answer(case, self.result(case), layers, own_pass=own_pass)

    def as_given(self, case: Case) -> Answer:
        """The same with the padding as it came. Raises Violation."""
        return in_one_order(self.raw(case), case.data(), case.layout)

    def raw(self, case: Case) -> Answer:
        """What the layer gives for a case, as it comes. Raises Violation."""
        return self.first(case)[1]

    def first(self, case: Case) -> tuple[Call, Answer]:
        """The first call of a case, as it was left, and what it gave. Raises Violation."""
        call, answer = self._remembered(case)
        if isinstance(answer, Violation):
            raise answer
        return call, answer

    def run(self, data: Data, layout: Layout = "time_first") -> Answer:
        """Run anew, on copies of these numbers. Raises Violation."""
        return ordered(self.answer(data.call(layout)), data, layout)

    def reread(self, answer: Answer) -> Answer:
        """What an earlier answer reads as now, if the implementation keeps it elsewhere."""
        again = getattr(self.implementation, "reread", None)
        return answer if again is None else attempt(again, answer, Answer)

    def answer(self, call: Call) -> Answer:
        """Run anew on this very call; what is not claimed is left out. Raises Violation."""
        answer = attempt(self.implementation.run, call, Answer)
        if "h_n" not in self.claimed:
            answer = replace(answer, h_n=None, c_n=None)
        if "readout" not in self.claimed:
            answer = replace(answer, y=None)
        if "gradients" not in self.claimed:
            answer = replace(answer, gradients=None)
        elif (OF_WEIGHTS in self.claimed or call.of_weights) and isinstance(
            answer.gradients, Mapping
        ):
            not_asked = {"inputs": call.inputs, **call.state}
            zeros = {name: np.zeros(part.shape, call.dtype) for name, part in not_asked.items()}
            answer = replace(answer, gradients={**answer.gradients, **zeros})
        return answer

    def _attempt(self, case: Case) -> tuple[Call, Answer | Violation]:
        call = case.call()
        try:
            return call, self.answer(call)
        except Violation as violation:
            return call, violation


def expected_shapes(data: Data, layout: Layout) -> dict[str, tuple[int, ...]]:
    """The shape of each part of an answer, as `Answer` says."""
    T, B, _ = data.inputs.shape
    o = data.options
    width, states = o.directions * o.hidden_size, o.num_layers * o.directions
    steps = {"single": (T,), "time_first": (T, B), "batch_first": (B, T)}[layout]
    rows = () if layout == "single" else (B,)
    shapes = {"output": (*steps, width)}
    shapes |= {f"{part}_n": (states, *rows, o.hidden_size) for part in o.parts}
    return shapes | ({"y": (*steps, o.output_size)} if o.output_size else {})


def ordered(answer: Answer, data: Data, layout: Layout) -> Answer:
    """As `in_one_order`, with zeros in the padding, which one check alone looks at."""
    found = in_one_order(answer, data, layout)

    def without_padding(part: Array) -> Array:
        return part.copy() if data.lengths is None else np.where(data.real, part, 0)

    y = None if found.y is None else without_padding(found.y)
    return Answer(without_padding(found.output), found.h_n, y, gradients=found.gradients)


def in_one_order(answer: Answer, data: Data, layout: Layout) -> Answer:
    """The answer as (T, B, D·H), (L·D, B, S·H), (T, B, O): the parts of the state side by side.

    Raises Violation for a wrong shape, and where a part of the state is not given.
    """
    shapes = expected_shapes(data, layout)
    parts = {
        name: array_of(name, value, shapes[name])
        for name in shapes
        if (value := getattr(answer, name)) is not None or name == "output"
    }
    wanted = [f"{part}_n" for part in data.options.parts]
    states = [parts[name] for name in wanted if name in parts]
    if states and len(states) < len(wanted):
        missing = next(name for name in wanted if name not in parts)
        raise Violation(f"{missing}: expected beside {', '.join(parts)}, but not given")
    h_n, y = np.concatenate(states, axis=-1) if states else None, parts.get("y")
    return Answer(
        in_order(parts["output"], layout),
        h_n[:, np.newaxis] if h_n is not None and layout == "single" else h_n,
        None if y is None else in_order(y, layout),
        gradients=gradients_in_one_order(answer, data, layout),
    )


def gradients_in_one_order(answer: Answer, data: Data, layout: Layout) -> dict[str, Array] | None:
    """The gradients where they are asked for: inputs (T, B, n), "h_0" (L·D, B, S·H), weights.

    Raises Violation where one is missing or of a wrong shape.
    """
    if data.upstream is None:
        return None
    if not isinstance(answer.gradients, Mapping):
        found = type(answer.gradients).__name__
        raise Violation(f"gradients: expected a mapping by name, got {found}")
    call = data.view(layout)
    wanted = {"inputs": call.inputs, **call.state, **call.weights}
    if missing := [name for name in wanted if name not in answer.gradients]:
        raise Violation(f"gradients: {', '.join(missing)} missing")
    parts = {
        name: array_of(f"gradient of {name}", answer.gradients[name], like.shape)
        for name, like in wanted.items()
    }
    parts["inputs"] = in_order(parts["inputs"], layout)
    if states := [parts.pop(name) for name in call.state]:
        of_state = np.concatenate(states, axis=-1)
        parts["h_0"] = of_state[:, np.newaxis] if layout == "single" else of_state
    return parts


def given(answer: Answer, name: str) -> Array:
    """A part of an answer that is claimed. Raises Violation where it is not there."""
    value: Array | None = getattr(answer, name)
    if value is None:
        raise Violation(f"{name}: claimed, but not given")
    return value


def by_part(answer: Answer, options: Options) -> dict[str, Array]:
    """The parts of an answer in one order that were given, those of the state apart."""
    found = parts_of(answer)
    if answer.h_n is not None:
        names = [f"{part}_n" for part in options.parts]
        found |= zip(names, np.split(answer.h_n, len(names), axis=-1), strict=True)
    return found


def parts_of(answer: Answer) -> dict[str, Array]:
    """The parts that were given, by name; gradients apart."""
    arrays = {name: value for name, value in vars(answer).items() if name != "gradients"}
    return {name: value for name, value in arrays.items() if value is not None}
