"""The bounds enclose what a right computation can give, and little more."""

from fractions import Fraction
from math import tanh

import numpy as np
import pytest
from rnn_conformance.bounds.balls import Ball, Matrix, Precision, Sum, exactly, gamma, product
from rnn_conformance.cases.case import Case
from rnn_conformance.cells import activations
from rnn_conformance.cells.cell import CellWeights
from rnn_conformance.cells.running import one_step, preactivation, trajectory
from rnn_conformance.cells.weights import of_cell
from rnn_conformance.contract.call import DTYPES, Array, Dtype

SIZES = [(1, 1), (2, 3), (9, 4), (5, 33)]
SINGLE = Precision.of("float32")


def _numbers(case: Case) -> tuple[CellWeights, Array, Array]:
    """Weights, inputs (T, B, I), h_0 (B, H)."""
    data = case.data()
    return of_cell(data.weights, 0, 0, data.options), data.inputs, data.initial[0]


def _draw(I: int, H: int, dtype: Dtype) -> tuple[CellWeights, Array, Array]:
    weights, inputs, h_0 = _numbers(Case(T=2, B=3, I=I, H=H, dtype=dtype, weights="normal"))
    return weights, inputs[0], h_0


def _sum(w: CellWeights, x: Array, h: Array, precision: Precision) -> Sum:
    """The pre-activation."""
    return preactivation(w, exactly(x, precision), exactly(h, precision))


def _terms(w: CellWeights, x: Array, h: Array, unit: int) -> list[tuple[float, float]]:
    ones = [(float(w.b_ih[unit]), 1.0), (float(w.b_hh[unit]), 1.0)]
    pairs = [(w.W_ih[unit], x), (w.W_hh[unit], h)]
    return ones + [(float(a), float(b)) for W, v in pairs for a, b in zip(W, v, strict=True)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("I", "H"), SIZES)
def test_radius_encloses_every_order_of_summation_and_the_judge(
    I: int, H: int, dtype: Dtype
) -> None:
    w, x, h = _draw(I, H, dtype)
    a, own = _sum(w, x, h, Precision.of(dtype)).ball(), _sum(w, x, h, Precision("exact", 0, 0))
    rng = np.random.default_rng(1)
    worst = 0.0
    for row, unit in np.ndindex(a.value.shape):
        terms = _terms(w, x[row], h[row], unit)
        exact = sum((Fraction(one) * Fraction(other) for one, other in terms), Fraction(0))
        off = abs(Fraction(float(a.value[row, unit])) - exact)
        assert off <= Fraction(float(own.ball().radius[row, unit]))
        rounded = [np.dtype(dtype).type(one) * np.dtype(dtype).type(other) for one, other in terms]
        for _ in range(20):
            total = np.zeros((), dtype)
            for term in rng.permutation(rounded):
                total = total + term
            worst = max(worst, float(abs(total - a.value[row, unit]) / a.radius[row, unit]))
    assert worst <= 1
    # Rounding errors of random sign are far below a worst case, and far from nothing.
    assert worst > 0.001


def test_bound_of_a_step_is_what_the_formula_says() -> None:
    """By hand: I = H = 1, all weights 0.25, x = h = 0.5: a = 0.75, scale = 0.75, m = 5."""
    W, b, v = np.full((1, 1), 0.25), np.full(1, 0.25), np.full((1, 1), 0.5)
    a = _sum(CellWeights(W, W, b, b), v, v, SINGLE)
    assert (a.value.item(), a.scale.item(), a.roundings) == (0.75, 0.75, 5)
    u = 2.0**-24
    e = 5 * u / (1 - 5 * u) * 0.75
    through = (1 - tanh(0.75 - e) ** 2) * e
    bound = activations.tanh(a).shown().bound.item()
    # The judge's own rounding and the square of u are all that is beside it.
    assert bound == pytest.approx(through + 9 * u * tanh(0.75), rel=1e-6)
    assert activations.relu(a).bound.item() == pytest.approx(e, rel=1e-6)


@pytest.mark.parametrize(
    ("dtype", "u", "eta"), [("float32", 2.0**-24, 2.0**-126), ("float64", 2.0**-53, 2.0**-1022)]
)
def test_precision(dtype: str, u: float, eta: float) -> None:
    assert Precision.of(dtype) == Precision(dtype, u, eta)


def _of(value: float, scale: float) -> Sum:
    return Sum(np.array([value]), np.array([scale]), np.zeros(()), 6, SINGLE)


def test_bound_of_a_large_argument_is_finite_and_that_of_the_tanh_alone() -> None:
    bound = activations.tanh(_of(1e10, 1e10)).bound.item()
    assert bound == pytest.approx(8 * SINGLE.u, rel=1e-6)


def test_bound_where_the_sign_is_not_known_covers_both() -> None:
    """|a| below its own error: the slope is taken at zero, where it is one."""
    cancelled = _of(1e-9, 1.0)
    e = cancelled.ball().radius.item()
    assert e > 1e-9
    assert activations.tanh(cancelled).radius.item() >= e


def test_what_is_inherited_is_carried_through_products_and_rounded() -> None:
    """By hand: 2 (3 ± 1/8) - 4 (1 ± 1/4), two terms: |w| e = 1.25, |w| (|v| + e) = 11.25, m = 3."""
    v = Ball(np.array([[3.0, 1.0]]), np.array([[0.125, 0.25]]), SINGLE)
    found = product(Matrix.of(np.array([[2.0, -4.0]])), v).ball()
    assert found.value.item() == 2
    rounding = gamma(3, SINGLE.both) * 11.25
    assert found.radius.item() == pytest.approx(1.25 + rounding, rel=1e-15)


def test_elementwise_operations_by_hand() -> None:
    a = Ball(np.array([3.0]), np.array([0.125]), SINGLE)
    b = Ball(np.array([-1.0]), np.array([0.25]), SINGLE)
    U, eta = SINGLE.both, SINGLE.flushed
    assert (a + b).value.item() == 2
    assert (a + b).radius.item() == 0.375 + U * 2.375 + eta
    assert (-0.5 * a).value.item() == -1.5
    assert (-0.5 * a).radius.item() == 0.0625 + U * 1.5625 + eta
    assert a.shown().radius.item() == 0.125 + U * 3.125
    tiny = Ball(np.zeros(1), np.zeros(1), SINGLE)
    assert (tiny.kept().radius.item(), tiny.shown().radius.item()) == (eta, 0)
    for once in (a + b, -0.5 * a, a.kept()):
        assert once.bound.item() > once.radius.item()


@pytest.mark.parametrize("dtype", DTYPES)
def test_steps_of_a_trajectory_are_those_of_its_own_states(dtype: Dtype) -> None:
    case = Case(T=50, B=3, I=5, H=16, dtype=dtype)
    w, inputs, h_0 = _numbers(case)
    found = trajectory(case.equation, w, exactly(inputs, Precision.of(dtype)), h_0)
    # Ten bits of the signal at most are given away.
    assert np.median(found.bound / np.abs(found.value)) < 2**10 * Precision.of(dtype).u
    assert found.bound[-1].max() < 3 * found.bound[5].max()
    before = np.concatenate([h_0[np.newaxis], found.value[:-1]])
    step, _ = one_step(case.equation, w, inputs, before, Precision.of(dtype))
    assert np.allclose(step.value, found.value, rtol=0, atol=1e-15)
    assert (step.radius <= found.bound).all()
