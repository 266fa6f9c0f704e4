"""The six weights in a file: NumPy's npz format, without pickle."""

import math
import struct
from collections.abc import Mapping
from io import BytesIO
from os import PathLike
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from rnn_reference.validation import Array
from rnn_reference.weights import validate_names, validate_weights

DAMAGE = (  # what zipfile and NumPy raise over a damaged file
    ArithmeticError,
    BadZipFile,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
    struct.error,
)


def save_weights(path: str | PathLike[str], weights: Mapping[str, Array]) -> None:
    """Write the six weights to `path` in NumPy's npz format, without pickle.

    The file has exactly the name given (NumPy alone would append `.npz`). Weights that are refused
    leave an earlier file of that name as it was.
    """
    arrays: dict[str, Any] = validate_weights(weights)
    with Path(path).open("wb") as file:
        np.savez(file, **arrays)


def load_weights(path: str | PathLike[str]) -> dict[str, Array]:
    """Read what `save_weights` wrote, without pickle.

    Raises OSError where the file cannot be opened, and ValueError or TypeError that names the file
    where it holds anything but six weights that fit together.
    """
    with Path(path).open("rb") as file:
        try:
            with ZipFile(file) as archive:
                members = {m.filename.removesuffix(".npy"): m for m in archive.infolist()}
                validate_names(members)
                size = Path(path).stat().st_size
                return validate_weights({n: _read(archive, m, size) for n, m in members.items()})
        except DAMAGE as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            reason = " ".join(str(error).split()) or type(error).__name__
            raise kind(f"{path}: not a file of weights: {reason}") from error


def _read(archive: ZipFile, member: ZipInfo, file_size: int) -> Array:
    """One array of the archive; memory is taken only for bytes that the file has."""
    name = member.filename
    if member.compress_type != ZIP_STORED:
        raise ValueError(f"{name}: expected an array that is not compressed")
    if member.compress_size > file_size:
        raise ValueError(f"{name}: expected {member.compress_size} bytes, the file has {file_size}")
    stream = BytesIO(archive.read(name))
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"{name}: expected version (1, 0) of the npy format, got {version}")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    promised, there = math.prod(shape) * dtype.itemsize, len(stream.getvalue()) - stream.tell()
    if promised != there:
        raise ValueError(f"{name}: expected {promised} bytes for shape {shape}, got {there}")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)
