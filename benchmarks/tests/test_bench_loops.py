"""The benchmarks as they are run, at the smallest point; no test looks at how long they take."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rnn_benchmarks.lines import LINES
from rnn_benchmarks.measure import Call
from rnn_benchmarks.plots import PLOTS
from rnn_benchmarks.report import main
from rnn_benchmarks.workload import TITLES, Workload

pytest_plugins = ["pytester"]
HOUSE = Path(__file__).parents[2]
SMALLEST = "float32-T10-B1-I9-H4"
# Those that need neither a compiler nor another framework.
CORE = f"--rnn-lines={','.join(LINES)}"


@pytest.fixture
def loops(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with the benchmarks and their conftest."""
    # pytest-benchmark times nothing in a worker of xdist; what is tested here is no such worker.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    paths = " ".join(str(HOUSE / name) for name in ("reference", "conformance", "benchmarks"))
    pytester.makeini(f"[pytest]\npythonpath = {paths}\nfilterwarnings = error\n")
    for name in ("bench_loops.py", "conftest.py"):
        (pytester.path / name).write_text((HOUSE / "benchmarks" / name).read_text("utf-8"), "utf-8")
    return pytester


def run(loops: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    plugins = ("-p", "pytest_benchmark.plugin", "-p", "no:cacheprovider", "--benchmark-only")
    return loops.runpytest_inprocess("bench_loops.py", *plugins, *arguments)


def test_a_run_gives_a_report_that_does_not_say_where_it_was_made(loops: pytest.Pytester) -> None:
    out, folder = loops.path / "out.json", loops.path / "report"
    chosen = ("-k", f"{SMALLEST} or tanh", CORE, "--rnn-threads=2", "--rnn-seconds=0.01")
    result = run(loops, *chosen, f"--benchmark-json={out}")
    result.assert_outcomes(passed=len(LINES) + 2, deselected=23 * len(LINES))
    found = [entry["extra_info"] for entry in json.loads(out.read_text("utf-8"))["benchmarks"]]
    assert {each.get("line") for each in found} == {*LINES, None}
    assert main([str(out), "--folder", str(folder)]) == 0
    written = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert set(written) == {"results.json", "report.md", *(f"{name}.svg" for name in PLOTS)}
    assert "2 threads" in written["report.md"]
    assert "- Load: " in written["report.md"]
    assert f"--rnn-lines {','.join(LINES)} --rnn-seconds 0.01" in written["report.md"]
    assert not [name for name, text in written.items() if str(loops.path) in text]


@pytest.mark.parametrize("wrong", ["BatchRNN", "torch.nn.RNN"])
def test_nothing_is_timed_where_a_line_or_torch_is_wrong(
    wrong: str, loops: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = (name for name, title in TITLES.items() if title == wrong)
    right = LINES[name]

    def forgetful(workload: Workload) -> Call:
        weights = {**workload.weights, "b_hh": 0 * workload.weights["b_hh"]}
        return right.prepare(replace(workload, weights=weights))

    monkeypatch.setitem(LINES, name, replace(right, prepare=forgetful))
    result = run(loops, "-k", f"{SMALLEST} and batch-rnn", CORE)
    result.assert_outcomes(failed=1, deselected=24 * len(LINES) + 1)
    result.stdout.no_fnmatch_line("*Rounds*")
    result.stdout.fnmatch_lines(
        [f"*AssertionError: outputs of {wrong} differ first at t=0, *not timed*"]
    )


def test_points_that_take_too_long_are_skipped(loops: pytest.Pytester) -> None:
    result = run(loops, "-k", SMALLEST, CORE, "--rnn-limit=0")
    result.assert_outcomes(skipped=len(LINES), deselected=23 * len(LINES) + 2)


def test_grid_and_lines_are_options_and_the_yardstick_is_always_there(
    loops: pytest.Pytester,
) -> None:
    found = run(loops, "--collect-only", "-q", "--rnn-grid=full")
    found.stdout.fnmatch_lines([f"{288 * len(TITLES) + 2} tests collected*"])
    found = run(loops, "--collect-only", "-q", "--rnn-lines=batch-rnn")
    found.stdout.fnmatch_lines(["*torch-rnn[]]", "50 tests collected*"])
    found = run(loops, "--collect-only", "-q", "--rnn-lines=batch-gru")
    found.stdout.fnmatch_lines(["*gru-*-torch-gru[]]", "50 tests collected*"])
    found = run(loops, "--rnn-lines=speedy,batch-rnn")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(["*--rnn-lines: expected names of single, *, got speedy*"])
