"""Results as people write them: where in them the parts of an answer are, told by their shapes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import isgenerator
from typing import Any, Literal

import numpy as np

from rnn_conformance.contract.call import Array
from rnn_conformance.contract.dtypes import as_numpy

Kind = Literal["states", "outputs", "last", "last outputs", "cells", "last cells"]

Key = tuple[Any, ...]  # what is asked in turn: of the result, then of its part


@dataclass(frozen=True)
class Found:
    """Where one part of an answer stands in what a model gives.

    Attributes:
        key: where it stands, as `elements` has it.
        axes: those of the layout.
        initial: the slot of the initial state, 0 or -1, where there are T + 1; else None.
    """

    key: Key
    axes: tuple[int, ...]
    initial: int | None = None


def place_of(key: Key, array: Array, wanted: tuple[int, ...], time: int | None) -> Found | None:
    """Where the axes wanted are, all others being of size 1; None if they are not there.

    Args:
        time: the axis that may have a slot more, for the initial state, which is zero.
    """
    for slots in (0, 1) if time is not None else (0,):
        sizes = [size + slots * (axis == time) for axis, size in enumerate(wanted)]
        if sorted(size for size in array.shape if size != 1) == sorted(sizes):
            axes = tuple(array.shape.index(size) for size in sizes)
            if not slots:
                return Found(key, axes)
            first = not array.take(0, axes[time or 0]).any()
            return Found(key, axes, 0 if first else -1)
    return None


def kept(found: Any) -> Any:
    """What a generator gives, as a list, which can be read again."""
    if isinstance(found, tuple):
        return tuple(map(kept, found))
    return list(found) if isgenerator(found) else found


def elements(found: Any) -> dict[Key, Any]:
    """The parts of a result by key: of a tuple, a mapping by name; else it is one part itself.

    Of a part that is a pair, as (h, c) is, both are parts too, and stand first.
    """
    parts: dict[Key, Any]
    if isinstance(found, tuple):
        parts = {(i,): value for i, value in enumerate(found)}
    elif isinstance(found, Mapping) and all(isinstance(key, str) for key in found):
        parts = {(key,): value for key, value in found.items()}
    else:
        parts = {(): found}
    of_pairs = {
        (*key, i): value[i]
        for key, value in parts.items()
        if isinstance(value, tuple | list) and len(value) == 2
        for i in range(2)
    }
    return {**of_pairs, **parts}


def part_at(found: Any, key: Key) -> Any:
    """The part of a result that has this key."""
    for one in key:
        found = found[one]
    return found


def array_of(value: Any, steps: int | None) -> Array:
    """An array of NumPy; with `steps`, those in a mapping, list or generator one on the other."""
    if steps is not None and isinstance(value, Mapping):
        value = [value[t] for t in range(steps)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return np.stack([array_of(one, None) for one in value]) if value else np.zeros(0)
    array: Array = np.asarray(as_numpy(value))
    return array


def array_or_none(value: Any, steps: int | None) -> Array | None:
    """As `array_of`; None for what is no array of numbers, such as what a backward pass keeps."""
    try:
        array = array_of(value, steps)
    except (KeyError, TypeError, ValueError):  # no such steps, or of several shapes
        return None
    return array if array.dtype.kind in "fiub" else None


def of_chance(found: Any) -> bool:
    """Whether a result is probabilities, as a softmax gives them."""
    arrays = [array_or_none(value, None) for value in elements(found).values()]
    floating = [a for a in arrays if a is not None and a.dtype.kind == "f"]
    return any(a.ndim > 1 and np.allclose(a.sum(axis=-1), 1) for a in floating)
