"""One implementation under test: asks it, refuses what is no answer, brings it into one order."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from traceback import extract_tb
from typing import Any

import numpy as np

from rnn_conformance.cases import Case, Data
from rnn_conformance.protocol import Answer, Array, Call, Implementation, Layout

REMEMBERED = 4


class Violation(Exception):
    """The implementation gave no result that could be compared; the message says what came."""


class NotGiven(Exception):
    """The implementation does not give the part that a check judges; the message names it."""


@dataclass(frozen=True)
class Result:
    """An answer of the right shapes, in one order whatever the layout.

    Attributes:
        hidden_states, outputs: (T, B, H), (T, B, O).
        h_n: (B, H).
    """

    hidden_states: Array
    h_n: Array | None
    outputs: Array | None

    def parts(self) -> dict[str, Array]:
        """The parts that were given, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def part(self, name: str) -> Array:
        """One part by name. Raises NotGiven."""
        value: Array | None = getattr(self, name)
        if value is None:
            raise NotGiven(f"not given: {name}")
        return value

    def row(self, row: int) -> "Result":
        """One sequence of the batch."""
        rows = slice(row, row + 1)
        return self._each(lambda value: value[..., rows, :])

    def copy(self) -> "Result":
        return self._each(np.copy)

    def _each(self, change: Callable[[Array], Array]) -> "Result":
        return Result(
            change(self.hidden_states),
            None if self.h_n is None else change(self.h_n),
            None if self.outputs is None else change(self.outputs),
        )


class Subject:
    """An implementation with its last few answers: each case is run once for all checks."""

    def __init__(self, implementation: Implementation) -> None:
        self.implementation = implementation
        self._answers: OrderedDict[Case, Result | Violation] = OrderedDict()

    def result(self, case: Case) -> Result:
        """What the implementation computes for a case. Raises Violation."""
        if case not in self._answers:
            try:
                self._answers[case] = self.run(case.data(), case.layout)
            except Violation as violation:
                self._answers[case] = violation
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        answer = self._answers[case]
        if isinstance(answer, Violation):
            raise answer
        return answer

    def run(self, data: Data, layout: Layout) -> Result:
        """Run anew, on copies of these numbers. Raises Violation."""
        call = data.call(layout)
        return self.ordered(self.answer(call), data, layout)

    def answer(self, call: Call) -> Answer:
        """Run anew on this very call; what comes back is not looked at. Raises Violation."""
        try:
            answer = self.implementation.run(call)
        except (Exception, SystemExit) as error:  # a stranger's code may raise anything
            at = extract_tb(error.__traceback__)[-1]
            raise Violation(
                f"raised {type(error).__name__}: {_one_line(error)} ({at.name}, line {at.lineno})"
            ) from error
        if not isinstance(answer, Answer):
            raise Violation(f"expected an Answer, got {type(answer).__name__}")
        return answer

    def ordered(self, answer: Answer, data: Data, layout: Layout) -> Result:
        """The answer in one order. Raises Violation where a shape is wrong."""
        shapes = expected_shapes(data, layout)
        arrays = {name: _array(name, getattr(answer, name), shapes[name]) for name in shapes}
        if arrays["hidden_states"] is None:
            raise Violation("hidden_states: expected an array, got None")
        return Result(
            _in_order(arrays["hidden_states"], layout),
            arrays["h_n"] if arrays["h_n"] is None else np.atleast_2d(arrays["h_n"]),
            None if arrays["outputs"] is None else _in_order(arrays["outputs"], layout),
        )


def expected_shapes(data: Data, layout: Layout) -> dict[str, tuple[int, ...]]:
    """The shape of each part of an answer, as `Answer` says."""
    T, B, _ = data.inputs.shape
    O, H = data.weights["W_ho"].shape
    steps = {"single": (T,), "time_first": (T, B), "batch_first": (B, T)}[layout]
    rows = () if layout == "single" else (B,)
    return {"hidden_states": (*steps, H), "h_n": (*rows, H), "outputs": (*steps, O)}


def _array(name: str, value: Any, shape: tuple[int, ...]) -> Any:
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        raise Violation(f"{name}: expected a NumPy array, got {type(value).__name__}")
    if value.shape != shape:
        raise Violation(f"{name}: expected shape {shape}, got {value.shape}")
    if not np.issubdtype(value.dtype, np.floating):
        raise Violation(f"{name}: expected floating-point numbers, got dtype {value.dtype}")
    return value


def _in_order(array: Any, layout: Layout) -> Any:
    if layout == "single":
        return array[:, np.newaxis]
    return array.swapaxes(0, 1) if layout == "batch_first" else array


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
