"""What is refused: one line names the argument, what came and what was expected."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rnn_reference import RNN, WEIGHT_NAMES, BatchRNN, SingleSequenceRNN, validate_weights

from .models import (
    LENGTHS,
    STEPS,
    AnyRNN,
    StepRNN,
    bits,
    drawn_inputs,
    drawn_layers,
    drawn_model,
    drawn_state,
    every_step_kind,
    with_entry,
)

Error = type[Exception]
ONE, BATCH = drawn_model(SingleSequenceRNN, 3, 5, 2), drawn_model(BatchRNN, 3, 5, 2)
TIME_FIRST = drawn_layers(num_layers=2, bidirectional=True)
BATCH_FIRST = drawn_layers(num_layers=2, bidirectional=True, batch_first=True)
NUMPY_RANDOM: Any = np.random
FLAGS = ("bias", "batch_first", "bidirectional")
SEED = "a numpy.random.Generator or an integer seed"
FLOATS, FLOAT = "float64 or float32", "expected dtype float64"
NARROW = f"{FLOAT}, got float32"


def refused(
    error: Error, message: str, call: Callable[..., object], *args: Any, **kwargs: Any
) -> None:
    """The call raises exactly this kind of error with exactly this message; `…` stands for any."""
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    assert type(caught.value) is error
    text = str(caught.value)
    assert "\n" not in text
    start, dots, end = message.partition("…")
    assert text == message if not dots else text.startswith(start) and text.endswith(end), text


WRONG: list[tuple[str, list[Any], Error, str]] = [
    ("size", [0, -1], ValueError, "a positive integer"),
    ("size", [2.5, 3.0, "3", True, None, np.ones((2, 2))], TypeError, "a positive integer"),
    ("dtype", [int, np.float16, np.dtype(">f8"), None, "real", ("f8", -1)], TypeError, FLOATS),
    ("rng", [None, True, "x", 1.0, NUMPY_RANDOM, NUMPY_RANDOM.RandomState(1)], TypeError, SEED),
    ("rng", [-1], ValueError, "a seed that is not negative"),
]
WRONG_OF_LAYERS: list[tuple[str, list[Any], Error, str]] = [
    *[(flag, [1, 0, None, "yes"], TypeError, "True or False") for flag in FLAGS],
    ("nonlinearity", ["TANH", ""], ValueError, "'tanh' or 'relu'"),
    ("nonlinearity", [None, np.tanh], TypeError, "'tanh' or 'relu'"),
    ("dropout", [-0.1, 1.5, 2, float("nan")], ValueError, "a number from 0 to 1"),
    ("dropout", [True, "0.5", None, 0.5j], TypeError, "a number from 0 to 1"),
]


@pytest.mark.parametrize(
    ("kind", "argument", "wrong", "error", "expected"),
    [(kind, *row) for kind in (SingleSequenceRNN, BatchRNN, RNN) for row in WRONG]
    + [(RNN, *row) for row in WRONG_OF_LAYERS],
)
def test_constructor(
    kind: type[AnyRNN], argument: str, wrong: list[Any], error: Error, expected: str
) -> None:
    """Sizes, dtype, source of randomness and options; what came is cut off after 80 characters."""
    sizes = ("input_size", "hidden_size", "num_layers" if kind is RNN else "output_size")
    for name in sizes if argument == "size" else (argument,):
        for given in wrong:
            arguments = dict.fromkeys(sizes, 3) | {"rng": 1, name: given}
            shown = " ".join(repr(given).split())[:80]
            refused(error, f"{name}: expected {expected}, got {shown}", kind, **arguments)


def test_numbers_that_are_shares() -> None:
    """0 and 1 are numbers from 0 to 1, and so are NumPy's floats."""
    given: Any
    for given in (0, 1, 0.5, np.float32(0.5), np.float64(1)):
        assert RNN(3, 4, dropout=given, rng=1).dropout == given


@every_step_kind
@pytest.mark.parametrize("name", WEIGHT_NAMES)
def test_assignment(kind: type[StepRNN], name: str) -> None:
    """A weight that is refused, alone or in a mapping, leaves all weights as they were."""
    model = drawn_model(kind, 3, 5, 2)
    right, before = model.weights[name], bits(model.weights)
    shape, nan = right.shape, with_entry(right, (1, 0), np.nan)
    wanted = f"expected a NumPy array of shape {shape} and dtype float64"
    rows: list[tuple[Any, Error, str]] = [
        (right.T[:-1], ValueError, f"expected shape {shape}, got {right.T[:-1].shape}"),
        (right[:, 0], ValueError, f"expected shape {shape}, got {shape[:1]}"),
        (right.astype("f4"), TypeError, NARROW),
        (right.astype(object), TypeError, f"{FLOAT}, got object"),
        (nan, ValueError, "expected finite numbers, got nan at (1, 0)"),
        (right * np.inf, ValueError, "expected finite numbers, got …inf at (0, 0)"),
        (right.tolist(), TypeError, f"{wanted}, got list"),
        (1.0, TypeError, f"{wanted}, got float"),
        (np.ma.masked_invalid(nan), TypeError, f"{wanted}, got MaskedArray"),
    ]
    for given, error, message in rows:
        refused(error, f"{name}: {message}", setattr, model, name, given)
        mapping = model.weights | {name: given}
        refused(error, f"{name}: {message}", setattr, model, "weights", mapping)
        assert bits(model.weights) == before


ALL_SIX = f"expected {', '.join(WEIGHT_NAMES)}"
ALL = f"expected {', '.join(TIME_FIRST.weights)}"
LAYER_2 = (
    "weight_hh_l2, bias_ih_l2, bias_hh_l2, weight_ih_l2_reverse, weight_hh_l2_reverse, "
    "bias_ih_l2_reverse, bias_hh_l2_reverse"
)
TWO_AXES = "expected two axes, neither empty, got shape"
WIDE = f"expected dtype {FLOATS}"
SHAPE = "expected shape"
OF_SIX: list[tuple[dict[Any, Any], Error, str]] = [
    ({"b_ho": ...}, ValueError, f"weights: missing b_ho; {ALL_SIX}"),
    (
        {"W_hx": 0, "W_xh": ..., "b_hh": ..., 7: 0},
        ValueError,
        f"weights: unknown 'W_hx', 7; missing W_xh, b_hh; {ALL_SIX}",
    ),
    ({"W_xh": [[1.0]]}, TypeError, "W_xh: expected a NumPy array, got list"),
    ({"W_xh": np.ones(3)}, ValueError, f"W_xh: {TWO_AXES} (3,)"),
    ({"W_ho": np.ones((0, 5))}, ValueError, f"W_ho: {TWO_AXES} (0, 5)"),
    ({"W_xh": np.ones((5, 3), int)}, TypeError, f"W_xh: {WIDE}, got int64"),
    ({"W_hh": np.ones((5, 3))}, ValueError, f"W_hh: {SHAPE} (5, 5), got (5, 3)"),
    ({"b_hh": np.ones(5)}, ValueError, f"b_hh: {SHAPE} (5, 1), got (5,)"),
    ({"b_ho": np.ones((2, 1), "f4")}, TypeError, f"b_ho: {NARROW}"),
]
OF_LAYERS: list[tuple[dict[Any, Any], Error, str]] = [
    ({"weight_hh_l1": ...}, ValueError, f"weights: missing weight_hh_l1; {ALL}"),
    ({"weight_ih_l0": ...}, ValueError, f"weights: missing weight_ih_l0; {ALL}"),
    ({"bias_ih_l0_reverse": ...}, ValueError, f"weights: missing bias_ih_l0_reverse; {ALL}"),
    ({"weight_hr_l0": 0}, ValueError, f"weights: unknown 'weight_hr_l0'; {ALL}"),
    ({f"weight_ih_l{10**9}": 0}, ValueError, f"weights: unknown 'weight_ih_l{10**9}'; {ALL}"),
    ({"weight_ih_l01": 0, 7: 0}, ValueError, f"weights: unknown 'weight_ih_l01', 7; {ALL}"),
    ({"weight_ih_l2": 0}, ValueError, f"weights: missing {LAYER_2}; {ALL}, …"),
    ({"weight_ih_l0": [[1.0]]}, TypeError, "weight_ih_l0: expected a NumPy array, got list"),
    ({"weight_ih_l0": np.ones((4, 0))}, ValueError, f"weight_ih_l0: {TWO_AXES} (4, 0)"),
    ({"weight_ih_l0": np.ones((4, 3), int)}, TypeError, f"weight_ih_l0: {WIDE}, got int64"),
    ({"weight_ih_l1": np.ones((4, 4))}, ValueError, f"weight_ih_l1: {SHAPE} (4, 8), got (4, 4)"),
    ({"weight_hh_l0": np.ones((5, 5))}, ValueError, f"weight_hh_l0: {SHAPE} (4, 4), got (5, 5)"),
    ({"bias_hh_l1": np.ones((4, 1))}, ValueError, f"bias_hh_l1: {SHAPE} (4,), got (4, 1)"),
    ({"bias_ih_l0": np.ones(4, "f4")}, TypeError, f"bias_ih_l0: {NARROW}"),
    ({"bias_ih_l1": np.full(4, np.nan)}, ValueError, "bias_ih_l1: …, got nan at (0,)"),
    ({"bias_ih_l1": [0.0] * 4}, TypeError, "bias_ih_l1: …, got list"),
]


@pytest.mark.parametrize(
    ("model", "changes", "error", "message"),
    [(BATCH, *row) for row in OF_SIX] + [(TIME_FIRST, *row) for row in OF_LAYERS],
)
def test_mapping(model: AnyRNN, changes: dict[Any, Any], error: Error, message: str) -> None:
    """Names and arrays that fit together; `...` takes one out. A refusal changes nothing."""
    before, given = bits(model.weights), model.weights | changes
    given = {name: value for name, value in given.items() if value is not ...}
    refused(error, message, type(model).from_weights, given)
    if model is BATCH:
        refused(error, message, validate_weights, given)
    refused(error, "…", setattr, model, "weights", given)
    assert bits(model.weights) == before


def test_weights_of_another_model() -> None:
    """A model takes no weights of other layers, and nothing but a mapping."""
    model, without = drawn_layers(), drawn_layers(bias=False).weights
    wanted = "expected weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0"
    message = f"weights: missing bias_ih_l0, bias_hh_l0; {wanted}"
    refused(ValueError, message, setattr, model, "weights", without)
    deeper = drawn_layers(num_layers=2).weights
    unknown = ", ".join(repr(name) for name in deeper if "l1" in name)
    message = f"weights: unknown {unknown}; {wanted}"
    refused(ValueError, message, setattr, model, "weights", deeper)
    for other in (None, 3, list(deeper)):
        message = f"weights: expected a mapping by name, got {type(other).__name__}"
        refused(TypeError, message, setattr, model, "weights", other)
        for call in (RNN.from_weights, BatchRNN.from_weights, validate_weights):
            refused(TypeError, message, call, other)
    message = "weights: missing weight_ih_l0, weight_hh_l0; expected weight_ih_l0, weight_hh_l0"
    refused(ValueError, message, RNN.from_weights, {})
    refused(
        ValueError,
        "dropout: expected a number from 0 to 1, got 3",
        RNN.from_weights,
        deeper,
        dropout=3,
    )


X = drawn_inputs(drawn_model(BatchRNN, 3, 5, 2))  # (6, 4, 3)
X1 = X[:, 0]
XT = X.swapaxes(0, 1)
ROWS, NUMBERS = "expected an array (T, 3) or a list of T vectors", "expected a vector of 3 numbers"
SOME = "expected at least one step and one sequence"
OF_ONE: list[tuple[Any, Error, str]] = [
    (X1[0], ValueError, ": expected shape (T, 3), got (3,)"),
    (X, ValueError, ": expected shape (T, 3), got (6, 4, 3)"),
    (X1[:, :2], ValueError, "[0]: expected shape (3,), got (2,)"),
    (X1[:0], ValueError, ": expected at least one time step, got none"),
    ([], ValueError, ": expected at least one time step, got none"),
    (with_entry(X1, (4, 1), np.nan), ValueError, "[4]: …, got nan at (1,)"),
    (X1.astype("f4"), TypeError, f"[0]: {NARROW}"),
    (np.ma.masked_greater(X1, 0), TypeError, "[0]: …, got MaskedArray"),
    (None, TypeError, f": {ROWS}, got NoneType"),
    ("abc", TypeError, f": {ROWS}, got str"),
    (iter(X1), TypeError, f": {ROWS}, got …"),
    ([1.0, 2.0], ValueError, "[0]: expected shape (3,), got ()"),
    ([[1, 2, 3], [1, 2]], ValueError, "[1]: expected shape (3,), got (2,)"),
    ([[1, 2, [3]]], TypeError, f"[0]: {NUMBERS}, got [1, 2, [3]]"),
    ([["1", "2", "3"]], TypeError, f"[0]: {NUMBERS}, got ['1', '2', '3']"),
    ([[1, 2j, 3]], TypeError, f"[0]: {NUMBERS}, got [1, 2j, 3]"),
    ([[X, X1, 1]], TypeError, f"[0]: {NUMBERS}, got [array(…"),
]
ARRAY: dict[Any, str] = {
    BATCH: "expected an array (T, batch_size, 3)",
    TIME_FIRST: "expected an array (T, batch_size, 3) or (T, 3)",
    BATCH_FIRST: "expected an array (batch_size, T, 3) or (T, 3)",
}
OF_MANY: list[tuple[Any, Any, Error, str]] = [(ONE, *row) for row in OF_ONE]
for many, text in ARRAY.items():
    OF_MANY += [
        (many, X[0, 0], ValueError, f": {text}, got shape (3,)"),
        (many, X[np.newaxis], ValueError, f": {text}, got shape (1, 6, 4, 3)"),
        (many, X[..., :2], ValueError, ": expected shape (6, 4, 3), got (6, 4, 2)"),
        (many, X[:0], ValueError, f": {SOME}, got shape (0, 4, 3)"),
        (many, X[:, :0], ValueError, f": {SOME}, got shape (6, 0, 3)"),
        (many, with_entry(X, (4, 2, 1), np.nan), ValueError, ": …, got nan at (4, 2, 1)"),
        (many, X.astype("f4"), TypeError, f": {NARROW}"),
        (many, X.astype(object), TypeError, f": {FLOAT}, got object"),
        (many, np.ma.masked_greater(X, 0), TypeError, ": …, got MaskedArray"),
        (many, None, TypeError, f": {text}, got NoneType"),
        (many, X.tolist(), TypeError, f": {text}, got list"),
    ]
OF_MANY += [
    (BATCH, X1, ValueError, f": {ARRAY[BATCH]}, got shape (6, 3)"),
    (TIME_FIRST, X1[:, :2], ValueError, ": expected shape (6, 3), got (6, 2)"),
    (TIME_FIRST, X1[:0], ValueError, f": {SOME}, got shape (0, 3)"),
    (BATCH_FIRST, with_entry(X1, (5, 2), -np.inf), ValueError, ": …, got -inf at (5, 2)"),
]


@pytest.mark.parametrize(("model", "given", "error", "message"), OF_MANY)
def test_inputs(model: AnyRNN, given: Any, error: Error, message: str) -> None:
    """Rank, sizes, dtype and numbers of the inputs."""
    refused(error, f"inputs{message}", model.forward, given)


def test_number_too_large() -> None:
    """A plain number that the model's dtype cannot hold is refused, without a warning."""
    model = SingleSequenceRNN(3, 5, 2, dtype=np.float32, rng=1)
    refused(ValueError, "inputs[0]: …, got inf at (1,)", model.forward, [[1, 1e300, 1]])


STATES: list[tuple[Any, Any]] = [(ONE, X1), (BATCH, X), (TIME_FIRST, X), (TIME_FIRST, X1)]


@pytest.mark.parametrize(("model", "inputs"), [*STATES, (BATCH_FIRST, XT), (BATCH_FIRST, X1)])
def test_initial_state(model: AnyRNN, inputs: Any) -> None:
    """Shape, dtype and numbers of h_0, the axes of which no layout of the inputs changes."""
    h_0 = drawn_state(model)
    h_0 = h_0[:, 0] if isinstance(model, RNN) and inputs.ndim == 2 else h_0
    shape, last = h_0.shape, tuple(n - 1 for n in h_0.shape)
    wanted = f"expected a NumPy array of shape {shape} and dtype float64"
    others = h_0[0], h_0[np.newaxis], h_0[1:], h_0[:, :0], np.ones((*shape[:-1], 7))
    rows: list[tuple[Any, Error, str]] = [
        *[(h, ValueError, f"expected shape {shape}, got {h.shape}") for h in others],
        (h_0.astype("f4"), TypeError, NARROW),
        (with_entry(h_0, last, np.nan), ValueError, f"…, got nan at {last}"),
        (h_0.tolist(), TypeError, f"{wanted}, got list"),
        (0, TypeError, f"{wanted}, got int"),
    ]
    for given, error, message in rows:
        refused(error, f"h_0: {message}", model.forward, inputs, given)


WANTED = "expected an array (4,) of integers from 1 to 6"
CUT: list[tuple[Any, Error, str]] = [
    (with_entry(LENGTHS, (2,), 0), ValueError, f"{WANTED}, got 0 at (2,)"),
    (with_entry(LENGTHS, (3,), -1), ValueError, f"{WANTED}, got -1 at (3,)"),
    (with_entry(LENGTHS, (0,), 7), ValueError, f"{WANTED}, got 7 at (0,)"),
    (np.full(4, 2**64 - 1, np.uint64), ValueError, f"{WANTED}, got 18446744073709551615 at (0,)"),
    (LENGTHS[:3], ValueError, f"{WANTED}, got shape (3,)"),
    (LENGTHS[:, np.newaxis], ValueError, f"{WANTED}, got shape (4, 1)"),
    (LENGTHS.astype(float), TypeError, f"{WANTED}, got dtype float64"),
    (LENGTHS > 0, TypeError, f"{WANTED}, got dtype bool"),
    (LENGTHS.astype(object), TypeError, f"{WANTED}, got dtype object"),
    (np.ma.masked_greater(LENGTHS, 4), TypeError, f"{WANTED}, got MaskedArray"),
    (LENGTHS.tolist(), TypeError, f"{WANTED}, got list"),
    (4, TypeError, f"{WANTED}, got int"),
]


@pytest.mark.parametrize(("given", "error", "message"), CUT)
def test_lengths(given: Any, error: Error, message: str) -> None:
    """Range, shape and dtype of the lengths, in either layout."""
    for model, inputs in ((TIME_FIRST, X), (BATCH_FIRST, XT)):
        refused(error, f"lengths: {message}", model.forward, inputs, lengths=given)
    message = "lengths: expected None for one sequence (T, 3), got array([6])"
    refused(ValueError, message, TIME_FIRST.forward, X1, lengths=np.array([6]))


def test_numbers_within_lengths() -> None:
    """NaN in the last step of a sequence is refused where it stands, one step later it is not."""
    for t, b in np.ndindex(STEPS, len(LENGTHS)):
        given = with_entry(X, (t, b, 1), np.nan)
        for model, inputs, where in (
            (TIME_FIRST, given, (t, b, 1)),
            (BATCH_FIRST, given.swapaxes(0, 1), (b, t, 1)),
        ):
            if t >= LENGTHS[b]:
                model.forward(inputs, lengths=LENGTHS)
                continue
            message = f"inputs: expected finite numbers, got nan at {where}"
            refused(ValueError, message, model.forward, inputs, lengths=LENGTHS)


def test_training_and_rng() -> None:
    """A flag that is none; no rng where something is to be dropped; a wrong one in any case."""
    dropping = drawn_layers(num_layers=2, dropout=0.5).forward
    flags: list[Any] = [1, None, "yes", np.True_]
    for given in flags:
        refused(
            TypeError,
            f"training: expected True or False, got {given!r}",
            dropping,
            X,
            training=given,
        )
    refused(TypeError, f"rng: expected {SEED}, got None", dropping, X, training=True)
    for forward in (dropping, TIME_FIRST.forward):
        refused(TypeError, f"rng: expected {SEED}, got 1.5", forward, X, rng=1.5)
        message = "rng: expected a seed that is not negative, got -1"
        refused(ValueError, message, forward, X, training=True, rng=-1)


def test_backward() -> None:
    """Each argument of `backward` is named, with what came and what was expected."""
    _, h = BATCH.forward(X)
    dy, dh = {t: h[t][:2] for t in range(6)}, {2: h[2], 5: h[5]}
    steps = "expected time steps"
    finite, mapping = "expected finite numbers", "expected a mapping by time step"
    nan, infinite = with_entry(dy[3], (1, 2), np.nan), with_entry(h[2], (4, 0), np.inf)
    some = {t: state for t, state in h.items() if t != 4}
    wrong: list[tuple[Error, str, tuple[Any, ...]]] = [
        (ValueError, "inputs: expected …, got shape (4, 3)", (X[0], h, dy)),
        (ValueError, f"inputs: {finite}, got …", (X * np.nan, h, dy)),
        (TypeError, f"hidden_states: {mapping}, got list", (X, [h], dy)),
        (ValueError, f"hidden_states: {steps} -1 … 5, got none for 4", (X, some, dy)),
        (ValueError, f"hidden_states: {steps} -1 … 5, got 6", (X, h | {6: h[0]}, dy)),
        (ValueError, f"hidden_states[2]: {finite}, got inf at (4, 0)", (X, h | {2: infinite}, dy)),
        (ValueError, "output_gradients[2]: expected shape (2, 4), got (5, 4)", (X, h, dh)),
        (TypeError, f"output_gradients[1]: {NARROW}", (X, h, {1: dy[1].astype("f4")})),
        (ValueError, f"output_gradients[3]: {finite}, got nan at (1, 2)", (X, h, dy | {3: nan})),
        (ValueError, f"state_gradients: {steps} 0 … 5, got -1", (X, h, dy, {-1: dh[2]})),
        (TypeError, f"state_gradients: {mapping}, got ndarray", (X, h, dy, dh[2])),
    ]
    for error, message, arguments in wrong:
        refused(error, message, BATCH.backward, *arguments)
    refused(
        TypeError, "of_inputs: expected True or False, got 1", BATCH.backward, X, h, dy, of_inputs=1
    )
