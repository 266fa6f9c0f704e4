"""The benchmarks as they are run, at the smallest point; no test looks at how long they take."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rnn_benchmarks.names import CORE, NAMES
from rnn_benchmarks.pairs import FEWEST_ROUNDS
from rnn_benchmarks.report import main

pytest_plugins = ["pytester"]
HOUSE = Path(__file__).parents[2]
SMALLEST = "float32-T10-B1-I9-H4"
# Those that need neither a compiler nor another framework.
CORE_LINES = f"--rnn-lines={','.join(CORE)}"


@pytest.fixture
def loops(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with the benchmarks and their conftest."""
    # pytest-benchmark times nothing in a worker of xdist; what is tested here is no such worker.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    paths = " ".join(str(HOUSE / name) for name in ("reference", "conformance", "benchmarks"))
    pytester.makeini(f"[pytest]\npythonpath = {paths}\nfilterwarnings = error\n")
    for name in ("bench_loops.py", "conftest.py"):
        (pytester.path / name).write_text((HOUSE / "benchmarks" / name).read_text("utf-8"), "utf-8")
    return pytester


def run(
    loops: pytest.Pytester,
    *arguments: str,
    runner: Callable[..., pytest.RunResult] | None = None,
) -> pytest.RunResult:
    runner = runner or loops.runpytest_inprocess
    return runner("bench_loops.py", "-p", "no:cacheprovider", *arguments)


def test_a_run_keeps_every_pair_and_can_be_reported_on(
    loops: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(
        loops,
        *("-k", SMALLEST, "--benchmark-only", "--benchmark-json=out.json", "--rnn-threads=2"),
        CORE_LINES,
    )
    result.assert_outcomes(passed=len(CORE), deselected=23 * len(CORE))
    document = json.loads((loops.path / "out.json").read_text("utf-8"))
    assert [entry["extra_info"]["line"] for entry in document["benchmarks"]] == list(CORE)
    for entry in document["benchmarks"]:
        extra = entry["extra_info"]
        assert len(extra["yardstick_seconds"]) == len(entry["stats"]["data"]) >= FEWEST_ROUNDS
        assert set(extra["threads"].values()) == {2}
        assert extra["largest_difference"]["states"] <= extra["allowed_difference"]["states"]
    assert main([str(loops.path / "out.json")]) == 0
    report = capsys.readouterr().out
    assert "2 threads" in report
    assert f"-k {SMALLEST}" in report


def test_a_line_that_computes_something_else_fails_and_is_not_timed(
    loops: pytest.Pytester,
) -> None:
    with (loops.path / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(
            "\nfrom dataclasses import replace\n"
            "from rnn_benchmarks.lines import BATCH_RNN, LINES\n"
            "def forgetful(workload):\n"
            "    weights = workload.weights | {'b_hh': 0 * workload.weights['b_hh']}\n"
            "    return BATCH_RNN.prepare(replace(workload, weights=weights))\n"
            "LINES['batch-rnn'] = replace(BATCH_RNN, prepare=forgetful)\n"
        )
    # In a process of its own, as LINES has been changed for good.
    result = run(
        loops,
        *("-k", f"{SMALLEST} and batch-rnn", "--benchmark-only", "--benchmark-json=out.json"),
        CORE_LINES,
        runner=loops.runpytest_subprocess,
    )
    result.assert_outcomes(failed=1, deselected=24 * len(CORE) - 1)
    assert not (loops.path / "out.json").exists()
    result.stdout.fnmatch_lines(
        ["*DisagreementError: states of BatchRNN and torch.nn.RNN differ first at t=0, *not timed*"]
    )


def test_the_full_grid_is_an_option(loops: pytest.Pytester) -> None:
    result = run(loops, "--collect-only", "-q", "--rnn-grid=full")
    result.stdout.fnmatch_lines([f"{288 * len(NAMES)} tests collected*"])


def test_lines_are_chosen_by_name_and_the_yardstick_is_among_them(
    loops: pytest.Pytester,
) -> None:
    result = run(loops, "--collect-only", "-q", "--rnn-lines=batch-rnn")
    result.stdout.fnmatch_lines(["*-torch-rnn?", f"{24 * 2} tests collected*"])


BAD_OPTIONS = {
    "--rnn-lines=batch-rnn,speedy": "*--rnn-lines: expected names of blackboard, *, got speedy*",
    "--rnn-threads=0": "*--rnn-threads: expected at least 1, got 0*",
    "--rnn-seconds=-1": "*--rnn-seconds: expected at least 0, got -1*",
    "--rnn-limit=nan": "*--rnn-limit: expected at least 0, got nan*",
}


@pytest.mark.parametrize("option", BAD_OPTIONS)
def test_a_bad_option_is_a_usage_error(loops: pytest.Pytester, option: str) -> None:
    result = run(loops, "-k", SMALLEST, option, runner=loops.runpytest_subprocess)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([BAD_OPTIONS[option]])


def test_slow_points_and_absent_lines_are_told_in_the_results(loops: pytest.Pytester) -> None:
    with (loops.path / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(
            "\nimport rnn_benchmarks.names\n"
            "rnn_benchmarks.names.RIVALS['floor'] = 'no_such_module'\n"
        )
    arguments = ("--benchmark-only", "--benchmark-json=out.json", "--rnn-lines=floor")
    # No call takes less than no time, and none of the other point's takes an hour.
    slow = run(
        loops, *arguments, "-k", SMALLEST, "--rnn-limit=0", runner=loops.runpytest_subprocess
    )
    slow.assert_outcomes(skipped=2, deselected=46)
    fast = run(
        loops, *arguments, "-k", SMALLEST, "--rnn-limit=3600", runner=loops.runpytest_subprocess
    )
    fast.assert_outcomes(passed=1, skipped=1, deselected=46)
    ours = json.loads((loops.path / "out.json").read_text("utf-8"))["machine_info"][
        "rnn_benchmarks"
    ]
    assert ours["absent"] == {"floor": "rnn_benchmarks.rivals.no_such_module is not installed"}
    assert ours["left_out"] == []


def test_a_usual_run_does_not_collect_benchmarks(loops: pytest.Pytester) -> None:
    result = loops.runpytest_inprocess("--collect-only", "-q", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
