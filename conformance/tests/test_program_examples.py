"""The programs to copy conform; with a bug put in, they are rejected and the bug is named."""

import shutil
import subprocess
from pathlib import Path

import pytest
from rnn_conformance import Case, Report, plan
from rnn_conformance.explain.search import diagnose
from rnn_conformance.sources.program import Program

FOLDER = Path(__file__).parents[1] / "examples"
CHECKS = ("shape_and_dtype", "output", "final_state", "readout")


def _c(source: Path) -> list[str]:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler: neither cc nor gcc")
    strict = ["-std=c99", "-O1", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *strict, "-o", source.with_suffix(""), source, "-lm"], check=True)
    return [str(source.with_suffix(""))]


def _node(source: Path) -> list[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js")
    return [node, str(source)]


# The example, how it becomes a command, a change that puts a bug in, and the name of the bug.
EXAMPLES = {
    "c": (
        "my_rnn.c",
        _c,
        ("[W_HH].numbers[u * H + k]", "[W_HH].numbers[k * H + u]"),
        "RecurrentWeightTransposed",
    ),
    "node": (
        "my_rnn.mjs",
        _node,
        (" + call.bias_hh_l0.numbers[u]", ""),
        "RecurrentBiasDropped",
    ),
}


def _is_small(case: Case) -> bool:
    return case.T * case.B < 30 and case.h_0 != "zeros"


def _reports(command: list[str]) -> Report:
    """A report on the small cases, without those that are not claimed."""
    found = Program(command)
    items = [i for i in plan(found, checks=CHECKS) if _is_small(i.case)]
    records = tuple(item.execute() for item in items)
    return Report(found.name, 0, {}, records, diagnosis=diagnose(items, records))


@pytest.mark.parametrize("language", EXAMPLES)
def test_an_example_conforms(language: str, tmp_path: Path) -> None:
    name, command, _, _ = EXAMPLES[language]
    shutil.copy(FOLDER / language / name, tmp_path)
    report = _reports(command(tmp_path / name))
    assert report.conforms, report.failures[:1]
    assert {record.check for record in report.records} == {*CHECKS}
    assert report.executed > 100


@pytest.mark.parametrize("language", EXAMPLES)
def test_a_bug_in_an_example_is_named(language: str, tmp_path: Path) -> None:
    name, command, (right, wrong), bug = EXAMPLES[language]
    source = (FOLDER / language / name).read_text()
    assert source.count(right) == 1
    (tmp_path / name).write_text(source.replace(right, wrong))
    report = _reports(command(tmp_path / name))
    assert {record.check for record in report.failures} >= {"output"}
    assert report.diagnosis is not None
    names = [cause.names for cause in report.diagnosis.causes]
    assert (bug,) in names, str(report.diagnosis)
