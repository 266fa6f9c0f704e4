"""The six weights: how they are drawn, and how they travel."""

import copy
import math
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_reference import WEIGHT_NAMES, load_weights, save_weights, weight_shapes

from .drawn import DTYPES, RNNS, AnyRNN, bits, drawn_inputs, drawn_model, drawn_state

every_kind = pytest.mark.parametrize("kind", RNNS)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@every_kind
@every_dtype
def test_names_shapes_dtypes(kind: type[AnyRNN], dtype: type[np.floating]) -> None:
    """Attributes and mapping agree with the contract; biases are exactly zero at first."""
    model = kind(3, 5, 2, dtype=dtype, rng=1)
    shapes = {"W_xh": (5, 3), "b_xh": (5, 1), "W_hh": (5, 5), "b_hh": (5, 1), "W_ho": (2, 5)}
    shapes["b_ho"] = (2, 1)
    assert shapes == weight_shapes(3, 5, 2)
    assert list(shapes) == list(WEIGHT_NAMES) == list(model.weights)
    assert {name: a.shape for name, a in model.weights.items()} == shapes
    for name, array in model.weights.items():
        assert bits({"": getattr(model, name)}) == bits({"": array})
        assert array.dtype == model.dtype == dtype
        assert array.any() == name.startswith("W")


@every_kind
def test_drawn_standard_normal(kind: type[AnyRNN]) -> None:
    """The sums of w, w² and w⁴ over n entries are within 6 standard deviations of their means.

    For a standard normal w these have means 0, 1 and 3 and variances 1, 2 and 96, so a sum of n
    has n times that. w⁴ tells a normal from any other distribution of the same mean and variance
    that one is likely to draw from: of a uniform one its mean is 1.8. Rows, columns or weights that
    are copies of others would pass, hence the last line.
    """
    model = kind(600, 700, 650, rng=1)
    for drawn in (model.W_xh, model.W_hh, model.W_ho):
        n = drawn.size
        for power, mean, variance in ((1, 0, 1), (2, 1, 2), (4, 3, 96)):
            assert abs((drawn**power).sum() - n * mean) <= 6 * math.sqrt(n * variance), power
    entries = np.concatenate([model.W_xh, model.W_hh, model.W_ho.T], axis=1)
    assert np.unique(entries).size == entries.size


@every_kind
def test_seed_decides(kind: type[AnyRNN]) -> None:
    """One seed, one model, whatever was drawn before; another seed, or a second draw, another."""

    def drawn(rng: Any) -> dict[Any, tuple[Any, ...]]:
        return bits(kind(3, 5, 2, rng=rng).weights)

    random_state, numpy_state = random.getstate(), str(np.random.get_state())  # noqa: NPY002
    generator = np.random.default_rng(1)
    first, second = drawn(generator), drawn(generator)
    assert first == drawn(1) == drawn(np.int64(1)) == drawn(np.random.default_rng(1))
    assert all(first[name] != second[name] for name in WEIGHT_NAMES if name[0] == "W")
    assert all(first[name] != drawn(2)[name] for name in WEIGHT_NAMES if name[0] == "W")
    assert random.getstate() == random_state
    assert str(np.random.get_state()) == numpy_state  # noqa: NPY002


@every_kind
def test_float32_is_float64_rounded(kind: type[AnyRNN]) -> None:
    """A seed gives the same model in both dtypes, to within one rounding."""
    wide, narrow = (kind(3, 5, 2, dtype=dtype, rng=1).weights for dtype in DTYPES)
    assert bits({name: a.astype(np.float32) for name, a in wide.items()}) == bits(narrow)


@every_kind
@every_dtype
def test_mapping_round_trip(kind: type[AnyRNN], dtype: type[np.floating]) -> None:
    """One mapping makes the same model anew, in either class, or replaces another's weights."""
    model = drawn_model(kind, 3, 5, 2, dtype=dtype)
    other = kind(3, 5, 2, dtype=dtype, rng=9)
    other.weights = model.weights
    again = kind.from_weights(model.weights)
    assert repr(again) == repr(model) == repr(other)
    assert bits(again.weights) == bits(model.weights) == bits(other.weights)
    inputs, h_0 = drawn_inputs(model), drawn_state(model)
    wanted = [bits(part) for part in model.forward(inputs, h_0)]
    for each in (again, other):
        assert [bits(part) for part in each.forward(inputs, h_0)] == wanted


@every_dtype
@pytest.mark.parametrize("file_name", ["weights", "weights.npz", "weights.v1"])
def test_file_round_trip(dtype: type[np.floating], file_name: str, tmp_path: Path) -> None:
    """Every bit comes back, from exactly the file named; the same weights make the same file."""
    info = np.finfo(dtype)
    weights = drawn_model(RNNS[0], 3, 5, 2, dtype=dtype).weights
    extremes = [-0.0, info.max, -info.max, info.tiny, info.smallest_subnormal]
    weights["W_hh"][0] = np.array(extremes, dtype)
    weights["W_ho"] = np.asfortranarray(weights["W_ho"])
    paths = [tmp_path / file_name, tmp_path / "again"]
    for path in (paths[0], str(paths[1])):
        save_weights(path, weights)
        assert bits(load_weights(path)) == bits(weights)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_refused_weights_leave_the_file(tmp_path: Path) -> None:
    """Weights that are refused neither overwrite a good file nor leave an empty one."""
    weights = drawn_model(RNNS[0], 3, 5, 2).weights
    old, new = tmp_path / "old", tmp_path / "new"
    save_weights(old, weights)
    for path in (old, new):
        with pytest.raises(ValueError, match="missing b_ho"):
            save_weights(path, {name: a for name, a in weights.items() if name != "b_ho"})
    assert bits(load_weights(old)) == bits(weights)
    assert not new.exists()


@every_kind
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_is_a_model_of_its_own(kind: type[AnyRNN], copied: Callable[[Any], Any]) -> None:
    """What is written to a weight of a copy decides what it computes, and that alone."""
    model = drawn_model(kind, 3, 5, 2)
    inputs, before = drawn_inputs(model), bits(model.weights)
    model.forward(inputs)
    model.told = "kept"  # type: ignore[union-attr]
    other = copied(model)
    assert (type(other), other.told) == (kind, "kept")
    assert bits(other.weights) == before
    for name in WEIGHT_NAMES:
        getattr(other, name)[:] = 0
    assert bits(model.weights) == before
    outputs, _ = other.forward(inputs)
    assert not any(y.any() for y in outputs.values())
    assert all(y.any() for y in model.forward(inputs)[0].values())


def set_in_place(model: AnyRNN, new: dict[str, Any]) -> None:
    for name, value in new.items():
        getattr(model, name)[:] = value


def set_through_arrays_got_before(model: AnyRNN, new: dict[str, Any]) -> None:
    got = {name: getattr(model, name) for name in new}
    model.forward(drawn_inputs(model))
    for name, value in new.items():
        got[name][:] = value


def set_by_name(model: AnyRNN, new: dict[str, Any]) -> None:
    for name, value in new.items():
        setattr(model, name, value)


def set_by_arithmetic(model: AnyRNN, new: dict[str, Any]) -> None:
    for name, value in new.items():
        array = getattr(model, name)  # as `model.W_hh *= 0` and `model.W_hh += value` do
        array *= 0
        array += value
        setattr(model, name, array)


def set_at_once(model: AnyRNN, new: dict[str, Any]) -> None:
    model.weights = new


@every_kind
@pytest.mark.parametrize(
    "change",
    [set_in_place, set_through_arrays_got_before, set_by_name, set_by_arithmetic, set_at_once],
)
def test_a_changed_weight_is_computed_with(
    kind: type[AnyRNN], change: Callable[[AnyRNN, dict[str, Any]], None]
) -> None:
    """However a weight is changed between two calls, the second computes with what it is now."""
    model, new = drawn_model(kind, 3, 5, 2), drawn_model(kind, 3, 5, 2, seed=9).weights
    inputs = drawn_inputs(model)
    first = bits(model.forward(inputs)[0])
    change(model, new)
    again = bits(model.forward(inputs)[0])
    assert again == bits(kind.from_weights(new).forward(inputs)[0]) != first


@every_kind
def test_weights_change_places(kind: type[AnyRNN]) -> None:
    """An array that was got before an assignment keeps what it held."""
    model = drawn_model(kind, 4, 4, 4)
    W_xh, W_hh = model.weights["W_xh"], model.weights["W_hh"]
    model.W_xh, model.W_hh = model.W_hh, model.W_xh
    assert bits({"": model.W_xh, " ": model.W_hh}) == bits({"": W_hh, " ": W_xh})
    model.weights = {**model.weights, "W_xh": model.W_hh, "W_hh": model.W_xh}
    assert bits({"": model.W_xh, " ": model.W_hh}) == bits({"": W_xh, " ": W_hh})
