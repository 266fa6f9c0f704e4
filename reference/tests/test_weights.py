"""The weights of a model: how they are drawn, and how they travel."""

import copy
import pickle
import random
from itertools import product
from typing import Any

import numpy as np
import pytest
from rnn_reference import GRU, LSTM, RNN, WEIGHT_NAMES, BatchRNN, SingleSequenceRNN, weight_shapes

from .models import (
    STACKS,
    AnyRNN,
    AnyStack,
    StepRNN,
    bits,
    drawn_inputs,
    drawn_layers,
    drawn_model,
    drawn_state,
    every_dtype,
    every_kind,
    every_stack,
    every_step_kind,
    results,
    torch_name,
)


@every_step_kind
@every_dtype
def test_names_shapes_dtypes(kind: type[StepRNN], dtype: type[np.floating]) -> None:
    """Attributes and mapping agree with the contract; biases are exactly zero at first."""
    model = kind(3, 5, 2, dtype=dtype, rng=1)
    shapes = weight_shapes(3, 5, 2)
    assert [*shapes.values()] == [(5, 3), (5, 1), (5, 5), (5, 1), (2, 5), (2, 1)]
    assert list(shapes) == list(WEIGHT_NAMES) == list(model.weights)
    assert WEIGHT_NAMES == ("W_xh", "b_xh", "W_hh", "b_hh", "W_ho", "b_ho")
    for name, array in model.weights.items():
        assert bits({"": getattr(model, name)}) == bits({"": array})
        assert (array.shape, array.dtype) == (shapes[name], model.dtype)
        assert array.any() == name.startswith("W")


@every_stack
@pytest.mark.parametrize("bias", [True, False])
def test_layers_have_the_names_and_shapes_of_torch(kind: type[AnyStack], bias: bool) -> None:
    """In torch's order; layer 1 is as wide as both directions of layer 0."""
    torch = pytest.importorskip("torch")
    ours = kind(3, 5, 2, bias=bias, bidirectional=True, rng=1).weights
    of_torch = getattr(torch.nn, torch_name(kind))
    theirs = of_torch(3, 5, 2, bias=bias, bidirectional=True).state_dict()
    assert [(n, w.shape) for n, w in ours.items()] == [(n, w.shape) for n, w in theirs.items()]


@every_kind
@every_dtype
def test_drawn(kind: type[AnyRNN], dtype: type[np.floating]) -> None:
    """The generator's next numbers, drawn in float64 and then rounded, whatever was drawn before.

    Standard normal with biases of 0, those of stacks uniform from -1/√H to 1/√H.
    """
    before = random.getstate(), str(np.random.get_state())  # noqa: NPY002
    expected, generator = np.random.default_rng(1), np.random.default_rng(1)
    seeds: list[Any] = [1, np.int64(1), generator, generator]
    made: list[AnyRNN] = [kind(3, 5, 2, dtype=dtype, rng=rng) for rng in seeds]
    wanted: list[dict[str, Any]] = [{}, {}]
    for drawn, (name, weight) in product(wanted, made[0].weights.items()):
        if kind in STACKS:
            values = expected.uniform(-1 / 5**0.5, 1 / 5**0.5, weight.shape)
        else:
            values = expected.standard_normal(weight.shape) if name[0] == "W" else 0 * weight
        drawn[name] = values.astype(dtype)
    *first, second = (bits(model.weights) for model in made)
    assert first == [bits(wanted[0])] * 3
    assert second == bits(wanted[1]) != first[0]
    assert (random.getstate(), str(np.random.get_state())) == before  # noqa: NPY002


OF_LAYERS = [
    {"num_layers": layers, "bias": bias, "bidirectional": both}
    for layers, bias, both in product((1, 12), (True, False), (True, False))
]


@every_dtype
@pytest.mark.parametrize(
    ("kind", "options"),
    [(SingleSequenceRNN, {}), (BatchRNN, {}), *product(STACKS, OF_LAYERS)],
)
def test_mapping_round_trip(
    kind: type[AnyRNN], options: dict[str, Any], dtype: type[np.floating]
) -> None:
    """A mapping, in whatever order, makes the same model anew, or replaces another's weights.

    Names and shapes bring back every option that they can show, of more than ten layers too.
    """
    if kind in STACKS:
        model: AnyRNN = drawn_layers(kind, dtype, **options)
        other: AnyRNN = kind(3, 4, rng=9, dtype=dtype, **options)
    else:
        model, other = (drawn_model(kind, 3, 5, 2, dtype=dtype, seed=seed) for seed in (1, 9))
    assert bits(other.weights) != bits(model.weights)
    shuffled = dict(sorted(model.weights.items(), reverse=True))
    other.weights = shuffled
    given = drawn_inputs(model), drawn_state(model)
    for same in (other, kind.from_weights(shuffled)):
        assert repr(same) == repr(model)
        assert list(same.weights) == list(model.weights)
        assert bits(same.weights) == bits(model.weights)
        assert bits(results(same, *given)) == bits(results(model, *given))


def test_a_model_shows_its_options() -> None:
    """What names and shapes do not show is given beside them."""
    weights = drawn_layers(num_layers=2).weights
    model = RNN.from_weights(weights, nonlinearity="relu", batch_first=True, dropout=0.25)
    assert (model.nonlinearity, model.batch_first, model.dropout) == ("relu", True, 0.25)
    assert repr(model) == (
        "RNN(input_size=3, hidden_size=4, num_layers=2, bias=True, bidirectional=False, "
        "nonlinearity='relu', batch_first=True, dropout=0.25, dtype=float64)"
    )
    gru = GRU.from_weights(drawn_layers(GRU).weights, reset_after=False, batch_first=True)
    assert repr(gru) == (
        "GRU(input_size=3, hidden_size=4, num_layers=1, bias=True, bidirectional=False, "
        "reset_after=False, batch_first=True, dropout=0.0, dtype=float64)"
    )
    assert repr(drawn_layers(LSTM, "f4", bias=False)) == (
        "LSTM(input_size=3, hidden_size=4, num_layers=1, bias=False, bidirectional=False, "
        "batch_first=False, dropout=0.0, dtype=float32)"
    )
    shares: list[Any] = [0, 1, np.float32(0.5)]
    assert [RNN(3, 4, dropout=p, rng=1).dropout for p in shares] == shares
    other = repr(BatchRNN(3, 5, 2, dtype="f4", rng=1))
    assert other == "BatchRNN(input_size=3, hidden_size=5, output_size=2, dtype=float32)"


@every_step_kind
def test_a_copy_is_a_model_of_its_own(kind: type[StepRNN]) -> None:
    """What is written to a weight of a copy decides what it computes, and that alone."""
    model = drawn_model(kind, 3, 5, 2)
    inputs, before = drawn_inputs(model), bits(model.weights)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (type(other), bits(other.weights)) == (kind, before)
        for name in WEIGHT_NAMES:
            getattr(other, name)[:] = 0
        assert bits(model.weights) == before
        assert not any(y.any() for y in other.forward(inputs)[0].values())
        assert all(y.any() for y in model.forward(inputs)[0].values())


@every_step_kind
def test_a_changed_weight_is_computed_with(kind: type[StepRNN]) -> None:
    """However a weight is changed between two calls, the second computes with what it is now."""
    model, new = drawn_model(kind, 3, 5, 2), drawn_model(kind, 3, 5, 2, seed=9).weights
    inputs, old = drawn_inputs(model), model.weights

    def computes_with(weights: Any) -> bool:
        other = kind.from_weights(weights)
        return bits(model.forward(inputs)[0]) == bits(other.forward(inputs)[0])

    got = {name: getattr(model, name) for name in new}
    assert computes_with(old)
    for name, value in new.items():
        got[name][:] = value
    assert computes_with(new)
    assert not computes_with(old)
    model.W_hh *= 2
    model.b_hh += 1
    assert computes_with(new | {"W_hh": 2 * new["W_hh"], "b_hh": 1 + new["b_hh"]})
    model.weights = old
    assert computes_with(old)


@every_step_kind
def test_weights_change_places(kind: type[StepRNN]) -> None:
    model = drawn_model(kind, 4, 4, 4)
    W_xh, W_hh = model.weights["W_xh"], model.weights["W_hh"]
    model.W_xh, model.W_hh = model.W_hh, model.W_xh
    assert bits({"": model.W_xh, " ": model.W_hh}) == bits({"": W_hh, " ": W_xh})
    model.weights = {**model.weights, "W_xh": model.W_hh, "W_hh": model.W_xh}
    assert bits({"": model.W_xh, " ": model.W_hh}) == bits({"": W_xh, " ": W_hh})
