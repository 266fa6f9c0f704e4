"""The first call of what is read by trying: its sizes, and where the parts of an answer are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from rnn_conformance.contract.call import Array, Call, Dtype, Layout, Options
from rnn_conformance.sources.functions import Function
from rnn_conformance.sources.models import Model
from rnn_conformance.sources.one_step import OneStep, next_state
from rnn_conformance.sources.results import (
    Found,
    Key,
    Kind,
    array_of,
    array_or_none,
    elements,
    kept,
    of_chance,
    part_at,
    place_of,
)
from rnn_conformance.sources.seed_model import seed_call
from rnn_conformance.sources.slots import H, I, O

T, B = 3, 6  # of the first call: no two of all sizes are alike, nor is T + 1 like any
USUAL_FIRST: tuple[Layout, ...] = ("time_first", "batch_first", "single")
AXES: Mapping[Layout, str] = {"time_first": "TBI", "batch_first": "BTI", "single": "TI"}
# How inputs are given: in a layout, then in another order of its axes.
FORMS: tuple[tuple[Layout, str], ...] = (
    *AXES.items(), ("time_first", "TIB"), ("time_first", "IBT"), ("time_first", "ITB"),
    ("single", "IT"),
)  # fmt: skip
State = Literal["none", "rows", "columns", "layers"]  # (B, H), (H, B), (1, B, H)
Written = Model | Function | OneStep
STATES: tuple[State, ...] = ("rows", "columns", "layers")
SYMBOLS = {T: "T", B: "B", I: "I", H: "H", O: "O", T + 1: "T + 1"}  # of the first call


@dataclass(frozen=True)
class Way:
    """How something is called.

    Attributes:
        axes: the order of those of the inputs, such as "TBI".
        state: how an initial state is given.
        dtype: the only one that it computes in; None where it computes in both.
    """

    layout: Layout
    axes: str
    state: State = "none"
    dtype: Dtype | None = None

    def __str__(self) -> str:
        return f"inputs ({', '.join(self.axes)})"


def call_of(source: Written, way: Way) -> Call:
    """The first call, with weights drawn."""
    rng, dtype = np.random.default_rng(0), way.dtype or "float64"
    options = Options(I, H, cell=source.cell, output_size=O)
    weights = {
        name: rng.standard_normal(shape).astype(dtype) / 4
        for name, shape in options.weight_shapes().items()
    }
    inputs = np.random.default_rng(1).standard_normal((*_sizes_of(way.layout), I)) / 4
    return seed_call(Call(options, weights, inputs.astype(dtype), None, None, way.layout))


def first_results(source: Written, way: Way, *, step: float = 0, row: float = 0) -> Any:
    """What comes in the first call, the inputs of its first step or row changed by so much."""
    asked = call_of(source, way)
    asked.inputs.swapaxes(0, way.layout == "batch_first")[0] += step
    asked.inputs.swapaxes(0, way.layout == "time_first")[0] += row
    return called(source, way, asked, asked.inputs, zeros(asked, asked.inputs))


def called(source: Written, way: Way, asked: Call, inputs: Array, state: Sequence[Array]) -> Any:
    """What comes for these inputs, in the form in which they are given."""
    given = as_asked(source, way, inputs)
    return kept(source(asked.weights, given, in_form(way.state, state)))


def as_asked(source: Written, way: Way, inputs: Array) -> Array:
    """Inputs with their axes in the order of a way, and with a one beside those of each step."""
    if source.ones:
        inputs = np.concatenate([inputs, np.ones_like(inputs[..., :1])], axis=-1)
    return inputs.transpose([AXES[way.layout].index(axis) for axis in way.axes])


def by_step(source: Model | Function, way: Way) -> OneStep:
    """The same as what computes one step alone. Raises TypeError where it gives no state."""
    if not source.takes_a_state or way.axes[0] != "T":
        raise TypeError("it takes no state of a step")
    asked = call_of(source, way)
    parts = zeros(asked, asked.inputs)
    x = as_asked(source, way, asked.inputs)[0]
    found = kept(source(asked.weights, x, in_form(way.state, parts)))
    return OneStep(source, next_state(found, parts[0].shape, len(parts)))


def _without_nan(source: Written) -> Written:
    """With the arrays that are no weights as they are made."""
    if not isinstance(source, Model):
        return source
    weights = {path: slot for path, slot in source.slots.items() if slot.of}
    return replace(source, slots=weights, made={})


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


def zeros(asked: Call, inputs: Array) -> Sequence[Array]:
    """The parts of an initial state of zeros, (B, H) or (H,)."""
    rows = {"time_first": inputs.shape[1:2], "batch_first": inputs.shape[:1], "single": ()}
    shape = (*rows[asked.layout], asked.options.hidden_size)
    return [np.zeros(shape, inputs.dtype) for _ in asked.options.parts]


def in_form(state: State, parts: Sequence[Array]) -> Sequence[Array]:
    """The parts of an initial state, (B, H) or (H,), in the form in which they are given."""
    if state == "none":
        return ()
    if state == "rows":
        return parts
    return [np.atleast_2d(h).T if state == "columns" else h[np.newaxis] for h in parts]


def found_in(source: Written, way: Way) -> tuple[Mapping[Kind, Found], Sequence[str]]:
    """Where the parts of an answer are for inputs of a layout, and the shapes of what is else.

    Raises TypeError if there are none.
    """
    sizes = _sizes_of(way.layout)
    time, found = sizes.index(T), first_results(source, way)
    rows = () if way.layout == "single" else (B,)
    wanted: dict[Kind, tuple[int, ...]] = {
        "states": (*sizes, H),
        "last": (*rows, H),
        "outputs": (*sizes, O),
        "last outputs": (*rows, O),
    }
    if source.cell == "lstm":  # of two of a shape, h comes before c
        wanted |= {"cells": (*sizes, H), "last cells": (*rows, H)}
    parts: dict[Kind, Found] = {}
    shapes: list[tuple[int, ...]] = []
    taken: set[Key] = set()
    every = elements(found)
    for key, value in every.items():
        for kind, shape in wanted.items():
            array = array_or_none(value, None if kind.startswith("last") else T)
            if array is None:
                continue
            shapes.append(array.shape)
            place = place_of(key, array, shape, time if kind in ("states", "cells") else None)
            if place is not None and kind not in parts and key not in taken:
                parts[kind] = place
                taken.add(key)
    others = [
        _shape_shown(array_or_none(value, T), value)
        for key, value in every.items()
        if value is not None and len(key) < 2 and not any(t[: len(key)] == key for t in taken)
    ]
    chance = of_chance(first_results(_without_nan(source), way))
    if not parts or (chance and parts.keys() <= {"outputs", "last outputs"}):
        softmax = ", each summing to 1: hand out the states or what goes into the softmax"
        kinds = dict.fromkeys(type(value).__name__ for value in every.values())
        came = (
            f"shapes {', '.join(map(str, dict.fromkeys(shapes)))}" if shapes else ", ".join(kinds)
        )
        raise TypeError(
            f"gave {came or 'nothing'}{softmax * chance}; here "
            f"T = {T}, B = {B}, I = {I}, H = {H}, O = {O}"
        )
    if source.needs_a_state and "states" in parts:
        last = [
            array_of(part_at(results, parts["states"].key), T).take(-1, parts["states"].axes[time])
            for results in (found, first_results(source, way, step=1))
        ]
        if np.array_equal(last[0], last[1]):
            raise TypeError("no step depends on the one before: one step alone is not judged")
    return parts, others


def keeps_rows_apart(source: Written, way: Way, parts: Mapping[Kind, Found]) -> bool:
    """Whether the other rows stay as they are where one is given other inputs.

    They do not if time is taken for the rows, even of a class whose numbers are wrong.
    """
    if way.layout == "single":
        return True
    kind, place = next(iter(parts.items()))
    last = kind.startswith("last")
    rows = place.axes[0 if last or way.layout == "batch_first" else 1]
    others = [
        array_of(part_at(results, place.key), None if last else T).take(range(1, B), rows)
        for results in (first_results(source, way), first_results(source, way, row=1))
    ]
    return np.allclose(others[0], others[1], equal_nan=True)


def _shape_shown(array: Array | None, value: Any) -> str:
    """A shape in our symbols, or the type of what has none."""
    if array is None:
        return type(value).__name__
    return f"({', '.join(SYMBOLS.get(n, str(n)) for n in array.shape)})"
