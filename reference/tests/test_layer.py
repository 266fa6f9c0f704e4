"""What `RNN` computes, with every option: what torch.nn.RNN does, to a derived rounding error."""

from itertools import islice, product
from typing import Any

import numpy as np
import pytest
from rnn_reference import RNN
from rnn_reference.cells import CellWeights, State
from rnn_reference.layer import run_layers
from rnn_reference.weights import Array

from . import models
from .equations import apart
from .models import LENGTHS, STEPS, bits, drawn_layers, every_dtype, results

FULL = np.full(len(LENGTHS), STEPS)
OPTIONS: list[dict[str, Any]] = [
    dict(zip(("num_layers", "nonlinearity", "bias", "bidirectional"), values, strict=True))
    for values in product((1, 3), ("tanh", "relu"), (True, False), (True, False))
]


def given_to(model: RNN) -> tuple[Array, Array]:
    """Inputs and h_0, time-major."""
    return models.drawn_inputs(model), models.drawn_state(model)


def of_torch(
    model: RNN, x: Array, h_0: Array | None, lengths: Array | None = None, training: bool = False
) -> list[Array]:
    """Output and h_n of torch.nn.RNN with the model's weights, packed where there are lengths."""
    torch = pytest.importorskip("torch")
    utils, first = torch.nn.utils.rnn, model.batch_first
    sizes = model.input_size, model.hidden_size, model.num_layers, model.nonlinearity
    options = model.bias, first, model.dropout, model.bidirectional
    theirs = torch.nn.RNN(*sizes, *options, dtype=torch.from_numpy(x).dtype)
    theirs.load_state_dict({name: torch.from_numpy(w) for name, w in model.weights.items()})
    theirs.train(training)
    state = None if h_0 is None else torch.from_numpy(h_0.copy())
    given = torch.from_numpy(x.copy())
    if lengths is not None:
        ends = torch.from_numpy(lengths)
        given = utils.pack_padded_sequence(given, ends, first, enforce_sorted=False)
    output, h_n = theirs(given, state)
    if lengths is not None:
        output, _ = utils.pad_packed_sequence(output, first, total_length=STEPS)
    return [output.detach().numpy(), h_n.detach().numpy()]


def differ(found: Any, wanted: Any, bound: float) -> bool:
    """Whether results have another shape or dtype, or are further apart than the bound."""
    return any(
        (a.shape, a.dtype) != (b.shape, b.dtype) or bool((abs(a - b) > bound).any())
        for a, b in zip(found, wanted, strict=True)
    )


def bound_of(model: RNN, x: Array, h_0: Array) -> float:
    """How far two right results may be apart: Torch's tanh is within the 4 ulps allowed, too."""
    u = float(np.finfo(model.dtype).eps) / 2
    bound = apart(model.weights, x, h_0, u)
    assert bound < 2**12 * u, "the bound must stay small beside the signal"
    return bound


@every_dtype
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
def test_agrees_with_torch(
    dtype: type[np.floating], batch_first: bool, options: dict[str, Any]
) -> None:
    """Every entry, with every option, with h_0 and without, one sequence or many, cut or not."""
    model = drawn_layers(dtype=dtype, batch_first=batch_first, **options)
    x, h = given_to(model)
    bound = bound_of(model, x, h)
    calls: list[tuple[Array, Array | None]] = [(x, h), (x, None), (x[:1], h)]
    calls += [(x[:, :1], h[:, :1]), (x[:1, :1], h[:, :1])]
    for inputs, h_0 in calls:
        inputs = inputs.swapaxes(0, 1) if batch_first else inputs
        assert not differ(model.forward(inputs, h_0), of_torch(model, inputs, h_0), bound)
    one = x[:, 1], h[:, 1]
    assert not differ(model.forward(*one), of_torch(model, *one), bound)
    inputs = x.swapaxes(0, 1) if batch_first else x
    ours = model.forward(inputs, h, lengths=LENGTHS)
    assert not differ(ours, of_torch(model, inputs, h, LENGTHS), bound)
    padding = np.arange(STEPS)[:, np.newaxis] >= LENGTHS
    assert not ours[0][padding.T if batch_first else padding].any()


@pytest.mark.parametrize("training", [False, True])
def test_all_dropped(training: bool) -> None:
    """With p = 1, in training alone, all layers but the first read zeros."""
    model = drawn_layers(num_layers=3, bidirectional=True, dropout=1.0)
    given = given_to(model)
    ours = model.forward(*given, training=training, rng=1)
    theirs = of_torch(model, *given, training=training)
    assert not differ(ours, theirs, bound_of(model, *given))


@every_dtype
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_every_entry_is_seen(dtype: type[np.floating], nonlinearity: str) -> None:
    """A change of 2**20 unit roundoffs to one entry of a weight, an input or h_0 is not passed."""
    model = drawn_layers(dtype=dtype, nonlinearity=nonlinearity, num_layers=2, bidirectional=True)
    inputs, h_0 = given_to(model)
    right, bound = model.forward(inputs, h_0), bound_of(model, inputs, h_0)
    if nonlinearity == "relu":
        on = right[0] > 0
        assert bool((on.any(axis=(0, 1)) & ~on.all(axis=(0, 1))).any()), "no unit is on and off"
    arrays = {"inputs": inputs, "h_0": h_0, **model.weights}
    for name, array in arrays.items():
        for entry in np.ndindex(array.shape):
            changed = array.copy()
            changed[entry] += 2**19 * np.finfo(dtype).eps
            given = arrays | {name: changed}
            x, h = given.pop("inputs"), given.pop("h_0")
            model.weights = given
            assert differ(model.forward(x, h), right, 2 * bound), f"{name}{entry}"


def test_kinds_of_lengths() -> None:
    """Lengths that are all T change no bit; any kind of integer will do."""
    model = drawn_layers(num_layers=2, bidirectional=True)
    given = given_to(model)
    whole, cut = bits(results(model, *given)), bits(results(model, *given, lengths=LENGTHS))
    for dtype in (np.int64, np.int32, np.uint8, np.uint64, ">i4"):
        assert bits(results(model, *given, lengths=FULL.astype(dtype))) == whole
        assert bits(results(model, *given, lengths=LENGTHS.astype(dtype))) == cut != whole


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("filler", [np.nan, np.inf, -np.inf, 1e308])
def test_padding_has_no_influence(filler: float, batch_first: bool) -> None:
    """Whatever stands after a sequence changes no bit; what stands in its last step does."""
    model = drawn_layers(num_layers=2, bidirectional=True, batch_first=batch_first)
    inputs, h_0 = given_to(model)
    last, padded = inputs.copy(), inputs.copy()
    last[LENGTHS - 1, np.arange(len(LENGTHS))] += 0.5
    padded[np.arange(STEPS)[:, np.newaxis] >= LENGTHS] = filler

    def run(x: Array) -> dict[Any, tuple[Any, ...]]:
        return bits(results(model, x.swapaxes(0, 1) if batch_first else x, h_0, lengths=LENGTHS))

    assert run(padded) == run(inputs) != run(last)


def lstm_step(w: CellWeights, x: Array, state: State) -> tuple[Array, State]:
    """An LSTM, gates in torch's order: a cell of which one part shows only at the end."""
    h, c = state
    i, f, g, o = np.split(x @ w.W_ih.T + w.b_ih + h @ w.W_hh.T + w.b_hh, 4, axis=1)
    c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
    h = np.tanh(c) / (1 + np.exp(-o))
    return h, (h, c)


def test_loops_take_a_step_of_several_parts() -> None:
    """Layers, directions and lengths round another cell give what torch.nn.LSTM does."""
    torch = pytest.importorskip("torch")
    theirs, rng = torch.nn.LSTM(3, 4, 2, bidirectional=True).double(), np.random.default_rng(1)
    weights = iter([w.detach().numpy() for w in theirs.parameters()])
    layers = [[CellWeights(*islice(weights, 4)) for _ in range(2)] for _ in range(2)]
    x, (h, c) = rng.standard_normal((STEPS, 4, 3)), rng.uniform(-1, 1, (2, 4, 4, 4))
    utils, given = torch.nn.utils.rnn, torch.from_numpy(x)
    packed = utils.pack_padded_sequence(given, torch.from_numpy(LENGTHS), enforce_sorted=False)
    packed, last = theirs(packed, (torch.from_numpy(h), torch.from_numpy(c)))
    output, _ = utils.pad_packed_sequence(packed)
    ours, state = run_layers(lstm_step, layers, x, (h, c), LENGTHS, lambda y: y)
    for a, b in zip((ours, *state), (output, *last), strict=True):
        assert abs(a - b.detach().numpy()).max() < 1e-12
