"""What `forward` refuses: one line names the argument, what came and what was expected."""

from typing import Any

import numpy as np
import pytest
from rnn_reference import BatchRNN, SingleSequenceRNN

from .drawn import RNNS, AnyRNN, drawn_inputs, drawn_model, drawn_state
from .refusal import ident, refused

every_kind = pytest.mark.parametrize("kind", RNNS)


def with_entry(array: Any, at: tuple[int, ...], value: float) -> Any:
    """A copy of `array` with one entry changed."""
    changed = array.copy()
    changed[at] = value
    return changed


X1 = drawn_inputs(drawn_model(SingleSequenceRNN, 3, 5, 2))  # (6, 3)
XB = drawn_inputs(drawn_model(BatchRNN, 3, 5, 2))  # (6, 4, 3)
ROWS, NUMBERS = "expected an array (T, 3) or a list of T vectors", "expected a vector of 3 numbers"
ARRAY = "expected an array (T, batch_size, 3)"
INPUTS: list[tuple[type[AnyRNN], Any, type[Exception], str]] = [
    (SingleSequenceRNN, X1[0], ValueError, ": expected shape (T, 3), got (3,)"),
    (SingleSequenceRNN, XB, ValueError, ": expected shape (T, 3), got (6, 4, 3)"),
    (SingleSequenceRNN, X1[:, :2], ValueError, "[0]: expected shape (3,), got (2,)"),
    (SingleSequenceRNN, X1[:0], ValueError, ": expected at least one time step, got none"),
    (SingleSequenceRNN, [], ValueError, ": expected at least one time step, got none"),
    (SingleSequenceRNN, with_entry(X1, (4, 1), np.nan), ValueError, "[4]: …, got nan at (1,)"),
    (SingleSequenceRNN, with_entry(X1, (5, 2), -np.inf), ValueError, "[5]: …, got -inf at (2,)"),
    (SingleSequenceRNN, X1.astype("f4"), TypeError, "[0]: expected dtype float64, got float32"),
    (SingleSequenceRNN, X1.astype(int), TypeError, "[0]: expected dtype float64, got int64"),
    (SingleSequenceRNN, X1.astype(str), TypeError, "[0]: expected dtype float64, got <U32"),
    (SingleSequenceRNN, np.ma.masked_greater(X1, 0), TypeError, "[0]: …, got MaskedArray"),
    (SingleSequenceRNN, None, TypeError, f": {ROWS}, got NoneType"),
    (SingleSequenceRNN, "abc", TypeError, f": {ROWS}, got str"),
    (SingleSequenceRNN, iter(X1), TypeError, f": {ROWS}, got …"),
    (SingleSequenceRNN, [1.0, 2.0], ValueError, "[0]: expected shape (3,), got ()"),
    (SingleSequenceRNN, [[1, 2, 3], [1, 2]], ValueError, "[1]: expected shape (3,), got (2,)"),
    (SingleSequenceRNN, [*X1[:2], X1[2, :2]], ValueError, "[2]: expected shape (3,), got (2,)"),
    (SingleSequenceRNN, [[1, 2, [3]]], TypeError, f"[0]: {NUMBERS}, got [1, 2, [3]]"),
    (SingleSequenceRNN, [["1", "2", "3"]], TypeError, f"[0]: {NUMBERS}, got ['1', '2', '3']"),
    (SingleSequenceRNN, [[1, 2j, 3]], TypeError, f"[0]: {NUMBERS}, got [1, 2j, 3]"),
    (SingleSequenceRNN, [[1, None, 3]], TypeError, f"[0]: {NUMBERS}, got [1, None, 3]"),
    (SingleSequenceRNN, [[XB, X1, 1]], TypeError, f"[0]: {NUMBERS}, got [array(…"),
    (BatchRNN, X1, ValueError, f": {ARRAY}, got shape (6, 3)"),
    (BatchRNN, XB[np.newaxis], ValueError, f": {ARRAY}, got shape (1, 6, 4, 3)"),
    (BatchRNN, XB[..., :2], ValueError, ": expected shape (6, 4, 3), got (6, 4, 2)"),
    (BatchRNN, XB[:0], ValueError, ": expected at least one step and …, got shape (0, 4, 3)"),
    (BatchRNN, XB[:, :0], ValueError, ": expected at least one step and …, got shape (6, 0, 3)"),
    (BatchRNN, with_entry(XB, (4, 2, 1), np.nan), ValueError, ": …, got nan at (4, 2, 1)"),
    (BatchRNN, with_entry(XB, (5, 3, 2), np.inf), ValueError, ": …, got inf at (5, 3, 2)"),
    (BatchRNN, XB.astype("f4"), TypeError, ": expected dtype float64, got float32"),
    (BatchRNN, XB.astype(object), TypeError, ": expected dtype float64, got object"),
    (BatchRNN, np.ma.masked_greater(XB, 0), TypeError, ": …, got MaskedArray"),
    (BatchRNN, None, TypeError, f": {ARRAY}, got NoneType"),
    (BatchRNN, "abc", TypeError, f": {ARRAY}, got str"),
    (BatchRNN, XB.tolist(), TypeError, f": {ARRAY}, got list"),
]


@pytest.mark.parametrize(("kind", "given", "error", "message"), INPUTS, ids=ident)
def test_inputs(kind: type[AnyRNN], given: Any, error: type[Exception], message: str) -> None:
    """Rank, sizes, dtype and numbers of the inputs."""
    refused(error, f"inputs{message}", drawn_model(kind, 3, 5, 2).forward, given)


def test_number_too_large() -> None:
    """A plain number that the model's dtype cannot hold is refused, without a warning."""
    model = drawn_model(SingleSequenceRNN, 3, 5, 2, dtype=np.float32)
    message = "inputs[0]: expected finite numbers, got inf at (1,)"
    refused(ValueError, message, model.forward, [[1, 1e300, 1]])


@every_kind
def test_initial_state(kind: type[AnyRNN]) -> None:
    """Shape, dtype and numbers of h_0, which is a column for each sequence."""
    model = drawn_model(kind, 3, 5, 2)
    h_0, shape = drawn_state(model), drawn_state(model).shape
    for given, error, message in (
        (h_0[:, 0], ValueError, f"expected shape {shape}, got (5,)"),
        (h_0.T, ValueError, f"expected shape {shape}, got {shape[::-1]}"),
        (h_0[:4], ValueError, f"expected shape {shape}, got {(4, shape[1])}"),
        (np.ones((5, 3)), ValueError, f"expected shape {shape}, got (5, 3)"),
        (h_0.astype("f4"), TypeError, "expected dtype float64, got float32"),
        (with_entry(h_0, (3, 0), np.nan), ValueError, "…, got nan at (3, 0)"),
        (h_0.tolist(), TypeError, f"expected a NumPy array of shape {shape} and dtype …, got list"),
        (0, TypeError, f"expected a NumPy array of shape {shape} and dtype float64, got int"),
    ):
        refused(error, f"h_0: {message}", model.forward, drawn_inputs(model), given)
