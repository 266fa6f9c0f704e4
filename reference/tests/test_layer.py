"""What `RNN` computes, with every option: the equations, to within a derived rounding error."""

from collections.abc import Callable, Sequence
from itertools import islice, product
from typing import Any

import numpy as np
import pytest
from rnn_reference import RNN
from rnn_reference.cells import CellWeights, State
from rnn_reference.layer import run_layers
from rnn_reference.weights import Array

from .drawn import DTYPES, bits
from .layer_cases import BATCH_SIZE, LENGTHS, STEPS, drawn_batch, drawn_layers
from .layer_equations import apart, expected

Results = tuple[Array, Array]
FULL = [STEPS] * BATCH_SIZE
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_nonlinearity = pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])


def right(
    model: RNN, inputs: Array, h_0: Array, results: Results, lengths: Sequence[int] = FULL
) -> bool:
    """Whether results, time-major, are the equations' to within rounding, padding exactly 0."""
    wanted = expected(model.weights, inputs, h_0, model.nonlinearity, lengths)
    bound = apart(model.weights, inputs, h_0, float(np.finfo(model.dtype).eps) / 2)
    assert bound < 2**10 * np.finfo(model.dtype).eps, "the bound must stay small beside the signal"
    padding = np.arange(len(inputs))[:, np.newaxis] >= np.array(lengths)
    return not results[0][padding].any() and all(
        ours.dtype == model.dtype
        and ours.shape == theirs.shape
        and bool((abs(ours - theirs) <= bound).all())
        for ours, theirs in zip(results, wanted, strict=True)
    )


def bytes_of(*arrays: Array) -> dict[Any, tuple[Any, ...]]:
    """What arrays hold, bit for bit."""
    return bits(dict(enumerate(arrays)))


OPTIONS = [
    dict(zip(("num_layers", "nonlinearity", "bias", "bidirectional"), values, strict=True))
    for values in product((1, 3), ("tanh", "relu"), (True, False), (True, False))
]


@every_dtype
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
def test_equations(dtype: type[np.floating], options: dict[str, Any]) -> None:
    """Every entry, with every option, in either layout, with h_0 and without, cut to lengths."""
    model = drawn_layers(dtype=dtype, **options)
    inputs, h_0 = drawn_batch(model)
    assert right(model, inputs, h_0, model.forward(inputs, h_0))
    assert right(model, inputs, np.zeros_like(h_0), model.forward(inputs))
    assert right(model, inputs, h_0, model.forward(inputs, h_0, lengths=LENGTHS), LENGTHS.tolist())

    batch_first = drawn_layers(dtype=dtype, batch_first=True, **options)
    turned = np.ascontiguousarray(inputs.swapaxes(0, 1))
    for lengths in (None, LENGTHS):
        output, h_n = batch_first.forward(turned, h_0, lengths=lengths)
        results = output.swapaxes(0, 1), h_n
        assert right(model, inputs, h_0, results, FULL if lengths is None else lengths.tolist())

    for either in (model, batch_first):
        output, h_n = either.forward(inputs[:, 1], h_0[:, 1])
        assert (output.ndim, h_n.ndim) == (2, 2)
        results = output[:, np.newaxis], h_n[:, np.newaxis]
        assert right(model, inputs[:, [1]], h_0[:, [1]], results, [STEPS])


@pytest.mark.parametrize(("steps", "batch_size"), [(1, 1), (1, 4), (6, 1)])
def test_single_step_and_sequence(steps: int, batch_size: int) -> None:
    """A batch of one sequence keeps its axis, and one step is its own reversal."""
    model = drawn_layers(num_layers=2, bidirectional=True)
    inputs, h_0 = drawn_batch(model, steps, batch_size)
    assert right(model, inputs, h_0, model.forward(inputs, h_0), [steps] * batch_size)


@every_dtype
@every_nonlinearity
def test_every_entry_is_seen(dtype: type[np.floating], nonlinearity: str) -> None:
    """A change of 2**20 unit roundoffs to one entry of a weight, an input or h_0 is not passed."""
    model = drawn_layers(dtype=dtype, nonlinearity=nonlinearity, num_layers=2, bidirectional=True)
    inputs, h_0 = drawn_batch(model)
    results = model.forward(inputs, h_0)
    wanted = expected(model.weights, inputs, h_0, nonlinearity, FULL)
    bound = apart(model.weights, inputs, h_0, float(np.finfo(dtype).eps) / 2)

    if nonlinearity == "relu":
        on = results[0] > 0
        assert bool((on.any(axis=(0, 1)) & ~on.all(axis=(0, 1))).any()), "no unit is on and off"

    arrays = {"inputs": inputs, "h_0": h_0, **model.weights}
    for name, array in arrays.items():
        for entry in np.ndindex(array.shape):
            changed = array.copy()
            changed[entry] += 2**19 * np.finfo(dtype).eps
            given = arrays | {name: changed}
            x, h = given.pop("inputs"), given.pop("h_0")
            other = RNN.from_weights(given, nonlinearity=nonlinearity).forward(x, h)
            far = [abs(a - b).max() > bound for a, b in zip(other, wanted, strict=True)]
            assert any(far), f"{name}{entry}"
    assert right(model, inputs, h_0, results)


def _with_entry(array: Array, by: float) -> Array:
    changed = array.copy()
    changed[-1, -1, -1] += by
    return changed


H, ROWS = 4, np.arange(BATCH_SIZE)
WRONG: dict[str, Callable[[Array, Array], Results]] = {
    "one output off": lambda y, h: (_with_entry(y, 2**-30), h),
    "one last state off": lambda y, h: (y, _with_entry(h, 2**-30)),
    "reverse half first": lambda y, h: (np.roll(y, H, axis=2), h),
    "halves interleaved": lambda y, h: (
        y.reshape(*y.shape[:2], 2, H).swapaxes(2, 3).reshape(y.shape),
        h,
    ),
    "reverse half as it was read": lambda y, h: (
        np.concatenate([y[..., :H], y[::-1, :, H:]], 2),
        h,
    ),
    "reverse half a step late": lambda y, h: (
        np.concatenate([y[..., :H], np.roll(y[..., H:], 1, 0)], 2),
        h,
    ),
    "h_n by direction, then layer": lambda y, h: (y, h[[0, 2, 1, 3]]),
    "h_n reverse first": lambda y, h: (y, h[[1, 0, 3, 2]]),
    "h_n of reverse from the last step": lambda y, h: (
        y,
        np.stack([*h[:3], y[LENGTHS - 1, ROWS, H:]]),
    ),
    "h_n of forward from the padding": lambda y, h: (y, np.stack([*h[:2], y[-1, :, :H], h[3]])),
    "rows in another order": lambda y, h: (y[:, ::-1], h),
    "h_n sorted by length": lambda y, h: (y, h[:, np.argsort(-LENGTHS)]),
    "padding not zero": lambda y, h: (np.where(y == 0, 1e-300, y), h),
    "padding at the front": lambda y, h: (y[::-1], h),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_results_are_seen(wrong: Callable[[Array, Array], Results]) -> None:
    """Results as some implementations would have them are not passed, the right ones are."""
    model = drawn_layers(num_layers=2, bidirectional=True)
    inputs, h_0 = drawn_batch(model)
    results = model.forward(inputs, h_0, lengths=LENGTHS)
    assert right(model, inputs, h_0, results, LENGTHS.tolist())
    assert not right(model, inputs, h_0, wrong(*results), LENGTHS.tolist())


def test_full_lengths() -> None:
    """Lengths that are all T change no bit; any kind of integer will do."""
    model = drawn_layers(num_layers=2, bidirectional=True)
    inputs, h_0 = drawn_batch(model)
    wanted = bytes_of(*model.forward(inputs, h_0))
    for dtype in (np.int64, np.int32, np.uint8, np.uint64, ">i4"):
        assert bytes_of(*model.forward(inputs, h_0, lengths=np.array(FULL, dtype))) == wanted
        cut = model.forward(inputs, h_0, lengths=LENGTHS.astype(dtype))
        assert bytes_of(*cut) == bytes_of(*model.forward(inputs, h_0, lengths=LENGTHS)) != wanted


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("filler", [np.nan, np.inf, -np.inf, 1e308])
def test_padding_has_no_influence(filler: float, batch_first: bool) -> None:
    """Whatever stands after a sequence changes no bit; what stands in its last step does."""
    model = drawn_layers(num_layers=2, bidirectional=True, batch_first=batch_first)
    inputs, h_0 = drawn_batch(model)
    last = inputs.copy()
    last[LENGTHS - 1, ROWS] += 0.5
    for b, length in enumerate(LENGTHS):
        inputs[length:, b] = 0
    padded = inputs.copy()
    for b, length in enumerate(LENGTHS):
        padded[length:, b] = filler

    def run(x: Array) -> dict[Any, tuple[Any, ...]]:
        x = x.swapaxes(0, 1) if batch_first else x
        return bytes_of(*model.forward(x, h_0, lengths=LENGTHS))

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
    theirs, rng = torch.nn.LSTM(3, H, 2, bidirectional=True).double(), np.random.default_rng(1)
    weights = iter([w.detach().numpy() for w in theirs.parameters()])
    layers = [[CellWeights(*islice(weights, 4)) for _ in range(2)] for _ in range(2)]
    x = rng.standard_normal((STEPS, BATCH_SIZE, 3))
    h, c = rng.uniform(-1, 1, (2, 4, BATCH_SIZE, H))

    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.from_numpy(x), LENGTHS, enforce_sorted=False
    )
    packed, last = theirs(packed, (torch.from_numpy(h), torch.from_numpy(c)))
    output, _ = torch.nn.utils.rnn.pad_packed_sequence(packed)
    ours, state = run_layers(lstm_step, layers, x, (h, c), LENGTHS, lambda y: y)
    for a, b in zip((ours, *state), (output, *last), strict=True):
        assert abs(a - b.detach().numpy()).max() < 1e-12
