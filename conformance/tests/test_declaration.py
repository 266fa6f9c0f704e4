"""What a file declares of an implementation, what is refused in one, what is declared in vain."""

from pathlib import Path

import pytest
from rnn_conformance import CannotBeJudged, KnownFailure, Source, check, plan
from rnn_conformance.contract.declaration import Declaration, declared, read_declaration
from rnn_conformance.recurrence import Recurrence
from rnn_conformance.variants.recurrence import Recurrence

WHOLE = """
name = "mine"
layouts = ["time_first"]
dtypes = ["float32"]
h_0 = false
features = ["tanh", "float32", "time_first"]

[conventions]
"length 0" = "h_0"

[[known_failures]]
check = "lengths_refused"
case = "float32-*"
reason = "it cuts them off"
link = "https://example.org/1"
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_a_file_says_what_it_says(tmp_path: Path) -> None:
    known = KnownFailure(
        "lengths_refused", "it cuts them off", "float32-*", "https://example.org/1"
    )
    assert read_declaration(_file(tmp_path, WHOLE)) == Declaration(
        "mine",
        ("time_first",),
        ("float32",),
        False,
        frozenset(("tanh", "float32", "time_first")),
        {"length 0": "h_0"},
        (known,),
    )
    assert read_declaration(_file(tmp_path, "")) == Declaration()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "Expected '='"),
        ("x = 1", "expected some of name, layouts, dtypes, h_0, features, conventions, known_fail"),
        ("name = 1", "name: expected a text, got 1"),
        ("layouts = 'single'", "layouts: expected a list of texts, got 'single'"),
        ("h_0 = 1", "h_0: expected true or false, got 1"),
        ("features = ['lstm']", "got lstm"),
        ("conventions = {'length 0' = 'x'}", "length 0: expected one of refused, h_0, undefined"),
        ("known_failures = 1", "expected tables, each under [[known_failures]], got 1"),
        ("known_failures = [{check = 'a'}]", "known_failures[0]: reason missing"),
        ("known_failures = [{check = 'a', reason = ''}]", "known_failures[0].reason: expected a t"),
        ("known_failures = [{check = 'a', why = 'b'}]", "got 'why'"),
        ("a = " + "[" * 100_000, "mine.toml: "),
        ("#" * 1_000_001, "expected at most 1000000 bytes"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"mine\.toml: ") as refused:
        read_declaration(_file(tmp_path, text))
    assert said in str(refused.value)


def test_a_declaration_takes_the_place_of_what_an_implementation_says() -> None:
    found = declared(Recurrence(), Declaration("mine", ("single",), ("float32",)))
    report = check(found, checks=["hidden_states"], diagnosed=False)
    passed = [r.case for r in report.records if r.outcome == "passed"]
    assert report.implementation == "mine"
    assert passed
    assert {case.split("-")[0] for case in passed} == {"float32"}
    assert not [case for case in passed if "-B" in case]


@pytest.mark.parametrize(
    ("implementation", "declaration", "said"),
    [
        (Recurrence(), Declaration(features=frozenset(("tanh",))), "features: declared of an impl"),
        (Recurrence(), Declaration(dtypes=("float32",)), "layouts, dtypes, h_0: declared of"),
        (Recurrence(), Declaration(dtypes=("int8",)), "dtypes: expected a selection of"),
    ],
)
def test_what_cannot_be_declared_is_refused(
    implementation: Recurrence | Recurrence, declaration: Declaration, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        declared(implementation, declaration)


class NoPlainLayer(Recurrence):
    """It claims no nonlinearity, so nothing can be asked of it."""

    claims = frozenset(("float32", "time_first", "bidirectional"))


def test_without_the_rest_a_claim_is_in_vain() -> None:
    report = check(NoPlainLayer(), diagnosed=False)
    assert report.in_vain == ("bidirectional", "float32", "time_first")
    assert not report.judged


def test_a_known_failure_of_what_is_not_asked_is_in_vain() -> None:
    known = (KnownFailure("outputs", "a reason", case="float16-*"),)
    said = Declaration(layouts=("single",), dtypes=("float32",), known_failures=known)
    report = check(declared(Recurrence(), said), diagnosed=False)
    assert report.in_vain == ("known failure of outputs in float16-*",)
    assert not report.failures
    assert not report.conforms


def test_what_stands_in_for_torch_is_judged_as_torch_is(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is an extra")
    (tmp_path / "fast.py").write_text(
        "import torch\n"
        "class FastRNN(torch.nn.RNN): pass\n"
        "class Biased(torch.nn.RNN):\n"
        "    def forward(self, x, h_0=None):\n"
        "        y, h_n = super().forward(x, h_0)\n"
        "        return y, h_n + 0.1\n"
    )
    right = Source(f"{tmp_path}/fast.py:FastRNN", "torch.nn.RNN").implementation()
    wrong = Source(f"{tmp_path}/fast.py:Biased", "torch.nn.RNN").implementation()
    asked = ["final_state"]
    passed = [item.execute() for item in plan(right, checks=asked)[::40]]
    failed = [item.execute() for item in plan(wrong, checks=asked)[::40]]
    assert {record.check for record in passed} == set(asked)
    assert {record.outcome for record in passed} == {"passed"}
    assert {record.outcome for record in failed} == {"failed"}
    repeated = [r.reproduction for r in failed if "Case(" in r.reproduction]
    assert repeated
    assert all("Source(name=" in reproduction for reproduction in repeated)


def test_what_cannot_stand_in_is_refused() -> None:
    with pytest.raises(CannotBeJudged, match=r"like: expected torch\.nn\.RNN, .*, got 'lstm'"):
        Source("numpy:tanh", "lstm").implementation()
