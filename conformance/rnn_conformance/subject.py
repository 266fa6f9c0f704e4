"""One implementation under test: asks it, refuses what is no answer, brings it into one order."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb, format_exception_only
from typing import Any, TypeVar

import numpy as np

from rnn_conformance.cases import Case, Data
from rnn_conformance.formats import bfloat16, carrier
from rnn_conformance.protocol import Answer, Array, Call, Dtype, Implementation, Layout

REMEMBERED = 4
C = TypeVar("C")
A = TypeVar("A")


class Violation(Exception):
    """The implementation gave no result that could be compared; the message says what came."""


class Broken(Violation):
    """The implementation ended, hung, or said what is no answer: that refuses nothing either."""


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
        self._answers: OrderedDict[Case, tuple[Call, Answer | Violation]] = OrderedDict()

    @property
    def claimed(self) -> frozenset[str]:
        """What the implementation claims."""
        return self.implementation.claims.features

    def result(self, case: Case) -> Result:
        """What the implementation computes for a case, in one order. Raises Violation."""
        return self.ordered(self.first(case)[1], case.data(), case.layout)

    def first(self, case: Case) -> tuple[Call, Answer]:
        """The first call of a case, as it was left, and what it gave. Raises Violation."""
        if case not in self._answers:
            call = case.call()
            try:
                self._answers[case] = call, self.answer(call)
            except Violation as violation:
                self._answers[case] = call, violation
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        call, answer = self._answers[case]
        if isinstance(answer, Violation):
            raise answer
        return call, answer

    def reread(self, answer: Answer) -> Answer:
        """What an earlier answer reads as now, where the implementation keeps it elsewhere."""
        again = getattr(self.implementation, "reread", None)
        return answer if again is None else attempt(again, answer, Answer)

    def run(self, data: Data, layout: Layout) -> Result:
        """Run anew, on copies of these numbers. Raises Violation."""
        call = data.call(layout)
        return self.ordered(self.answer(call), data, layout)

    def answer(self, call: Call) -> Answer:
        """Run anew on this very call; what comes back is not looked at. Raises Violation."""
        return attempt(self.implementation.run, call, Answer)

    def ordered(self, answer: Answer, data: Data, layout: Layout) -> Result:
        """The answer in one order. Raises Violation where a shape is wrong."""
        shapes = expected_shapes(data, layout)
        given = {name: getattr(answer, name) for name in shapes}
        found = {
            name: array_of(name, value, shapes[name])
            for name, value in given.items()
            if value is not None or name == "hidden_states"
        }
        h_n, outputs = found.get("h_n"), found.get("outputs")
        return Result(
            in_order(found["hidden_states"], layout),
            None if h_n is None else np.atleast_2d(h_n),
            None if outputs is None else in_order(outputs, layout),
        )


def attempt(run: Callable[[C], object], call: C, kind: type[A]) -> A:
    """What `run` gives for a call. Raises Violation where it raises, or gives another kind."""
    try:
        # NumPy's defaults, whatever was set before; what it sets for itself ends here.
        with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
            answer = run(call)
    except (KeyboardInterrupt, Violation):
        raise
    except BaseException as error:  # a stranger's code may raise anything
        raise Violation(f"raised {one_line(error)}{_place(error)}") from error
    if not isinstance(answer, kind):
        raise Violation(f"expected {kind.__name__}, got {type(answer).__name__}")
    return answer


def _place(error: BaseException) -> str:
    """Where it was raised, unless that is in the suite itself."""
    at = extract_tb(error.__traceback__, limit=-1)[0]
    if Path(at.filename).parent.name == "implementations":
        return ""
    return f" ({Path(at.filename).name}, line {at.lineno}, in {at.name})"


def expected_shapes(data: Data, layout: Layout) -> dict[str, tuple[int, ...]]:
    """The shape of each part of an answer, as `Answer` says."""
    T, B, _ = data.inputs.shape
    O, H = data.weights["W_ho"].shape
    steps = {"single": (T,), "time_first": (T, B), "batch_first": (B, T)}[layout]
    rows = () if layout == "single" else (B,)
    return {"hidden_states": (*steps, H), "h_n": (*rows, H), "outputs": (*steps, O)}


def array_of(name: str, value: object, shape: tuple[int, ...]) -> Array:
    """`value` as a plain array. Raises Violation unless it is one, of this shape and floating."""
    if not isinstance(value, np.ndarray):
        raise Violation(f"{name}: expected a NumPy array, got {type(value).__name__}")
    array: Array = np.asarray(value)  # a subclass may hide numbers, as a masked array does
    if array.shape != shape:
        turned = ", the same axes in another order" * (sorted(array.shape) == sorted(shape))
        raise Violation(f"{name}: expected shape {shape}, got {array.shape}{turned}")
    if not np.issubdtype(array.dtype, np.floating):
        raise Violation(f"{name}: expected floating-point numbers, got dtype {array.dtype}")
    return array


def in_the_dtype(what: str, array: Array, dtype: Dtype) -> None:
    """Raises Violation unless these are numbers of this dtype."""
    if array.dtype != carrier(dtype):
        raise Violation(f"{what}: expected dtype {carrier(dtype)}, got {array.dtype}")
    if dtype == "bfloat16" and not np.array_equal(bfloat16(array), array, equal_nan=True):
        raise Violation(f"{what}: expected numbers of bfloat16 in float32, got some of more bits")


def in_order(array: Any, layout: Layout) -> Any:
    """A result of every step as (T, B, units), whatever the layout."""
    if layout == "single":
        return array[:, np.newaxis]
    return array.swapaxes(0, 1) if layout == "batch_first" else array


def one_line(error: BaseException) -> str:
    """An exception's type and message, in one line without control characters."""
    return printable("".join(format_exception_only(error)))


def printable(text: str) -> str:
    """A stranger's text in one line, cut short and without control characters."""
    line = " ".join(text.split())[:300]
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
