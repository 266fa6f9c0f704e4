"""All states of a long recurrence in few sequential steps, each proved by the certificate.

`chunks` has the method, and when it stops; nothing here is taken on trust from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from rnn_reference import weight_shapes
from rnn_reference.arguments import one_of
from rnn_reference.recurrence import NONLINEARITIES
from rnn_reference.weights import (
    validate_array,
    validate_float,
    validate_matrix,
    validate_names,
)

from rnn_conformance.chunks import Cell, all_states
from rnn_conformance.protocol import Array
from rnn_conformance.trace import Certificate, certify

NAMES = ("W_xh", "b_xh", "W_hh", "b_hh")


@dataclass(frozen=True)
class ChunkedRun:
    """The states of a recurrence, and how they were come by.

    Attributes:
        states: (T, B, H), after each step.
        h_n: (B, H), the last of them.
        chunks: into how many the steps were cut; 1 where they were left to the loop untried.
        extra_steps: steps of the batch of chunks beyond those of its first run.
        fell_back: whether chunks were tried, and the loop computed what they could not.
        certificate: the verdict on `states`; it conforms, always.
    """

    states: Array
    h_n: Array
    chunks: int
    extra_steps: int
    fell_back: bool
    certificate: Certificate


def run_in_chunks(
    weights: Mapping[str, Array],
    inputs: Array,
    *,
    h_0: Array | None = None,
    nonlinearity: str = "tanh",
) -> ChunkedRun:
    """All states of h_t = f(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh), chunks of time at once.

    It pays where T is long, B small and the recurrence contracts. Elsewhere it is the loop, at once
    or after first steps of the chunks, a tenth to a fifth of the loop's time, have shown that they
    will not settle. Where those mislead, the attempt is given up at three quarters of it at most.

    Args:
        weights: W_xh (H, I), b_xh (H, 1), W_hh (H, H), b_hh (H, 1), float32 or float64; W_ho and
            b_ho may be there, and are not used.
        inputs: x_0 … x_{T-1}, (T, B, I), of the dtype of the weights.
        h_0: (B, H), likewise; zeros where omitted.
        nonlinearity: f, "tanh" or "relu".

    Raises:
        TypeError, ValueError: a wrong argument, named, with what came and what was expected.
        ArithmeticError: the loop's states too are outside their bounds: relu overflowed.
    """
    cell = _cell(weights, nonlinearity)
    start = _initial(weights["W_xh"], inputs, h_0)

    def judged(states: Array) -> Certificate:
        return certify(weights, inputs, states, h_0=start, nonlinearity=nonlinearity)

    with np.errstate(over="ignore", invalid="ignore"):  # the certificate sees what comes of it
        found = all_states(cell, inputs, start)
        certificate = judged(found.states)
        if not certificate.conforms and found.chunks > 1:
            found = replace(found, states=cell.loop(inputs, start)[1:], fell_back=True)
            certificate = judged(found.states)
    if not certificate.conforms:
        raise ArithmeticError(f"states: the loop's too are outside their bounds: {certificate}")
    return ChunkedRun(
        found.states,
        found.states[-1],
        found.chunks,
        found.extra_steps,
        found.fell_back,
        certificate,
    )


def _cell(weights: Mapping[str, Array], nonlinearity: str) -> Cell:
    """The weights, once they fit together."""
    one_of("nonlinearity", nonlinearity, NONLINEARITIES)
    if isinstance(weights, Mapping):
        weights = {name: w for name, w in weights.items() if name not in ("W_ho", "b_ho")}
    validate_names(weights, NAMES)
    hidden_size, input_size = validate_matrix("W_xh", weights["W_xh"])
    dtype = validate_float("W_xh", weights["W_xh"])
    shapes = weight_shapes(input_size, hidden_size, 1)
    for name in NAMES:
        validate_array(name, weights[name], shapes[name], dtype)
    return Cell.of(weights, nonlinearity)


def _initial(W_xh: Array, inputs: Array, h_0: Array | None) -> Array:
    """h_0 (B, H), zeros where omitted, once it and the inputs fit the weights."""
    hidden_size, input_size = W_xh.shape
    wanted = f"an array (T, B, {input_size}), with one step and one sequence at the least"
    if not isinstance(inputs, np.ndarray):
        raise TypeError(f"inputs: expected {wanted}, got {type(inputs).__name__}")
    if inputs.ndim != 3 or 0 in inputs.shape:
        raise ValueError(f"inputs: expected {wanted}, got shape {inputs.shape}")
    T, B, _ = inputs.shape
    validate_array("inputs", inputs, (T, B, input_size), W_xh.dtype)
    if h_0 is None:
        return np.zeros((B, hidden_size), W_xh.dtype)
    return validate_array("h_0", h_0, (B, hidden_size), W_xh.dtype)
