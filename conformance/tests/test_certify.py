"""Traces from anywhere, judged in pieces."""

import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rnn_conformance import certify, trace
from rnn_conformance.bounds.balls import Precision
from rnn_conformance.bounds.judgement import Judgement, Place
from rnn_conformance.cases.case import Case
from rnn_conformance.cells import CELLS, CellWeights
from rnn_conformance.cells.cell import Kind
from rnn_conformance.cells.running import one_step
from rnn_conformance.contract.call import GATED, Array, Call, Dtype, Nonlinearity
from rnn_conformance.sources.seed_model import NAMES, seed_call
from rnn_conformance.trace import ROWS
from rnn_conformance.variants.recurrence import Recurrence, of_cell
from rnn_reference import RNN, BatchRNN

T, B, I, H = 3000, 4, 3, 5


def _trace(dtype: str = "float32", T: int = T) -> tuple[dict[str, Array], Array, Array]:
    rng = np.random.default_rng(0)
    model = BatchRNN(I, H, 1, dtype=dtype, rng=rng)
    inputs = rng.standard_normal((T, B, I)).astype(dtype)
    _, by_step = model.forward(inputs)
    return model.weights, inputs, np.stack([by_step[t].T for t in range(T)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_trace_conforms(dtype: str) -> None:
    weights, inputs, states = _trace(dtype)
    assert T * B > 2 * ROWS, "one piece would not show that the pieces fit together"
    found = certify(weights, inputs, states)
    assert (found.conforms, found.first_outside) == (True, None)
    assert found.worst.share == found.worst_share < 1
    # In float64 the judge may compute the very same.
    assert dtype == "float64" or found.worst_share > 0.01
    assert certify(weights, inputs[:, 1], states[:, 1]).conforms


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_initial_state_nonlinearity_and_weights_count(dtype: str) -> None:
    weights, inputs, states = _trace(dtype, T=20)
    cut = certify(weights, inputs[5:], states[5:], h_0=states[4])
    assert cut.conforms
    assert not certify(weights, inputs[5:], states[5:]).conforms
    assert not certify(weights, inputs, states, nonlinearity="relu").conforms
    for wrong in ({"W_hh": weights["W_hh"].T.copy()}, {"b_hh": weights["b_hh"] + inputs.max()}):
        assert not certify({**weights, **wrong}, inputs, states).conforms


def test_the_claimed_precision_decides() -> None:
    weights, inputs, states = _trace("float64", T=20)
    rounded = states.astype(np.float32)
    assert certify(weights, inputs, rounded).conforms
    assert not certify(weights, inputs, rounded, dtype="float64").conforms
    assert not certify(weights, inputs, rounded.astype(np.float64)).conforms


def test_a_trace_on_disk_is_judged_in_little_memory(tmp_path: Path) -> None:
    rows, wide = 200_000, 8
    rng = np.random.default_rng(1)
    model = BatchRNN(1, wide, 1, dtype="float32", rng=rng)
    inputs = rng.standard_normal((rows, 1, 1)).astype(np.float32)
    _, by_step = model.forward(inputs)
    np.save(tmp_path / "states.npy", np.stack([by_step[t].T for t in range(rows)]))
    del by_step
    states = np.load(tmp_path / "states.npy", mmap_mode="r")
    tracemalloc.start()
    found = certify(model.weights, inputs, states)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.conforms
    # A dozen arrays of ROWS·H float64 at a time, where all at once would be T·H of each.
    assert peak < 24 * ROWS * wide * 8 < rows * wide * 8 * 24 / 10


def _faint(call: Call) -> Call:
    """The squares of the inputs are 0, the products of inputs and weights are not."""
    far = np.array(1e-150 if call.dtype == "float64" else 1e-25, call.dtype)
    weights = {name: value * far for name, value in call.weights.items()}
    weights["weight_ih_l0"] = call.weights["weight_ih_l0"] / far**0.9
    return replace(call, inputs=call.inputs * far, weights=weights)


def _drawn(
    kind: str, nonlinearity: Nonlinearity, dtype: Dtype
) -> tuple[Mapping[str, Array], Array, Array]:
    """Weights, inputs (T, B, I) and right states (T, B, H), of moderate and extreme sizes."""
    weights: Kind = "normal" if kind == "faint" else kind  # type: ignore[assignment]
    case = Case(23, 5, 7, 12, h_0="none", cell=nonlinearity, dtype=dtype, weights=weights)
    call = _faint(case.call()) if kind == "faint" else case.call()
    layer = RNN.from_weights(call.weights, nonlinearity=nonlinearity)
    return seed_call(call).weights, call.inputs, np.array(layer.forward(call.inputs)[0])


def _made_wrong(states: Array) -> dict[str, Array]:
    """Right states, and the same with something wrong in them."""
    wrong = {name: states.copy() for name in ("a number", "a step", "NaN", "infinity")}
    wrong["a number"][17, 3, 11] += 1e-3
    wrong["a step"][20:] *= np.array(1.001, states.dtype)
    wrong["NaN"][9, 1, 4] = np.nan
    wrong["infinity"][0, 4, 4] = -np.inf
    wrong["everything"] = states + np.array(0.5, states.dtype)
    return {"nothing": states, **wrong}


def _where(place: Place | None) -> tuple[int, int, int] | None:
    return None if place is None else (place.step, place.row, place.unit)


@pytest.mark.parametrize("rows", [2, 10, 4096])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("kind", ["normal", "special", "contractive", "silent", "faint"])
def test_chunks_give_the_verdict_of_the_whole(
    kind: str, nonlinearity: Nonlinearity, dtype: Dtype, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a chunk is a part of a step, some steps, or all."""
    monkeypatch.setattr(trace, "ROWS", rows)
    weights, inputs, right = _drawn(kind, nonlinearity, dtype)
    for wrong, states in _made_wrong(right).items():
        before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
        with np.errstate(all="ignore"):
            w, cell = CellWeights.of_seed_model(weights), CELLS[nonlinearity]
            step, _ = one_step(cell, w, inputs, before, Precision.of(dtype))
            whole = Judgement("states", step.value, states, step.bound, "")
            (share, worst), outside = whole.worst(), whole.first_outside()
        found = certify(weights, inputs, states, nonlinearity=nonlinearity)
        assert found.conforms == (outside is None), wrong
        assert found.conforms or wrong != "nothing"
        assert _where(found.first_outside) == _where(outside), wrong
        # Of another product, `a` has other last digits: in float64, as large as what is judged.
        own = 0.1 if dtype == "float64" else 0
        assert found.worst_share == pytest.approx(share, rel=1e-6, abs=own), wrong
        if dtype == "float32" and share < np.inf:
            assert _where(found.worst) == _where(worst), wrong


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_unit_is_seen_as_soon_as_it_is_outside(dtype: str) -> None:
    weights, inputs, states = _trace(dtype, T=60)
    at = (59, 2, int(np.argmin(np.abs(states[-1, 2]))))
    far, near = states.copy(), states.copy()
    far[at] += 1e-3
    seen = certify(weights, inputs, far).first_outside
    assert seen is not None
    near[at] = seen.expected + 0.9 * seen.bound
    assert certify(weights, inputs, near).conforms
    near[at] = seen.expected + 1.2 * seen.bound
    found = certify(weights, inputs, near)
    assert _where(found.first_outside) == at
    assert f"step 59, row 2, unit {at[2]}" in str(found)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"states": [[0.0]]}, TypeError, "states: expected a NumPy array, got list"),
        ({"states": np.zeros((9, B, H), np.float16)}, TypeError, "dtype: .* got float16"),
        ({"states": np.zeros((9, B, H - 1))}, ValueError, r"states: expected shape \(9, 4, 5\)"),
        ({"inputs": np.zeros((8, B, I))}, ValueError, r"inputs: expected shape \(9, 4, 3\)"),
        ({"states": np.zeros((0, B, H))}, ValueError, r"states: .* one step .* got \(0, 4, 5\)"),
        ({"inputs": np.ma.zeros((9, B, I))}, TypeError, "inputs: .* got MaskedArray"),
        ({"weights": [1]}, TypeError, "weights: expected a mapping by name, got list"),
        ({"h_0": np.zeros((B, H + 1))}, ValueError, r"h_0: expected shape \(4, 5\), got \(4, 6\)"),
        ({"nonlinearity": "gelu"}, ValueError, "nonlinearity: expected 'tanh' or 'relu'"),
        ({"weights": {}}, ValueError, "missing W_xh"),
    ],
)
def test_bad_input(change: dict[str, Any], error: type[Exception], message: str) -> None:
    weights, inputs, states = _trace("float64", T=9)
    arguments: dict[str, Any] = {"weights": weights, "inputs": inputs, "states": states, **change}
    with pytest.raises(error, match=message):
        certify(**arguments)


def test_tensors_flat_biases_and_torch_names_are_taken() -> None:
    weights, inputs, states = _trace("float32")
    flat = {n: torch.tensor(v[:, 0] if n.startswith("b") else v) for n, v in weights.items()}
    assert certify(flat, torch.tensor(inputs), torch.tensor(states)).conforms
    theirs = {theirs: flat[ours] for theirs, ours in NAMES.items() if ours in flat}
    assert certify(theirs, torch.tensor(inputs), torch.tensor(states)).conforms
    assert not certify({**theirs, "weight_hh_l0": -flat["W_hh"]}, inputs, states).conforms


def test_states_of_the_other_byte_order_are_taken() -> None:
    weights, inputs, states = _trace("float32")
    assert certify(weights, inputs, states.astype(">f4")).conforms


def test_printed_states_are_judged_by_their_digits() -> None:
    weights, inputs, states = _trace("float64")
    printed = np.round(states, 4)
    assert not certify(weights, inputs, printed).conforms
    assert certify(weights, inputs, printed, digits=4).conforms
    assert not certify(weights, inputs, printed, digits=5).conforms
    assert not certify(weights, inputs, np.round(1.01 * states, 4), digits=4).conforms


def test_an_initial_state_of_one_layer_is_taken_as_torch_has_it() -> None:
    case = Case(5, 4, 3, 6, h_0="nonzero", cell="tanh", dtype="float64")
    call = case.call()
    states, _ = RNN.from_weights(call.weights).forward(call.inputs, call.h_0)
    weights = seed_call(call).weights
    assert call.h_0 is not None
    assert call.h_0.shape == (1, 4, 6)
    assert certify(weights, call.inputs, states, h_0=call.h_0).conforms
    assert not certify(weights, call.inputs, states, h_0=-call.h_0).conforms


@pytest.mark.parametrize("cell", GATED)
@pytest.mark.parametrize("T", [7, 1500])  # in one piece, in two
def test_a_trace_of_a_gated_cell_is_judged(cell: str, T: int) -> None:
    case = Case(T, 3, 5, 4, cell=cell, dtype="float32")
    data, found = case.data(), of_cell(Recurrence, cell)().run(case.call())
    h_0, c_0 = (*np.split(data.initial, len(data.options.parts), axis=-1), None)[:2]
    given: dict[str, Any] = {"h_0": h_0, "c_0": c_0, "c_n": found.c_n, "cell": cell}
    verdict = certify(data.weights, data.inputs, found.output, **given)
    assert verdict.conforms
    assert 0 < verdict.worst_share < 0.3
    wrong = found.output.copy()
    wrong[T - 2, 1, 3] += 1e-3
    verdict = certify(data.weights, data.inputs, wrong, **given)
    assert verdict.first_outside is not None
    assert (verdict.first_outside.step, verdict.first_outside.row) == (T - 2, 1)
    if c_0 is not None:
        given["c_n"] = c_0
        assert not certify(data.weights, data.inputs, found.output, **given).conforms


def test_what_a_gated_trace_lacks_is_named() -> None:
    case = Case(cell="lstm", dtype="float32")
    data = case.data()
    states = np.zeros((7, 4, 3), np.float32)
    with pytest.raises(ValueError, match="cell: expected lstm, gru, gru_reset_before or None"):
        certify(data.weights, data.inputs, states, cell="mlstm")
    with pytest.raises(ValueError, match="c_0, c_n: expected None for a cell without c, gru"):
        certify(Case(cell="gru").data().weights, data.inputs, states, cell="gru", c_n=states[0])
    with pytest.raises(ValueError, match="digits: expected None, since c is carried, got 4"):
        certify(data.weights, data.inputs, states, cell="lstm", digits=4)
    with pytest.raises(ValueError, match=r"weight_ih_l0: expected shape \(9, 5\), got \(12, 5\)"):
        certify(data.weights, data.inputs, states, cell="gru")
    with pytest.raises(ValueError, match="weights: weight_hh_l0 missing"):
        certify({"weight_ih_l0": states}, data.inputs, states, cell="gru")
