"""The bounds enclose what a right computation can give, and little more."""

from fractions import Fraction
from math import tanh

import numpy as np
import pytest
from rnn_conformance.bounds import certificate
from rnn_conformance.bounds.certificate import Precision
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.expected import cell_weights
from rnn_conformance.contract.call import DTYPES, Array, Dtype

SIZES = [(1, 1), (2, 3), (9, 4), (5, 33)]


def _numbers(case: Case) -> tuple[dict[str, Array], Array, Array]:
    """Weights under the names of the seed model, inputs (T, B, I), h_0 (B, H)."""
    data = case.data()
    return cell_weights(data.weights, 0, 0, data.options), data.inputs, data.initial[0]


def _draw(I: int, H: int, dtype: Dtype) -> tuple[dict[str, Array], Array, Array]:
    weights, inputs, h_0 = _numbers(Case(T=2, B=3, I=I, H=H, dtype=dtype, weights="normal"))
    return weights, inputs[0], h_0


def _exact(weights: dict[str, Array], x: Array, h: Array, unit: int) -> Fraction:
    """The pre-activation of one unit without any rounding."""
    terms = [(weights["W_xh"][unit], x), (weights["W_hh"][unit], h)]
    products = [
        Fraction(float(w)) * Fraction(float(v)) for W, V in terms for w, v in zip(W, V, strict=True)
    ]
    biases = [Fraction(float(weights[name][unit, 0])) for name in ("b_xh", "b_hh")]
    return sum(products + biases, Fraction(0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("I", "H"), SIZES)
def test_judge_error_encloses_the_judges_own_rounding(I: int, H: int, dtype: Dtype) -> None:
    weights, x, h = _draw(I, H, dtype)
    a = certificate.preactivation(weights, x, h)
    for row, unit in np.ndindex(a.value.shape):
        exact = _exact(weights, x[row], h[row], unit)
        assert abs(Fraction(float(a.value[row, unit])) - exact) <= Fraction(
            float(a.judge_error[row, unit])
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("I", "H"), SIZES)
def test_error_encloses_every_order_of_summation(I: int, H: int, dtype: Dtype) -> None:
    weights, x, h = _draw(I, H, dtype)
    a = certificate.preactivation(weights, x, h)
    bound = a.error(Precision.of(dtype)) + a.judge_error
    rng = np.random.default_rng(1)
    worst = 0.0
    for row, unit in np.ndindex(a.value.shape):
        terms = np.concatenate(
            [
                weights["W_xh"][unit] * x[row],
                weights["W_hh"][unit] * h[row],
                weights["b_xh"][unit],
                weights["b_hh"][unit],
            ]
        )
        for _ in range(20):
            total = np.zeros((), dtype)
            for term in rng.permutation(terms):
                total = total + term
            worst = max(worst, float(abs(total - a.value[row, unit]) / bound[row, unit]))
    assert worst <= 1
    # Rounding errors of random sign are far below a worst case, and far from nothing.
    assert worst > 0.001


def test_bound_of_a_step_is_what_the_formula_says() -> None:
    """By hand: I = H = 1, all weights 0.25, x = h = 0.5: a = 0.75, scale = 0.75, m = 5."""
    W = np.full((1, 1), 0.25)
    weights = {"W_xh": W, "b_xh": W, "W_hh": W, "b_hh": W}
    v = np.full((1, 1), 0.5)
    a = certificate.preactivation(weights, v, v)
    assert (a.value.item(), a.scale.item(), a.roundings) == (0.75, 0.75, 5)
    u = 2.0**-24
    e = 5 * u / (1 - 5 * u) * 0.75
    through = (1 - tanh(0.75 - e) ** 2) * e
    bound = certificate.tanh_bound(a, Precision.of("float32")).item()
    # The judge's own rounding and the square of u are all that is beside it.
    assert bound == pytest.approx(through + 8 * u * tanh(0.75), rel=1e-6)


@pytest.mark.parametrize(
    ("dtype", "u", "eta"), [("float32", 2.0**-24, 2.0**-126), ("float64", 2.0**-53, 2.0**-1022)]
)
def test_precision(dtype: str, u: float, eta: float) -> None:
    assert Precision.of(dtype) == Precision(dtype, u, eta)


def test_bound_of_a_large_argument_is_finite_and_that_of_the_tanh_alone() -> None:
    big = certificate.Affine(np.array([1e10]), np.array([1e10]), 7)
    precision = Precision.of("float32")
    assert certificate.tanh_bound(big, precision).item() == pytest.approx(8 * precision.u, rel=1e-6)


def test_bound_where_the_sign_is_not_known_covers_both() -> None:
    """|a| below its own error: the slope is taken at zero, where it is one."""
    cancelled = certificate.Affine(np.array([1e-9]), np.array([1.0]), 7)
    precision = Precision.of("float32")
    e = cancelled.error(precision).item()
    assert e > 1e-9
    assert certificate.tanh_bound(cancelled, precision).item() >= e


@pytest.mark.parametrize("dtype", DTYPES)
def test_trajectory_bound_encloses_and_stays_small_where_the_recurrence_contracts(
    dtype: Dtype,
) -> None:
    weights, inputs, h_0 = _numbers(Case(T=50, B=3, I=5, H=16, dtype=dtype))

    def run(kind: type[np.floating]) -> Array:
        w = {name: value.astype(kind) for name, value in weights.items()}
        h, states = h_0.astype(kind), []
        for x in inputs.astype(kind):
            h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
            states.append(h)
        return np.stack(states)

    wide = run(np.float64).astype(np.float64)
    precision = Precision.of(dtype)
    bound = certificate.trajectory_bound(weights, inputs, h_0, wide, precision)
    narrow = run(np.float32 if dtype == "float32" else np.float64)
    assert (np.abs(narrow - wide) <= bound).all()
    # Ten bits of the signal at most are given away.
    assert np.median(bound / np.abs(wide)) < 2**10 * precision.u
    assert bound[-1].max() < 3 * bound[5].max()


def test_trajectory_bound_explodes_where_the_recurrence_is_chaotic() -> None:
    """Why the verdict rests on single steps."""
    weights, inputs, h_0 = _numbers(Case(T=50, B=1, I=3, H=64, weights="normal"))
    states = np.zeros((50, 1, 64))
    bound = certificate.trajectory_bound(weights, 0 * inputs, h_0, states, Precision.of("float32"))
    assert bound[-1].max() > 1
