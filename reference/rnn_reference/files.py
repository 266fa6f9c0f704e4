"""The six weights in a file: NumPy's npz format, without pickle."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from rnn_reference.validation import Array
from rnn_reference.weights import validate_weights


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
            if not file.peek().startswith(b"PK"):
                raise ValueError("not a zip file")
            with np.load(file, allow_pickle=False) as archive:
                return validate_weights(archive)
        except Exception as error:  # zipfile and NumPy raise all kinds over a damaged file
            kind = TypeError if isinstance(error, TypeError) else ValueError
            reason = " ".join(str(error).split()) or type(error).__name__
            raise kind(f"{path}: not a file of weights: {reason}") from error
