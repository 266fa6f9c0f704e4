"""A failure, repeated in a few lines that a stranger can run."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

READABLE = 60  # numbers


@dataclass(frozen=True)
class Formula:
    """How one expected number comes about, for lines of NumPy that compute it again.

    Attributes:
        code: Python over the operands: assignments, a line each, and then an expression.
        operands: the arrays by name, for a time step, a row and a unit; empty where the formula
            does not hold.
    """

    code: str
    operands: Callable[[int, int, int], Mapping[str, Any]]


def numpy_lines(formula: Formula, index: tuple[int, int, int], found: float, bound: float) -> str:
    """A program, NumPy alone, that prints what was expected in float64, beside what came.

    Empty where the formula does not hold, or has too many numbers for anybody to read.
    """
    operands = formula.operands(*index)
    if not operands or sum(map(np.size, operands.values())) > READABLE:
        return ""
    lines = ["import numpy as np", "from numpy import array, inf, nan"]
    lines += [f"{name} = {_literal(value)}" for name, value in operands.items()]
    *steps, result = formula.code.splitlines()
    lines += [*steps, f"expected = {result}"]
    lines += [f"found, bound = {found!r}, {bound!r}"]
    lines += ["print(expected, found, abs(found - expected) / bound)  # above 1: outside"]
    return "\n".join(lines)


def asking_lines(implementation: str, code: str, check: str, case: object, call: str) -> str:
    """A program that asks the implementation again, for what NumPy alone cannot repeat.

    Args:
        code: the expression that gives the implementation; empty where there is none.
        call: that of the one call that shows it, such as "changed(case.call(), strided)", by names
            that the checks of conduct have; empty where the whole check does.
    """
    found = code or f"as_implementation(...)  # what was judged as {implementation}"
    makers = {*re.findall(r"(?<![\w.])([A-Za-z_]\w*)\(", found), *([] if call else ["repeat"])}
    lines = [f"from rnn_conformance import {', '.join([type(case).__name__, *sorted(makers)])}"]
    if names := sorted({*re.findall(r"(?<![\w.])(?!case\b)[a-z_]+", call)}):
        lines += [f"from rnn_conformance.checks.conduct import {', '.join(names)}"]
    lines += [f"case = {case!r}", f"implementation = {found}"]
    if call:
        return "\n".join([*lines, f"print(implementation.run({call}))"])
    return "\n".join([*lines, f"print(repeat(implementation, {check!r}, case).message)"])


def _literal(value: Any) -> str:
    """The exact value in float64: a float32 number is printed with all of its digits."""
    exact = np.asarray(value, np.float64)
    return repr(exact.tolist()) if exact.ndim == 0 else f"array({exact.tolist()!r})"
