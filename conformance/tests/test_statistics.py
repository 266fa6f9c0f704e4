"""The statistics accept right implementations with room to spare, and see what the bound cannot.

`python conformance/tests/test_statistics.py` prints, as Markdown, what is seen at which size;
with `--seeds`, how far right implementations are from a false alarm.
"""

import sys
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from rnn_conformance.bounds import statistics
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.catalogue import MODERATE, MODERATE_SINGLE
from rnn_conformance.cases.expected import judge_output, of_answer
from rnn_conformance.cells.cell import Trace
from rnn_conformance.cells.elman.residuals import residuals
from rnn_conformance.cells.weights import of_cell
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import DTYPES, Array, Call, Implementation
from rnn_conformance.sources.adapters.reference import BATCH, SINGLE
from rnn_conformance.variants.every import HEALTHY, MUTANTS
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.precision import rounded
from rnn_conformance.variants.wrong.systematic import TanhOff, TermByTerm, truncated

Weights = Mapping[str, Array]
SYSTEMATIC = [name for name, mutant in MUTANTS.items() if mutant.kind == "systematic"]


class RationalTanh(Recurrence):
    """tanh in float32 as Eigen, XLA and ONNX Runtime have it; its slope at 0 is 1 - 1.3e-7."""

    alphas = (
        -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08,
        1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03,
    )  # fmt: skip
    betas = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)

    def activation(self, call: Call, a: Array) -> Array:
        if a.dtype != np.float32:
            return np.tanh(a)
        a = np.clip(a, np.float32(-7.90531), np.float32(7.90531))
        alphas, betas = (np.array(part, np.float32) for part in (self.alphas, self.betas))
        value: Array = a * np.polyval(alphas, a * a) / np.polyval(betas, a * a)
        return value


class TanhThroughExp(Recurrence):
    """tanh a = 2 / (1 + exp(-2a)) - 1, inexact near 0."""

    def activation(self, call: Call, a: Array) -> Array:
        value: Array = 2 / (1 + np.exp(-2 * a)) - 1
        return value


class FusedMultiplyAdd(TermByTerm):
    """Each product is added before it is rounded (in float64, all but as precisely)."""

    def add(self, a: Array, v: Array, w: Array) -> Array:
        total: Array = a.astype(np.longdouble) + v.astype(np.longdouble) * w
        return total.astype(a.dtype)


class ScaledWeights(Recurrence):
    """All weights are scaled by 2 log2(e), as for a tanh through exp2, and rounded once."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        log2e = call.dtype.type(2 * np.log2(np.e))
        return {n: v * log2e for n, v in super().cell(call, layer, d).items()}

    def activation(self, call: Call, a: Array) -> Array:
        return np.tanh(a / a.dtype.type(2 * np.log2(np.e)))


RIGHT: dict[str, Implementation] = {name: cls() for name, cls in HEALTHY.items()}
for cls in (RationalTanh, TanhThroughExp, TermByTerm, FusedMultiplyAdd, ScaledWeights):
    RIGHT[cls.__name__] = cls()
RIGHT |= {one.name: one for one in (BATCH, SINGLE)}


def trace(case: Case) -> Trace:
    data = case.data()
    weights = of_cell(data.weights, 0, 0, data.options)
    return Trace(weights, data.inputs, data.initial[0], case.dtype)


def case(dtype: str, *, rows: int = MODERATE[1], layout: str = "time_first", seed: int = 0) -> Case:
    T, B = (MODERATE_SINGLE if layout == "single" else (MODERATE[0], rows))[:2]
    kind = {"dtype": dtype, "layout": layout, "weights": "moderate", "O": 2, "seed": seed}
    return Case(T, B, *MODERATE[2:], **kind)  # type: ignore[arg-type]


def shares(implementation: Implementation, case: Case) -> tuple[float, float]:
    """The worst error as a share of its limit: of the one-step bound, and of the statistics."""
    answer = Subject(implementation).result(case)
    with np.errstate(all="ignore"):
        seen = statistics.judgements(
            statistics.statistics(residuals(trace(case), answer.output)), case.dtype
        )
        within = judge_output(of_answer(case, answer), answer).worst()[0]
        return within, max(one.worst()[0] for one in seen)


def layouts(implementation: Implementation) -> list[str]:
    return [one for one in ("time_first", "single") if one in implementation.claims]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("implementation", RIGHT.values(), ids=list(RIGHT))
def test_right_ones_are_far_from_the_limits(implementation: Implementation, dtype: str) -> None:
    layout = layouts(implementation)[0]
    assert 0 < shares(implementation, case(dtype, layout=layout))[1] < 0.6


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SYSTEMATIC)
def test_seen_although_within_the_bound(name: str, dtype: str) -> None:
    if np.finfo(np.longdouble).nmant == 52 and dtype == "float64":
        pytest.skip("the mutants and the judge need a long double wider than float64")
    within, seen = shares(MUTANTS[name].make(), case(dtype))
    assert within < 1 < seen


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_wrong_weight_is_named(dtype: str) -> None:
    one = case(dtype)

    class Wrong(Recurrence):
        def cell(self, call: Call, layer: int, d: int) -> Weights:
            w = super().cell(call, layer, d)
            W_hh = w["W_hh"].copy()
            W_hh[5, 3] += 8 * np.finfo(W_hh.dtype).eps
            return {**w, "W_hh": W_hh}

    states = Subject(Wrong()).result(one).output
    of = residuals(trace(one), states)
    weights = statistics.weight_means(of)
    # Others are suspected too, since inputs and states are never quite uncorrelated; none as much.
    worst = np.argmax(np.abs(weights.found) / weights.limit)
    assert divmod(int(worst), one.H) == (one.I + 1 + 3, 5)
    assert weights.found[one.I + 1 + 3, 5] == pytest.approx(16, abs=2)


def test_means_are_what_was_put_in() -> None:
    """Exact states, each then moved by what a statistic is about."""
    one = case("float64", rows=500)
    states = Subject(RIGHT["WiderInside"]).result(one).output
    of = residuals(trace(one), states)
    exact = {**vars(of), "r": 3 * of.ulp * np.sign(of.h)}
    found = list(statistics.statistics(statistics.Residuals(**exact)))
    assert [part.found.item() for part in found[1:8:2]] == pytest.approx([3] * 4)
    moved = statistics.Residuals(**{**vars(of), "r": of.slope * of.u * 7})
    row = statistics.weight_means(moved).found[one.I]
    assert row == pytest.approx(np.full(one.H, 7.0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_outside(value: float) -> None:
    one = case("float32", rows=50)
    states = Subject(RIGHT["Plain"]).result(one).output.copy()
    states[1, 2, 3] = value
    with np.errstate(all="ignore"):
        assert any(
            j.first_outside()
            for j in statistics.judgements(
                statistics.statistics(residuals(trace(one), states)), "float32"
            )
        )


def test_half_of_the_states_are_neither_tiny_nor_saturated() -> None:
    size = np.abs(Subject(RIGHT["Plain"]).result(case("float64")).output)
    assert np.mean((size > 0.1) & (size < 0.9)) > 0.75


class Narrow(Recurrence):
    """Some weights, or the pre-activation, have so many bits only."""

    def __init__(self, bits: int, *names: str) -> None:
        self.bits, self.names = bits, names

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w = super().cell(call, layer, d)
        return {n: rounded(v, self.bits) if n in self.names else v for n, v in w.items()}

    def activation(self, call: Call, a: Array) -> Array:
        return np.tanh(a if self.names else rounded(a, self.bits))


class ShortSums(TermByTerm):
    def __init__(self, bits: int) -> None:
        self.bits = bits

    def add(self, a: Array, v: Array, w: Array) -> Array:
        return rounded(a + v * w, self.bits)


class ProductsTruncated(TermByTerm):
    def add(self, a: Array, v: Array, w: Array) -> Array:
        total: Array = a + truncated(v.astype(np.longdouble) * w, a.dtype)
        return total


class StateTruncated(Recurrence):
    def activation(self, call: Call, a: Array) -> Array:
        return truncated(np.tanh(a.astype(np.longdouble)), a.dtype)


def tanh_off(share: float = 0.0, shift: float = 0.0) -> Recurrence:
    """In absolute numbers, not in eps of float32."""
    off = TanhOff()
    off.share, off.shift = (value / float(np.finfo(np.float32).eps) for value in (share, shift))
    return off


def wrong() -> Iterator[tuple[str, str, Recurrence]]:
    for share in (1e-5, 1e-6, 3e-7, -3e-7, 2e-7, 1e-7):
        yield f"tanh times 1 {share:+g}", "float32", tanh_off(share)
    for shift in (1e-6, 3e-7, -3e-7, 1e-7, 5e-8):
        yield f"tanh {shift:+g}", "float32", tanh_off(shift=shift)
    for dtype in DTYPES:
        yield "state truncated", dtype, StateTruncated()
        yield "products truncated", dtype, ProductsTruncated()
        yield "sums truncated", dtype, MUTANTS["SumsTruncated"].make()
    for what, bits in (("bfloat16", 8), ("float16", 11), ("20 bits", 20), ("21", 21), ("22", 22)):
        yield f"sums in {what}", "float32", ShortSums(bits)
    yield "factors of products in TF32", "float32", MUTANTS["ProductsInTF32"].make()
    for bits in (18, 19, 20):
        yield f"pre-activation in {bits} bits", "float32", Narrow(bits)
    for what, bits in (("float16", 11), ("18 bits", 18), ("20 bits", 20), ("22 bits", 22)):
        yield f"W_hh in {what}", "float32", Narrow(bits, "W_hh")
    for what, bits in (("bfloat16", 8), ("18 bits", 18), ("20 bits", 20), ("22 bits", 22)):
        yield f"biases in {what}", "float32", Narrow(bits, "b_ih", "b_hh")
    yield "all in float32", "float64", MUTANTS["Float64InFloat32"].make()


def table() -> Iterator[str]:
    """Of what is wrong, the worst share of its limit by number of states; above 1 it is seen."""
    sizes = {f"1e{p}": round(10**p / MODERATE[0] / MODERATE[3]) for p in (3, 4, 5, 6)}
    yield f"| wrong | dtype | one-step bound, 1e5 | {' | '.join(sizes)} |"
    yield "|---|---|---|" + "---|" * len(sizes)
    for what, dtype, implementation in wrong():
        both = [shares(implementation, case(dtype, rows=rows)) for rows in sizes.values()]
        cells = [both[2][0], *(seen for _, seen in both)]
        shown = " | ".join(f"**{value:.3g}**" if value > 1 else f"{value:.2g}" for value in cells)
        yield f"| {what} | {dtype} | {shown} |"


def margins(seeds: range) -> Iterator[str]:
    """Of what is right, the largest share of a limit."""
    yield "| right | " + " | ".join(DTYPES) + " | runs |"
    yield "|---|---|---|---|"
    for name, one in RIGHT.items():
        found = {
            dtype: [
                shares(one, case(dtype, layout=layout, seed=seed))[1]
                for layout in layouts(one)
                for seed in seeds
            ]
            for dtype in DTYPES
        }
        worst = " | ".join(f"{max(values):.3f}" for values in found.values())
        yield f"| {name} | {worst} | {sum(map(len, found.values()))} |"


if __name__ == "__main__":
    for line in margins(range(21)) if "--seeds" in sys.argv else table():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
