"""The pytest plugin, in the project of somebody else."""

import json
import os
import re
from xml.etree import ElementTree

import pytest
from rnn_conformance import Record, plan

pytestmark = pytest.mark.slow

SINGLE = "rnn_reference.SingleSequenceRNN"
BATCH = "rnn_reference.BatchRNN"
RIGHT, WRONG = "both.py:Right", "both.py:Wrong"
MAIN = "float32-T7-B3-I5-H4-O2-L1-tanh-h0-normal"
MAIN_SINGLE = "float32-T7-I5-H4-O2-L1-tanh-h0-normal"
RELATIONAL = "float32-T7-B4-I5-H3-O2-L1-tanh-h0"
SUITE = ("--pyargs", "rnn_conformance")
PLAIN = (
    "-p", "no:cacheprovider", "-p", "no:benchmark", "-W", "error",
    "-p", "no:hypothesispytest",  # which imports much at the end
)  # fmt: skip
VAIN = "ERROR: no check of the implementation was executed (they are in --pyargs rnn_conformance)"
BOTH = """
    from rnn_conformance.variants.recurrence import Recurrence
    from rnn_conformance.variants.wrong.cell import RecurrentBiasDropped

    NARROW = frozenset(("time_first", "float32", "tanh", "h_0", "readout"))  # soon collected

    class Right(Recurrence):
        claims = NARROW

    class Wrong(RecurrentBiasDropped):
        claims = NARROW
    """


@pytest.fixture
def host(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a test of its own, tested on somebody's desk: in CI pytest prints more."""
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(test_own="def test_own(): ...", both=BOTH)
    return pytester


def run(
    host: pytest.Pytester, *arguments: str, diagnosed: bool = False, apart: bool = False
) -> pytest.RunResult:
    """What pytest says, in this process or apart in one of its own."""
    runner = host.runpytest_subprocess if apart else host.runpytest_inprocess
    result = runner(*PLAIN, *["--rnn-no-diagnosis"] * (not diagnosed), *arguments)
    assert "Traceback" not in f"{result.stdout}{result.stderr}"
    return result


def judging(*names: str, only: str) -> list[str]:
    """The arguments that judge these implementations in the tests that `-k` selects."""
    return [*SUITE, *(f"--rnn-implementation={name}" for name in names), "-k", only]


def outcomes(result: pytest.RunResult) -> dict[str, int]:
    counts = result.parseoutcomes()
    return {name: n for name, n in counts.items() if name not in ("warnings", "deselected")}


def summary(result: pytest.RunResult, name: str) -> dict[str, list[str]]:
    """The table of one implementation: the cells of each row."""
    lines = iter(result.outlines)
    for line in lines:
        if re.fullmatch(rf"=+ rnn-conformance: {re.escape(name)} =+", line):
            break
    rows = {}
    for line in lines:
        if line.startswith(("=", "share:")):
            break
        first, *cells = line.split() or [""]
        rows[first] = cells
    return rows


def test_where_nobody_asks_for_a_verdict_it_is_silent_and_imports_next_to_nothing(
    host: pytest.Pytester,
) -> None:
    host.makeconftest(
        """
        import pytest
        import sys

        @pytest.hookimpl(trylast=True)
        def pytest_unconfigure():
            print("IMPORTED", *sorted(sys.modules))
        """
    )
    result = run(host, "-s", apart=True)
    assert (result.ret, outcomes(result), result.errlines) == (0, {"passed": 1}, [])
    *told, line = [line for line in result.outlines if not line.startswith("plugins: ")]
    assert not [line for line in told if re.search(r"rnn|numpy|torch|seed", line)]
    imported = set(line.removeprefix("IMPORTED ").split())
    libraries = {"jinja2", "jsonschema", "matplotlib", "numpy", "rich", "safetensors", "torch"}
    assert not libraries & imported
    ours = {name for name in imported if name.startswith(("rnn_conformance", "rnn_reference"))}
    assert ours == {"rnn_conformance", "rnn_conformance.plugin"}


def test_an_id_names_check_implementation_and_case(host: pytest.Pytester) -> None:
    """What is not claimed is not collected."""
    options = [f"--rnn-implementation={name}" for name in (SINGLE, BATCH)]
    result = run(host, *SUITE, *options, "--collect-only", "-q")
    found = [line.partition("::")[2] for line in result.outlines if "::" in line]
    planned = [item.id for name in (SINGLE, BATCH) for item in plan(name)]
    assert found == [f"test_conforms[{id_}]" for id_ in planned]
    assert f"test_conforms[output[{BATCH}-{MAIN}]]" in found
    assert len(set(found)) == len(found)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*no check*")


def test_two_implementations_have_a_table_each_under_versions_and_seed(
    host: pytest.Pytester,
) -> None:
    only = f"{MAIN}] or {MAIN_SINGLE}]"
    result = run(host, *judging(BATCH, SINGLE, BATCH, only=only), "--rnn-seed=7")
    assert (result.ret, "skipped" in outcomes(result)) == (0, False)
    seen_with = r"rnn-conformance [\d.]+, numpy [\d.]+, .*threads \d+, seed 7"
    lines = [line for line in result.outlines if re.match(seen_with, line)]
    assert len(lines) == 3  # the header, and above each of two tables
    assert re.fullmatch(rf"{seen_with}; judging {BATCH}, {SINGLE}", lines[0])
    assert re.fullmatch(seen_with, lines[1])
    for name in (BATCH, SINGLE):
        table = summary(result, name)
        assert table["output"][:4] == ["1", "1", "0", "0"]
        assert "final_state" not in table  # a class gives no h_n


def test_a_failure_says_where_and_how_to_repeat_it(host: pytest.Pytester) -> None:
    only = f"{MAIN}] and (output or shape_and_dtype)"
    result = run(host, *judging(WRONG, only=only), diagnosed=True)
    assert (result.ret, outcomes(result)) == (1, {"failed": 1, "passed": 1})
    lines = result.stdout.str().partition("FAILED output")[2].partition("\n===")[0].splitlines()
    assert lines[0] == f"[RecurrentBiasDropped-{MAIN}]"
    number = r"-?\d+\.\d+"
    assert re.fullmatch(
        rf"  output: step 0, row 0, unit 0: expected {number}, found {number}, "
        r"bound \d\S+ \(error is \S+ of it\); \d+ of 84 numbers are outside, "
        r"in steps \S+, rows \S+, units \S+",
        lines[1],
    )
    assert re.fullmatch(r"  bound: .+, u = 2\^-24 \(float32\)", lines[2])
    assert lines[3].startswith("  asked: Every number of the output is right: ")
    assert lines[4:6] == ["  to repeat it:", "    import numpy as np"]
    assert "    expected = np.tanh(W_ih @ x + b_ih + W_hh @ h + b_hh)" in lines
    table = summary(result, "RecurrentBiasDropped")
    assert table["output"][:4] == ["1", "0", "1", "0"]
    assert table["shape_and_dtype"] == ["1", "1", "0", "0", "-"]
    assert table["total"][:4] == ["2", "1", "1", "0"]
    result.stdout.fnmatch_lines(["*it behaves exactly as *[[]RecurrentBiasDropped[]]*"])


def test_where_the_simplest_call_fails_one_test_says_so_for_all(host: pytest.Pytester) -> None:
    (host.path / "mine.sh").write_text("while read folder; do echo refused: why; done")
    result = run(host, *SUITE, "--rnn-exec=sh mine.sh", ".")
    assert (result.ret, outcomes(result)) == (1, {"passed": 1, "failed": 1})
    result.stdout.fnmatch_lines(["*smoke[[]sh mine.sh[]]*", "*there is no verdict: refused: why*"])


def test_one_line_in_a_test_file_is_enough(host: pytest.Pytester) -> None:
    host.makepyfile(
        test_mine="""
        import rnn_conformance
        from both import Right, Wrong

        test_right = rnn_conformance.pytest_checks(Right)
        test_wrong = rnn_conformance.pytest_checks(Wrong)
        """
    )
    result = run(host, "-k", f"{MAIN}] and output", diagnosed=True)
    assert (result.ret, outcomes(result)) == (1, {"passed": 1, "failed": 1})
    assert summary(result, "Recurrence")["total"][:3] == ["1", "1", "0"]
    result.stdout.fnmatch_lines(["*it behaves exactly as *[[]RecurrentBiasDropped[]]*"])


def test_the_records_stand_in_a_report_of_junit(host: pytest.Pytester) -> None:
    result = run(host, *judging(RIGHT, only=MAIN), "--junitxml=a.xml")
    assert result.ret == 0
    found = ElementTree.parse(host.path / "a.xml").iter("property")
    values = [each.attrib["value"] for each in found if each.attrib["name"] == "rnn_conformance"]
    outcome = [Record.from_json(json.loads(value)).outcome for value in values]
    assert outcome == ["passed"] * outcomes(result)["passed"]


CRASHING = """
    import os
    from both import Right

    class Mine(Right):
        name, can_crash = "mine", {marked}
        def run(self, call):
            if call.inputs.shape == (7, 3, 5) and call.h_0 is None and os.getpid() != {here}:
                os.abort()
            return super().run(call)
    """
CRASH = f"output and ({MAIN}] or {MAIN.replace('-h0', '-no_h0')}])"


@pytest.mark.parametrize(
    ("marked", "option", "failed"),
    [(False, "--rnn-isolated", 1), (True, "--rnn-seed=0", 1), (True, "--rnn-not-isolated", 0)],
)
def test_a_crash_is_one_failed_check_where_isolated(
    marked: bool, option: str, failed: int, host: pytest.Pytester
) -> None:
    host.makepyfile(mine=CRASHING.format(marked=marked, here=os.getpid()))
    result = run(host, *judging("mine.py:Mine", only=CRASH), option)
    counts = outcomes(result)
    assert (result.ret, counts["passed"], counts.get("failed", 0)) == (failed, 2 - failed, failed)
    assert ("  the process ended with signal SIGABRT" in result.outlines) == bool(failed)


def test_one_line_isolates_what_says_that_it_can_crash(host: pytest.Pytester) -> None:
    host.makepyfile(mine=CRASHING.format(marked=True, here=os.getpid()))
    host.makepyfile(
        test_it="""
        import rnn_conformance

        test_mine = rnn_conformance.pytest_checks("mine.py:Mine")
        test_mine_here = rnn_conformance.pytest_checks("mine.py:Mine", isolation=None)
        """
    )
    assert outcomes(run(host, "-k", CRASH)) == {"passed": 3, "failed": 1}


def test_claims_and_known_failures_come_from_a_file(host: pytest.Pytester) -> None:
    host.makefile(
        ".toml",
        mine="""
        claims = ["float64", "time_first", "tanh", "h_0", "readout"]

        [[known_failures]]
        check = "output"
        case = "float64-*"
        reason = "b_hh is dropped"
        link = "a link"
        """,
    )
    only = f"output and ({MAIN}] or {MAIN.replace('32', '64')}])"
    result = run(host, *judging(WRONG, only=only), "--rnn-claims=mine.toml", "-rx")
    assert (result.ret, outcomes(result)) == (0, {"xfailed": 1})
    result.stdout.fnmatch_lines(["*b_hh is dropped; a link (output: step 0,*"])


@pytest.mark.parametrize(
    ("only", "status", "counts", "workers"),
    [
        ("no_such_check", 5, {}, []),
        ("test_own", 1, {"passed": 1}, []),
        ("test_own", 1, {"passed": 1}, ["-n1"]),
    ],
    ids=["nothing", "other tests", "other tests, by xdist"],
)
def test_no_check_executed_is_an_error(
    host: pytest.Pytester, only: str, status: int, counts: dict[str, int], workers: list[str]
) -> None:
    if workers:
        pytest.importorskip("xdist")
    result = run(host, ".", *workers, *judging(RIGHT, only=only), apart=bool(workers))
    assert (result.ret, outcomes(result)) == (status, counts)
    assert result.outlines.count(VAIN) == 1


def test_what_is_declared_and_never_asked_for_is_an_error(host: pytest.Pytester) -> None:
    host.makefile(
        ".toml",
        mine="""
        claims = ["single", "float32", "tanh"]

        [[known_failures]]
        check = "output"
        case = "float16-*"
        reason = "nothing is claimed of float16"
        """,
    )
    asked = ["--rnn-claims=mine.toml", f"--rnn-implementation={RIGHT}"]
    line = "ERROR: declared, but never asked for: known failure of output in float16-[*]"
    every = run(host, *SUITE, *asked)
    assert every.ret == 1
    assert "failed" not in outcomes(every)
    every.stdout.fnmatch_lines([line])
    some = run(host, *SUITE, *asked, "-k", "output")  # they may be asked for elsewhere
    assert some.ret == 0
    some.stdout.no_fnmatch_line(line)


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("--rnn-implementation=nope", "ERROR: implementation 'nope': expected module:object"),
        ("--rnn-seed=-1", "ERROR: --rnn-seed: expected an integer from 0 on"),
    ],
)
def test_what_cannot_be_judged_is_a_usage_error_of_one_line(
    host: pytest.Pytester, option: str, line: str
) -> None:
    result = run(host, *SUITE, option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (told,) = [each for each in result.errlines if each]
    assert told.startswith(line)


def test_without_torch_the_default_cannot_be_collected(host: pytest.Pytester) -> None:
    host.makeconftest("import sys\nsys.modules['torch'] = None")
    result = run(host, *SUITE, apart=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    told = "*'torch.nn.RNN': *; to install it: pip install *?torch?*"
    result.stdout.fnmatch_lines([told])


def test_xdist_gives_the_same_counts_and_table(host: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    arguments = judging(WRONG, RIGHT, only=f"{MAIN}] or {RELATIONAL}]")
    alone = run(host, *arguments)
    spread = run(host, "-n2", *arguments, apart=True)
    assert spread.ret == alone.ret == 1
    assert outcomes(spread) == outcomes(alone)
    assert "WHY" not in str(alone.stdout)  # nobody asked for it
    for name in ("RecurrentBiasDropped", "Recurrence"):
        tables = [summary(result, name) for result in (alone, spread)]
        for table in tables:
            assert table.pop("rnn-conformance")  # the versions of what each process has imported
            assert len(table) > 8
        assert tables[0] == tables[1]
