"""Models and inputs that the tests share, all drawn from a seed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from rnn_reference import GRU, LSTM, RNN, BatchGRU, BatchLSTM, BatchRNN, SingleSequenceRNN
from rnn_reference.weights import Array

StepRNN = SingleSequenceRNN | BatchRNN  # these give dicts by time step
AnyStack = RNN | LSTM | GRU
AnyRNN = StepRNN | AnyStack
KINDS: tuple[type[StepRNN], ...] = (SingleSequenceRNN, BatchRNN)
STACKS: tuple[type[AnyStack], ...] = (RNN, LSTM, GRU, BatchLSTM, BatchGRU)
DTYPES: tuple[type[np.floating], ...] = (np.float64, np.float32)
every_step_kind = pytest.mark.parametrize("kind", KINDS)
every_stack = pytest.mark.parametrize("kind", STACKS)
every_kind = pytest.mark.parametrize("kind", [*KINDS, *STACKS])
every_dtype = pytest.mark.parametrize("dtype", DTYPES)

STEPS, BATCH_SIZE = 6, 4
LENGTHS = np.array([4, 6, 1, 3])  # in no order, one of them 1 and one T


def drawn_model(kind: type[Any], *sizes: int, dtype: Any = np.float64, seed: int = 1) -> Any:
    """A model whose biases, too, are all distinct and none zero."""
    rng = np.random.default_rng(seed)
    model = kind(*sizes, dtype=dtype, rng=rng)
    model.weights = {
        name: w if w.any() else rng.standard_normal(w.shape).astype(dtype)
        for name, w in model.weights.items()
    }
    return model


def drawn_layers(kind: type[Any] = RNN, dtype: Any = np.float64, **options: Any) -> Any:
    """A model that contracts: a row of W_hh sums up to 1/4 in absolute values, one of W_ih to 1."""
    model = kind(3, 4, dtype=dtype, rng=1, **options)
    rows = {"weight_ih": 1, "weight_hh": 4}
    model.weights = {
        name: w / (rows[name[:9]] * abs(w).sum(axis=1, keepdims=True)) if w.ndim == 2 else w
        for name, w in model.weights.items()
    }
    return model


def drawn_inputs(model: AnyRNN, steps: int = STEPS, batch_size: int = BATCH_SIZE) -> Array:
    """Inputs, standard normal, of the rank that the model takes."""
    shape = (steps, batch_size, model.input_size)
    drawn = np.random.default_rng(2).standard_normal(shape).astype(model.dtype)
    return drawn[:, 0].copy() if isinstance(model, SingleSequenceRNN) else drawn


def drawn_state(model: AnyRNN, batch_size: int = BATCH_SIZE) -> Any:
    """An initial state, within ±1 as every later h; of an LSTM the tuple (h_0, c_0)."""
    columns = 1 if isinstance(model, SingleSequenceRNN) else batch_size
    shape: tuple[int, ...] = (model.hidden_size, columns)
    if isinstance(model, AnyStack):
        shape = (model.num_layers * (1 + model.bidirectional), batch_size, model.hidden_size)
    parts = np.random.default_rng(3).uniform(-1, 1, (2, *shape)).astype(model.dtype)
    return tuple(parts) if isinstance(model, LSTM) else parts[0]


def torch_name(kind: type[AnyStack]) -> str:
    """What torch calls it."""
    return kind.__name__.removeprefix("Batch")


def in_parts(state: Any) -> tuple[Array, ...]:
    """The arrays of a state as `forward` takes and returns it."""
    return state if isinstance(state, tuple) else (state,)


def bits(arrays: Mapping[Any, Array]) -> dict[Any, tuple[Any, ...]]:
    """What a mapping of arrays holds, bit for bit, and what it does not share with them."""
    return {key: (a.dtype, a.shape, a.tobytes()) for key, a in arrays.items()}


def results(model: Any, *args: Any, **kwargs: Any) -> dict[Any, Array]:
    """All arrays that a call of the model's `forward` gives, by a name."""
    outputs, states = model.forward(*args, **kwargs)
    if isinstance(model, AnyStack):
        return dict(zip(("output", "h_n", "c_n"), (outputs, *in_parts(states)), strict=False))
    return {("y", t): y for t, y in outputs.items()} | {("h", t): h for t, h in states.items()}


def with_entry(array: Any, at: tuple[int, ...], value: float) -> Any:
    """A copy of `array` with one entry changed."""
    changed = array.copy()
    changed[at] = value
    return changed
