"""Dropout between layers: how often, how much, where and when."""

import math
from typing import Any

import numpy as np
import pytest
from rnn_reference import RNN

from .drawn import DTYPES
from .layer_cases import LENGTHS, drawn_batch, drawn_layers
from .test_layer import bytes_of

SHAPE = T, B, H = 40, 30, 25


def showing(num_layers: int, dropout: float, last_bias: float = 0, dtype: Any = np.float64) -> RNN:
    """A model whose output shows what was dropped: each layer gives what it reads, which is 1.

    The last layer adds its bias to that.
    """
    model = RNN(1, H, num_layers, "relu", dropout=dropout, dtype=dtype, rng=1)
    weights = {name: np.zeros_like(w) for name, w in model.weights.items()}
    weights["weight_ih_l0"][:] = 1
    for k in range(1, num_layers):
        weights[f"weight_ih_l{k}"] = np.eye(H, dtype=dtype)
    weights[f"bias_hh_l{num_layers - 1}"] += last_bias
    model.weights = weights
    return model


def implausible(zeros: Any, p: float) -> list[str]:
    """In what an array (T, B, H) of what was zeroed is not independent with probability p each.

    Of n entries a Binomial(n, p) number is zeroed, in a given time step, row or unit too: it is
    within 6 standard deviations √(n p (1 - p)) of n p. Two neighbours along an axis agree with
    probability r = p² + (1 - p)²; a pair is independent of all but itself and two others, so the
    number of agreements among n pairs has a variance of at most 3 n r (1 - r).
    """
    found = []

    def look(what: str, count: int, n: int, mean: float, variance: float) -> None:
        if abs(count - n * mean) > 6 * math.sqrt(n * variance):
            found.append(f"{what}: expected {n * mean:.0f}, got {count}")

    look("all", int(zeros.sum()), zeros.size, p, p * (1 - p))
    r = p**2 + (1 - p) ** 2
    for axis, name in enumerate(("time", "row", "unit")):
        by_entry = np.moveaxis(zeros, axis, 0)
        for i, part in enumerate(by_entry):
            look(f"{name} {i}", int(part.sum()), part.size, p, p * (1 - p))
        agree = by_entry[1:] == by_entry[:-1]
        look(f"neighbours in {name}", int(agree.sum()), agree.size, r, 3 * r * (1 - r))
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", [0.25, 0.5, 0.9])
def test_share_and_scale(p: float, dtype: type[np.floating]) -> None:
    """Every entry is 0 with probability p, independently of all others, or divided by 1 - p."""
    inputs = np.ones((T, B, 1), dtype)
    output, _ = showing(2, p, dtype=dtype).forward(inputs, training=True, rng=1)
    kept = 1 / (1 - p)
    assert output.dtype == dtype
    assert bool(((output == 0) | (abs(output / kept - 1) <= 4 * np.finfo(dtype).eps)).all())
    assert implausible(output == 0, p) == []


def test_statistics_can_fail() -> None:
    """Another share, and a choice shared along an axis, are seen."""
    rng = np.random.default_rng(1)
    fair = rng.random(SHAPE)
    assert implausible(fair < 0.25, 0.25) == []
    assert implausible(fair < 0.25, 0.75)
    assert implausible(fair < 0.25, 0.27)
    for shape in ((1, B, H), (T, 1, H), (T, B, 1)):
        shared = np.broadcast_to(rng.random(shape) < 0.25, SHAPE)
        assert any("neighbours" in line for line in implausible(shared, 0.25))


def test_between_layers_only() -> None:
    """Inputs and the last layer's outputs are left alone; of two gaps (1 - p)² is kept."""
    inputs, p = np.ones((T, B, 1)), 0.5
    output, h_n = showing(2, p, last_bias=1).forward(inputs, training=True, rng=1)
    assert set(np.unique(output)) == {1.0, 3.0}
    assert bytes_of(h_n[0]) == bytes_of(np.ones((B, H)))  # layer 0 itself is not touched
    assert bytes_of(h_n[1]) == bytes_of(output[-1])
    output, _ = showing(3, p).forward(inputs, training=True, rng=1)
    assert set(np.unique(output)) == {0.0, 4.0}
    assert implausible(output == 0, 0.75) == []
    output, _ = showing(1, p).forward(inputs, training=True)
    assert set(np.unique(output)) == {1.0}


def test_p_zero_and_one() -> None:
    """p = 0 changes no bit and needs no rng; with p = 1 the next layer reads zeros."""
    inputs, h_0 = drawn_batch(drawn_layers(num_layers=2))
    plain = bytes_of(*drawn_layers(num_layers=2).forward(inputs, h_0))
    assert bytes_of(*drawn_layers(num_layers=2).forward(inputs, h_0, training=True)) == plain
    model = drawn_layers(num_layers=2, dropout=1.0)
    upper = {name.replace("l1", "l0"): w for name, w in model.weights.items() if "l1" in name}
    y, h = RNN.from_weights(upper).forward(np.zeros((*inputs.shape[:2], 4)), h_0[1:])
    output, h_n = model.forward(inputs, h_0, training=True, rng=1)
    assert bytes_of(output, h_n[1]) == bytes_of(y, h[0]) != plain


@pytest.mark.parametrize("dropout", [0.5, 1.0])
def test_only_in_training(dropout: float) -> None:
    """Without training, dropout changes no bit and draws nothing."""
    model = drawn_layers(num_layers=3, bidirectional=True, dropout=dropout)
    inputs, h_0 = drawn_batch(model)
    plain = drawn_layers(num_layers=3, bidirectional=True).forward(inputs, h_0)
    rng = np.random.default_rng(1)
    state = str(rng.bit_generator.state)
    assert bytes_of(*model.forward(inputs, h_0)) == bytes_of(*plain)
    assert bytes_of(*model.forward(inputs, h_0, rng=rng)) == bytes_of(*plain)
    assert str(rng.bit_generator.state) == state
    trained = model.forward(inputs, h_0, training=True, rng=rng)
    assert bytes_of(*trained) != bytes_of(*plain)


def test_seed_decides() -> None:
    """One seed, one result, in either layout; a generator goes on; lengths stay padded with 0."""
    model = drawn_layers(num_layers=2, dropout=0.5)
    inputs, h_0 = drawn_batch(model)

    def run(rng: Any) -> dict[Any, tuple[Any, ...]]:
        return bytes_of(*model.forward(inputs, h_0, training=True, rng=rng))

    rng = np.random.default_rng(1)
    assert run(1) == run(rng) == run(np.int64(1)) != run(2)
    assert run(rng) != run(1)
    turned = drawn_layers(num_layers=2, dropout=0.5, batch_first=True)
    output, h_n = turned.forward(inputs.swapaxes(0, 1), h_0, training=True, rng=1)
    assert bytes_of(output.swapaxes(0, 1), h_n) == run(1)
    output, _ = model.forward(inputs, h_0, lengths=LENGTHS, training=True, rng=1)
    assert not output[np.arange(len(inputs))[:, np.newaxis] >= LENGTHS].any()
    assert output.any()
