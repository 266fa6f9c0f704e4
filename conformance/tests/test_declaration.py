"""What a file declares of an implementation, what is refused in one, what is declared in vain."""

from pathlib import Path

import pytest
from rnn_conformance import CannotBeJudged, KnownFailure, Source, check, plan
from rnn_conformance.contract.declaration import Declaration, declared, read_declaration
from rnn_conformance.variants.recurrence import Recurrence

NARROW = frozenset(("single", "float32", "tanh"))
WHOLE = """
name = "mine"
claims = ["tanh", "float32", "single"]

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
    found = read_declaration(_file(tmp_path, WHOLE))
    assert found == Declaration("mine", NARROW, {"length 0": "h_0"}, (known,))
    assert read_declaration(_file(tmp_path, "")) == Declaration()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "Expected '='"),
        ("x = 1", "expected some of name, claims, conventions, known_failures, got 'x'"),
        ("claims = 'single'", "claims: expected a list of texts, got 'single'"),
        ("claims = ['tanh', 'single']", "claims: expected a dtype, of float32, "),
        ("layouts = ['single']\nh_0 = false", "layouts, h_0: since 0.2.0 all claims are one list"),
        ("conventions = {'length 0' = 'x'}", "length 0: expected one of refused, h_0, undefined"),
        ("known_failures = 1", "expected tables, each under [[known_failures]], got 1"),
        ("known_failures = [{check = 'a'}]", "known_failures[0]: reason missing"),
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
    found = declared(Recurrence(), Declaration("mine", NARROW))
    assert (found.name, found.claims) == ("mine", NARROW)
    report = check(found, checks=["output", "readout"], diagnosed=False)
    assert report.implementation == "mine"
    assert report.conforms
    assert {case.split("-")[0] for case in (r.case for r in report.records)} == {"float32"}
    assert not [record.case for record in report.records if "-B" in record.case]
    assert {record.check for record in report.records} == {"output"}


def test_what_is_declared_and_never_asked_for_is_in_vain() -> None:
    known = (KnownFailure("output", "a reason", case="float16-*"),)
    said = Declaration(claims=NARROW | {"lengths", "no_bias"}, known_failures=known)
    report = check(declared(Recurrence(), said), diagnosed=False)
    assert report.in_vain == ("lengths", "known failure of output in float16-*")
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


def test_what_cannot_stand_in_is_refused() -> None:
    with pytest.raises(CannotBeJudged, match=r"like: expected torch\.nn\.RNN, .*, got 'lstm'"):
        Source("numpy:tanh", "lstm").implementation()
