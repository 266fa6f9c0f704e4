"""The programs to copy conform; with a bug put in, they are rejected and the bug is named."""

from pathlib import Path

import pytest
from rnn_conformance import BASIC, Case, Report, plan
from rnn_conformance.contract.call import GATED
from rnn_conformance.explain import search
from rnn_conformance.explain.search import diagnose
from rnn_conformance.sources.program import Program

from .programs import command_of

FOLDER = Path(__file__).parents[1] / "examples"
TURNED = "[W == W_HH ? k * n + row : row * n + k]"
CHECKS = ("shape_and_dtype", "output", "final_state", "readout")


@pytest.fixture(autouse=True)
def _known_bugs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done otherwise in single steps has its own tests, and takes its time."""
    monkeypatch.setattr(search, "findings", lambda *_: ((), ()))


def _is_small(case: Case) -> bool:
    return case.T * case.B < 30 and case.h_0 != "zeros"


def _report(command: list[str], cell: str) -> Report:
    """A report on the small cases, without those that are not claimed."""
    found = Program(command, claims=BASIC - {"tanh"} | {cell} if cell in GATED else None)
    items = [i for i in plan(found, checks=CHECKS) if _is_small(i.case)]
    records = tuple(item.execute() for item in items)
    return Report(found.name, 0, {}, records, diagnosis=diagnose(items, records))


@pytest.mark.parametrize(
    ("name", "cell", "right", "wrong", "bug"),
    [
        ("c/my_rnn.c", "tanh", "[row * n + k]", TURNED, "RecurrentWeightTransposed"),
        ("c/my_rnn.c", "lstm", "(a[1] + b[1]) * c[u]", "(a[0] + b[0]) * c[u]", "InputForForget"),
        ("c/my_rnn.c", "gru", "a[2] + r * b[2]", "r * (a[2] + b[2])", "EverythingReset"),
        ("node/my_rnn.mjs", "tanh", " + call.bias_hh_l0.numbers[u]", "", "RecurrentBiasDropped"),
        ("python/my_rnn.py", "tanh", "h @ W_hh.T", "h @ W_hh", "RecurrentWeightTransposed"),
    ],
    ids=["c", "c-lstm", "c-gru", "node", "python"],
)
def test_an_example_conforms_and_a_bug_in_it_is_named(
    name: str, cell: str, right: str, wrong: str, bug: str, tmp_path: Path
) -> None:
    text, source = (FOLDER / name).read_text(), tmp_path / Path(name).name
    source.write_text(text)
    report = _report(command_of(source), cell)
    assert report.conforms, report.failures[:1]
    assert {record.check for record in report.records} == {*CHECKS}
    assert report.executed > 100
    assert text.count(right) == 1
    source.write_text(text.replace(right, wrong))
    report = _report(command_of(source), cell)
    assert "output" in {record.check for record in report.failures}
    assert report.diagnosis is not None
    assert (bug,) in [cause.names for cause in report.diagnosis.causes], str(report.diagnosis)
