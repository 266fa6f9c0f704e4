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
WRONG = "fakes.py:Wrong"
QUICK = ("--check", "omitted_h_0_is_zeros")
COUNTED = ("--check", "output", "--check", "trajectory")

FAKES = """
from pathlib import Path
import numpy as np
from rnn_conformance import BASIC
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.cell import RecurrentBiasDropped
from rnn_conformance.variants.wrong.state import OmittedStateIsOnes

class Wrong(RecurrentBiasDropped):
    claims = BASIC

class Ones(OmittedStateIsOnes):
    claims = BASIC

class NotANumber(Recurrence):
    def activation(self, call, a):
        return a * np.nan

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

class Old:
    name, features = "Old", frozenset(("tanh",))
    def run_layer(self, call): ...

class InterruptedEarly(Recurrence):
    def __init__(self):
        raise KeyboardInterrupt
"""
OLD = "import rnn_conformance\n\n@rnn_conformance.claims(layouts=('single',))\ndef f(w, x, h): ..."


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fakes.py").write_text(FAKES)
    (tmp_path / "old.py").write_text(OLD)
    (tmp_path / "old.toml").write_text("layouts = ['single']")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "fakes", raising=False)
    return tmp_path


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(here: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command `check` with these arguments: exit status, output, error output."""

    def run(*arguments: object, diagnosed: bool = False) -> tuple[int, str, str]:
        options = ["--processes", "0"] + ["--no-diagnosis"] * (not diagnosed)
        try:
            status = cli.main(["check", *options, *map(str, arguments)])
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return status, out, err

    return run


def written(place: Path) -> Any:
    """What the file holds, read by a parser that knows no NaN and no Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(place.read_text(), parse_constant=refuse)


def test_a_right_implementation_conforms(run: Run) -> None:
    status, out, err = run(RIGHT, *QUICK, "--check", "single_equals_column")
    assert (status, err) == (0, "")
    last = out.splitlines()[-1]
    assert re.fullmatch(rf"{RIGHT} conforms: \d+ checks passed, the worst error is .*", last)
    assert re.search(r"^ total +\d+ +\d+ +0 +[1-9]\d* ", out, re.MULTILINE)  # not claimed, counted


def test_a_wrong_implementation_does_not_conform(run: Run) -> None:
    status, out, err = run(WRONG, *COUNTED)
    assert (status, err) == (1, "")
    said = (
        r"RecurrentBiasDropped DOES NOT CONFORM: \d+ of \d+ checks failed \(2 shown; --json FILE k"
    )
    assert re.match(said, out.splitlines()[-1])
    assert out.count("\nFAILED output[") == out.count("\nFAILED trajectory[") == 1
    assert out.count("  to repeat it:\n") == 2
    assert "    expected = np.tanh(W_xh @ x + b_xh + W_hh @ h + b_hh)\n" in out


def test_nothing_executed_is_not_judged(run: Run) -> None:
    status, out, err = run("fakes.py:Claiming", "--check", "batch_first_equals_time_first")
    assert (status, err) == (2, "")
    assert out.splitlines()[-1] == "Claiming could not be judged: no check was executed."


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nope"], "implementation 'nope': expected module:object, or file.py:object, or one of"),
        ([""], "implementation '': expected module:object"),
        (["absent:f"], "implementation 'absent:f': importing absent failed: ModuleNotFoundError:"),
        (["fakes.py:absent"], "implementation 'fakes.py:absent': fakes.py has no 'absent'"),
        (["fakes:Path"], "implementation 'fakes:Path': expected a function "),
        (["fakes:InterruptedEarly"], "interrupted"),
        (["fakes:Old"], "implementation 'fakes:Old': rename run_layer to run and features to cl"),
        (
            ["old.py:f"],
            "implementation 'old.py:f': importing old.py failed: TypeError: claims: layo",
        ),
        (
            ["fakes:Wrong", "--claims", "old.toml"],
            "old.toml: layouts: since 0.2.0 all claims are one",
        ),
        ([RIGHT, "--seed", "-1"], "seed: expected an integer from 0 on, got -1"),
        ([RIGHT, "--json", "absent/a.json"], "[Errno 2] No such file or directory: 'absent/a.j"),
        ([RIGHT, "--json", "."], "[Errno 21] Is a directory: '.'"),
        ([RIGHT, "--json", ""], "[Errno 21] Is a directory: '.'"),
        ([RIGHT, "--json", "fakes.py/a.json"], "[Errno 20] Not a directory: 'fakes.py/a.json'"),
        ([RIGHT, "--json", "a\0b"], "embedded null byte"),
    ],
)
def test_what_cannot_be_judged_is_told_in_one_line(
    run: Run, arguments: list[str], line: str
) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"rnn-conformance: {line}")
    assert (err.count("\n"), err[-1]) == (1, "\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "one of the arguments implementation --exec is required"),
        ([RIGHT, "--seed", "1.5"], "argument --seed: invalid int value: '1.5'"),
        ([RIGHT, "--seed", "x"], "argument --seed: invalid int value: 'x'"),
        ([RIGHT, "--seed"], "argument --seed: expected one argument"),
        ([RIGHT, "--check", "states"], "argument --check: invalid choice: 'states' (choose from "),
        ([RIGHT, "--check", ""], "argument --check: invalid choice: ''"),
        ([RIGHT, "--json"], "argument --json: expected one argument"),
    ],
)
def test_a_wrong_option_is_told_with_the_usage(run: Run, arguments: list[str], line: str) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("usage: rnn-conformance check ")
    assert err.splitlines()[-1].startswith(f"rnn-conformance check: error: {line}")


@pytest.mark.parametrize("arguments", [[], ["judge"], ["--seed", "1"], [RIGHT]])
def test_a_wrong_command_is_told_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main(arguments)
    assert capsys.readouterr().err.startswith("usage: rnn-conformance ")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"rnn-conformance {version('rnn-conformance')}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"]])
def test_help_names_the_exit_statuses_and_every_check(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(arguments)
    out = " ".join(capsys.readouterr().out.split())
    assert "Exit status: 0 conforms, 1 does not conform, 2 could not be judged." in out
    assert set(CHECKS) <= set(re.findall(r"\w+", out)) or "check" not in arguments


def test_the_cause_is_named_before_the_verdict_and_in_the_file(run: Run, here: Path) -> None:
    few = ("--check", "omitted_h_0_is_zeros", "--check", "output")
    status, out, _ = run("fakes.py:Ones", *few, "--json", here / "a.json", diagnosed=True)
    assert status == 1
    *_, why, counts, _, verdict = out.splitlines()
    assert re.fullmatch(r"WHY: it behaves exactly as if: .* \[OmittedStateIsOnes\]", why)
    assert re.match(r"  \(.* checks come out alike", counts)
    assert "DOES NOT CONFORM" in verdict
    diagnosis = written(here / "a.json")["diagnosis"]
    assert [cause["names"] for cause in diagnosis["causes"]] == [["OmittedStateIsOnes"]]
    assert "WHY" not in run("fakes.py:Ones", *few)[1]


def test_the_table_counts_what_the_file_holds(run: Run, here: Path) -> None:
    status, out, _ = run(WRONG, *COUNTED, "--json", here / "a.json", "--seed", 5)
    assert status == 1
    data = written(here / "a.json")
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
    assert f"DOES NOT CONFORM: {failed} of {len(records)} checks failed" in out


def test_infinite_shares_are_written_as_strict_json(run: Run, here: Path) -> None:
    status, out, _ = run("fakes.py:NotANumber", "--check", "trajectory", "--json", "a.json")
    assert status == 1
    records = [Record.from_json(each) for each in written(here / "a.json")["records"]]
    assert {record.worst_share for record in records} == {float("inf")}
    assert re.search(r"^ total +(\d+) +0 +\1 +0 +inf $", out, re.MULTILINE)


def test_the_seed_changes_the_numbers_and_which_cases_are_drawn(run: Run, here: Path) -> None:
    reports = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert run(RIGHT, *QUICK, "--json", name, "--seed", seed)[0] == 0
        reports.append(written(here / name))
        command = f"rnn-conformance check {RIGHT} --check omitted_h_0_is_zeros --seed {seed}"
        assert reports[-1].pop("command") == command
    first, again, other = reports
    assert first == again
    ids = [[r["id"] for r in one["records"] if "drawn" not in r["id"]] for one in (first, other)]
    assert ids[0] == ids[1]
    assert other["seed"] == 1


def test_a_report_fits_into_80_columns_and_has_no_escape_codes(run: Run) -> None:
    _, out, _ = run(WRONG)
    assert "\x1b" not in out
    table = out.split("\nFAILED")[0].splitlines()[1:]
    assert " ".join(table[1].split()) == "check run passed failed skipped share"
    assert max(map(len, table)) <= 80


def test_every_check_has_a_row_of_80_columns() -> None:
    records = [Record(name, name, (), "case", "mine", "known_failure", 1e300) for name in CHECKS]
    console = Console(width=120)
    with console.capture() as text:
        console.print(table(records))
    lines = text.get().splitlines()
    assert {line.split()[0] for line in lines if line.strip()} >= {*CHECKS}
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_the_first_line_has_versions_threads_and_seed(run: Run) -> None:
    _, out, _ = run(RIGHT, *QUICK, "--seed", 3)
    expected = rf"{RIGHT}: rnn-conformance .*, numpy {np.__version__}, .*, threads \d+, seed 3"
    assert re.fullmatch(expected, out.splitlines()[0])


def test_what_an_implementation_says_is_printed_as_it_is_and_safely(run: Run, here: Path) -> None:
    status, out, _ = run("fakes.py:Telling", *QUICK, "--json", "a.json")
    assert status == 1
    assert r"raised ValueError: naïve [bold]\x1b[31m \ud800 (fakes.py, line " in out
    assert "naïve" in written(here / "a.json")["records"][0]["message"]


@pytest.mark.parametrize("place", ["absent/a.json", "."])
def test_a_file_that_cannot_be_written_is_refused_before_the_run(
    run: Run, here: Path, place: str
) -> None:
    assert run("fakes.py:Marking", *QUICK, "--json", place)[0] == 2
    assert not (here / "was_run").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_report_that_cannot_be_written_is_printed_nevertheless(run: Run) -> None:
    status, out, err = run(RIGHT, *QUICK, "--json", "/dev/full")
    assert status == 2
    assert f"{RIGHT} conforms: " in out
    assert err == "rnn-conformance: [Errno 28] No space left on device\n"


def test_an_unknown_implementation_leaves_the_file_alone(run: Run, here: Path) -> None:
    (here / "a.json").write_text("kept")
    assert run("nope", "--json", "a.json")[0] == run("nope", "--json", "b.json")[0] == 2
    assert (here / "a.json").read_text() == "kept"
    assert not (here / "b.json").exists()


def test_an_interrupted_run_reports_what_there_is(run: Run, here: Path) -> None:
    status, out, err = run("fakes.py:Interrupting", "--check", "output", "--json", here / "a.json")
    assert (status, err) == (2, "")
    assert out.splitlines()[-1] == (
        "Interrupting could not be judged: interrupted after 2 checks, 0 failed."
    )
    assert re.search(r"^ total +2 +2 +0 +0 ", out, re.MULTILINE)
    data = written(here / "a.json")
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
def test_in_a_process_of_its_own(here: Path, command: list[str]) -> None:
    if len(command) == 1 and not Path(command[0]).exists():
        pytest.skip("the console script is not installed")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    asked = [*command, "check", "fakes:Telling", *QUICK]
    found = subprocess.run(asked, capture_output=True, env=environment, timeout=60, check=False)
    assert (found.returncode, found.stderr) == (1, b"")
    assert rb"raised ValueError: na\xefve [bold]\x1b[31m \ud800 (fakes.py, line " in found.stdout
    assert b"\x1b" not in found.stdout
