"""The kinds of weights are what `Case` says of them."""

from dataclasses import replace

import numpy as np
import pytest
from rnn_conformance.cases.case import Case
from rnn_conformance.cells import CellWeights
from rnn_conformance.cells.cell import Kind
from rnn_conformance.cells.drawing import EXTREMES
from rnn_conformance.cells.weights import handing_on, of_cell, of_two, permuted
from rnn_conformance.contract.call import GATES, Options


def drawn(kind: Kind, I: int = 200, H: int = 100) -> CellWeights:
    case = Case(I=I, H=H, weights=kind, dtype="float64")
    return of_cell(case.data().weights, 0, 0, case.options)


@pytest.mark.parametrize(
    ("kind", "of_inputs", "of_biases"),
    [
        ("contractive", 0.7 / np.sqrt(200), 0.3),
        ("one_hot", 0.7 / np.sqrt(200), 0.3),
        ("integers", 0.7 / np.sqrt(200), 0.3),
        ("normal", 1, 1),
        ("initial", 1, 0),
        ("silent", 1, 0),
        ("moderate", 0.5 / np.sqrt(200), 0.3),
        ("special", 0.02, 1),
    ],
)
def test_how_large_weights_are(kind: Kind, of_inputs: float, of_biases: float) -> None:
    w = drawn(kind)
    np.testing.assert_allclose(np.std(w.W_ih), of_inputs, rtol=0.03)
    for bias in (w.b_ih, w.b_hh):
        np.testing.assert_allclose(np.sqrt(np.mean(bias**2)), of_biases, rtol=0.25)


@pytest.mark.parametrize(
    ("kind", "of_bias"), [("contractive", 1), ("normal", 1), ("initial", 0), ("silent", 0)]
)
def test_how_large_the_readout_is(kind: Kind, of_bias: float) -> None:
    w = Case(O=200, H=100, weights=kind, dtype="float64").data().weights
    np.testing.assert_allclose(np.std(w["W_ho"]), 1, rtol=0.03)
    np.testing.assert_allclose(np.sqrt(np.mean(w["b_ho"] ** 2)), of_bias, rtol=0.25)


def test_contractive_rows_have_an_absolute_sum_of_three_fifths() -> None:
    np.testing.assert_allclose(np.abs(drawn("contractive").W_hh).sum(axis=1), 0.6)
    assert np.abs(drawn("one_hot").W_hh).sum(axis=1).min() > 1


def test_extreme_biases_have_every_magnitude_in_both_signs() -> None:
    w = drawn("extreme", H=28)
    wanted = np.repeat(EXTREMES, 2) * np.resize([1.0, -1.0], 28)
    np.testing.assert_allclose(w.b_ih + w.b_hh, wanted)
    assert EXTREMES[0] == 1e-8
    assert EXTREMES[-1] == 1e10
    assert (np.diff(EXTREMES) > 0).all()
    assert any(44 < magnitude < 50 for magnitude in EXTREMES)  # where exp 2a is infinite
    scale = np.std(w.W_ih, axis=1) * np.sqrt(200) / np.abs(wanted)
    np.testing.assert_allclose(scale, 0.05, rtol=0.25)


def test_a_silent_unit_adds_zeros_of_one_sign() -> None:
    silent, loud = drawn("silent"), drawn("normal")
    assert (silent.W_ih[0] > 0).all()
    assert (silent.W_hh[0] < 0).all()
    assert (silent.W_ih[1:] < 0).any()
    assert (loud.W_ih[0] < 0).any()


def test_layers_hand_on_what_is_below_them() -> None:
    options = Options(5, 4, num_layers=2, bidirectional=True)
    found = handing_on(options, "float32", (None,))
    assert [*found] == [*options.weight_shapes()]
    read = {"l0": [0, 1, 2, 3], "l0_reverse": [4, 0, 1, 2]}
    read |= {"l1": [0, 1, 2, 3], "l1_reverse": [4, 5, 6, 7]}
    for end, columns in read.items():
        value = found.pop(f"weight_ih_{end}")
        assert (value == 0.5 * np.eye(value.shape[1])[columns]).all()
    assert not any(value.any() for value in found.values())


def test_layers_around_the_dense_one_are_those_that_hand_on() -> None:
    case = Case(L=3, cell="lstm", bidirectional=True, weights="transparent", dense=1)
    found = case.data().weights
    through = handing_on(case.options, case.dtype, case.equation.pins)
    normal = replace(case, weights="normal").data().weights
    for name, value in found.items():
        if "_l1" in name:
            assert value.all()
            assert 0.5 < value.std() / normal[name].std() < 2
        else:
            assert (value == through[name]).all()
    assert (through["bias_ih_l0"].reshape(4, -1).T == [50, -50, 0, 50]).all()


def test_gates_keep_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GATES, "gated", 3)
    options = Options(2, 4, cell="gated")
    rng = np.random.default_rng(0)
    weights = {n: rng.standard_normal(shape) for n, shape in options.weight_shapes().items()}
    order = np.array([1, 2, 3, 0])
    found = permuted(weights, order, options)
    for gate, was in zip(*(np.split(w["weight_ih_l0"], 3) for w in (found, weights)), strict=True):
        assert (gate == was[order]).all()
    for gate, was in zip(*(np.split(w["weight_hh_l0"], 3) for w in (found, weights)), strict=True):
        assert (gate == was[order][:, order]).all()
    both = of_two(weights, options)["weight_hh_l0"]
    for gate, was in zip(np.split(both, 3), np.split(weights["weight_hh_l0"], 3), strict=True):
        assert (gate == np.kron(np.eye(2), was)).all()
