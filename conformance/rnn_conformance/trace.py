"""A verdict on hidden states that were computed anywhere, from the states alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from rnn_reference import validate_weights, weight_shapes

from rnn_conformance.bounds.balls import Ball, Precision, exactly
from rnn_conformance.bounds.judgement import Judgement, Place
from rnn_conformance.cells import CELLS, Cell, CellWeights
from rnn_conformance.cells.running import from_shown, one_step
from rnn_conformance.cells.weights import of_cell
from rnn_conformance.contract.call import GATED, NONLINEARITIES, Array, Options
from rnn_conformance.contract.dtypes import as_numpy
from rnn_conformance.sources.seed_model import NAMES

# T·B rows are judged at a time, so that what is needed beside the arguments does not grow with T:
# as many as hold so many numbers, but enough for a product to be worth its call.
ROWS, FEWEST_ROWS, NUMBERS = 4096, 64, 2**18

PRECISIONS = {np.dtype(name): Precision.of(name) for name in ("float32", "float64")}


@dataclass(frozen=True)
class Certificate:
    """The verdict on a trace.

    Attributes:
        conforms: whether every state follows from the one before it, within its bound.
        worst_share: the worst error as a share of its bound.
        worst: where that is.
        first_outside: the first state outside its bound, by step, row and unit; None if none is.
        reason: where the bound comes from.
    """

    conforms: bool
    worst_share: float
    worst: Place
    first_outside: Place | None
    reason: str

    def __str__(self) -> str:
        if self.first_outside is None:
            worst = f"the worst error is {self.worst_share:.2g} of its bound"
            place = f"step {self.worst.step}, row {self.worst.row}, unit {self.worst.unit}"
            return f"conforms: {worst}, at {place} ({self.reason})"
        return f"does not conform: {self.first_outside} ({self.reason})"


def certify(
    weights: Mapping[str, Any],
    inputs: Any,
    states: Any,
    *,
    h_0: Any = None,
    dtype: npt.DTypeLike | None = None,
    nonlinearity: str = "tanh",
    digits: int | None = None,
    cell: str | None = None,
    c_0: Any = None,
    c_n: Any = None,
) -> Certificate:
    """Judge hidden states that were computed anywhere, chunk by chunk.

    Args:
        weights: W_xh (H, I), b_xh, W_hh (H, H), b_hh, biases of any shape of H numbers; or by
            torch's names, such as weight_ih_l0. W_ho and b_ho may be there. Of a gated cell by
            torch's names, with the rows of its gates in torch's order.
        inputs: (T, B, I), or (T, I) for one sequence; a `numpy.memmap` is read piece by piece.
            Tensors of other libraries are taken as arrays here and elsewhere.
        states: the state after each step, (T, B, H), or (T, H).
        h_0: the state before the first step, (B, H), (1, B, H) as torch has it, or (H,); zeros
            where omitted.
        dtype: the precision that is claimed, float32 or float64; that of `states` where omitted.
        nonlinearity: "tanh" or "relu", of a plain RNN.
        cell: "lstm", "gru" or "gru_reset_before"; None for a plain RNN.
        c_0, c_n: of an LSTM, likewise; c_0 is zeros where omitted, c_n not judged.
        digits: how many digits after the point the states were printed with; None if none were
            left out.

    Raises ValueError or TypeError that names the argument, what came and what was expected.
    """
    inputs, states = as_numpy(inputs), as_numpy(states)
    if nonlinearity not in NONLINEARITIES:
        raise ValueError(f"nonlinearity: expected 'tanh' or 'relu', got {nonlinearity!r}")
    if cell not in (None, *GATED):
        raise ValueError(f"cell: expected {', '.join(GATED)} or None, got {cell!r}")
    known = CELLS[cell or nonlinearity]
    w = _gated(weights, known) if cell else _plain(weights)
    precision = _claimed(dtype, states)
    off = 0.0 if digits is None else 10.0**-digits / 2
    hidden_size, input_size = w.W_hh.shape[1], w.W_ih.shape[1]
    if states.ndim not in (2, 3) or 0 in states.shape:
        raise ValueError(
            f"states: expected shape (T, B, {hidden_size}) or (T, {hidden_size}), with one step "
            f"and one sequence at the least, got {states.shape}"
        )
    *batch, _ = states.shape[1:]
    one = (*batch, hidden_size)
    parts = {"h_0": _part(h_0, one)}
    if len(known.parts) > 1:
        parts |= {"c_0": _part(c_0, one)} | ({} if c_n is None else {"c_n": _part(c_n, one)})
        if digits is not None:
            raise ValueError(f"digits: expected None, since c is carried, got {digits}")
    elif c_0 is not None or c_n is not None:
        raise ValueError(f"c_0, c_n: expected None for a cell without c, {known.name}")
    for name, array, shape in (
        ("states", states, (len(states), *one)),
        ("inputs", inputs, (len(states), *batch, input_size)),
        *((name, part, one) for name, part in parts.items()),
    ):
        _numbers(name, array)
        if array.shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    if not batch:
        inputs, states = (np.expand_dims(a, -2) for a in (inputs, states))
        parts = {name: part[np.newaxis] for name, part in parts.items()}
    last = parts.pop("c_n", None)
    before = np.concatenate([*parts.values()], axis=-1)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if len(known.parts) > 1:
            return _verdict(_carried(known, w, inputs, states, before, last, precision))
        return _verdict(_judgements(known, w, inputs, states, before, precision, off))


def _part(value: Any, shape: tuple[int, ...]) -> Any:
    """A part of the state: zeros where it is omitted, without the axis of layers that torch has."""
    value = np.zeros(shape) if value is None else as_numpy(value)
    return value[0] if isinstance(value, np.ndarray) and value.shape == (1, *shape) else value


def _verdict(judgements: Iterator[tuple[Judgement, int]]) -> Certificate:
    """The worst and the first of all blocks, each given with its first row."""
    worst: Place | None = None
    first_outside: Place | None = None
    worst_share, reason = -1.0, ""
    for judged, first_row in judgements:
        share, place = judged.worst()
        if share > worst_share:
            worst, worst_share = replace(place, row=first_row + place.row), share
        if first_outside is None and (outside := judged.first_outside()) is not None:
            first_outside = replace(outside, row=first_row + outside.row)
        reason = judged.reason
        if worst_share == np.inf:
            break
    assert worst is not None
    return Certificate(first_outside is None, worst_share, worst, first_outside, reason)


def _judgements(
    cell: Cell,
    w: CellWeights,
    inputs: Array,
    states: Array,
    h_0: Array,
    precision: Precision,
    off: float,
) -> Iterator[tuple[Judgement, int]]:
    """Blocks of steps and rows in the order of time, and the first row of each."""
    T, B, H = states.shape
    most = min(ROWS, max(FEWEST_ROWS, NUMBERS // (inputs.shape[2] + H)))
    steps = max(1, most // B)
    for start in range(0, T, steps):
        for row in range(0, B, most):
            rows = slice(row, row + most)
            found = states[start : start + steps, rows]
            before = states[start - 1, rows] if start else h_0[rows]
            previous = np.concatenate([before[np.newaxis], found[:-1]])
            seen = inputs[start : start + steps, rows]
            right, reason = one_step(cell, w, seen, previous, precision, off)
            reason += f", and {off:.0e} for the digits left out" if off else ""
            yield Judgement("states", right.value, found, right.bound + off, reason, start), row


def _carried(
    cell: Cell,
    w: CellWeights,
    inputs: Array,
    states: Array,
    before: Array,
    last: Array | None,
    precision: Precision,
) -> Iterator[tuple[Judgement, int]]:
    """The same of a cell with a part that does not show, which is carried from block to block."""
    T, B, H = states.shape
    steps, reason = max(1, ROWS // B), f"the one-step bound, with c carried, {precision}"
    state: Array | Ball = before
    for start in range(0, T, steps):
        some = slice(start, start + steps)
        shown = exactly(states[some], precision)
        found = from_shown(cell, w, exactly(inputs[some], precision), state, shown)
        value, bound = found.value[..., :H], found.bound[..., :H]
        yield Judgement("states", value, states[some], bound, reason, start), 0
        last_shown = shown.value[-1]
        radius = np.hstack([np.zeros_like(last_shown), found.radius[-1, :, H:]])
        state = Ball(np.hstack([last_shown, found.value[-1, :, H:]]), radius, precision)
    if last is not None:
        value, bound = found.value[-1:, :, H:], found.bound[-1:, :, H:]
        yield Judgement("c_n", value, last[np.newaxis], bound, reason, T - 1), 0


def _gated(weights: Mapping[str, Any], cell: Cell) -> CellWeights:
    """The weights of a gated cell, checked; biases that are missing are zeros."""
    if not isinstance(weights, Mapping):
        raise TypeError(f"weights: expected a mapping, got {type(weights).__name__}")
    given = {name: as_numpy(weights[name]) for name in NAMES if name in weights}
    if lacking := [name for name in ("weight_ih_l0", "weight_hh_l0") if name not in given]:
        raise ValueError(f"weights: {', '.join(lacking)} missing")
    for name, value in given.items():
        _numbers(name, value)
    I, H = (given[name].shape[-1] for name in ("weight_ih_l0", "weight_hh_l0"))
    options = Options(I, H, cell=cell.name)
    for name, shape in options.weight_shapes().items():
        if (found := given.setdefault(name, np.zeros(shape)).shape) != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {found}")
    return of_cell(given, 0, 0, options)


def _plain(weights: Mapping[str, Any]) -> CellWeights:
    """The weights of the recurrence, checked; a readout that is missing is made up."""
    if isinstance(weights, Mapping):
        weights = {NAMES.get(name, name): as_numpy(value) for name, value in weights.items()}
        for name in ("b_xh", "b_hh", "b_ho"):
            if isinstance(value := weights.get(name), np.ndarray):
                weights[name] = value.reshape(-1, 1) if value.size == max(value.shape) else value
    W_xh = weights.get("W_xh") if isinstance(weights, Mapping) else None
    if isinstance(W_xh, np.ndarray) and W_xh.ndim == 2 and not {"W_ho", "b_ho"} <= weights.keys():
        shapes = weight_shapes(W_xh.shape[1], W_xh.shape[0], 1)
        made_up = {name: np.zeros(shapes[name], W_xh.dtype) for name in ("W_ho", "b_ho")}
        weights = {**made_up, **weights}
    return CellWeights.of_seed_model(validate_weights(weights))


def _claimed(dtype: npt.DTypeLike | None, states: Array) -> Precision:
    _numbers("states", states)
    claimed: np.dtype[Any] = np.dtype(states.dtype if dtype is None else dtype).newbyteorder("=")
    if claimed not in PRECISIONS:
        raise TypeError(f"dtype: expected float32 or float64, got {claimed}")
    return PRECISIONS[claimed]


def _numbers(name: str, array: object) -> None:
    """Refuse what is no array, and what would lose a part or a mask of it in float64."""
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected a NumPy array, got {type(array).__name__}")
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: expected an array of real numbers, got dtype {array.dtype}")
