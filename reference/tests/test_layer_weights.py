"""The weights of `RNN`: their names, how they are drawn, and how they travel."""

import math
from typing import Any

import numpy as np
import pytest
from rnn_reference import RNN

from .drawn import DTYPES, bits
from .layer_cases import drawn_batch, drawn_layers
from .test_layer import bytes_of

every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@every_dtype
def test_names_shapes_dtypes(dtype: type[np.floating]) -> None:
    """Torch's names in torch's order; layer 1 is as wide as both directions of layer 0."""
    model = RNN(3, 5, 2, bidirectional=True, dtype=dtype, rng=1)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, width in (("l0", 3), ("l0_reverse", 3), ("l1", 10), ("l1_reverse", 10)):
        shapes |= {f"weight_ih_{layer}": (5, width), f"weight_hh_{layer}": (5, 5)}
        shapes |= {f"bias_ih_{layer}": (5,), f"bias_hh_{layer}": (5,)}
    assert [(name, w.shape) for name, w in model.weights.items()] == list(shapes.items())
    assert {w.dtype for w in model.weights.values()} == {np.dtype(dtype)}
    plain = RNN(3, 5, 2, bias=False, dtype=dtype, rng=1).weights
    wanted = {"weight_ih_l0": (5, 3), "weight_hh_l0": (5, 5)}
    wanted |= {"weight_ih_l1": (5, 5), "weight_hh_l1": (5, 5)}
    assert [(name, w.shape) for name, w in plain.items()] == list(wanted.items())


def test_more_than_ten_layers() -> None:
    """Layer 10 comes after layer 9, and is read back as such."""
    model = RNN(3, 2, 12, rng=1)
    assert list(model.weights)[-1] == "bias_hh_l11"
    assert repr(RNN.from_weights(dict(sorted(model.weights.items())))) == repr(model)


def test_drawn_uniform() -> None:
    """Of every weight, the sums of v, v² and v⁴ are within 6 standard deviations of their means.

    v = w √H is uniform from -1 to 1: these have means 0, 1/3 and 1/5 and variances 1/3,
    1/5 - 1/9 and 1/9 - 1/25. No |v| exceeds 1 by more than a rounding.
    """
    model = RNN(200, 300, 2, bidirectional=True, rng=1)
    entries = []
    for name, w in model.weights.items():
        v = w.ravel() * math.sqrt(300)
        assert abs(v).max() <= 1 + 4 * np.finfo(float).eps, name
        for power, mean, variance in ((1, 0, 1 / 3), (2, 1 / 3, 4 / 45), (4, 1 / 5, 16 / 225)):
            assert abs((v**power).sum() - v.size * mean) <= 6 * math.sqrt(v.size * variance), name
        entries.append(v)
    assert np.unique(np.concatenate(entries)).size == sum(v.size for v in entries)


def test_seed_decides() -> None:
    """One seed, one model; another seed, or a second draw, another; float32 is float64 rounded."""

    def drawn(rng: Any, dtype: Any = np.float64) -> dict[Any, Any]:
        return RNN(3, 5, 2, bidirectional=True, dtype=dtype, rng=rng).weights

    generator = np.random.default_rng(1)
    first, second = bits(drawn(generator)), bits(drawn(generator))
    assert first == bits(drawn(1)) == bits(drawn(np.int64(1)))
    assert all(first[name] not in (second[name], bits(drawn(2))[name]) for name in first)
    rounded = {name: w.astype(np.float32) for name, w in drawn(1).items()}
    assert bits(rounded) == bits(drawn(1, np.float32))


@every_dtype
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("both", [True, False])
def test_mapping_round_trip(dtype: type[np.floating], layers: int, bias: bool, both: bool) -> None:
    """Names and shapes bring back every option that they can show, in whatever order they come."""
    model = drawn_layers(dtype=dtype, num_layers=layers, bias=bias, bidirectional=both)
    shuffled = dict(reversed(model.weights.items()))
    again = RNN.from_weights(shuffled)
    other = RNN(3, 4, layers, bias=bias, bidirectional=both, dtype=dtype, rng=9)
    assert bits(other.weights) != bits(model.weights)
    other.weights = shuffled
    assert repr(again) == repr(model) == repr(other)
    assert list(again.weights) == list(other.weights) == list(model.weights)
    assert bits(again.weights) == bits(model.weights) == bits(other.weights)
    wanted = bytes_of(*model.forward(*drawn_batch(model)))
    for copy in (again, other):
        assert bytes_of(*copy.forward(*drawn_batch(model))) == wanted


def test_options_of_from_weights() -> None:
    """What names and shapes do not show is given beside them."""
    weights = drawn_layers(num_layers=2).weights
    model = RNN.from_weights(weights, nonlinearity="relu", batch_first=True, dropout=0.25)
    assert (model.nonlinearity, model.batch_first, model.dropout) == ("relu", True, 0.25)
    assert repr(model) == (
        "RNN(input_size=3, hidden_size=4, num_layers=2, bias=True, bidirectional=False, "
        "nonlinearity='relu', batch_first=True, dropout=0.25, dtype=float64)"
    )
