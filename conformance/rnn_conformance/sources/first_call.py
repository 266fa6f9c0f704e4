"""The first call of what is read by trying: its sizes, and where the parts of an answer are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from rnn_reference import weight_shapes

from rnn_conformance.contract.call import Array, Call, Dtype, Layout
from rnn_conformance.sources.functions import Function
from rnn_conformance.sources.models import H, I, Model, O
from rnn_conformance.sources.results import (
    Found,
    Kind,
    array_of,
    array_or_none,
    elements,
    kept,
    of_chance,
    place_of,
)

T, B = 3, 6  # of the first call: no two of all sizes are alike, nor is T + 1 like any
USUAL_FIRST: tuple[Layout, ...] = ("time_first", "batch_first", "single")
State = Literal["none", "rows", "columns", "layers"]  # (B, H), (H, B), (1, B, H)
STATES: tuple[State, ...] = ("rows", "columns", "layers")
SYMBOLS = {T: "T", B: "B", I: "I", H: "H", O: "O", T + 1: "T + 1"}  # of the first call


@dataclass(frozen=True)
class Way:
    """How something is called.

    Attributes:
        state: how an initial state is given.
        dtype: the only one that it computes in; None where it computes in both.
    """

    layout: Layout
    state: State = "none"
    dtype: Dtype | None = None


def drawn() -> dict[str, Array]:
    """Weights of the first call."""
    rng = np.random.default_rng(0)
    shapes = weight_shapes(I, H, O).items()
    return {name: rng.standard_normal(shape) / 4 for name, shape in shapes}


def first_results(source: Model | Function, way: Way, *, changed: float = 0) -> Any:
    """What comes in the first call, the inputs of its first step being changed by so much."""
    dtype = way.dtype or "float64"
    inputs = np.random.default_rng(1).standard_normal((*_sizes_of(way.layout), I)) / 4
    inputs.swapaxes(0, way.layout == "batch_first")[0] += changed
    weights = {name: weight.astype(dtype) for name, weight in drawn().items()}
    state = np.zeros((H,) if way.layout == "single" else (B, H), dtype)
    return kept(source(weights, inputs.astype(dtype), in_form(way.state, state)))


def _without_nan(source: Model | Function) -> Model | Function:
    """With the arrays that are no weights as they are made."""
    if isinstance(source, Function):
        return source
    weights = {path: slot for path, slot in source.slots.items() if slot.of}
    return Model(source.cls, source.method, weights)


def shows_nan(source: Model, way: Way) -> bool:
    """Whether some result of the first call is NaN, or it raises an exception."""
    try:
        found = first_results(source, way)
        arrays = [array_or_none(value, T) for value in elements(found).values()]
    except Exception:  # noqa: BLE001, a stranger's code may look for NaN
        return True
    return any(bool(np.isnan(array).any()) for array in arrays if array is not None)


def _sizes_of(layout: Layout) -> tuple[int, ...]:
    return {"time_first": (T, B), "batch_first": (B, T), "single": (T,)}[layout]


def zeros(asked: Call, inputs: Array) -> Array:
    """An initial state of zeros, (B, H) or (H,)."""
    rows = {"time_first": inputs.shape[1:2], "batch_first": inputs.shape[:1], "single": ()}
    return np.zeros((*rows[asked.layout], len(asked.weights["W_hh"])), inputs.dtype)


def in_form(state: State, h_0: Array | None) -> Array | None:
    """An initial state, (B, H) or (H,), in the form in which it is given."""
    if h_0 is None or state == "none":
        return None
    if state == "rows":
        return h_0
    return np.atleast_2d(h_0).T if state == "columns" else h_0[np.newaxis]


def found_in(source: Model | Function, way: Way) -> tuple[Mapping[Kind, Found], Sequence[str]]:
    """Where the parts of an answer are for inputs of a layout, and the shapes of what is else.

    Raises TypeError if there are none.
    """
    sizes = _sizes_of(way.layout)
    time, found = sizes.index(T), first_results(source, way)
    rows = () if way.layout == "single" else (B,)
    wanted: Mapping[Kind, tuple[int, ...]] = {
        "states": (*sizes, H),
        "outputs": (*sizes, O),
        "last": (*rows, H),
    }
    parts: dict[Kind, Found] = {}
    shapes: list[tuple[int, ...]] = []
    others: list[str] = []
    for key, value in elements(found).items():
        here: list[Kind] = []
        for kind, shape in wanted.items():
            array = array_or_none(value, None if kind == "last" else T)
            if array is None:
                continue
            shapes.append(array.shape)
            place = place_of(key, array, shape, time if kind == "states" else None)
            if place is not None and kind not in parts:
                parts[kind] = place
                here.append(kind)
        if not here and value is not None:
            others.append(_shape_shown(array_or_none(value, T), value))
    chance = of_chance(first_results(_without_nan(source), way))
    if not parts or (chance and parts.keys() == {"outputs"}):
        softmax = ", each summing to 1: hand out the states or what goes into the softmax"
        raise TypeError(
            f"gave shapes {', '.join(map(str, dict.fromkeys(shapes)))}{softmax * chance}; here "
            f"T = {T}, B = {B}, I = {I}, H = {H}, O = {O}"
        )
    if source.needs_a_state and "states" in parts:
        last = [
            array_of(elements(results)[parts["states"].key], T).take(-1, parts["states"].axes[time])
            for results in (found, first_results(source, way, changed=1))
        ]
        if np.array_equal(last[0], last[1]):
            raise TypeError("no step depends on the one before: one step alone is not judged")
    return parts, others


def _shape_shown(array: Array | None, value: Any) -> str:
    """A shape in our symbols, or the type of what has none."""
    if array is None:
        return type(value).__name__
    return f"({', '.join(SYMBOLS.get(n, str(n)) for n in array.shape)})"
