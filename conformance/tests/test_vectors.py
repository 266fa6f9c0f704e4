"""Vectors are exact, the same bytes every time, and say what they are."""

import json
from dataclasses import replace
from decimal import Decimal, localcontext
from hashlib import sha256
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from flint import arb, ctx
from rnn_conformance import Case, vectors
from rnn_conformance.bounds.balls import Precision
from rnn_conformance.cases import gradients
from rnn_conformance.cases.case import Data
from rnn_conformance.cases.catalogue import PAIRS, every_option
from rnn_conformance.cases.expected import as_a_whole, whole
from rnn_conformance.cells import CELLS
from rnn_conformance.cells.decimals import tanh
from rnn_conformance.cells.weights import of_cell
from rnn_conformance.contract.call import DTYPES, GATED, LAYOUTS
from rnn_conformance.sources.exchange import read_tensors
from rnn_conformance.vectors import cli
from rnn_conformance.vectors.exact import FIFTY_DIGITS, exact
from rnn_conformance.vectors.export import rounded_up, showing_pairs, vector_cases
from rnn_conformance.vectors.flags import FLAGS
from rnn_conformance.vectors.manifest import read_manifest
from rnn_conformance.vectors.traced import Traced, gradient

from .ball_oracle import floats, trajectory
from .miniatures import Command
from .vector_results import OF_GATES, ONLY

JUDGE = Precision.of("float64")
# Of some of the released set: both change where its digest does, and nowhere else.
OF_IDS = "d22981eac3fdec297fc11ee92347673b4495188b5f77f054c3b50296d706bda2"
OF_SOME = "a6a9dbf0ba52f11c98d98e0ddf1dfe04d3e065482ab90e2b1d2cff4a754e0a2d"
RESULTS = [case for case in vector_cases() if case.loss == "none"]
SMALL = [case for case in RESULTS if case.T * case.B < 50]
WITH_GRADIENTS = [case for case in vector_cases() if case.loss != "none"]


@pytest.mark.parametrize("a", ["1e-30", "-3e-14", "1e-13", "0.5", "-0.7", "3", "-40", "99", "1e9"])
def test_tanh_has_36_digits(a: str) -> None:
    with localcontext(FIFTY_DIGITS), ctx.workprec(400):
        found, true = tanh(Decimal(a)), arb(a).tanh()
        assert abs(arb(str(found)) / true - 1) < arb("1e-36")


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_layer_is_what_ball_arithmetic_proves(dtype: str) -> None:
    case = Case(dtype=dtype, lengths="none")  # type: ignore[arg-type]
    data = case.data()
    weights = of_cell(data.weights, 0, 0, data.options)
    states = trajectory(weights, data.inputs, data.initial[0])
    found = exact(data)
    np.testing.assert_array_equal(found.output, floats(states))
    np.testing.assert_array_equal(found.h_n[0], floats(states)[-1])


@pytest.mark.parametrize("case", SMALL[::7], ids=lambda case: case.id)
def test_the_reference_is_as_near_as_float64_explains(case: Case) -> None:
    found, other = exact(case.data()), whole(case.data(), JUDGE)
    assert (np.abs(found.output - other.output) <= other.output_bound).all()
    assert (np.abs(found.h_n - other.h_n) <= other.h_n_bound).all()


def test_a_transposed_weight_is_farther_off() -> None:
    data = Case(L=2, bidirectional=True).data()
    turned = {n: w.T if n.startswith("weight_hh") else w for n, w in data.weights.items()}
    found, other = exact(replace(data, weights=turned)), whole(data, JUDGE)
    assert (np.abs(found.output - other.output) > other.output_bound).mean() > 0.9


@pytest.mark.parametrize("case", WITH_GRADIENTS[::13], ids=lambda case: case.id)
def test_gradients_are_what_the_formulas_give(case: Case) -> None:
    found, other = exact(case.data()).gradients, gradients.whole(case.data(), JUDGE).parts
    assert found.keys() == other.keys() - ({"h_0"} if case.h_0 == "none" else set())
    for name, value in found.items():
        assert (np.abs(value - other[name].value) <= other[name].bound).all(), name


def test_gradients_of_a_transposed_weight_are_farther_off() -> None:
    data = Case(loss="all").data()
    turned = {n: w.T if n == "weight_hh_l0" else w for n, w in data.weights.items()}
    found = exact(replace(data, weights=turned)).gradients
    for name, other in gradients.whole(data, JUDGE).parts.items():
        assert (np.abs(found[name] - other.value) > other.bound).mean() > 0.9, name


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_comes_with_gradients_of_every_kind(cell: str) -> None:
    cases = [case for case in WITH_GRADIENTS if case.cell == cell]
    losses = {"all", "output", "output_zeros", "h_n"} | ({"c_n"} if cell == "lstm" else set())
    assert {case.loss for case in cases} == losses
    assert {(c.dtype, c.layout) for c in cases} == {*product(DTYPES, LAYOUTS)}
    assert {(c.bidirectional, c.lengths) for c in cases} == {
        *product((False, True), ("none", "unsorted"))
    }
    assert {case.weights for case in cases} == {"contractive", "marked"}
    assert len(cases) < 32


def _with_input(data: Data, step: int, row: int, value: float) -> Data:
    inputs = data.inputs.copy()
    inputs[step, row] = value
    return replace(data, inputs=inputs)


def test_what_is_computed_of_a_number_is_differentiated() -> None:
    x, y = Traced(3), Traced("-0.5")
    known: tuple[tuple[Decimal, tuple[Decimal | int, Decimal | int]], ...] = (
        (x + y + x + 1, (2, 1)),
        (1 - x - y - 2, (-1, -1)),
        (x * y * 4, (-2, 12)),
        (x / y, (-2, -12)),
        (1 / y / x, (Decimal(2) / 9, Decimal(-4) / 3)),
        (-x + abs(y) + abs(x), (0, -1)),
        (x**3 - 3 * y, (27, -3)),
        (max(y, Decimal(0)) + x * x, (6, 0)),
        ((2 * y).exp() + max(x, Decimal(0)), (1, 2 * Decimal(-1).exp())),
    )
    for made, slopes in known:
        found = gradient(made)
        for number, slope in zip((x, y), slopes, strict=True):
            assert abs(found.get(id(number), Decimal(0)) - slope) < Decimal("1e-25"), (made, slopes)
    assert gradient(Decimal(2)) == {}


def test_padding_is_never_read_and_a_real_nan_is_refused() -> None:
    data = Case(bidirectional=True, lengths="unsorted").data()
    short = int(np.argmin(data.steps))
    found = exact(_with_input(data, -1, short, np.nan))
    np.testing.assert_array_equal(found.output, exact(data).output)
    assert not found.output[data.steps[short] :, short].any()
    with pytest.raises(ValueError, match=r"^inputs: expected finite numbers, got \[nan"):
        exact(_with_input(data, 0, short, np.nan))


def test_bounds_are_rounded_up_to_three_digits() -> None:
    rng = np.random.default_rng(0)
    bounds = 10 ** rng.uniform(-20, 2, 1000)
    values = rng.standard_normal(1000)
    found = rounded_up(bounds, values)
    least = bounds + np.spacing(np.abs(values)) / 2
    assert (found >= least).all()
    assert (found <= least * 1.01).all()
    assert all(f"{value:.2e}" == f"{value:.3e}".replace("0e", "e", 1) for value in found)
    assert rounded_up(np.zeros(1), np.ones(1)) == 0


def test_the_bounds_hold_those_of_the_suite() -> None:
    assert {case.dtype for case in vector_cases()} == {*DTYPES}
    assert {case.weights for case in RESULTS} == {"contractive"}
    whole = {c for c in every_option() if c.weights == "contractive" and c.dtype in DTYPES}
    left_out = whole - {*vector_cases()} - {*PAIRS}
    assert {(c.T, c.B) for c in left_out} == {(257, 256)}


def settings(case: Case) -> dict[str, object]:
    names = ("dtype", "layout", "L", "bias", "bidirectional", "h_0", "lengths", "padding_nan")
    return {name: getattr(case, name) for name in names}


@pytest.mark.parametrize("cell", GATED)
def test_each_gated_cell_comes_with_every_pair_of_options_and_every_size(cell: str) -> None:
    cases = [case for case in RESULTS if case.cell == cell]
    possible = [c for c in every_option((cell,)) if c.dtype in DTYPES and c.T * c.B <= 10_000]
    pairs = [
        {pair for case in some for pair in combinations(settings(case).items(), 2)}
        for some in (cases, possible)
    ]
    assert pairs[0] == pairs[1]
    sizes = [{(c.dtype, c.T, c.B, c.I, c.H) for c in some} for some in (cases, possible)]
    assert sizes[0] == sizes[1]
    assert len(cases) < len(possible) / 3


def test_a_case_that_shows_no_new_pair_is_left_out() -> None:
    first, other = Case(bias="off", h_0="none"), Case(bias="off", h_0="none", B=3)
    assert [*showing_pairs([first, first, other, Case()])] == [first, other, Case()]


def test_some_of_the_released_set_is_written_again(tmp_path: Path) -> None:
    """With the ids of all of it; all of it is written weekly."""
    ids = [case.id for case in vector_cases()]
    assert sha256("".join(ids).encode()).hexdigest() == OF_IDS
    assert vectors.digest(vectors.export(tmp_path, only=ids[:: len(ids) // 24])) == OF_SOME


@pytest.mark.slow
@pytest.mark.weekly
def test_the_released_set_is_written_again(tmp_path: Path) -> None:
    manifest = vectors.export(tmp_path)
    assert vectors.digest(manifest) == cli.released()
    assert len(manifest.cases) == len(vector_cases())
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert size < 14_000_000
    assert {flag for case in manifest.cases for flag in case.flags} == {*FLAGS}


def test_the_manifest_says_what_is_there(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert vectors.digest(manifest) == sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert manifest.index == sha256((folder / "index.txt").read_bytes()).hexdigest()
    assert [case.id for case in manifest.cases] == sorted(ONLY)
    for case in manifest.cases:
        assert case.sha256 == sha256((folder / case.file).read_bytes()).hexdigest()
        assert ("PaddingNaN" in case.flags) == ("nan_padding" in case.id)
        assert ("RNN-LEN-1" in case.clauses) == ("unsorted" in case.id)
        assert {*case.flags} <= {*json.loads((folder / "manifest.json").read_text())["flags"]}


def test_the_stored_numbers_are_those_of_the_suite_in_its_layout(folder: Path) -> None:
    case = next(case for case in vector_cases() if case.id == ONLY[0])
    arrays = read_tensors(folder / f"cases/{case.id}.safetensors", 10**6)
    found, bounds = exact(case.data()), as_a_whole(case)
    np.testing.assert_array_equal(arrays["inputs"], case.call().inputs)
    np.testing.assert_array_equal(arrays["expected.output"], found.output.swapaxes(0, 1))
    np.testing.assert_array_equal(arrays["expected.h_n"], found.h_n)
    assert (arrays["bound.output"] >= bounds.output_bound.swapaxes(0, 1)).all()
    assert ((arrays["bound.output"] == 0) == ~case.data().real.swapaxes(0, 1)).all()


def test_the_parts_of_a_state_are_stored_apart(tmp_path: Path) -> None:
    case = next(case for case in vector_cases() if case.id == OF_GATES[0])
    vectors.export(tmp_path, only=[case.id])
    arrays = read_tensors(tmp_path / f"cases/{case.id}.safetensors", 10**6)
    found, bounds, call = exact(case.data()), as_a_whole(case), case.call()
    for k, part in enumerate("hc"):
        units = np.s_[..., k * case.H : (k + 1) * case.H]
        np.testing.assert_array_equal(arrays[f"{part}_0"], call.state[f"{part}_0"])
        np.testing.assert_array_equal(arrays[f"expected.{part}_n"], found.h_n[units])
        stored, least = arrays[f"bound.{part}_n"], bounds.h_n_bound[units]
        assert (stored >= least).all()
        assert (stored <= least * 1.01 + np.spacing(np.abs(found.h_n[units]))).all()


def test_what_cannot_be_exported_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^folder: expected a new or an empty one"):
        vectors.export(folder)
    with pytest.raises(ValueError, match=r"^only: expected ids of cases, got "):
        vectors.export(tmp_path, only=["float32"])
    with pytest.raises(ValueError, match=r"^seed: expected an integer from 0 on, got -1"):
        vectors.export(tmp_path, seed=-1)
    assert not list(tmp_path.iterdir())


def test_the_command_writes_and_says_which_set(tmp_path: Path, command: Command) -> None:
    written = command(cli.main, "export", tmp_path, "--only", ONLY[5])
    digest = vectors.digest(read_manifest(tmp_path))
    said = f"1 cases, sha256 of the manifest {digest}: not a released set\n"
    assert written == (0, said, "")
    assert command(cli.main, "export", tmp_path)[0] == 2
