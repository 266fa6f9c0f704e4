"""Dropout between layers: how often, how much, where and when."""

from typing import Any

import numpy as np
import pytest
from rnn_reference import RNN

from .models import LENGTHS, bits, drawn_inputs, drawn_layers, drawn_state, every_dtype, results

SHAPE = T, B, H = 40, 30, 25
ONES = np.ones((T, B, 1))


def showing(num_layers: int, dropout: float, dtype: Any) -> RNN:
    """A model whose output shows what was dropped: each layer gives what it reads, which is 1."""
    model = RNN(1, H, num_layers, "relu", dropout=dropout, dtype=dtype, rng=1)
    weights = {name: np.zeros_like(w) for name, w in model.weights.items()}
    weights["weight_ih_l0"][:] = 1
    for k in range(1, num_layers):
        weights[f"weight_ih_l{k}"] = np.eye(H, dtype=dtype)
    model.weights = weights
    return model


@every_dtype
@pytest.mark.parametrize("p", [0.25, 0.9, 1.0])
def test_share_and_scale(p: float, dtype: type[np.floating]) -> None:
    """An entry is 0 where the generator's next number, from 0 to 1, is below p; or over 1 - p."""
    rng, inputs = np.random.default_rng(1), ONES.astype(dtype)
    first, second = rng.random(SHAPE) >= p, rng.random(SHAPE) >= p
    for num_layers, kept in ((1, first | True), (2, first), (3, first & second)):
        model = showing(num_layers, p, dtype)
        output, h_n = model.forward(inputs, training=True, rng=1)
        wanted = kept * (1 - p) ** (1 - num_layers) if p < 1 else kept * 1.0
        assert output.dtype == dtype
        assert bool((abs(output - wanted) <= 8 * np.finfo(dtype).eps * wanted).all())
        assert bool((h_n[-1] == output[-1]).all())
        assert num_layers == 1 or bool((h_n[0] == 1).all())  # layer 0 itself is not touched


@pytest.mark.parametrize("dropout", [0.0, 0.5, 1.0])
def test_only_in_training(dropout: float) -> None:
    """Without training, or with p = 0, dropout changes no bit and draws nothing."""
    model = drawn_layers(num_layers=3, bidirectional=True, dropout=dropout)
    given = drawn_inputs(model), drawn_state(model)
    plain = bits(results(drawn_layers(num_layers=3, bidirectional=True), *given))
    rng = np.random.default_rng(1)
    state = str(rng.bit_generator.state)
    assert bits(results(model, *given)) == bits(results(model, *given, rng=rng)) == plain
    assert str(rng.bit_generator.state) == state
    if dropout:
        assert bits(results(model, *given, training=True, rng=rng)) != plain
    else:
        assert bits(results(model, *given, training=True)) == plain


def test_seed_decides() -> None:
    """One seed, one result, in either layout; a generator goes on; lengths stay padded with 0."""
    model = drawn_layers(num_layers=2, dropout=0.5)
    inputs, h_0 = drawn_inputs(model), drawn_state(model)

    def run(rng: Any) -> dict[Any, tuple[Any, ...]]:
        return bits(results(model, inputs, h_0, training=True, rng=rng))

    rng = np.random.default_rng(1)
    assert run(1) == run(rng) == run(np.int64(1)) != run(2)
    assert run(rng) != run(1)
    turned = drawn_layers(num_layers=2, dropout=0.5, batch_first=True)
    output, h_n = turned.forward(inputs.swapaxes(0, 1), h_0, training=True, rng=1)
    assert bits({"output": output.swapaxes(0, 1), "h_n": h_n}) == run(1)
    output, _ = model.forward(inputs, h_0, lengths=LENGTHS, training=True, rng=1)
    assert not output[np.arange(len(inputs))[:, np.newaxis] >= LENGTHS].any()
    assert output.any()
