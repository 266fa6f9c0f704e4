"""What a model refuses: one line names the argument, what came and what was expected."""

from typing import Any

import numpy as np
import pytest
from rnn_reference import WEIGHT_NAMES, BatchRNN, validate_weights

from .drawn import RNNS, AnyRNN, bits, drawn_model
from .refusal import ident, refused

NUMPY_RANDOM: Any = np.random
SEED = "numpy.random.Generator or an integer seed"
ALL_NAMES = ", ".join(WEIGHT_NAMES)
FLOATS = "float64 or float32"
every_kind = pytest.mark.parametrize("kind", RNNS)

CONSTRUCTOR = [
    ("size", 0, ValueError, "expected a positive integer, got 0"),
    ("size", -1, ValueError, "expected a positive integer, got -1"),
    ("size", 2.5, TypeError, "expected a positive integer, got 2.5"),
    ("size", 3.0, TypeError, "expected a positive integer, got 3.0"),
    ("size", "3", TypeError, "expected a positive integer, got '3'"),
    ("size", True, TypeError, "expected a positive integer, got True"),
    ("size", None, TypeError, "expected a positive integer, got None"),
    ("size", np.ones((2, 2)), TypeError, "expected a positive integer, got array(…)"),
    ("dtype", int, TypeError, f"expected {FLOATS}, got <class 'int'>"),
    ("dtype", np.float16, TypeError, f"expected {FLOATS}, got <class 'numpy.float16'>"),
    ("dtype", complex, TypeError, f"expected {FLOATS}, got <class 'complex'>"),
    ("dtype", object, TypeError, f"expected {FLOATS}, got <class 'object'>"),
    ("dtype", np.dtype(np.float64).newbyteorder(), TypeError, f"expected {FLOATS}, got …"),
    ("dtype", None, TypeError, f"expected {FLOATS}, got None"),
    ("dtype", "real", TypeError, f"expected {FLOATS}, got 'real'"),
    ("dtype", ("f8", -1), TypeError, f"expected {FLOATS}, got ('f8', -1)"),
    ("rng", None, TypeError, f"expected a {SEED}, got None"),
    ("rng", -1, ValueError, "expected a seed that is not negative, got -1"),
    ("rng", True, TypeError, f"expected a {SEED}, got True"),
    ("rng", "x", TypeError, f"expected a {SEED}, got 'x'"),
    ("rng", 1.0, TypeError, f"expected a {SEED}, got 1.0"),
    ("rng", NUMPY_RANDOM, TypeError, f"expected a {SEED}, got <module 'numpy.random'…"),
    ("rng", NUMPY_RANDOM.RandomState(1), TypeError, f"expected a {SEED}, got RandomState(…"),
]


@every_kind
@pytest.mark.parametrize(("argument", "given", "error", "message"), CONSTRUCTOR, ids=ident)
def test_constructor(
    kind: type[AnyRNN], argument: str, given: Any, error: type[Exception], message: str
) -> None:
    """Sizes, dtype and source of randomness."""
    sizes = ("input_size", "hidden_size", "output_size")
    for name in sizes if argument == "size" else (argument,):
        arguments = dict.fromkeys(sizes, 3) | {"dtype": np.float64, "rng": 1, name: given}
        refused(error, f"{name}: {message}", kind, **arguments)


@every_kind
@pytest.mark.parametrize("name", WEIGHT_NAMES)
def test_assignment(kind: type[AnyRNN], name: str) -> None:
    """A weight that is refused, alone or in a mapping, leaves all weights as they were."""
    model = drawn_model(kind, 3, 5, 2)
    right = model.weights[name]
    before, shape = bits(model.weights), right.shape
    nan = right.copy()
    nan[1, 0] = np.nan
    rows: list[tuple[Any, type[Exception], str]] = [
        (right.T[:-1], ValueError, f"expected shape {shape}, got {right.T[:-1].shape}"),
        (right[:, 0], ValueError, f"expected shape {shape}, got {shape[:1]}"),
        (right.astype(np.float32), TypeError, "expected dtype float64, got float32"),
        (right.astype(int), TypeError, "expected dtype float64, got int64"),
        (right.astype(object), TypeError, "expected dtype float64, got object"),
        (nan, ValueError, "expected finite numbers, got nan at (1, 0)"),
        (right * np.inf, ValueError, "expected finite numbers, got …inf at (0, 0)"),
    ]
    for given in (right.tolist(), None, 1.0, "ones", np.ma.masked_invalid(nan)):
        wanted = f"expected a NumPy array of shape {shape} and dtype float64"
        rows.append((given, TypeError, f"{wanted}, got {type(given).__name__}"))
    for given, error, message in rows:
        refused(error, f"{name}: {message}", setattr, model, name, given)
        mapping = model.weights | {name: given}
        refused(error, f"{name}: {message}", setattr, model, "weights", mapping)
        assert bits(model.weights) == before


MAPPING = [
    ({"b_ho": ...}, ValueError, f"weights: missing b_ho; expected {ALL_NAMES}"),
    ({"W_hx": 0}, ValueError, f"weights: unknown 'W_hx'; expected {ALL_NAMES}"),
    (
        {"W_hx": 0, "W_xh": ..., "b_hh": ..., 7: 0},
        ValueError,
        f"weights: unknown 'W_hx', 7; missing W_xh, b_hh; expected {ALL_NAMES}",
    ),
    ({"W_xh": [[1.0]]}, TypeError, "W_xh: expected a NumPy array, got list"),
    ({"W_xh": np.ones(3)}, ValueError, "W_xh: expected two axes, neither empty, got shape (3,)"),
    ({"W_ho": np.ones((0, 5))}, ValueError, "W_ho: expected two axes, neither empty, got shape …"),
    ({"W_xh": np.ones((5, 3), int)}, TypeError, f"W_xh: expected dtype {FLOATS}, got int64"),
    ({"W_hh": np.ones((5, 3))}, ValueError, "W_hh: expected shape (5, 5), got (5, 3)"),
    ({"b_hh": np.ones(5)}, ValueError, "b_hh: expected shape (5, 1), got (5,)"),
    ({"b_ho": np.ones((2, 1), "f4")}, TypeError, "b_ho: expected dtype float64, got float32"),
]


@pytest.mark.parametrize(("changes", "error", "message"), MAPPING, ids=ident)
def test_mapping(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    """Six names, six arrays that fit together; `...` takes an entry out."""
    weights = drawn_model(BatchRNN, 3, 5, 2).weights | changes
    weights = {name: value for name, value in weights.items() if value is not ...}
    refused(error, message, validate_weights, weights)
    refused(error, message, BatchRNN.from_weights, weights)
    for other in (None, 3, list(weights)):
        wanted = f"weights: expected a mapping by name, got {type(other).__name__}"
        refused(TypeError, wanted, validate_weights, other)
