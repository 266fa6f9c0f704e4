"""The six weights as one mapping: their names and shapes, and what is refused."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]

WEIGHT_NAMES = ("W_xh", "b_xh", "W_hh", "b_hh", "W_ho", "b_ho")
DTYPES = (np.dtype(np.float64), np.dtype(np.float32))


def weight_shapes(
    input_size: int, hidden_size: int, output_size: int
) -> dict[str, tuple[int, int]]:
    """The shape of every weight: a row for each unit that it feeds, biases as columns."""
    return {
        "W_xh": (hidden_size, input_size),
        "b_xh": (hidden_size, 1),
        "W_hh": (hidden_size, hidden_size),
        "b_hh": (hidden_size, 1),
        "W_ho": (output_size, hidden_size),
        "b_ho": (output_size, 1),
    }


def validate_dtype(dtype: npt.DTypeLike) -> np.dtype[np.floating]:
    """`dtype` as a NumPy dtype; TypeError unless it is float64 or float32."""
    resolved: np.dtype[Any] | None = None
    if dtype is not None:
        with suppress(TypeError, ValueError):
            resolved = np.dtype(dtype)
    if resolved is None or resolved not in DTYPES:  # NumPy holds None to be equal to float64
        raise TypeError(f"dtype: expected float64 or float32, got {brief(dtype)}")
    return resolved


def brief(value: object) -> str:
    """`value` as a message shows it: on one line, cut off after 80 characters."""
    return f"{' '.join(repr(value).split()):.80}"


def validate_array(
    name: str,
    value: object,
    shape: tuple[int, ...],
    dtype: np.dtype[np.floating],
    padding: npt.NDArray[np.bool_] | None = None,
) -> Array:
    """`value` itself, once it is an array of this shape and dtype that holds finite numbers.

    What stands where `padding` (of the first axes of this shape) is True may be anything. Raises
    TypeError (no array, other dtype) or ValueError (other shape, NaN or infinity), naming the
    argument, what came and what was expected.
    """
    return validate_finite(name, validate_kind(name, value, shape, dtype), padding)


def validate_kind(
    name: str, value: object, shape: tuple[int, ...], dtype: np.dtype[np.floating]
) -> Array:
    """`value` itself, once it is an array of this shape and dtype; raises as `validate_array`."""
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: expected a NumPy array of shape {shape} and dtype {dtype}, "
            f"got {type(value).__name__}"
        )
    if value.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {value.shape}")
    if value.dtype != dtype:
        raise TypeError(f"{name}: expected dtype {dtype}, got {value.dtype}")
    return value


def validate_finite(name: str, value: Array, padding: npt.NDArray[np.bool_] | None = None) -> Array:
    """`value` itself, once it holds finite numbers; raises as `validate_array`."""
    if all_finite(value):
        return value
    finite = np.isfinite(value)
    if padding is not None:
        finite[padding] = True
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(f"{name}: expected finite numbers, got {value[where]} at {where}")
    return value


def refusal_of_nonfinite(name: str, value: Array) -> Callable[[Array], None]:
    """What, called with parts of `value`, raises as `validate_finite` does of the whole."""

    def look_over(part: Array) -> None:
        if not all_finite(part):
            validate_finite(name, value)

    return look_over


def all_finite(value: Array) -> bool:
    """Whether there is neither NaN nor infinity; mostly from the sum of squares, at a third."""
    if value.flags.forc:
        numbers = value.ravel(order="K")
        if isfinite(np.vdot(numbers, numbers)):
            return True
    return bool(np.isfinite(value).all())


def validate_names(weights: Mapping[str, object], names: Iterable[str] = WEIGHT_NAMES) -> None:
    """Refuse all but a mapping of exactly these names; ValueError says which are unknown, missing.

    The names are those of the six weights unless others are given.
    """
    if not isinstance(weights, Mapping):
        raise TypeError(f"weights: expected a mapping by name, got {type(weights).__name__}")
    wanted = tuple(names)
    unknown = [brief(name) for name in weights if name not in wanted]
    missing = [name for name in wanted if name not in weights]
    if unknown or missing:
        problems = [f"unknown {', '.join(unknown)}"] * bool(unknown)
        problems += [f"missing {', '.join(missing)}"] * bool(missing)
        raise ValueError(f"weights: {'; '.join(problems)}; expected {', '.join(wanted)}")


def validate_matrix(name: str, value: object) -> tuple[int, int]:
    """Rows and columns of `value`, once it is an array that sizes can be read from.

    Raises TypeError (no array) or ValueError (not two axes, or an empty one); `validate_array` is
    still to look at the rest.
    """
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array, got {type(value).__name__}")
    if value.ndim != 2 or value.size == 0:
        raise ValueError(f"{name}: expected two axes, neither empty, got shape {value.shape}")
    rows, columns = value.shape
    return rows, columns


def validate_float(name: str, value: Array) -> np.dtype[np.floating]:
    """The dtype of `value`; TypeError unless it is float64 or float32."""
    if value.dtype not in DTYPES:
        raise TypeError(f"{name}: expected dtype float64 or float32, got {value.dtype}")
    return value.dtype


def validate_weights(weights: Mapping[str, Array]) -> dict[str, Array]:
    """A plain dict of the six weights, once they fit together.

    The sizes are read from W_xh (hidden_size, input_size) and W_ho (output_size, hidden_size), the
    dtype from W_xh. Raises what `validate_names` raises, and what `validate_array` raises for an
    entry that does not fit.
    """
    validate_names(weights)
    hidden_size, input_size = validate_matrix("W_xh", weights["W_xh"])
    output_size, _ = validate_matrix("W_ho", weights["W_ho"])
    dtype = validate_float("W_xh", weights["W_xh"])
    shapes = weight_shapes(input_size, hidden_size, output_size)
    return {name: validate_array(name, weights[name], shapes[name], dtype) for name in shapes}
