"""The sieve finds what the full certificate of every number finds, and nothing else."""

from typing import Any

import numpy as np
import pytest
from rnn_conformance import certificate, certify, sieve, trace
from rnn_conformance.certificate import Float64, Precision
from rnn_conformance.judgement import Judgement
from rnn_conformance.protocol import Array
from rnn_conformance.sieve import Sieve
from rnn_conformance.trace import rows_of_block
from rnn_reference import RNN


@pytest.fixture(autouse=True)
def _sifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few numbers there are, and in several blocks."""
    monkeypatch.setattr(sieve, "FEW", 0)
    monkeypatch.setattr(sieve, "FEW_WEIGHTS", 0)
    monkeypatch.setattr(sieve, "FEW_NUMBERS", 0)
    monkeypatch.setattr(trace, "ROWS", 64)


KINDS = (
    *("normal", "small", "huge", "sparse", "constant", "saturated", "tiny"),
    "enormous",  # e is so much more than k that nothing of k is left in e + tanh^2 a (k - e)
    "faint",  # the squares of the inputs are 0 in float64
)


def _trace(
    kind: str, nonlinearity: str, dtype: str, H: int = 24
) -> tuple[dict[str, Array], Array, Array]:
    """Weights, inputs (T, B, I) and right states (T, B, H)."""
    T, B, I = 40, 5, 7
    rng = np.random.default_rng([KINDS.index(kind), H])
    weights: dict[str, Array] = {
        "W_xh": rng.standard_normal((H, I)),
        "b_xh": rng.standard_normal((H, 1)),
        "W_hh": rng.standard_normal((H, H)) / np.sqrt(H),
        "b_hh": rng.standard_normal((H, 1)),
    }
    inputs = rng.standard_normal((T, B, I))
    if kind == "small":
        weights = {name: value * 0.05 for name, value in weights.items()}
    elif kind == "huge":
        weights["W_xh"] *= 10.0 ** rng.uniform(-8, 10, (H, 1))
    elif kind == "sparse":
        for name in ("W_xh", "W_hh"):
            weights[name] *= rng.random(weights[name].shape) < 0.1
        inputs *= rng.random(inputs.shape) < 0.3
    elif kind == "constant":
        weights["W_xh"][:], weights["W_hh"][:], inputs[:] = 0.25, 0.01, 1
    elif kind == "saturated":
        weights["b_xh"] *= 20
    elif kind == "tiny":
        weights = {name: value * 1e-30 for name, value in weights.items()}
        inputs *= 1e-120 if dtype == "float64" else 1e-20
    elif kind == "enormous":
        weights["W_xh"] *= 10.0 ** rng.uniform(10, 18, (H, 1))
    elif kind == "faint":
        far = 160 if dtype == "float64" else 30
        weights = {name: value * 10.0**-far for name, value in weights.items()}
        weights["W_xh"] *= 10.0 ** (1.9 * far)
        inputs *= (rng.random(inputs.shape) < 0.3) * 10.0**-far
    if nonlinearity == "relu":
        weights["W_hh"] *= 0.5
    weights = {name: value.astype(dtype) for name, value in weights.items()}
    inputs = inputs.astype(dtype)
    names = {"W_xh": "weight_ih_l0", "W_hh": "weight_hh_l0", "b_xh": "bias_ih_l0"}
    names["b_hh"] = "bias_hh_l0"
    with np.errstate(all="ignore"):
        layer = RNN.from_weights(
            {names[n]: v[:, 0] if n[0] == "b" else v for n, v in weights.items()},
            nonlinearity=nonlinearity,
        )
        return weights, inputs, layer.forward(inputs)[0]


def _in_full(
    weights: dict[str, Array], inputs: Array, states: Array, nonlinearity: str
) -> tuple[certificate.Affine, Judgement]:
    before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
    with np.errstate(all="ignore"):
        a = certificate.preactivation(weights, inputs, before)
        bound = certificate.state_bound(nonlinearity, a, Precision.of(states.dtype))
        expected = certificate.activation(nonlinearity, a.value)
    return a, Judgement("states", expected, states, bound, "")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("few", [0, 24], ids=["moments", "sizes"])
def test_lower_bound_is_not_above_the_full_one(
    few: int, kind: str, nonlinearity: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sieve, "FEW_UNITS", few)
    weights, inputs, states = _trace(kind, nonlinearity, dtype)
    _, full = _in_full(weights, inputs, states, nonlinearity)
    least = _least(weights, inputs, states, nonlinearity, full)
    bound = np.asarray(full.bound).reshape(least.shape)
    assert (least <= bound).all()
    for times in (0.3, 0.07):
        assert (_least(weights, inputs, states, nonlinearity, full, times) <= times * bound).all()
    if kind in ("normal", "constant"):  # and not so far below that it were of no use
        assert np.median(bound / least) < 4


def _least(
    weights: dict[str, Array],
    inputs: Array,
    states: Array,
    nonlinearity: str,
    full: Judgement,
    times: float = 1.0,
) -> Float64:
    T, B, H = states.shape
    rows, _ = rows_of_block(inputs, states, np.zeros((B, H)), slice(0, T), slice(0, B))
    own = Sieve(weights, nonlinearity, Precision.of(states.dtype))
    return own._least_bound(rows, np.asarray(full.expected).reshape(-1, H), times)


@pytest.mark.parametrize("wrong", ["nothing", "a number", "a step", "NaN", "everything"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("few", [0, 24], ids=["moments", "sizes"])
def test_verdict_is_that_of_the_full_certificate(
    few: int,
    kind: str,
    nonlinearity: str,
    dtype: str,
    wrong: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sieve, "FEW_UNITS", few)
    weights, inputs, states = _trace(kind, nonlinearity, dtype)
    states = np.array(states)
    if wrong == "a number":
        states[17, 3, 11] += 1e-3
    elif wrong == "a step":
        states[20:] = states[20:] * np.array(1.001, dtype)
    elif wrong == "NaN":
        states[9, 1, 4] = np.nan
    elif wrong == "everything":
        states += np.array(0.5, dtype)
    _, full = _in_full(weights, inputs, states, nonlinearity)
    share, worst = full.worst()
    outside = full.first_outside()
    found = certify(weights, inputs, states, nonlinearity=nonlinearity)
    assert found.conforms == (outside is None)
    assert _where(found.first_outside) == _where(outside)
    # Of another product, `a` has other last digits: in float64 they are as large as what is judged.
    own = 0.1 if dtype == "float64" else 0
    assert found.worst_share == pytest.approx(share, rel=1e-6, abs=own)
    if dtype == "float32" and share < np.inf:
        assert _where(found.worst) == _where(worst)


def _where(place: Any) -> tuple[int, int, int] | None:
    return place and (place.step, place.row, place.unit)


def test_a_lower_bound_that_is_too_large_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above can fail: with it, the worst share is missed."""
    weights, inputs, states = _trace("normal", "tanh", "float32")
    right = certify(weights, inputs, states)
    least = Sieve._least_bound
    monkeypatch.setattr(Sieve, "_least_bound", lambda *a: least(*a) * _uneven(*a))
    assert certify(weights, inputs, states).worst_share < right.worst_share


def _uneven(own: Sieve, rows: Any, expected: Float64, times: float = 1) -> Float64:
    """As if the bound were the larger, the larger the state."""
    return 1 + 1e3 * expected**2


@pytest.mark.parametrize("H", [40, 8])
@pytest.mark.parametrize(
    "changed",
    [
        {"FEW": 10**6},
        {"FEW": 10**6, "COLUMNS": 0, "WEIGHTS": 300},
        {"FEW_NUMBERS": 10**9},
        {"ALONE": 10**6},
        {"ALONE": 0},
        {"COLUMNS": 0, "WEIGHTS": 300},
        {"SKINNY": 64, "PRODUCTS": 9000},
        {"FEW_UNITS": 0},
        {"FEW_UNITS": 64},
        {"CLOSE": 0.1},
        {"CLOSE": 1.0},
    ],
    ids=str,
)
def test_every_way_gives_the_same(
    changed: dict[str, float], H: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, inputs, states = _trace("normal", "tanh", "float32", H)
    found = certify(weights, inputs, states)
    for name, value in changed.items():
        monkeypatch.setattr(sieve, name, value)
    other = certify(weights, inputs, states)
    assert other.worst_share == pytest.approx(found.worst_share, rel=1e-6)
    assert _where(other.worst) == _where(found.worst)
