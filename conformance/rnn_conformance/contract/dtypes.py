"""How the numbers of a claimed precision stand in NumPy's arrays."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import Array, Dtype


def carrier(dtype: Dtype) -> np.dtype[np.floating]:
    """The dtype of the arrays: bfloat16, which NumPy lacks, is carried by float32."""
    return np.dtype("float32" if dtype == "bfloat16" else dtype)


def in_format(values: npt.ArrayLike, dtype: Dtype) -> Array:
    """A new array of these values, rounded to nearest, ties to even, in a precision."""
    found: Array = np.array(values, carrier(dtype))
    return bfloat16(found) if dtype == "bfloat16" else found


def as_numpy(value: Any) -> Any:
    """The tensor of another library as an array; whatever else, a list too, as it is."""
    value = value.detach() if hasattr(value, "detach") else value
    if isinstance(value, np.ndarray) or not hasattr(value, "__array__"):
        return value
    return np.asarray(value)


def bfloat16(values: Array) -> Array:
    """Numbers in float32 rounded to the eight bits of bfloat16; what is not finite stays."""
    bits = values.astype(np.float32).view(np.uint32)
    odd = (bits >> 16) & 1
    rounded = ((bits + 0x7FFF + odd) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    return np.where(np.isfinite(values), rounded, values).astype(np.float32)
