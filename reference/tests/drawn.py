"""Models and inputs that the tests share, all drawn from a seed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from rnn_reference import BatchRNN, SingleSequenceRNN
from rnn_reference.weights import Array

AnyRNN = SingleSequenceRNN | BatchRNN
RNNS: tuple[type[AnyRNN], ...] = (SingleSequenceRNN, BatchRNN)
DTYPES: tuple[type[np.floating], ...] = (np.float64, np.float32)


def drawn_model(kind: type[AnyRNN], *sizes: int, dtype: Any = np.float64, seed: int = 1) -> AnyRNN:
    """A model whose biases, too, are all distinct and none zero."""
    generator = np.random.default_rng(seed)
    model = kind(*sizes, dtype=dtype, rng=generator)
    for name in ("b_xh", "b_hh", "b_ho"):
        setattr(model, name, generator.standard_normal(getattr(model, name).shape).astype(dtype))
    return model


def columns(model: AnyRNN, batch_size: int) -> int:
    """How many columns a state of this model has."""
    return batch_size if isinstance(model, BatchRNN) else 1


def drawn_inputs(model: AnyRNN, steps: int = 6, batch_size: int = 4) -> Array:
    """Inputs of the rank that the model takes."""
    shape = (steps, batch_size, model.input_size)
    drawn = np.random.default_rng(2).standard_normal(shape).astype(model.dtype)
    return drawn if isinstance(model, BatchRNN) else drawn[:, 0].copy()


def drawn_state(model: AnyRNN, batch_size: int = 4) -> Array:
    """An initial state, within ±1 as every later state."""
    shape = (model.hidden_size, columns(model, batch_size))
    return np.random.default_rng(3).uniform(-1, 1, shape).astype(model.dtype)


def bits(arrays: Mapping[Any, Array]) -> dict[Any, tuple[Any, ...]]:
    """What a mapping of arrays holds, bit for bit, and what it does not share with them."""
    return {key: (a.dtype, a.shape, a.tobytes()) for key, a in arrays.items()}
