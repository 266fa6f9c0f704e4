"""The limits of the statistics, each computed once more, number by number, and met from both sides.

Written from the docstring of `bounds/statistics.py`: z = 6 deviations, A = 2 ulps rms, one rounding
of each weight, one of b_ih + b_hh.
"""

from dataclasses import replace
from math import inf, sqrt
from typing import Any

import numpy as np
import pytest
from rnn_conformance.bounds import statistics
from rnn_conformance.bounds.statistics import Residuals, Statistic
from rnn_conformance.cases.case import Case
from rnn_conformance.cells.cell import Trace
from rnn_conformance.cells.elman.residuals import residuals as residuals_of
from rnn_conformance.cells.weights import of_cell
from rnn_conformance.contract.call import Array, Dtype

T, B, I, H = 5, 3, 2, 2
Z, A = 6, 2
U = 2.0**-20  # of a dtype that there is not, so that nothing else can come in


def residuals(seed: int) -> Residuals:
    """Of no computation at all: every part is drawn by itself."""
    rng = np.random.default_rng(seed)
    h = rng.uniform(-1, 1, (T, B, H))
    return Residuals(
        r=rng.normal(0, U, (T, B, H)),
        h=h,
        slope=1 - h**2,
        ulp=rng.choice([U / 2, U, 2 * U], (T, B, H)),
        scale=rng.uniform(1, 2, (T, B, H)),
        roundings=I + H + 3,
        v=rng.normal(size=(T * B, I + 1 + H)),
        weights=rng.normal(size=(H, I + 1 + H)),
        bias=rng.normal(size=H),
        names="W_ih, b_ih + b_hh, W_hh",
        u=U,
        judged=1.25,
    )


def every(of: Residuals) -> list[tuple[int, int, int]]:
    return [(t, b, j) for t in range(T) for b in range(B) for j in range(H)]


def mean(of: Residuals, c: Array) -> tuple[float, float]:
    """The mean error in ulps, and its limit, with coefficients c."""
    size = max(sum(abs(c[i]) * of.ulp[i] for i in every(of)), 1.0)
    rows = {(t, b): sum(c[t, b, j] * of.r[t, b, j] for j in range(H)) for t, b, _ in every(of)}
    noise = sum(sqrt(sum(X**2 for (t, _), X in rows.items() if t % 2 == k)) for k in range(2))
    tanh = sum(A * of.judged * abs(c[i]) * of.ulp[i] for i in every(of))
    merged = 0.0
    for j in range(H):
        together = sum(c[t, b, j] * of.slope[t, b, j] for t in range(T) for b in range(B))
        merged += of.judged * of.u * abs(of.bias[j]) * abs(together)
    return sum(rows.values()) / size, (Z * noise + tanh + merged) / size


def of_weight(of: Residuals, k: int, j: int) -> tuple[float, float]:
    """How wrong, in u, the weight of unit j for the k-th of [x_t, 1, h_{t-1}] is, and the limit."""
    steps = [(t, b) for t in range(T) for b in range(B)]
    v = {(t, b): of.v[t * B + b, k] for t, b in steps}
    c = {(t, b): of.slope[t, b, j] * v[t, b] for t, b in steps}
    X = {i: c[i] * of.r[(*i, j)] for i in steps}
    size = sum(c[i] ** 2 for i in steps)
    noise = sum(sqrt(sum(X[i] ** 2 for i in steps if i[0] % 2 == odd)) for odd in range(2))
    tanh = sum(abs(c[i]) * A * of.judged * of.ulp[(*i, j)] for i in steps)
    together = abs(sum(v[i] * of.slope[(*i, j)] ** 2 for i in steps))
    merged = together * of.judged * of.u * abs(of.bias[j])
    own = of.u * abs(of.weights[j, k]) * size
    limit = Z * noise + tanh + merged + own
    return sum(X.values()) / size / of.u, limit / size / of.u


def spread(of: Residuals) -> tuple[float, float]:
    """The root mean square over the predicted one, less six deviations of its mean; 1."""
    shares = []
    for t in range(T):
        for b in range(B):
            total = 0.0
            for j in range(H):
                i = t, b, j
                rounding = (of.judged * of.u * of.slope[i] * of.scale[i]) ** 2 / 3
                tanh = (A * of.judged * of.ulp[i]) ** 2
                total += of.r[i] ** 2 / (of.roundings * rounding + tanh)
            shares.append(total / H)
    m, n = sum(shares) / len(shares), len(shares)
    deviation = sqrt(sum((share - m) ** 2 for share in shares) / n)
    return sqrt(max(m - Z * deviation / sqrt(n), 0)), 1.0


def same(one: Statistic, found: Any, limit: Any) -> None:
    assert one.found == pytest.approx(np.asarray(found), rel=1e-12, abs=1e-15)
    assert one.limit == pytest.approx(np.asarray(limit), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_every_statistic_and_limit_is_what_the_formula_says(seed: int) -> None:
    of = residuals(seed)
    *means, weights, width = statistics.statistics(of)
    bands = [(1 / 8, 1 / 4), (1 / 4, 1 / 2), (1 / 2, 3 / 4), (3 / 4, 1.0)]
    assert len(means) == 2 * len(bands)
    for (low, high), plain, away in zip(bands, means[::2], means[1::2], strict=True):
        inside = (np.abs(of.h) >= low) & (np.abs(of.h) < high)
        same(plain, *([[value]] for value in mean(of, inside / of.ulp)))
        same(away, *([[value]] for value in mean(of, np.sign(of.h) * inside / of.ulp)))
    pairs = np.array([[of_weight(of, k, j) for j in range(H)] for k in range(I + 1 + H)])
    same(weights, pairs[..., 0], pairs[..., 1])
    same(width, *([[value]] for value in spread(of)))


def test_a_band_of_one_state_has_the_error_of_that_one() -> None:
    of = residuals(0)
    h = np.full((T, B, H), 0.8)
    h[1, 2, 0] = 0.2
    error = of.r[1, 2, 0] / of.ulp[1, 2, 0]
    means = list(statistics.statistics(replace(of, h=h)))[:4]
    assert [one.found.item() for one in means] == pytest.approx([error, error, 0, 0])


def test_states_on_the_edge_of_a_band_belong_to_the_upper_one() -> None:
    of = replace(residuals(0), h=np.full((T, B, H), 0.5))
    found = list(statistics.statistics(of))
    assert found[3].found.item() == 0  # 1/4 to 1/2
    assert found[4].found.item() != 0  # 1/2 to 3/4


def test_spread_at_its_limit() -> None:
    """All rows alike leave no margin: the predicted size passes, and a little more does not."""
    of = residuals(0)
    variance = of.roundings * (of.judged * of.u * of.slope * of.scale) ** 2 / 3
    predicted = np.sqrt(variance + (A * of.judged * of.ulp) ** 2)
    for factor, outside in ((1 - 1e-9, False), (1 + 1e-9, True)):
        one = statistics.spread(replace(of, r=factor * predicted))
        assert (one.found.item() > one.limit.item()) == outside


def test_spread_forgives_six_deviations_of_its_mean() -> None:
    of = residuals(0)
    shares = np.where(np.arange(T * B) % 2, 1.0, 3.0).reshape(T, B, 1)  # mean square by row
    variance = of.roundings * (of.judged * of.u * of.slope * of.scale) ** 2 / 3
    predicted = np.sqrt(variance + (A * of.judged * of.ulp) ** 2)
    one = statistics.spread(replace(of, r=np.sqrt(shares) * predicted))
    margin = 6 * shares.std() / sqrt(T * B)
    assert one.found.item() == pytest.approx(sqrt(shares.mean() - margin), rel=1e-9)


@pytest.mark.parametrize(("dtype", "u"), [("float32", 2.0**-24), ("float64", 2.0**-53)])
def test_residuals_are_what_the_docstring_says(dtype: Dtype, u: float) -> None:
    case = Case(T, B, I, H, dtype=dtype, weights="moderate")
    data = case.data()
    w = of_cell(data.weights, 0, 0, data.options)
    rng = np.random.default_rng(0)
    states = rng.uniform(-1, 1, (T, B, H)).astype(dtype)
    of = residuals_of(Trace(w, data.inputs, data.initial[0], dtype), states)
    before = np.concatenate([data.initial, states[:-1]])
    wide = np.longdouble if dtype == "float64" else np.float64
    assert (of.u, of.roundings) == (u, I + H + 3)
    own = float(np.finfo(wide).eps) / 2
    assert of.judged == 1 + own / u
    for t, b, j in every(of):
        x, h = data.inputs[t, b].astype(wide), before[t, b].astype(wide)
        bias = wide(w.b_ih[j]) + wide(w.b_hh[j])
        a = (w.W_ih[j].astype(wide) * x).sum() + bias + (w.W_hh[j].astype(wide) * h).sum()
        expected = np.tanh(a)
        assert of.h[t, b, j] == pytest.approx(float(expected), rel=1e-14)
        assert of.slope[t, b, j] == pytest.approx(float(1 - expected**2), rel=1e-13)
        assert of.ulp[t, b, j] == np.spacing(abs(expected).astype(dtype))
        assert of.r[t, b, j] == pytest.approx(float(states[t, b, j] - expected), abs=32 * own)
        scale = (abs(w.W_ih[j] * x)).sum() + (abs(w.W_hh[j] * h)).sum()
        scale += abs(w.b_ih[j]) + abs(w.b_hh[j])
        assert of.scale[t, b, j] == pytest.approx(float(scale), rel=1e-6)
        assert of.v[t * B + b] == pytest.approx(np.concatenate([x, [1], h]).astype(float))
        row = np.concatenate([w.W_ih[j], [bias], w.W_hh[j]]).astype(float)
        assert of.weights[j] == pytest.approx(row)
        assert of.bias[j] == pytest.approx(float(bias))


def test_judgements_hold_each_statistic_against_zero_and_its_limit() -> None:
    case = Case(T, B, I, H, weights="moderate")
    data = case.data()
    w = of_cell(data.weights, 0, 0, data.options)
    seen = Trace(w, data.inputs, data.initial[0], "float32")
    states = np.full((T, B, H), 0.3, np.float32)
    judged = list(
        statistics.judgements(statistics.statistics(residuals_of(seen, states)), "float32")
    )
    found = list(statistics.statistics(residuals_of(seen, states)))
    assert [one.what for one in judged] == [one.what for one in found]
    for one, statistic in zip(judged, found, strict=True):
        assert not one.expected.any()
        assert np.array_equal(one.found[0], statistic.found)
        assert np.array_equal(np.broadcast_to(one.bound, one.found.shape)[0], statistic.limit)
        assert one.worst()[0] < inf
