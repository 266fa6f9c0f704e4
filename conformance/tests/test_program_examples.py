"""The programs to copy conform; with a bug put in, they are rejected and the bug is named."""

from pathlib import Path

import pytest
from rnn_conformance import BASIC, Case, Report, plan
from rnn_conformance.checks.every import OF_GRADIENTS
from rnn_conformance.contract.call import GATED, GRADIENTS
from rnn_conformance.explain import search
from rnn_conformance.explain.search import diagnose
from rnn_conformance.sources.program import Program
from rnn_conformance.variants.every import known_bugs

from .programs import command_of

FOLDER = Path(__file__).parents[1] / "examples"
TURNED = "[W == W_HH ? k * n + row : row * n + k]"
WITHOUT_BIAS = "+ of_state(0) - call.bias_hh_l0.numbers[u]);\n    }"
CHECKS = ("output", "final_state", "readout", "shape_and_dtype")  # what fails comes first
APART = 6  # of the cases of a check one in so many is asked


C, NODE, PYTHON = "c/my_rnn.c", "node/my_rnn.mjs", "python/my_rnn.py"
EXAMPLES = [
    (C, "tanh", "[row * n + k]", TURNED, "RecurrentWeightTransposed"),
    (C, "lstm", "(a[1] + b[1]) * c[u]", "(a[0] + b[0]) * c[u]", "InputForForget"),
    (C, "gru", "a[2] + r * b[2]", "r * (a[2] + b[2])", "EverythingReset"),
    (NODE, "tanh", "+ of_state(0));\n    }", WITHOUT_BIAS, "RecurrentBiasDropped"),
    (NODE, "lstm", "gate(1) * c[u]", "gate(0) * c[u]", "InputForForget"),
    (NODE, "gru", "gate(0) * of_state(2)", "of_state(2)", "NeverReset"),
    (PYTHON, "tanh", "h @ W_hh.T", "h @ W_hh", "RecurrentWeightTransposed"),
    (PYTHON, GRADIENTS, "d[t] @ W_hh", "d[t] @ W_hh.T", "HandedBackNotTransposed"),
]


@pytest.fixture(autouse=True)
def _bugs_of_here_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others, and what is done otherwise in single steps, have their own tests."""
    of_here = [bug for *_, bug in EXAMPLES]
    monkeypatch.setattr(search, "findings", lambda *_: ((), ()))
    monkeypatch.setattr(
        search, "known_bugs", lambda claimed: [b for b in known_bugs(claimed) if b.name in of_here]
    )


def _is_small(case: Case) -> bool:
    return case.T * case.B < 30 and case.h_0 != "zeros"


def _report(command: list[str], claim: str, checks: tuple[str, ...]) -> Report:
    """A report on some small cases, without those that are not claimed."""
    claims = BASIC - {"tanh"} if claim in GATED else BASIC
    found = Program(command, claims=claims | {claim})
    small = [i for i in plan(found, checks=checks) if _is_small(i.case)]
    items = [i for name in checks for i in [i for i in small if i.check.name == name][::APART]]
    records = tuple(item.execute() for item in items)
    report = Report(found.name, 0, {}, records, diagnosis=diagnose(items, records))
    found.close()
    return report


@pytest.mark.parametrize(
    ("name", "claim", "right", "wrong", "bug"),
    EXAMPLES,
    ids=["c", "c-lstm", "c-gru", "node", "node-lstm", "node-gru", "python", "python-gradients"],
)
def test_an_example_conforms_and_a_bug_in_it_is_named(
    name: str, claim: str, right: str, wrong: str, bug: str, tmp_path: Path
) -> None:
    text, source = (FOLDER / name).read_text(), tmp_path / Path(name).name
    checks = OF_GRADIENTS if claim == GRADIENTS else CHECKS
    source.write_text(text)
    report = _report(command_of(source), claim, checks)
    assert report.conforms, report.failures[:1]
    assert {record.check for record in report.records} == {*checks}
    assert report.executed > 20
    assert text.count(right) == 1
    source.write_text(text.replace(right, wrong))
    report = _report(command_of(source), claim, checks)
    assert checks[0] in {record.check for record in report.failures}
    assert report.diagnosis is not None
    assert [cause.names for cause in report.diagnosis.causes] == [(bug,)], str(report.diagnosis)
