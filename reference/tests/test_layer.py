"""`RNN` beyond what the suite judges: bits that lengths leave alone, and a cell of another kind."""

from itertools import islice

import numpy as np
import pytest
from rnn_reference.cells import CellWeights, State
from rnn_reference.layer import run_layers
from rnn_reference.weights import Array

from .models import LENGTHS, STEPS, bits, drawn_inputs, drawn_layers, drawn_state, results


def test_lengths_of_every_kind_and_whatever_padding() -> None:
    """Any kind of integer will do, all T change no bit, nor does what stands after a sequence."""
    model = drawn_layers(num_layers=2, bidirectional=True)
    inputs, h_0 = drawn_inputs(model), drawn_state(model)
    whole, cut = (bits(results(model, inputs, h_0, lengths=n)) for n in (None, LENGTHS))
    for dtype in (np.int64, np.int32, np.uint8, np.uint64, ">i4"):
        full = np.full_like(LENGTHS, STEPS, dtype)
        assert bits(results(model, inputs, h_0, lengths=full)) == whole
        assert bits(results(model, inputs, h_0, lengths=LENGTHS.astype(dtype))) == cut != whole
    for filler in (np.nan, np.inf, -np.inf, 1e308):
        padding = np.arange(STEPS)[:, np.newaxis, np.newaxis] >= LENGTHS[:, np.newaxis]
        padded = np.where(padding, filler, inputs)
        assert bits(results(model, padded, h_0, lengths=LENGTHS)) == cut


def lstm_step(w: CellWeights, x: Array, state: State) -> tuple[Array, State]:
    """An LSTM, gates in torch's order: a cell of which one part shows only at the end."""
    h, c = state
    i, f, g, o = np.split(x @ w.W_ih.T + w.b_ih + h @ w.W_hh.T + w.b_hh, 4, axis=1)
    c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
    h = np.tanh(c) / (1 + np.exp(-o))
    return h, (h, c)


def test_the_loops_round_an_lstm_step_give_what_torch_does() -> None:
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
