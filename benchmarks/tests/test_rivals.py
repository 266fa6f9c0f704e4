"""The further lines: right where they can be run, told why where not."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from rnn_benchmarks.agreement import DisagreementError, allowance, require_agreement
from rnn_benchmarks.grid import DTYPES, Point
from rnn_benchmarks.lines import BATCH_RNN, LINES, YARDSTICK, UnavailableError
from rnn_benchmarks.names import CORE, LIMIT, NAMES, OURS, RIVALS, YARDSTICK_NAME, chosen_names
from rnn_benchmarks.rivals import load, native
from rnn_benchmarks.workload import Workload, draw

# torch.compile brings deprecated parts of torch with it.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
SHAPES = [(7, 3, 5, 6), (23, 1, 9, 4), (12, 2, 3, 40)]


def small(dtype: str, shape: tuple[int, int, int, int] = SHAPES[0]) -> Workload:
    T, B, I, H = shape
    return draw(Point(T=T, B=B, I=I, H=H, dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_agrees_with_the_yardstick_and_repeats_itself(name: str, dtype: str) -> None:
    loaded = load([name], threads=1)
    if name in loaded.absent:
        pytest.skip(loaded.absent[name])
    line = loaded.lines[name]
    if dtype not in line.dtypes:
        pytest.skip(f"{line.title} does not compute in {dtype}")
    for shape in SHAPES:
        workload = small(dtype, shape)
        expected = YARDSTICK.collect(YARDSTICK.prepare(workload)())
        run = line.prepare(workload)
        for _ in range(2):
            require_agreement(
                line.collect(run()), expected, allowance(workload), names=(line.title, "torch")
            )


def test_names_are_those_of_the_lines() -> None:
    assert tuple(LINES) == CORE
    assert {OURS, YARDSTICK_NAME, LIMIT} <= set(NAMES)
    assert YARDSTICK.name == YARDSTICK_NAME
    assert BATCH_RNN.name == OURS


def test_names_are_chosen_in_their_order_with_the_yardstick() -> None:
    assert chosen_names("floor, batch-rnn") == ("batch-rnn", "torch-rnn", "floor")
    assert chosen_names("") == NAMES


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"lines: expected names of blackboard, .*, got a, b"):
        chosen_names("b,a,batch-rnn")


def test_a_line_whose_framework_is_missing_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "rnn_benchmarks.rivals.numba_loop", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    loaded = load(["numba", "batch-rnn"], threads=1)
    assert list(loaded.lines) == ["batch-rnn"]
    assert loaded.absent["numba"].endswith("numba is not installed")


def floor_module() -> object:
    """The module of the floor; skipped where it cannot be built."""
    loaded = load([LIMIT], threads=1)
    if loaded.absent:
        pytest.skip(loaded.absent[LIMIT])
    return sys.modules["rnn_benchmarks.rivals.floor"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_each_plan_of_the_floor_agrees(dtype: str, shape: tuple[int, int, int, int]) -> None:
    floor_module()
    from rnn_benchmarks.rivals.floor import ORGANISATIONS, Plan, collect, with_plan

    workload = small(dtype, shape)
    expected = YARDSTICK.collect(YARDSTICK.prepare(workload)())
    for organisation in ORGANISATIONS:
        for panel, chunk in ((shape[3], shape[1]), (max(1, shape[3] // 3), max(1, shape[1] - 1))):
            found = collect(with_plan(workload, Plan(organisation, panel, chunk))())
            require_agreement(found, expected, allowance(workload), names=("floor", "torch"))


def test_a_floor_without_its_bias_is_refused() -> None:
    floor_module()
    from rnn_benchmarks.rivals.floor import ORGANISATIONS, Plan, collect, with_plan

    workload = small("float32")
    expected = YARDSTICK.collect(YARDSTICK.prepare(workload)())
    weights = {**workload.weights, "b_hh": np.zeros_like(workload.weights["b_hh"])}
    wrong = Workload(weights, workload.inputs)
    for organisation in ORGANISATIONS:
        found = collect(with_plan(wrong, Plan(organisation, 6, 3))())
        with pytest.raises(DisagreementError, match="not timed"):
            require_agreement(found, expected, allowance(workload), names=("floor", "torch"))


def test_plans_cut_products_only_where_they_are_large() -> None:
    floor_module()
    from rnn_benchmarks.rivals.floor import ORGANISATIONS, SMALL_PRODUCT, plans

    assert len(list(plans(1, 64, 512))) == len(list(plans(5, 9, 32))) == len(ORGANISATIONS)
    tried = list(plans(256, 64, 512))
    assert len(set(tried)) == len(tried) > len(ORGANISATIONS)
    for plan in tried:
        terms = 512 if plan.organisation == "projected" else 512 + 64 + 1
        whole = (plan.panel, plan.chunk) == (512, 256)
        assert whole or plan.panel * plan.chunk * terms <= SMALL_PRODUCT


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_floor_has_the_tanh_of_numpy_to_the_bit(dtype: str) -> None:
    floor_module()
    from rnn_benchmarks.rivals.floor import Plan, collect, with_plan

    drawn = small(dtype, (1, 4, 16, 32))
    # One input a unit and no other term: a product of one and a sum with zeros are exact.
    weights = {name: np.zeros_like(weight) for name, weight in drawn.weights.items()}
    weights["W_xh"][:16] = np.eye(16, dtype=dtype)
    found = collect(with_plan(Workload(weights, drawn.inputs), Plan("projected", 32, 4))())
    np.testing.assert_array_equal(found.states[..., :16], np.tanh(drawn.inputs), strict=True)


def test_without_a_compiler_the_floor_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    native.compiled.cache_clear()
    monkeypatch.setattr("rnn_benchmarks.rivals.native.shutil.which", lambda name: None)
    with pytest.raises(UnavailableError, match="no C compiler was found"):
        native.compiled("float32", "int64_t")


def test_without_numpys_own_openblas_the_floor_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"internal_api": "openblas", "filepath": str(Path("lib") / "libopenblas.so")}
    monkeypatch.setattr(native, "threadpool_info", lambda: [other])
    with pytest.raises(UnavailableError, match="NumPy has no OpenBLAS of its own"):
        native.numpy_blas("float32")


def test_loading_leaves_the_threads_of_torch_as_they_were() -> None:
    before = torch.get_num_threads()
    load(NAMES, threads=1)
    assert torch.get_num_threads() == before
