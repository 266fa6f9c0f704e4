"""The readout of the seed model: y_t = W_ho h_t + b_ho, of the output of the last layer."""

from collections.abc import Mapping
from typing import Any

from rnn_conformance.bounds.balls import Ball, Matrix, Sum, constant, product
from rnn_conformance.bounds.reproduction import Formula
from rnn_conformance.contract.call import Array


def readout(weights: Mapping[str, Array], output: Ball) -> Sum:
    """Of states (..., rows, D·H): (..., rows, O)."""
    W_ho, b_ho = weights["W_ho"], weights["b_ho"]
    return product(Matrix.of(W_ho), output) + constant(b_ho, output.precision)


def reason(of: Sum) -> str:
    """Where its bound comes from."""
    return f"gamma_{of.roundings}(u) (|W_ho||h_t| + |b_ho|), {of.precision}"


def formula(weights: Mapping[str, Array], output: Array) -> Formula:
    """One unit of y_t from the state of the same step, of (T, B, D·H)."""

    def operands(step: int, row: int, unit: int) -> dict[str, Any]:
        rows = {name: weights[name][unit] for name in ("W_ho", "b_ho")}
        return {**rows, "h": output[step, row]}

    return Formula("W_ho @ h + b_ho", operands)
