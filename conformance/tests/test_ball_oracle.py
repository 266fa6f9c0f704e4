"""The judge is judged: every bound that it prints encloses, and little more.

The oracle gives, in ball arithmetic, the farthest that a right computation can be from what is
expected: by the same model of rounding, but with exact sums and tanh itself in place of its slope.
No bound may be smaller, whatever the judge's own rounding was. Weakened anywhere, it is found out.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from flint import ctx
from rnn_conformance.bounds import balls as judge
from rnn_conformance.bounds.balls import JUDGE_U, Ball, Float64, Precision, exactly
from rnn_conformance.bounds.balls import Sum as OwnSum
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.expected import from_own_states
from rnn_conformance.cases.gradients import SHOWN
from rnn_conformance.cells import CELLS, activations, running
from rnn_conformance.cells.cell import CellWeights, Kind
from rnn_conformance.cells.readout import readout
from rnn_conformance.cells.weights import of_cell
from rnn_conformance.contract.call import DTYPES, Answer, Array, Dtype
from rnn_reference import BatchRNN, SingleSequenceRNN

from . import ball_oracle as oracle
from .ball_oracle import ARITHMETIC, Balls, Sum, balls, floats

JUDGE = ARITHMETIC["float64"]
FAMILIES: tuple[Kind, ...] = tuple(k for k in CELLS["tanh"].kinds if k not in SHOWN)
SIZES = ((7, 3, 5, 4), (5, 3, 4, 20), (3, 4, 9, 64))
CASES = [Case(*s, dtype=d, weights=w, O=2) for d in DTYPES for w in FAMILIES for s in SIZES]
CONTRACTIVE = Case(50, 3, 5, 16, dtype="float64")
CHAOTIC = tuple(
    Case(*sizes, dtype="float64", weights="normal") for sizes in ((7, 3, 5, 4), (4, 2, 9, 64))
)

# The weights, those of the readout, inputs (B, I), the states before them (B, H).
Step = tuple[CellWeights, dict[str, Array], Array, Array]


@pytest.fixture(autouse=True)
def _bits() -> Iterator[None]:
    with ctx.workprec(512):
        yield


def holds(comparison: Any) -> bool:
    """Whether a comparison of balls is certain everywhere."""
    return bool(np.asarray(comparison).astype(bool).all())


def numbers(case: Case) -> Step:
    """The weights, inputs (T, B, I), h_0 (B, H)."""
    data = replace(case, O=2).data()
    last = {name: data.weights[name] for name in ("W_ho", "b_ho")}
    return of_cell(data.weights, 0, 0, data.options), last, data.inputs, data.initial[0]


def states(case: Case, kind: type[BatchRNN | SingleSequenceRNN] = BatchRNN) -> Array:
    """All states (T, B, H) of the reference, in the dtype of the case."""
    w, last, inputs, initial = numbers(case)
    seed = {"W_xh": w.W_ih, "b_xh": w.b_ih, "W_hh": w.W_hh, "b_hh": w.b_hh, **last}
    columns = {name: v[:, np.newaxis] if v.ndim == 1 else v for name, v in seed.items()}
    model, h_0 = kind.from_weights(columns), np.ascontiguousarray(initial.T)
    if isinstance(model, BatchRNN):
        runs = [model.forward(inputs, h_0)[1]]
    else:
        runs = [model.forward(inputs[:, b], h_0[:, b : b + 1])[1] for b in range(case.B)]
    return np.stack([np.hstack([run[t] for run in runs]).T for t in range(case.T)])


def steps_of(case: Case) -> Step:
    w, last, inputs, initial = numbers(case)
    previous = np.concatenate([initial[np.newaxis], states(case)[:-1]])
    return w, last, np.concatenate(inputs), np.concatenate(previous)


def adversarial(dtype: Dtype) -> Step:
    """Sums of every size and sign, each beside terms of every size that cancel exactly."""
    tiny = float(np.finfo(dtype).smallest_normal)
    sizes = [0, tiny / 1024, 4 * tiny, 1e-20, 1e-8, 0.1, 0.5, 1, 2, 5, 8, 10, 12, 15, 20, 45, 1e10]
    cancelled = [0, tiny / 1024, 4 * tiny, 1e-6, 1, 1e3, 1e5, 1e6, 1e7, 1e12, 1e14, 1e15, 1e30]
    grid = np.meshgrid([*sizes, *(-size for size in sizes)], cancelled)
    size, c = (axis.reshape(-1, 1) for axis in grid)
    W = np.hstack([c, -c, 0.3 * size])
    weights = (0.7 * size, W, c[:, 0] / 3, -c[:, 0] / 3)
    twin, x, h = np.random.default_rng(0).uniform(0.5, 1, (3, 5, 1)).astype(dtype)
    cast = CellWeights(*(value.astype(dtype) for value in weights))
    last: dict[str, Array] = {"W_ho": W.astype(dtype), "b_ho": c[:, 0].astype(dtype)}
    return cast, last, x, np.hstack([twin, twin, h])


def preactivation(w: CellWeights, x: Array, h: Array, dtype: Dtype) -> OwnSum:
    """The judge's."""
    p = Precision.of(dtype)
    return running.preactivation(w, exactly(x, p), exactly(h, p))


def judges(own: OwnSum, exact: Sum) -> Iterator[OwnSum]:
    """What the judge computed, and the worst that it might have by its own rounding."""
    yield own
    scale = floats(exact.scale * (1 - JUDGE.gamma(exact.roundings)))
    for sign in (-1, +1):
        value = oracle.floats_within(exact.value + sign * exact.error(JUDGE), sign)
        yield replace(own, value=value, scale=scale)


@lru_cache
def judged(what: str, dtype: Dtype) -> list[tuple[OwnSum, Balls, Float64]]:
    """Sums as judges compute them, the farthest from what they expect, and how many times that.

    The judge's share of e is gamma(JUDGE_U) / gamma(u) of the rest. Within |x - a| <= e, sech^2
    varies by exp(4 e) at most, as the slope of its logarithm is 2 at most; nothing is asked where
    e is 1 or more. Second orders of u remain.
    """
    arithmetic, result = ARITHMETIC[dtype], []
    drawn = (steps_of(case) for case in CASES if case.dtype == dtype)
    for w, last, x, h in [adversarial(dtype), *drawn]:
        exact = oracle.preactivation(w, x, h) if what == "step" else oracle.readout(last, h)
        m = exact.roundings
        most = 1 + float(JUDGE.gamma(m) / arithmetic.gamma(m))
        most *= 1 + 64 * float(arithmetic.u) + 8 * (m + 16) * JUDGE_U + 1e-8
        if what == "readout":
            for y in judges(readout(last, exactly(h, Precision.of(dtype))), exact):
                far = oracle.farthest_sum(exact, arithmetic, y.value)
                result.append((y, far, np.full(far.shape, most)))
            continue
        e = floats(exact.error(arithmetic) + exact.error(JUDGE))
        slopes = np.where(e < 1, np.exp(4 * np.minimum(e, 1)), np.inf)
        for a in judges(preactivation(w, x, h, dtype), exact):
            tanh = np.tanh(a.value)  # an ulp off at most; four are allowed
            for expected_state in (tanh + ulps * np.spacing(np.abs(tanh)) for ulps in (-3, 0, 3)):
                far = oracle.farthest_state(exact, arithmetic, expected_state)
                result.append((a, far, most * slopes))
    return result


def of_step(a: OwnSum) -> Ball:
    return activations.tanh(a).shown()


BOUNDS: dict[str, Callable[[OwnSum], Ball]] = {"step": of_step, "readout": OwnSum.ball}


def bounds(what: str, dtype: Dtype) -> Iterator[tuple[Balls, Balls, Float64]]:
    """Every bound printed, with the farthest, and how many times that it may be."""
    for of_sum, farthest, most in judged(what, dtype):
        yield balls(BOUNDS[what](of_sum).bound), farthest, most


def enclosed(what: str, dtype: Dtype) -> bool:
    return all(holds(bound >= farthest) for bound, farthest, _ in bounds(what, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("what", BOUNDS)
def test_bound_encloses_the_farthest_and_little_more(what: str, dtype: Dtype) -> None:
    every = [*bounds(what, dtype)]
    assert all(holds(bound >= far) for bound, far, _ in every)
    ratios = np.concatenate([floats(bound / far).ravel() for bound, far, _ in every])
    most = np.concatenate([most.ravel() for *_, most in every])
    assert np.isfinite(most).sum() > 5_000
    assert (ratios <= most).all()
    assert ratios.min() < 1 + 2e-9  # somewhere it is attained


gamma, sech2 = judge.gamma, activations.sech2
WEAKER: dict[str, tuple[object, str, Any]] = {
    "a rounding forgotten": (judge, "gamma", lambda m, u: gamma(m - 1, u)),
    "the judge exact": (Precision, "both", property(lambda precision: precision.u)),
    "no underflow": (Precision, "flushed", 0.0),
    "three ulps": (activations, "ULPS", 3),
    "its own rounding forgotten": (Ball, "shown", lambda state: state),
    "a flatter slope": (activations, "sech2", lambda a: sech2(a + 1e-5)),
    "no slope in the tail": (activations, "sech2", lambda a: np.where(a > 12, 0, sech2(a))),
}
FOUND_OUT = [("step", weaker) for weaker in WEAKER] + [("readout", w) for w in list(WEAKER)[:3]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("what", "weaker"), FOUND_OUT)
def test_weaker_bound_is_found_out(
    what: str, weaker: str, dtype: Dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert enclosed(what, dtype)
    monkeypatch.setattr(*WEAKER[weaker])
    assert not enclosed(what, dtype)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_expected_state_is_off_by_no_more_than_the_judges_share(case: Case) -> None:
    found, (w, _, x, h) = states(case), steps_of(case)
    exact = oracle.preactivation(w, x, h)
    printed = from_own_states(case.data(), Precision.of(case.dtype), Answer(found))
    truth = oracle.tanh(exact.value)
    off = abs(balls(printed.output.reshape(truth.shape)) - truth)
    share = oracle.farthest_state(exact, JUDGE, truth)
    assert holds(off <= share)
    farthest = oracle.farthest_state(exact, ARITHMETIC[case.dtype], truth)
    assert holds(farthest + off <= np.reshape(printed.output_bound, truth.shape))
    rough = np.tanh(floats(exact.value).astype(np.float32))
    assert not holds(abs(balls(rough) - truth) <= share)


def carried(w: CellWeights, inputs: Array, h_0: Array, dtype: Dtype) -> Ball:
    return running.trajectory(CELLS["tanh"], w, exactly(inputs, Precision.of(dtype)), h_0)


@pytest.mark.parametrize("kind", [BatchRNN, SingleSequenceRNN])
@pytest.mark.parametrize("case", [CONTRACTIVE, *CHAOTIC], ids=lambda case: case.id)
def test_trajectory_of_the_reference_is_within_its_bound(
    case: Case, kind: type[BatchRNN | SingleSequenceRNN]
) -> None:
    w, _, inputs, h_0 = numbers(case)
    right, found = carried(w, inputs, h_0, "float64"), states(case, kind).astype(np.float64)
    assert (np.abs(found - right.value) <= right.bound).all()
    assert holds(abs(balls(right.value) - oracle.trajectory(w, inputs, h_0)) <= right.bound)
    # A transposed matrix is seen, and a bias that is rounded to float32.
    for wrong in ({"W_hh": w.W_hh.T}, {"b_ih": w.b_ih.astype(np.float32)}):
        other = oracle.trajectory(w._replace(**wrong), inputs, h_0)
        assert not holds(abs(balls(right.value) - other) <= right.bound)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("case", [CONTRACTIVE, *CHAOTIC], ids=lambda case: case.id)
def test_trajectory_bound_encloses_one_that_is_driven_away(
    case: Case, positive: bool, dtype: Dtype
) -> None:
    """At every step all errors are at their largest, away from what is expected."""
    w, _, inputs, h_0 = numbers(replace(case, dtype=dtype))
    if positive:  # no error that is carried on cancels another
        w = w._replace(W_hh=np.abs(w.W_hh))
    right, other = carried(w, inputs, h_0, dtype), [balls(h_0)]
    before = [h_0, *right.value]
    for x, h in zip(inputs, before[:-1], strict=True):
        a, b = oracle.preactivation(w, x, h), oracle.preactivation(w, x, other[-1])
        away = np.where(floats(b.value - a.value) < 0, -1.0, 1.0)
        other.append(oracle.rounded_state(b, ARITHMETIC[dtype], away))
    distance = abs(np.stack(other[1:]) - balls(right.value))
    assert holds(distance <= right.bound)
    assert not holds(distance <= right.bound / 3)
    if positive and dtype == "float32":  # where the judge's own rounding is next to nothing
        assert holds(right.bound <= distance * (1 + 2.0**-10))
