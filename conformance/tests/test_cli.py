"""The command: its exit status, what it prints where, and the file that it writes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rnn_conformance import Record
from rnn_conformance.checks.records import by_check
from rnn_conformance.contract.refusal import installing
from rnn_conformance.faces import cli
from rnn_conformance.faces.terminal import share

from .miniatures import Command

RIGHT = "rnn_reference.BatchRNN"
QUICK = ("--check", "omitted_h_0_is_zeros")
HERE = ("--processes", "0")
FAKES = """
from pathlib import Path
from rnn_conformance import BASIC
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.cell import RecurrentBiasDropped

class Wrong(RecurrentBiasDropped):
    claims = BASIC

class Interrupting(Recurrence):
    name = "Interrupting"
    calls = 0
    def run(self, call):
        self.calls += 1
        if self.calls == 5:  # two of them are of the smoke check
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

class InterruptedEarly(Recurrence):
    def __init__(self):
        raise KeyboardInterrupt
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fakes.py").write_text(FAKES)
    (tmp_path / "kept.json").write_text("kept")
    (tmp_path / "old.toml").write_text("layouts = ['single']")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "fakes", raising=False)
    return tmp_path


@pytest.fixture
def run(here: Path, command: Command) -> Command:
    return lambda *arguments: command(cli.main, *arguments)


@pytest.fixture
def check(run: Command) -> Command:
    """The command `check` in this process, without a diagnosis."""
    return lambda *arguments: run("check", *HERE, "--no-diagnosis", *arguments)


def test_a_right_implementation_conforms(check: Command) -> None:
    status, out, err = check(RIGHT, *QUICK, "--check", "single_equals_column", "--seed", 3)
    assert (status, err) == (0, "")
    first, *_, last = out.splitlines()
    seen_with = rf"{RIGHT}: rnn-conformance .*, numpy {np.__version__}, .*, threads \d+, seed 3"
    assert re.fullmatch(seen_with, first)
    assert re.fullmatch(rf"{RIGHT} conforms: \d+ checks passed, the worst error is .*", last)
    assert re.search(r"^ total +\d+ +\d+ +0 +[1-9]\d* ", out, re.MULTILINE)  # not claimed, counted


def test_nothing_executed_is_not_judged(check: Command) -> None:
    status, out, err = check(RIGHT, "--check", "batch_first_equals_time_first")  # not claimed
    assert (status, err) == (2, "")
    assert out.splitlines()[-1] == f"{RIGHT} could not be judged: no check was executed."


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nope", "--json", "kept.json"], "implementation 'nope': expected module:object, or file"),
        (["fakes:InterruptedEarly"], "interrupted"),
        (["fakes:Wrong", "--claims", "old.toml"], "old.toml: layouts: since 0.2.0 all claims are"),
        (["fakes:Marking", "--json", "absent/a"], "[Errno 2] No such file or directory: 'absent/a"),
        (["fakes:Marking", "--json", "."], "[Errno 21] Is a directory: '.'"),
        ([RIGHT, "--json", "a\0b"], "embedded null byte"),
    ],
)
def test_what_cannot_be_judged_is_told_in_one_line_and_leaves_no_file(
    check: Command, here: Path, arguments: list[str], line: str
) -> None:
    before = {file: file.read_bytes() for file in here.glob("*.*")}
    status, out, err = check(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"rnn-conformance: {line}")
    assert (err.count("\n"), err[-1]) == (1, "\n")
    assert {file: file.read_bytes() for file in here.glob("*.*")} == before
    assert not (here / "was_run").exists()


def test_a_wrong_one_does_not_conform_and_the_table_counts_what_the_file_holds(
    check: Command,
) -> None:
    counted = ("--check", "output", "--check", "trajectory")
    status, out, err = check("fakes.py:Wrong", *counted, "--json", "a.json", "--seed", 5)
    assert (status, err) == (1, "")
    data = json.loads(Path("a.json").read_text())
    records = [Record.from_json(each) for each in data["records"]]
    rows = [line.split() for line in out.splitlines() if line.startswith((" output", " traj"))]
    assert rows == [
        [name, str(t.run), str(t.passed), str(t.failed), str(t.not_claimed), share(t.worst_share)]
        for name, t in by_check(records, data["not_claimed"]).items()
    ]
    failed = sum(t.failed for t in by_check(records).values())
    assert failed > 100
    assert (data["failed"], data["executed"], data["seed"]) == (failed, len(records), 5)
    assert (data["conforms"], data["complete"]) == (False, True)
    assert data["implementation"] == "RecurrentBiasDropped"
    asked = "--check output --check trajectory --seed 5"
    assert data["command"] == f"rnn-conformance check fakes.py:Wrong {asked}"
    assert data["environment"]["numpy"] == np.__version__
    said = f"{failed} of {len(records)} checks failed (2 shown; --json FILE keeps all)."
    assert out.splitlines()[-1] == f"RecurrentBiasDropped DOES NOT CONFORM: {said}"
    assert out.count("\nFAILED output[") == out.count("\nFAILED trajectory[") == 1
    assert out.count("  to repeat it:\n") == 2
    assert "WHY" not in out  # nobody asked for it
    assert "    expected = np.tanh(W_ih @ x + b_ih + W_hh @ h + b_hh)\n" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_report_that_cannot_be_written_is_printed_nevertheless(check: Command) -> None:
    status, out, err = check(RIGHT, *QUICK, "--json", "/dev/full")
    assert status == 2
    assert f"{RIGHT} conforms: " in out
    assert err == "rnn-conformance: [Errno 28] No space left on device\n"


def test_an_interrupted_run_reports_what_there_is(check: Command) -> None:
    status, out, err = check("fakes.py:Interrupting", "--check", "output", "--json", "a.json")
    assert (status, err) == (2, "")
    assert out.splitlines()[-1] == (
        "Interrupting could not be judged: interrupted after 2 checks, 0 failed."
    )
    assert re.search(r"^ total +2 +2 +0 +0 ", out, re.MULTILINE)
    data = json.loads(Path("a.json").read_text())
    assert (data["conforms"], data["complete"], data["executed"]) == (False, False, 2)
    assert [each["outcome"] for each in data["records"]] == ["passed"] * 2


def test_in_a_process_of_its_own_what_is_said_is_printed_as_it_is_and_safely(here: Path) -> None:
    script = Path(sys.executable).with_name("rnn-conformance")  # where it is installed
    command = [str(script)] if script.exists() else [sys.executable, "-m", "rnn_conformance"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONWARNINGS": "error"}
    asked = [*command, "check", "fakes:Telling", *QUICK, "--json", "a.json"]
    found = subprocess.run(asked, capture_output=True, env=environment, timeout=60, check=False)
    assert (found.returncode, found.stderr) == (1, b"")
    assert rb"raised ValueError: na\xefve [bold]\x1b[31m \ud800 (fakes.py, line " in found.stdout
    assert b"\x1b" not in found.stdout
    assert "naïve" in json.loads(Path("a.json").read_text())["records"][0]["message"]


def test_a_report_on_what_lies_here_names_no_path_of_the_machine(
    check: Command, here: Path
) -> None:
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
        ("jsonschema", "reports", ("scoreboard", "a.json", "--markdown", "a.md")),
        ("safetensors", "files", ("check", "--exec", "./absent", *HERE)),
        ("safetensors", "files", ("vectors", "export", "new")),
        ("jsonschema", "files", ("vectors", "verify", "new", "results")),
        ("onnx", "onnx", ("vectors", "export", "new", "--onnx")),
    ],
)
def test_a_missing_library_is_one_line_that_names_the_extra(
    missing: str,
    extra: str,
    arguments: tuple[str, ...],
    run: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {*Path().iterdir()}
    monkeypatch.setitem(sys.modules, missing, None)
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.endswith(f"{missing} is missing; to install it: {installing(extra)}")
    assert {*Path().iterdir()} == before


def test_numpy_and_rich_are_enough_to_judge(tmp_path: Path) -> None:
    written = ("--json", "a.json", "--markdown", "a.md", "--badge", "b.json", "--svg", "c.svg")
    code = f"""
import sys
sys.modules.update(dict.fromkeys(("jinja2", "jsonschema", "pytest", "safetensors", "torch")))
from rnn_conformance.faces.cli import main
sys.exit(main({["check", RIGHT, *QUICK, *HERE, *written]!r}))
"""
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert len([*tmp_path.iterdir()]) == 4
