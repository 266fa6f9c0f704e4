"""`RNN` beyond what the suite judges: bits that lengths leave alone, and a cell of another kind."""

from itertools import islice
from typing import Any

import numpy as np
import pytest
from rnn_reference.cells import CellWeights, State
from rnn_reference.layer import run_layers
from rnn_reference.weights import Array

from .models import LENGTHS, STEPS, bits, drawn_inputs, drawn_layers, drawn_state, results


def test_kinds_of_lengths() -> None:
    """Lengths that are all T change no bit; any kind of integer will do."""
    model = drawn_layers(num_layers=2, bidirectional=True)
    given = drawn_inputs(model), drawn_state(model)
    whole, cut = bits(results(model, *given)), bits(results(model, *given, lengths=LENGTHS))
    for dtype in (np.int64, np.int32, np.uint8, np.uint64, ">i4"):
        assert bits(results(model, *given, lengths=np.full_like(LENGTHS, STEPS, dtype))) == whole
        assert bits(results(model, *given, lengths=LENGTHS.astype(dtype))) == cut != whole


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("filler", [np.nan, np.inf, -np.inf, 1e308])
def test_padding_has_no_influence(filler: float, batch_first: bool) -> None:
    """Whatever stands after a sequence changes no bit; what stands in its last step does."""
    model = drawn_layers(num_layers=2, bidirectional=True, batch_first=batch_first)
    inputs, h_0 = drawn_inputs(model), drawn_state(model)
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
