"""Arguments that are no arrays: what is refused, in one line that says what was expected."""

from collections.abc import Iterable, Mapping
from numbers import Real
from operator import index
from typing import SupportsIndex

import numpy as np

from rnn_reference.weights import Array, brief, validate_kind


def _integer(value: SupportsIndex | None) -> int:
    """`value` as an int; TypeError unless it is an integer, which True and False are not here."""
    if value is None or isinstance(value, bool):
        raise TypeError
    return index(value)


def positive(name: str, value: int) -> int:
    """`value` as an int, once it is a positive integer."""
    try:
        size = _integer(value)
    except TypeError:
        raise TypeError(f"{name}: expected a positive integer, got {brief(value)}") from None
    if size < 1:
        raise ValueError(f"{name}: expected a positive integer, got {size}")
    return size


def generator_of(rng: np.random.Generator | SupportsIndex | None) -> np.random.Generator:
    """`rng` itself where it is a generator, a new one where it is a seed; None is refused."""
    if isinstance(rng, np.random.Generator):
        return rng
    try:
        seed = _integer(rng)
    except TypeError:
        raise TypeError(
            f"rng: expected a numpy.random.Generator or an integer seed, got {brief(rng)}"
        ) from None
    if seed < 0:
        raise ValueError(f"rng: expected a seed that is not negative, got {seed}")
    return np.random.default_rng(seed)


def flag(name: str, value: bool) -> bool:
    """`value` itself, once it is True or False; nothing else stands for them."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected True or False, got {brief(value)}")
    return value


def probability(name: str, value: float) -> float:
    """`value` as a float, once it is a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number from 0 to 1, got {brief(value)}")
    if not 0 <= value <= 1:  # NaN neither
        raise ValueError(f"{name}: expected a number from 0 to 1, got {value}")
    return float(value)


def one_of(name: str, value: str, choices: Iterable[str]) -> str:
    """`value` itself, once it is one of these words."""
    words = tuple(choices)
    wanted = " or ".join(map(repr, words))
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected {wanted}, got {brief(value)}")
    if value not in words:
        raise ValueError(f"{name}: expected {wanted}, got {brief(value)}")
    return value


def by_step(
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
