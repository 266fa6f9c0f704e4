"""The command: its exit status, what it prints where, and the file that it writes."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rnn_conformance import Record
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.records import by_check
from rnn_conformance.faces import cli
from rnn_conformance.faces.terminal import share, table

RIGHT = "rnn_reference.BatchRNN"
QUICK = ("--check", "omitted_h_0_is_zeros")
HERE = ("--processes", "0")
FAKES = """
from pathlib import Path
from rnn_conformance import BASIC
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.cell import RecurrentBiasDropped
from rnn_conformance.variants.wrong.state import OmittedStateIsOnes

class Wrong(RecurrentBiasDropped):
    claims = BASIC

class Ones(OmittedStateIsOnes):
    claims = BASIC

class Interrupting(Recurrence):
    name = "Interrupting"
    calls = 0
    def run(self, call):
        self.calls += 1
        if self.calls == 4:
            raise KeyboardInterrupt
        return super().run(call)

class Marking(Recurrence):
    def run(self, call):
        Path("was_run").touch()
        return super().run(call)

class Telling(Recurrence):
    name = "Telling"
    def run(self, call):
        if len(call.inputs) == 2:  # as the smoke check asks
            return super().run(call)
        raise ValueError("na\\u00efve [bold]\\x1b[31m \\ud800")

class Claiming(Recurrence):
    name = "Claiming"
    claims = frozenset(("time_first", "float32", "tanh"))

class InterruptedEarly(Recurrence):
    def __init__(self):
        raise KeyboardInterrupt
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fakes.py").write_text(FAKES)
    (tmp_path / "kept.json").write_text("kept")
    (tmp_path / "old.toml").write_text("layouts = ['single']")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "fakes", raising=False)
    return tmp_path


@pytest.fixture
def run(here: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command with these arguments: exit status, output, error output."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = cli.main([*map(str, arguments)])
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert "\x1b" not in out
        return status, out, err

    return run


@pytest.fixture
def check(run: Run) -> Run:
    """The command `check` in this process, without a diagnosis."""
    return lambda *arguments: run("check", *HERE, "--no-diagnosis", *arguments)


def written(place: Path | str) -> Any:
    """What the file holds, read by a parser that knows no NaN and no Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(Path(place).read_text(), parse_constant=refuse)


def test_a_right_implementation_conforms(check: Run) -> None:
    status, out, err = check(RIGHT, *QUICK, "--check", "single_equals_column", "--seed", 3)
    assert (status, err) == (0, "")
    first, *_, last = out.splitlines()
    seen_with = rf"{RIGHT}: rnn-conformance .*, numpy {np.__version__}, .*, threads \d+, seed 3"
    assert re.fullmatch(seen_with, first)
    assert re.fullmatch(rf"{RIGHT} conforms: \d+ checks passed, the worst error is .*", last)
    assert re.search(r"^ total +\d+ +\d+ +0 +[1-9]\d* ", out, re.MULTILINE)  # not claimed, counted


def test_nothing_executed_is_not_judged(check: Run) -> None:
    status, out, err = check("fakes.py:Claiming", "--check", "batch_first_equals_time_first")
    assert (status, err) == (2, "")
    assert out.splitlines()[-1] == "Claiming could not be judged: no check was executed."


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nope", "--json", "kept.json"], "implementation 'nope': expected module:object, or file"),
        (["nope", "--json", "b.json"], "implementation 'nope': expected module:object, or file.py"),
        (["fakes:InterruptedEarly"], "interrupted"),
        (
            ["fakes:Wrong", "--claims", "old.toml"],
            "old.toml: layouts: since 0.2.0 all claims are one",
        ),
        ([RIGHT, "--seed", "-1"], "seed: expected an integer from 0 on, got -1"),
        (["fakes:Marking", "--json", "absent/a"], "[Errno 2] No such file or directory: 'absent/a"),
        (["fakes:Marking", "--json", "."], "[Errno 21] Is a directory: '.'"),
        ([RIGHT, "--json", "a\0b"], "embedded null byte"),
    ],
)
def test_what_cannot_be_judged_is_told_in_one_line_and_leaves_no_file(
    check: Run, here: Path, arguments: list[str], line: str
) -> None:
    before = {file: file.read_bytes() for file in here.glob("*.*")}
    status, out, err = check(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"rnn-conformance: {line}")
    assert (err.count("\n"), err[-1]) == (1, "\n")
    assert {file: file.read_bytes() for file in here.glob("*.*")} == before
    assert not (here / "was_run").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], ""),
        (["judge"], ""),
        (["check"], "one of the arguments implementation --exec is required"),
        (["check", RIGHT, "--seed", "1.5"], "argument --seed: invalid int value: '1.5'"),
        (["check", RIGHT, "--check", "states"], "argument --check: invalid choice: 'states' (cho"),
        (["check", RIGHT, "--processes", "65"], "argument --processes: expected a number from 0"),
        (["mutants", "--processes", "0"], "argument --processes: expected a number from 1 to 64"),
    ],
)
def test_a_wrong_command_or_option_is_told_with_the_usage(
    run: Run, arguments: list[str], line: str
) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("usage: rnn-conformance ")
    assert f"error: {line}" in err.splitlines()[-1]


def test_version_and_help(run: Run) -> None:
    assert run("--version") == (0, f"rnn-conformance {version('rnn-conformance')}\n", "")
    for arguments in (["--help"], ["check", "--help"]):
        status, out, _ = run(*arguments)
        statuses = "Exit status: 0 conforms, 1 does not conform, 2 could not be judged."
        assert (status, statuses in " ".join(out.split())) == (0, True)
    assert set(CHECKS) <= set(re.findall(r"\w+", out))


def test_the_cause_is_named_before_the_verdict_and_in_the_file(run: Run, check: Run) -> None:
    few = ("fakes.py:Ones", *QUICK, "--check", "output")
    status, out, _ = run("check", *HERE, *few, "--json", "a.json")
    assert status == 1
    *_, why, counts, _, verdict = out.splitlines()
    assert "WHY: ones stand for h_{t-1}, where h_0 = omitted and step = 0: explains " in out
    assert re.fullmatch(r"  it behaves exactly as if: .* \[OmittedStateIsOnes\]", why)
    assert re.match(r"  \(.* checks come out alike", counts)
    assert "DOES NOT CONFORM" in verdict
    diagnosis = written("a.json")["diagnosis"]
    assert [cause["names"] for cause in diagnosis["causes"]] == [["OmittedStateIsOnes"]]
    assert "WHY" not in check(*few)[1]


def test_a_wrong_one_does_not_conform_and_the_table_counts_what_the_file_holds(check: Run) -> None:
    counted = ("--check", "output", "--check", "trajectory")
    status, out, err = check("fakes.py:Wrong", *counted, "--json", "a.json", "--seed", 5)
    assert (status, err) == (1, "")
    data = written("a.json")
    records = [Record.from_json(each) for each in data["records"]]
    rows = [line.split() for line in out.splitlines() if line.startswith((" output", " traj"))]
    assert rows == [
        [name, str(t.run), str(t.passed), str(t.failed), str(t.not_claimed), share(t.worst_share)]
        for name, t in by_check(records, data["not_claimed"]).items()
    ]
    assert list(by_check(records)) == ["output", "trajectory"]
    failed = sum(t.failed for t in by_check(records).values())
    assert failed > 100
    assert (data["failed"], data["executed"], data["seed"]) == (failed, len(records), 5)
    assert (data["conforms"], data["complete"]) == (False, True)
    assert data["implementation"] == "RecurrentBiasDropped"
    assert data["environment"]["numpy"] == np.__version__
    assert [each.to_json() for each in records] == data["records"]
    said = f"{failed} of {len(records)} checks failed (2 shown; --json FILE keeps all)."
    assert out.splitlines()[-1] == f"RecurrentBiasDropped DOES NOT CONFORM: {said}"
    assert out.count("\nFAILED output[") == out.count("\nFAILED trajectory[") == 1
    assert out.count("  to repeat it:\n") == 2
    assert "    expected = np.tanh(W_ih @ x + b_ih + W_hh @ h + b_hh)\n" in out


def test_the_seed_changes_the_numbers_and_which_cases_are_drawn(check: Run) -> None:
    reports = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert check(RIGHT, *QUICK, "--json", name, "--seed", seed)[0] == 0
        reports.append(written(name))
        command = f"rnn-conformance check {RIGHT} --check omitted_h_0_is_zeros --seed {seed}"
        assert reports[-1].pop("command") == command
    first, again, other = reports
    assert first == again
    ids = [[r["id"] for r in one["records"] if "drawn" not in r["id"]] for one in (first, other)]
    assert ids[0] == ids[1]
    assert other["seed"] == 1


def test_every_check_has_a_row_of_80_columns() -> None:
    records = [Record(name, name, (), "case", "mine", "known_failure", 1e300) for name in CHECKS]
    console = Console(width=120)
    with console.capture() as text:
        console.print(table(records))
    lines = text.get().splitlines()
    assert {line.split()[0] for line in lines if line.strip()} >= {*CHECKS}
    assert max(len(line.rstrip()) for line in lines) <= 80


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_report_that_cannot_be_written_is_printed_nevertheless(check: Run) -> None:
    status, out, err = check(RIGHT, *QUICK, "--json", "/dev/full")
    assert status == 2
    assert f"{RIGHT} conforms: " in out
    assert err == "rnn-conformance: [Errno 28] No space left on device\n"


def test_an_interrupted_run_reports_what_there_is(check: Run) -> None:
    status, out, err = check("fakes.py:Interrupting", "--check", "output", "--json", "a.json")
    assert (status, err) == (2, "")
    assert out.splitlines()[-1] == (
        "Interrupting could not be judged: interrupted after 2 checks, 0 failed."
    )
    assert re.search(r"^ total +2 +2 +0 +0 ", out, re.MULTILINE)
    data = written("a.json")
    assert (data["conforms"], data["complete"], data["executed"]) == (False, False, 2)
    assert [each["outcome"] for each in data["records"]] == ["passed"] * 2


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-W", "error", "-m", "rnn_conformance"],
        [str(Path(sys.executable).with_name("rnn-conformance"))],
    ],
    ids=["module", "script"],
)
def test_in_a_process_of_its_own_what_is_said_is_printed_as_it_is_and_safely(
    here: Path, command: list[str]
) -> None:
    if not Path(command[0]).exists():
        pytest.skip("the console script is not installed")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    asked = [*command, "check", "fakes:Telling", *QUICK, "--json", "a.json"]
    found = subprocess.run(asked, capture_output=True, env=environment, timeout=60, check=False)
    assert (found.returncode, found.stderr) == (1, b"")
    assert rb"raised ValueError: na\xefve [bold]\x1b[31m \ud800 (fakes.py, line " in found.stdout
    assert b"\x1b" not in found.stdout
    assert "naïve" in written("a.json")["records"][0]["message"]


def test_a_report_on_what_lies_here_names_no_path_of_the_machine(check: Run, here: Path) -> None:
    (here / "claims.toml").write_text("claims = ['float32', 'time_first', 'tanh']")
    kinds = ("json", "markdown", "html", "badge")
    places = [word for kind in kinds for word in (f"--{kind}", f"report.{kind}")]
    judged = (here / "fakes.py:Wrong", "--claims", here / "claims.toml", "--check", "output")
    status, out, _ = check(*judged, *places)
    assert status == 1
    for text in (out, *(Path(f"report.{kind}").read_text() for kind in kinds)):
        assert str(here) not in text


@pytest.mark.parametrize(
    ("missing", "extra", "arguments"),
    [
        ("jinja2", "reports", ("check", RIGHT, "--html", "a.html")),
        ("jsonschema", "reports", ("check", RIGHT, "--html", "a.html")),
        ("jinja2", "reports", ("scoreboard", "a.json", "--html", "a.html")),
        ("jsonschema", "reports", ("scoreboard", "a.json", "--markdown", "a.md")),
        ("safetensors", "files", ("check", "--exec", "./absent", *HERE)),
        ("safetensors", "files", ("vectors", "export", "new")),
        ("jsonschema", "files", ("vectors", "verify", "new", "results")),
        ("onnx", "onnx", ("vectors", "export", "new", "--onnx")),
    ],
)
def test_a_missing_library_is_one_line_that_names_the_extra(
    missing: str, extra: str, arguments: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {*Path().iterdir()}
    monkeypatch.setitem(sys.modules, missing, None)
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.endswith(
        f'{missing} is missing; to install it: pip install "rnn-conformance[{extra}]"'
    )
    assert {*Path().iterdir()} == before


def test_numpy_and_rich_are_enough_to_judge(tmp_path: Path) -> None:
    written = ("--json", "a.json", "--markdown", "a.md", "--badge", "b.json")
    code = f"""
import sys
sys.modules.update(dict.fromkeys(("jinja2", "jsonschema", "pytest", "safetensors", "torch")))
from rnn_conformance.faces.cli import main
sys.exit(main({["check", RIGHT, *QUICK, *HERE, *written]!r}))
"""
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert len([*tmp_path.iterdir()]) == 3
