"""What is refused, in one line that names the argument, what came and what was expected."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import isfinite
from numbers import Real
from operator import index
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]

DTYPES = (np.dtype(np.float64), np.dtype(np.float32))


def brief(value: object) -> str:
    """`value` as a message shows it: on one line, cut off after 80 characters."""
    return f"{' '.join(repr(value).split()):.80}"


def expect(right: bool, error: type[Exception], name: str, wanted: str, got: object) -> None:
    """Raise this error, unless all is right."""
    if not right:
        raise error(f"{name}: expected {wanted}, got {brief(got)}")


def _integer(name: str, value: SupportsIndex | None, wanted: str) -> int:
    """`value` as an int, once it is an integer, which True and False are not here."""
    if value is not None and not isinstance(value, bool):
        with suppress(TypeError):
            return index(value)
    raise TypeError(f"{name}: expected {wanted}, got {brief(value)}")


def positive(name: str, value: int) -> int:
    """`value` as an int, once it is a positive integer."""
    size = _integer(name, value, "a positive integer")
    expect(size >= 1, ValueError, name, "a positive integer", size)
    return size


def generator_of(rng: np.random.Generator | SupportsIndex | None) -> np.random.Generator:
    """`rng` itself where it is a generator, a new one where it is a seed; None is refused."""
    if isinstance(rng, np.random.Generator):
        return rng
    seed = _integer("rng", rng, "a numpy.random.Generator or an integer seed")
    expect(seed >= 0, ValueError, "rng", "a seed that is not negative", seed)
    return np.random.default_rng(seed)


def flag(name: str, value: bool) -> bool:
    """`value` itself, once it is True or False; nothing else stands for them."""
    expect(isinstance(value, bool), TypeError, name, "True or False", value)
    return value


def probability(name: str, value: float) -> float:
    """`value` as a float, once it is a number from 0 to 1."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    expect(number, TypeError, name, "a number from 0 to 1", value)
    expect(0 <= value <= 1, ValueError, name, "a number from 0 to 1", value)  # NaN neither
    return float(value)


def one_of(name: str, value: str, choices: Iterable[str]) -> str:
    """`value` itself, once it is one of these words."""
    words = tuple(choices)
    wanted = " or ".join(map(repr, words))
    expect(isinstance(value, str), TypeError, name, wanted, value)
    expect(value in words, ValueError, name, wanted, value)
    return value


def validate_dtype(dtype: npt.DTypeLike) -> np.dtype[np.floating]:
    """`dtype` as a NumPy dtype; TypeError unless it is float64 or float32."""
    resolved: np.dtype[Any] | None = None
    if dtype is not None:
        with suppress(TypeError, ValueError):
            resolved = np.dtype(dtype)
    if resolved is None or resolved not in DTYPES:  # NumPy holds None to be equal to float64
        raise TypeError(f"dtype: expected float64 or float32, got {brief(dtype)}")
    return resolved


def validate_array(
    name: str, value: object, shape: tuple[int, ...], dtype: np.dtype[np.floating]
) -> Array:
    """`value` itself, once it is an array of this shape and dtype that holds finite numbers."""
    return validate_finite(name, validate_kind(name, value, shape, dtype))


def validate_kind(
    name: str, value: object, shape: tuple[int, ...], dtype: np.dtype[np.floating]
) -> Array:
    """`value` itself, once it is an array of this shape and dtype."""
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        wanted = f"a NumPy array of shape {shape} and dtype {dtype}"
        raise TypeError(f"{name}: expected {wanted}, got {type(value).__name__}")
    if value.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {value.shape}")
    if value.dtype != dtype:
        raise TypeError(f"{name}: expected dtype {dtype}, got {value.dtype}")
    return value


def validate_finite(name: str, value: Array, padding: Mask | None = None) -> Array:
    """`value` itself, once it holds finite numbers but where `padding`, of its first axes, is."""
    if all_finite(value):
        return value
    finite = np.isfinite(value)
    if padding is not None:
        finite[padding] = True
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(f"{name}: expected finite numbers, got {value[where]} at {where}")
    return value


def all_finite(value: Array) -> bool:
    """Whether there is neither NaN nor infinity; mostly from the sum of squares, at a third."""
    if value.flags.forc:
        numbers = value.ravel(order="K")
        if isfinite(np.vdot(numbers, numbers)):
            return True
    return bool(np.isfinite(value).all())


def validate_inputs(
    inputs: object, axes: Mapping[int, str], input_size: int, dtype: np.dtype[Any]
) -> None:
    """Refuse all but an array with at least one step and one sequence, finite or not.

    `axes` has the ranks that it may have, and for each the names of the axes before the last.
    """
    if not isinstance(inputs, np.ndarray) or inputs.ndim not in axes:
        wanted = " or ".join(f"({names}, {input_size})" for names in axes.values())
        if isinstance(inputs, np.ndarray):
            raise ValueError(f"inputs: expected an array {wanted}, got shape {inputs.shape}")
        raise TypeError(f"inputs: expected an array {wanted}, got {type(inputs).__name__}")
    shape = inputs.shape
    if 0 in shape[:-1]:
        raise ValueError(f"inputs: expected at least one step and one sequence, got shape {shape}")
    validate_kind("inputs", inputs, (*shape[:-1], input_size), dtype)


def validate_lengths(
    lengths: npt.NDArray[np.integer] | None, batch_size: int, steps: int
) -> npt.NDArray[np.intp]:
    """A copy of `lengths` once they are 1 … steps; all are `steps` where it is None."""
    if lengths is None:
        return np.full(batch_size, steps, np.intp)
    wanted = f"lengths: expected an array ({batch_size},) of integers from 1 to {steps}"
    if not isinstance(lengths, np.ndarray) or isinstance(lengths, np.ma.MaskedArray):
        raise TypeError(f"{wanted}, got {type(lengths).__name__}")
    if lengths.shape != (batch_size,):
        raise ValueError(f"{wanted}, got shape {lengths.shape}")
    if lengths.dtype.kind not in "iu":
        raise TypeError(f"{wanted}, got dtype {lengths.dtype}")
    outside = np.flatnonzero((lengths < 1) | (lengths > steps))
    if outside.size:
        row = int(outside[0])
        raise ValueError(f"{wanted}, got {lengths[row]} at ({row},)")
    return lengths.astype(np.intp)


def validate_steps(
    name: str,
    given: Mapping[int, Array],
    steps: range,
    shape: tuple[int, ...],
    dtype: np.dtype[np.floating],
    every: bool = False,
) -> None:
    """Refuse all but a mapping from these steps, or from `every` one, to arrays of this kind."""
    if not isinstance(given, Mapping):
        raise TypeError(f"{name}: expected a mapping by time step, got {type(given).__name__}")
    wanted, ndarray = f"{name}: expected time steps {steps[0]} … {steps[-1]}", np.ndarray
    for t, array in given.items():
        if t not in steps:
            raise ValueError(f"{wanted}, got {brief(t)}")
        # The name is put together only where it will be read: there may be thousands of steps.
        if type(array) is not ndarray or array.shape != shape or array.dtype is not dtype:
            validate_kind(f"{name}[{t}]", array, shape, dtype)
    if every and len(given) < len(steps):
        raise ValueError(f"{wanted}, got none for {next(t for t in steps if t not in given)}")
