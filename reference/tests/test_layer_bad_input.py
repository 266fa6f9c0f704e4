"""What `RNN` refuses: one line names the argument, what came and what was expected."""

from typing import Any

import numpy as np
import pytest
from rnn_reference import RNN

from .drawn import bits
from .layer_cases import LENGTHS, drawn_batch, drawn_layers
from .refusal import ident, refused
from .test_bad_input import with_entry

SEED = "numpy.random.Generator or an integer seed"
FLAG, SHARE, WORDS = "expected True or False", "expected a number from 0 to 1", "'tanh' or 'relu'"

CONSTRUCTOR = [
    *[
        (name, given, error, f"expected a positive integer, got {given!r}")
        for name in ("input_size", "hidden_size", "num_layers")
        for given, error in ((0, ValueError), (-2, ValueError), (2.0, TypeError), (True, TypeError))
    ],
    *[
        (name, given, TypeError, f"{FLAG}, got {given!r}")
        for name in ("bias", "batch_first", "bidirectional")
        for given in (1, 0, None, "yes", 2.0)
    ],
    ("nonlinearity", "TANH", ValueError, f"expected {WORDS}, got 'TANH'"),
    ("nonlinearity", "", ValueError, f"expected {WORDS}, got ''"),
    ("nonlinearity", None, TypeError, f"expected {WORDS}, got None"),
    ("nonlinearity", np.tanh, TypeError, f"expected {WORDS}, got <ufunc 'tanh'>"),
    ("dropout", -0.1, ValueError, f"{SHARE}, got -0.1"),
    ("dropout", 1.5, ValueError, f"{SHARE}, got 1.5"),
    ("dropout", 2, ValueError, f"{SHARE}, got 2"),
    ("dropout", float("nan"), ValueError, f"{SHARE}, got nan"),
    ("dropout", True, TypeError, f"{SHARE}, got True"),
    ("dropout", "0.5", TypeError, f"{SHARE}, got '0.5'"),
    ("dropout", None, TypeError, f"{SHARE}, got None"),
    ("dropout", 0.5j, TypeError, f"{SHARE}, got 0.5j"),
    ("dtype", np.float16, TypeError, "expected float64 or float32, got …"),
    ("dtype", None, TypeError, "expected float64 or float32, got None"),
    ("rng", None, TypeError, f"expected a {SEED}, got None"),
    ("rng", -1, ValueError, "expected a seed that is not negative, got -1"),
]


@pytest.mark.parametrize(("name", "given", "error", "message"), CONSTRUCTOR, ids=ident)
def test_constructor(name: str, given: Any, error: type[Exception], message: str) -> None:
    """Sizes, options, dtype and source of randomness."""
    arguments = {"input_size": 3, "hidden_size": 4, "rng": 1} | {name: given}
    refused(error, f"{name}: {message}", RNN, **arguments)


def test_whole_numbers_are_shares() -> None:
    """0 and 1 are numbers from 0 to 1, and so are NumPy's floats."""
    for given in (0, 1, 0.5, np.float32(0.5), np.float64(1)):
        assert RNN(3, 4, dropout=given, rng=1).dropout == given  # type: ignore[arg-type, unused-ignore]


X, H_0 = drawn_batch(drawn_layers(num_layers=2, bidirectional=True))  # (6, 4, 3), (4, 4, 4)
XT = X.swapaxes(0, 1)
ARRAY, TURNED = "an array (T, batch_size, 3) or (T, 3)", "an array (batch_size, T, 3) or (T, 3)"
SOME = "expected at least one step and one sequence"
INPUTS: list[tuple[bool, Any, type[Exception], str]] = [
    (False, X[0, 0], ValueError, f"expected {ARRAY}, got shape (3,)"),
    (False, X[np.newaxis], ValueError, f"expected {ARRAY}, got shape (1, 6, 4, 3)"),
    (True, X[np.newaxis], ValueError, f"expected {TURNED}, got shape (1, 6, 4, 3)"),
    (False, X[..., :2], ValueError, "expected shape (6, 4, 3), got (6, 4, 2)"),
    (True, XT[..., :2], ValueError, "expected shape (4, 6, 3), got (4, 6, 2)"),
    (False, X[:, 0, :2], ValueError, "expected shape (6, 3), got (6, 2)"),
    (False, X[:0], ValueError, f"{SOME}, got shape (0, 4, 3)"),
    (False, X[:, :0], ValueError, f"{SOME}, got shape (6, 0, 3)"),
    (False, X[:0, 0], ValueError, f"{SOME}, got shape (0, 3)"),
    (False, with_entry(X, (4, 2, 1), np.nan), ValueError, "…, got nan at (4, 2, 1)"),
    (True, with_entry(XT, (2, 4, 1), np.inf), ValueError, "…, got inf at (2, 4, 1)"),
    (False, with_entry(X[:, 0], (5, 2), -np.inf), ValueError, "…, got -inf at (5, 2)"),
    (False, X.astype("f4"), TypeError, "expected dtype float64, got float32"),
    (False, X.astype(int), TypeError, "expected dtype float64, got int64"),
    (False, X.astype(object), TypeError, "expected dtype float64, got object"),
    (False, np.ma.masked_greater(X, 0), TypeError, "…, got MaskedArray"),
    (False, X.tolist(), TypeError, f"expected {ARRAY}, got list"),
    (True, None, TypeError, f"expected {TURNED}, got NoneType"),
]


@pytest.mark.parametrize(("batch_first", "given", "error", "message"), INPUTS, ids=ident)
def test_inputs(batch_first: bool, given: Any, error: type[Exception], message: str) -> None:
    """Rank, sizes, dtype and numbers of the inputs."""
    model = drawn_layers(num_layers=2, bidirectional=True, batch_first=batch_first)
    refused(error, f"inputs: {message}", model.forward, given)


ONE = X[:, 0]
STATES: list[tuple[Any, Any, type[Exception], str]] = [
    (X, H_0[:2], ValueError, "expected shape (4, 4, 4), got (2, 4, 4)"),
    (X, H_0[:, :3], ValueError, "expected shape (4, 4, 4), got (4, 3, 4)"),
    (X, H_0[:, :, :3], ValueError, "expected shape (4, 4, 4), got (4, 4, 3)"),
    (X, H_0[:, 0], ValueError, "expected shape (4, 4, 4), got (4, 4)"),
    (ONE, H_0, ValueError, "expected shape (4, 4), got (4, 4, 4)"),
    (ONE, H_0[0, 0], ValueError, "expected shape (4, 4), got (4,)"),
    (X, H_0.astype("f4"), TypeError, "expected dtype float64, got float32"),
    (X, with_entry(H_0, (3, 1, 2), np.nan), ValueError, "…, got nan at (3, 1, 2)"),
    (X, H_0.tolist(), TypeError, "…, got list"),
    (X, 0, TypeError, "expected a NumPy array of shape (4, 4, 4) and dtype float64, got int"),
]


@pytest.mark.parametrize(("inputs", "given", "error", "message"), STATES, ids=ident)
def test_initial_states(inputs: Any, given: Any, error: type[Exception], message: str) -> None:
    """Shape, dtype and numbers of h_0, which has no time-major and no batch-major layout."""
    model = drawn_layers(num_layers=2, bidirectional=True)
    refused(error, f"h_0: {message}", model.forward, inputs, given)
    turned = drawn_layers(num_layers=2, bidirectional=True, batch_first=True)
    batch = inputs if inputs.ndim == 2 else inputs.swapaxes(0, 1)
    refused(error, f"h_0: {message}", turned.forward, batch, given)


WANTED = "expected an array (4,) of integers from 1 to 6"
CUT: list[tuple[Any, type[Exception], str]] = [
    (with_entry(LENGTHS, (2,), 0), ValueError, f"{WANTED}, got 0 at (2,)"),
    (with_entry(LENGTHS, (3,), -1), ValueError, f"{WANTED}, got -1 at (3,)"),
    (with_entry(LENGTHS, (0,), 7), ValueError, f"{WANTED}, got 7 at (0,)"),
    (np.full(4, 2**64 - 1, np.uint64), ValueError, f"{WANTED}, got 18446744073709551615 at (0,)"),
    (LENGTHS[:3], ValueError, f"{WANTED}, got shape (3,)"),
    (LENGTHS[:, np.newaxis], ValueError, f"{WANTED}, got shape (4, 1)"),
    (np.array(4), ValueError, f"{WANTED}, got shape ()"),
    (LENGTHS.astype(float), TypeError, f"{WANTED}, got dtype float64"),
    (LENGTHS > 0, TypeError, f"{WANTED}, got dtype bool"),
    (LENGTHS.astype(object), TypeError, f"{WANTED}, got dtype object"),
    (np.ma.masked_greater(LENGTHS, 4), TypeError, f"{WANTED}, got MaskedArray"),
    (LENGTHS.tolist(), TypeError, f"{WANTED}, got list"),
    (4, TypeError, f"{WANTED}, got int"),
]


@pytest.mark.parametrize(("given", "error", "message"), CUT, ids=ident)
def test_lengths(given: Any, error: type[Exception], message: str) -> None:
    """Range, shape and dtype of the lengths, in either layout."""
    for batch_first, inputs in ((False, X), (True, XT)):
        model = drawn_layers(batch_first=batch_first)
        refused(error, f"lengths: {message}", model.forward, inputs, lengths=given)


def test_lengths_of_one_sequence() -> None:
    """One sequence without a batch has no lengths."""
    message = "lengths: expected None for one sequence (T, 3), got array([6])"
    refused(ValueError, message, drawn_layers().forward, ONE, lengths=np.array([6]))


@pytest.mark.parametrize("batch_first", [False, True])
def test_numbers_within_lengths(batch_first: bool) -> None:
    """NaN in the last step of a sequence is refused where it stands, one step later it is not."""
    model = drawn_layers(batch_first=batch_first)
    for b, length in enumerate(LENGTHS):
        for t in range(len(X)):
            inputs = with_entry(X, (t, b, 1), np.nan)
            inputs = inputs.swapaxes(0, 1) if batch_first else inputs
            if t >= length:
                model.forward(inputs, lengths=LENGTHS)
                continue
            where = (b, t, 1) if batch_first else (t, b, 1)
            message = f"inputs: expected finite numbers, got nan at {where}"
            refused(ValueError, message, model.forward, inputs, lengths=LENGTHS)


def test_training_and_rng() -> None:
    """A flag that is none; no rng where something is to be dropped; a wrong one in any case."""
    model, plain = drawn_layers(num_layers=2, dropout=0.5), drawn_layers(num_layers=2)
    for given in (1, None, "yes", np.True_):
        refused(TypeError, f"training: {FLAG}, got {given!r}", model.forward, X, training=given)
    message = f"rng: expected a {SEED}, got None"
    refused(TypeError, message, model.forward, X, training=True)
    for either in (model, plain):
        message = f"rng: expected a {SEED}, got 1.5"
        refused(TypeError, message, either.forward, X, rng=1.5)
        message = "rng: expected a seed that is not negative, got -1"
        refused(ValueError, message, either.forward, X, training=True, rng=-1)


NAMES = [
    f"{part}_l{k}{end}"
    for k in (0, 1)
    for end in ("", "_reverse")
    for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
]
ALL, FLOATS = f"expected {', '.join(NAMES)}", "expected dtype float64 or float32"
WEIGHTS: list[tuple[dict[Any, Any], type[Exception], str]] = [
    ({"weight_hh_l1": ...}, ValueError, f"weights: missing weight_hh_l1; {ALL}"),
    ({"weight_ih_l0": ...}, ValueError, f"weights: missing weight_ih_l0; {ALL}"),
    ({"bias_ih_l0_reverse": ...}, ValueError, f"weights: missing bias_ih_l0_reverse; {ALL}"),
    ({"weight_hr_l0": 0}, ValueError, f"weights: unknown 'weight_hr_l0'; {ALL}"),
    (
        {"weight_ih_l99999999999": 0},
        ValueError,
        f"weights: unknown 'weight_ih_l99999999999'; {ALL}",
    ),
    ({"weight_ih_l01": 0, 7: 0}, ValueError, f"weights: unknown 'weight_ih_l01', 7; {ALL}"),
    (
        {"weight_ih_l2": 0},
        ValueError,
        "weights: missing weight_hh_l2, bias_ih_l2, bias_hh_l2, weight_ih_l2_reverse, "
        f"weight_hh_l2_reverse, bias_ih_l2_reverse, bias_hh_l2_reverse; {ALL}, …",
    ),
    ({"weight_ih_l0": [[1.0]]}, TypeError, "weight_ih_l0: expected a NumPy array, got list"),
    ({"weight_ih_l0": np.ones(3)}, ValueError, "weight_ih_l0: expected two axes, …(3,)"),
    ({"weight_ih_l0": np.ones((4, 0))}, ValueError, "weight_ih_l0: expected two axes, …(4, 0)"),
    ({"weight_ih_l0": np.ones((4, 3), int)}, TypeError, f"weight_ih_l0: {FLOATS}, got int64"),
]
ENTRIES: list[tuple[dict[Any, Any], type[Exception], str]] = [
    ({"weight_ih_l1": np.ones((4, 4))}, ValueError, "expected shape (4, 8), got (4, 4)"),
    ({"weight_hh_l0": np.ones((5, 5))}, ValueError, "expected shape (4, 4), got (5, 5)"),
    ({"weight_ih_l0_reverse": np.ones((4, 2))}, ValueError, "expected shape (4, 3), got (4, 2)"),
    ({"bias_hh_l1_reverse": np.ones((4, 1))}, ValueError, "expected shape (4,), got (4, 1)"),
    ({"bias_ih_l0": np.ones(4, "f4")}, TypeError, "expected dtype float64, got float32"),
    ({"bias_ih_l1": np.full(4, np.nan)}, ValueError, "expected finite numbers, got nan at (0,)"),
    ({"bias_ih_l1": [0.0] * 4}, TypeError, "expected a NumPy array of shape (4,) and …, got list"),
]


@pytest.mark.parametrize(("changes", "error", "message"), [*WEIGHTS, *ENTRIES], ids=ident)
def test_weights(changes: dict[Any, Any], error: type[Exception], message: str) -> None:
    """Names and arrays that fit together; `...` takes an entry out. A refusal changes nothing."""
    model = drawn_layers(num_layers=2, bidirectional=True)
    before = bits(model.weights)
    given = {name: w for name, w in (model.weights | changes).items() if w is not ...}
    of_entry = any(changes is entry for entry, _, _ in ENTRIES)
    message = f"{next(iter(changes))}: {message}" if of_entry else message
    refused(error, message, RNN.from_weights, given)
    if of_entry:
        refused(error, message, setattr, model, "weights", given)
    else:
        refused(error, "…", setattr, model, "weights", given)
    assert bits(model.weights) == before


def test_weights_of_another_model() -> None:
    """A model takes no weights of other layers or directions, and nothing but a mapping."""
    model = drawn_layers()
    wanted = "expected weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0"
    without = drawn_layers(bias=False).weights
    message = f"weights: missing bias_ih_l0, bias_hh_l0; {wanted}"
    refused(ValueError, message, setattr, model, "weights", without)
    deeper = drawn_layers(num_layers=2).weights
    message = "'weight_ih_l1', 'weight_hh_l1', 'bias_ih_l1', 'bias_hh_l1'"
    message = f"weights: unknown {message}; {wanted}"
    refused(ValueError, message, setattr, model, "weights", deeper)
    for other in (None, 3, list(deeper)):
        message = f"weights: expected a mapping by name, got {type(other).__name__}"
        refused(TypeError, message, setattr, model, "weights", other)
        refused(TypeError, message, RNN.from_weights, other)
    message = "weights: missing weight_ih_l0, weight_hh_l0; expected weight_ih_l0, weight_hh_l0"
    refused(ValueError, message, RNN.from_weights, {})
    message = "dropout: expected a number from 0 to 1, got 3"
    refused(ValueError, message, RNN.from_weights, deeper, dropout=3)
