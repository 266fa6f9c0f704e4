"""Stacks of layers and batches that the tests of `RNN` share, all drawn from a seed."""

from typing import Any

import numpy as np
from rnn_reference import RNN
from rnn_reference.weights import Array

STEPS, BATCH_SIZE = 6, 4
LENGTHS = np.array([4, 6, 1, 3])  # in no order, one of them 1 and one T


ALIVE = 273  # a seed with which every ReLU unit is on in some steps and off in others


def drawn_layers(seed: int = ALIVE, dtype: Any = np.float64, **options: Any) -> RNN:
    """A model that contracts: a row of W_hh sums up to 1/4 in absolute values, one of W_ih to 1."""
    model = RNN(3, 4, dtype=dtype, rng=seed, **options)
    rows = {"weight_ih": 1, "weight_hh": 4}
    model.weights = {
        name: w / (rows[name[:9]] * abs(w).sum(axis=1, keepdims=True)) if w.ndim == 2 else w
        for name, w in model.weights.items()
    }
    return model


def drawn_batch(model: RNN, steps: int = STEPS, batch_size: int = BATCH_SIZE) -> tuple[Array, ...]:
    """Inputs (T, B, I), standard normal, and h_0 (L*D, B, H), within ±1."""
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((steps, batch_size, model.input_size))
    slots = model.num_layers * (1 + model.bidirectional)
    h_0 = rng.uniform(-1, 1, (slots, batch_size, model.hidden_size))
    return inputs.astype(model.dtype), h_0.astype(model.dtype)
