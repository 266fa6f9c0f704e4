"""What is refused: one line names the argument, what came and what was expected."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from rnn_reference import (
    GRU,
    LSTM,
    RNN,
    WEIGHT_NAMES,
    BatchRNN,
    SingleSequenceRNN,
    validate_weights,
)

from .models import (
    LENGTHS,
    STACKS,
    STEPS,
    AnyRNN,
    AnyStack,
    StepRNN,
    bits,
    drawn_inputs,
    drawn_layers,
    drawn_model,
    drawn_state,
    every_stack,
    every_step_kind,
    with_entry,
)

Error = type[Exception]
ONE, BATCH = drawn_model(SingleSequenceRNN, 3, 5, 2), drawn_model(BatchRNN, 3, 5, 2)
FLOAT32 = SingleSequenceRNN(3, 5, 2, dtype=np.float32, rng=1)
TIME_FIRST = drawn_layers(num_layers=2, bidirectional=True)
BATCH_FIRST = drawn_layers(num_layers=2, bidirectional=True, batch_first=True)
X = drawn_inputs(BATCH)  # (6, 4, 3)
X1, XT = X[:, 0], X.swapaxes(0, 1)
FLAGS = ("bias", "batch_first", "bidirectional")
SEED = "a numpy.random.Generator or an integer seed"
NARROW, FINITE = "expected dtype float64, got float32", "expected finite numbers"


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


EVERY = (SingleSequenceRNN, BatchRNN, *STACKS)
OF_CONSTRUCTORS: list[tuple[tuple[type[AnyRNN], ...], str, list[Any], Error, str]] = [
    (EVERY, "size", [0, -1], ValueError, "a positive integer"),
    (EVERY, "size", [2.5, "3", True, None, np.ones((2, 2))], TypeError, "a positive integer"),
    (EVERY, "dtype", [int, ">f8", None, "real", ("f8", -1)], TypeError, "float64 or float32"),
    (EVERY, "rng", [None, True, "x", 1.0, np.random], TypeError, SEED),
    (EVERY, "rng", [-1], ValueError, "a seed that is not negative"),
    *[(STACKS, flag, [1, 0, None, "yes"], TypeError, "True or False") for flag in FLAGS],
    ((GRU,), "reset_after", [1, 0, None, "yes"], TypeError, "True or False"),
    ((RNN,), "nonlinearity", ["TANH", ""], ValueError, "'tanh' or 'relu'"),
    ((RNN,), "nonlinearity", [None, np.tanh], TypeError, "'tanh' or 'relu'"),
    (STACKS, "dropout", [-0.1, 1.5, 2, float("nan")], ValueError, "a number from 0 to 1"),
    (STACKS, "dropout", [True, "0.5", None, 0.5j], TypeError, "a number from 0 to 1"),
]


@pytest.mark.parametrize(("kinds", "argument", "wrong", "error", "expected"), OF_CONSTRUCTORS)
def test_constructor(
    kinds: Any, argument: str, wrong: list[Any], error: Error, expected: str
) -> None:
    """Sizes, dtype, source of randomness and options; what came is cut off after 80 characters."""
    for kind, given in product(kinds, wrong):
        sizes = ("input_size", "hidden_size", "num_layers" if kind in STACKS else "output_size")
        for name in sizes if argument == "size" else (argument,):
            arguments = dict.fromkeys(sizes, 3) | {"rng": 1, name: given}
            shown = " ".join(repr(given).split())[:80]
            refused(error, f"{name}: expected {expected}, got {shown}", kind, **arguments)


@every_step_kind
@pytest.mark.parametrize("name", WEIGHT_NAMES)
def test_assignment(kind: type[StepRNN], name: str) -> None:
    """Shape, dtype and numbers of an array. A refusal leaves all weights as they were."""
    model = drawn_model(kind, 3, 5, 2)
    right, before = model.weights[name], bits(model.weights)
    shape, nan = right.shape, with_entry(right, (1, 0), np.nan)
    wanted = f"expected a NumPy array of shape {shape} and dtype float64"
    rows: list[tuple[Any, Error, str]] = [
        (right.T[:-1], ValueError, f"expected shape {shape}, got {right.T[:-1].shape}"),
        (right[:, 0], ValueError, f"expected shape {shape}, got {shape[:1]}"),
        (right.astype("f4"), TypeError, NARROW),
        (right.astype(object), TypeError, "expected dtype float64, got object"),
        (nan, ValueError, f"{FINITE}, got nan at (1, 0)"),
        (right * np.inf, ValueError, f"{FINITE}, got …inf at (0, 0)"),
        (right.tolist(), TypeError, f"{wanted}, got list"),
        (np.ma.masked_invalid(nan), TypeError, f"{wanted}, got MaskedArray"),
    ]
    for given, error, message in rows:
        refused(error, f"{name}: {message}", setattr, model, name, given)
        mapping = model.weights | {name: given}
        refused(error, f"{name}: {message}", setattr, model, "weights", mapping)
        assert bits(model.weights) == before


ALL = f"expected {', '.join(TIME_FIRST.weights)}"
TWO_AXES = "expected two axes, neither empty, got shape"
# Changes to the weights of a model, `...` taking one out.
OF_SIX: list[tuple[dict[Any, Any], Error, str]] = [
    ({"W_hx": 0, 7: 0, "b_hh": ...}, ValueError, "weights: unknown 'W_hx', 7; missing b_hh; …"),
    ({"W_xh": ...}, ValueError, f"weights: missing W_xh; expected {', '.join(WEIGHT_NAMES)}"),
    ({"W_xh": [[1.0]]}, TypeError, "W_xh: expected a NumPy array, got list"),
    ({"W_xh": np.ones(3)}, ValueError, f"W_xh: {TWO_AXES} (3,)"),
    ({"W_ho": np.ones((0, 5))}, ValueError, f"W_ho: {TWO_AXES} (0, 5)"),
    ({"W_xh": np.ones((5, 3), int)}, TypeError, "W_xh: … float64 or float32, got int64"),
    ({"W_hh": np.ones((5, 3))}, ValueError, "W_hh: expected shape (5, 5), got (5, 3)"),
    ({"b_ho": np.ones((2, 1), "f4")}, TypeError, f"b_ho: {NARROW}"),
]
OF_LAYERS: list[tuple[dict[Any, Any], Error, str]] = [
    ({"weight_ih_l0": ...}, ValueError, f"weights: missing weight_ih_l0; {ALL}"),
    ({"bias_ih_l0_reverse": ...}, ValueError, f"weights: missing bias_ih_l0_reverse; {ALL}"),
    ({f"weight_ih_l{10**9}": 0}, ValueError, f"weights: unknown 'weight_ih_l{10**9}'; {ALL}"),
    ({"weight_ih_l01": 0, 7: 0}, ValueError, f"weights: unknown 'weight_ih_l01', 7; {ALL}"),
    ({"weight_ih_l2": 0}, ValueError, "weights: missing weight_hh_l2, …"),
    ({"weight_ih_l0": np.ones((4, 0))}, ValueError, f"weight_ih_l0: {TWO_AXES} (4, 0)"),
    ({"weight_ih_l1": np.ones((4, 4))}, ValueError, "weight_ih_l1: … (4, 8), got (4, 4)"),
    ({"bias_hh_l1": np.ones((4, 1))}, ValueError, "bias_hh_l1: … (4,), got (4, 1)"),
    ({"bias_ih_l0": np.ones(4, "f4")}, TypeError, f"bias_ih_l0: {NARROW}"),
]


@pytest.mark.parametrize(
    ("model", "changes", "error", "message"),
    [(BATCH, *row) for row in OF_SIX] + [(TIME_FIRST, *row) for row in OF_LAYERS],
)
def test_mapping(model: AnyRNN, changes: dict[Any, Any], error: Error, message: str) -> None:
    before, given = bits(model.weights), model.weights | changes
    given = {name: value for name, value in given.items() if value is not ...}
    refused(error, message, type(model).from_weights, given)
    if model is BATCH:
        refused(error, message, validate_weights, given)
    refused(error, "…", setattr, model, "weights", given)
    assert bits(model.weights) == before


def test_weights_of_another_model() -> None:
    model, deeper = drawn_layers(), drawn_layers(num_layers=2).weights
    message = "weights: unknown 'weight_ih_l1', 'weight_hh_l1', 'bias_ih_l1', 'bias_hh_l1'; …"
    refused(ValueError, message, setattr, model, "weights", deeper)
    message = "weights: missing bias_ih_l0, bias_hh_l0; …"
    refused(ValueError, message, setattr, model, "weights", drawn_layers(bias=False).weights)
    refused(ValueError, "weights: missing weight_ih_l0, weight_hh_l0; …", RNN.from_weights, {})
    refused(ValueError, "dropout: …, got 3", RNN.from_weights, deeper, dropout=3)
    for other in (None, 3, list(deeper)):
        message = f"weights: expected a mapping by name, got {type(other).__name__}"
        refused(TypeError, message, setattr, model, "weights", other)
        for call in (RNN.from_weights, BatchRNN.from_weights, validate_weights):
            refused(TypeError, message, call, other)


@every_stack
def test_options_that_there_are_not(kind: type[AnyStack]) -> None:
    """No projections, peepholes or clips, as options or as weights."""
    for option in ("proj_size", "peepholes", "clip"):
        given: Any = {"num_layers": 2, option: 1}
        message = f"{option}: expected no such option of {kind.__name__}, got {{'{option}': 1}}"
        refused(TypeError, message, kind, 3, 4, rng=1, **given)
        refused(TypeError, message, kind.from_weights, drawn_layers(kind).weights, **{option: 1})
    weights = drawn_layers(kind).weights | {"weight_hr_l0": np.ones((2, 4))}
    message = "weights: unknown 'weight_hr_l0'; …"
    refused(ValueError, message, kind.from_weights, weights)


def test_rows_of_other_gates() -> None:
    """Weights of one cell are none of another's; rows that gates cannot share are refused."""
    message = "weight_ih_l0: expected rows in 4 equal parts, one a gate, got (10, 3)"
    changed = drawn_layers(LSTM).weights | {"weight_ih_l0": np.ones((10, 3))}
    refused(ValueError, message, LSTM.from_weights, changed)
    message = "weight_hh_l0: expected shape (16, 16), got (16, 4)"
    refused(ValueError, message, RNN.from_weights, drawn_layers(LSTM).weights)
    message = "weight_ih_l0: expected shape (12, 3), got (16, 3)"
    refused(ValueError, message, setattr, drawn_layers(GRU), "weights", drawn_layers(LSTM).weights)


ROWS, NUMBERS = "expected an array (T, 3) or a list of T vectors", "expected a vector of 3 numbers"
SOME = "expected at least one step and one sequence"
OF_INPUTS: list[tuple[AnyRNN, Any, Error, str]] = [
    (ONE, X1[0], ValueError, ": expected shape (T, 3), got (3,)"),
    (ONE, X1[:, :2], ValueError, "[0]: expected shape (3,), got (2,)"),
    (ONE, [], ValueError, ": expected at least one time step, got none"),
    (ONE, with_entry(X1, (4, 1), np.nan), ValueError, "[4]: …, got nan at (1,)"),
    (ONE, X1.astype("f4"), TypeError, f"[0]: {NARROW}"),
    (ONE, "abc", TypeError, f": {ROWS}, got str"),
    (ONE, iter(X1), TypeError, f": {ROWS}, got …"),
    (ONE, [1.0, 2.0], ValueError, "[0]: expected shape (3,), got ()"),
    (ONE, [[1, 2, 3], [1, 2]], ValueError, "[1]: expected shape (3,), got (2,)"),
    (ONE, [[1, 2, [3]]], TypeError, f"[0]: {NUMBERS}, got [1, 2, [3]]"),
    (ONE, [["1", "2", "3"]], TypeError, f"[0]: {NUMBERS}, got ['1', '2', '3']"),
    (FLOAT32, [[1, 1e300, 1]], ValueError, "[0]: …, got inf at (1,)"),  # without a warning
    (BATCH, X1, ValueError, ": expected an array (T, batch_size, 3), got shape (6, 3)"),
    (TIME_FIRST, X1[:, :2], ValueError, ": expected shape (6, 3), got (6, 2)"),
    (TIME_FIRST, X1[:0], ValueError, f": {SOME}, got shape (0, 3)"),
    (BATCH_FIRST, with_entry(X1, (5, 2), -np.inf), ValueError, ": …, got -inf at (5, 2)"),
]
for many, text in (
    (BATCH, "expected an array (T, batch_size, 3)"),
    (TIME_FIRST, "expected an array (T, batch_size, 3) or (T, 3)"),
    (BATCH_FIRST, "expected an array (batch_size, T, 3) or (T, 3)"),
):
    OF_INPUTS += [
        (many, X[0, 0], ValueError, f": {text}, got shape (3,)"),
        (many, X[np.newaxis], ValueError, f": {text}, got shape (1, 6, 4, 3)"),
        (many, X[..., :2], ValueError, ": expected shape (6, 4, 3), got (6, 4, 2)"),
        (many, X[:0], ValueError, f": {SOME}, got shape (0, 4, 3)"),
        (many, X[:, :0], ValueError, f": {SOME}, got shape (6, 0, 3)"),
        (many, with_entry(X, (4, 2, 1), np.nan), ValueError, ": …, got nan at (4, 2, 1)"),
        (many, X.astype("f4"), TypeError, f": {NARROW}"),
        (many, X.tolist(), TypeError, f": {text}, got list"),
    ]


@pytest.mark.parametrize(("model", "given", "error", "message"), OF_INPUTS)
def test_inputs(model: AnyRNN, given: Any, error: Error, message: str) -> None:
    refused(error, f"inputs{message}", model.forward, given)


@pytest.mark.parametrize(
    ("model", "inputs"),
    [(ONE, X1), (BATCH, X), (TIME_FIRST, X), (TIME_FIRST, X1), (BATCH_FIRST, XT)],
)
def test_initial_state(model: AnyRNN, inputs: Any) -> None:
    """Shape, dtype and numbers of h_0, the axes of which no layout of the inputs changes."""
    h_0 = drawn_state(model)
    h_0 = h_0[:, 0] if isinstance(model, AnyStack) and inputs.ndim == 2 else h_0
    last = tuple(n - 1 for n in h_0.shape)
    for wrong in (h_0[0], h_0[np.newaxis], h_0[1:], h_0[..., :-1]):
        message = f"h_0: expected shape {h_0.shape}, got {wrong.shape}"
        refused(ValueError, message, model.forward, inputs, wrong)
    refused(TypeError, f"h_0: {NARROW}", model.forward, inputs, h_0.astype("f4"))
    nan = with_entry(h_0, last, np.nan)
    refused(ValueError, f"h_0: {FINITE}, got nan at {last}", model.forward, inputs, nan)
    refused(TypeError, "h_0: …, got list", model.forward, inputs, h_0.tolist())


def test_both_states_of_an_lstm() -> None:
    """A pair or none; c_0 is held to what h_0 is held to."""
    model = drawn_layers(LSTM, num_layers=2)
    h_0, c_0 = drawn_state(model)
    for wrong in (c_0, [h_0, c_0], (c_0,), (h_0, c_0, c_0)):
        message = "hx: expected a tuple (h_0, c_0) or None, got …"
        refused(TypeError, message, model.forward, X, wrong)
    wanted = "expected a NumPy array of shape (2, 4, 4) and dtype float64, got NoneType"
    refused(TypeError, f"h_0: {wanted}", model.forward, X, (None, c_0))
    refused(TypeError, f"c_0: {wanted}", model.forward, X, (h_0, None))
    for c in (c_0[0], c_0[np.newaxis], c_0[1:], c_0[..., :-1]):
        message = f"c_0: expected shape (2, 4, 4), got {c.shape}"
        refused(ValueError, message, model.forward, X, (h_0, c))
    refused(TypeError, f"c_0: {NARROW}", model.forward, X, (h_0, c_0.astype("f4")))
    infinite = with_entry(c_0, (1, 3, 2), np.inf)
    message = f"c_0: {FINITE}, got inf at (1, 3, 2)"
    refused(ValueError, message, model.forward, X, (h_0, infinite))
    message = "h_0: expected shape (2, 4), got (2, 4, 4)"
    refused(ValueError, message, model.forward, X1, (h_0, c_0[:, 0]))
    refused(ValueError, "c_0: expected shape (2, 4), …", model.forward, X1, (h_0[:, 0], c_0))


OF_LENGTHS: list[tuple[Any, Error, str]] = [
    (with_entry(LENGTHS, (2,), 0), ValueError, "0 at (2,)"),
    (with_entry(LENGTHS, (3,), -1), ValueError, "-1 at (3,)"),
    (with_entry(LENGTHS, (0,), 7), ValueError, "7 at (0,)"),
    (np.full(4, 2**64 - 1, np.uint64), ValueError, "18446744073709551615 at (0,)"),
    (LENGTHS[:3], ValueError, "shape (3,)"),
    (LENGTHS[:, np.newaxis], ValueError, "shape (4, 1)"),
    (LENGTHS.astype(float), TypeError, "dtype float64"),
    (LENGTHS > 0, TypeError, "dtype bool"),
    (np.ma.masked_greater(LENGTHS, 4), TypeError, "MaskedArray"),
    (LENGTHS.tolist(), TypeError, "list"),
]


@pytest.mark.parametrize(("given", "error", "got"), OF_LENGTHS)
def test_lengths(given: Any, error: Error, got: str) -> None:
    message = f"lengths: expected an array (4,) of integers from 1 to 6, got {got}"
    for model, inputs in ((TIME_FIRST, X), (BATCH_FIRST, XT)):
        refused(error, message, model.forward, inputs, lengths=given)
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
            else:
                message = f"inputs: {FINITE}, got nan at {where}"
                refused(ValueError, message, model.forward, inputs, lengths=LENGTHS)


def test_training_and_rng() -> None:
    """A flag that is none; no rng where something is to be dropped; a wrong one in any case."""
    dropping, flags = drawn_layers(num_layers=2, dropout=0.5).forward, [1, None, "yes", np.True_]
    for given in flags:
        message = f"training: expected True or False, got {given!r}"
        refused(TypeError, message, dropping, X, training=given)
    refused(TypeError, f"rng: expected {SEED}, got None", dropping, X, training=True)
    for forward in (dropping, TIME_FIRST.forward):
        refused(TypeError, f"rng: expected {SEED}, got 1.5", forward, X, rng=1.5)
        refused(ValueError, "rng: … not negative, got -1", forward, X, training=True, rng=-1)


def test_backward() -> None:
    _, h = BATCH.forward(X)
    dy, dh = {t: h[t][:2] for t in range(6)}, {2: h[2], 5: h[5]}
    steps, mapping = "expected time steps", "expected a mapping by time step"
    nan, infinite = with_entry(dy[3], (1, 2), np.nan), with_entry(h[2], (4, 0), np.inf)
    some = {t: state for t, state in h.items() if t != 4}
    wrong: list[tuple[Error, str, tuple[Any, ...]]] = [
        (ValueError, "inputs: expected …, got shape (4, 3)", (X[0], h, dy)),
        (ValueError, f"inputs: {FINITE}, got …", (X * np.nan, h, dy)),
        (TypeError, f"hidden_states: {mapping}, got list", (X, [h], dy)),
        (ValueError, f"hidden_states: {steps} -1 … 5, got none for 4", (X, some, dy)),
        (ValueError, f"hidden_states: {steps} -1 … 5, got 6", (X, h | {6: h[0]}, dy)),
        (ValueError, f"hidden_states[2]: {FINITE}, got inf at (4, 0)", (X, h | {2: infinite}, dy)),
        (ValueError, "output_gradients[2]: expected shape (2, 4), got (5, 4)", (X, h, dh)),
        (TypeError, f"output_gradients[1]: {NARROW}", (X, h, {1: dy[1].astype("f4")})),
        (ValueError, f"output_gradients[3]: {FINITE}, got nan at (1, 2)", (X, h, dy | {3: nan})),
        (ValueError, f"state_gradients: {steps} 0 … 5, got -1", (X, h, dy, {-1: dh[2]})),
        (TypeError, f"state_gradients: {mapping}, got ndarray", (X, h, dy, dh[2])),
    ]
    for error, message, arguments in wrong:
        refused(error, message, BATCH.backward, *arguments)
    wrong_flag = "of_inputs: expected True or False, got 1"
    refused(TypeError, wrong_flag, BATCH.backward, X, h, dy, of_inputs=1)


@every_stack
def test_backward_of_stacks(kind: type[AnyStack]) -> None:
    """What `forward` refuses; and dL/d of its results, each held to the shape of what it is of."""
    model = drawn_layers(kind, num_layers=2, bidirectional=True)
    found, wrong = model.backward(X), with_entry(X, (4, 2, 1), np.nan)
    refused(ValueError, "inputs: …, got shape (3,)", model.backward, X[0, 0])
    refused(ValueError, "inputs: …, got nan at (4, 2, 1)", model.backward, wrong)
    refused(ValueError, "lengths: …, got shape (3,)", model.backward, X, lengths=LENGTHS[:3])
    refused(TypeError, "hx: …" if kind.parts[1:] else "h_0: …", model.backward, X, [])
    refused(TypeError, "training: …, got 1", model.backward, X, training=1)
    right = {"d_output": found.output, "d_h_n": found.h_n, "d_c_n": found.c_n}
    for name, d in right.items():
        if d is None:
            continue
        nan, last = with_entry(d, (-1, 2, 1), np.nan), (len(d) - 1, 2, 1)
        rows: list[tuple[Any, Error, str]] = [
            (d[0], ValueError, f"expected shape {d.shape}, got {d.shape[1:]}"),
            (d[..., :-1], ValueError, f"expected shape {d.shape}, got {d[..., :-1].shape}"),
            (d.astype("f4"), TypeError, NARROW),
            (d.tolist(), TypeError, f"expected … {d.shape} and dtype float64, got list"),
            (nan, ValueError, f"{FINITE}, got nan at {last}"),
        ]
        for given, error, message in rows:
            refused(error, f"{name}: {message}", model.backward, X, **{name: given})


def test_backward_in_other_layouts() -> None:
    """One sequence and batch_first: dL/d(output) in the layout of the inputs, states as ever."""
    y, h_n, *_ = BATCH_FIRST.backward(XT)
    message = "d_output: expected shape (4, 6, 8), got (6, 4, 8)"
    refused(ValueError, message, BATCH_FIRST.backward, XT, d_output=y.swapaxes(0, 1))
    nan = with_entry(y, (2, 3, 5), np.nan)
    message = f"d_output: {FINITE}, got nan at (2, 3, 5)"
    refused(ValueError, message, BATCH_FIRST.backward, XT, d_output=nan)
    BATCH_FIRST.backward(XT, d_output=nan, lengths=LENGTHS)  # of 1 step in row 2
    message = "d_output: expected shape (6, 8), got (4, 6, 8)"
    refused(ValueError, message, BATCH_FIRST.backward, X1, d_output=y)
    message = "d_h_n: expected shape (4, 4), got (4, 4, 4)"
    refused(ValueError, message, BATCH_FIRST.backward, X1, d_h_n=h_n)
    message = "lengths: expected None for one sequence (T, 3), got …"
    refused(ValueError, message, BATCH_FIRST.backward, X1, lengths=LENGTHS)
