"""First LSTMs and GRUs as people write them: right ones conform, wrong ones fail, by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_conformance import CannotBeJudged, Case, as_implementation, check, gates, plan
from rnn_conformance.run.smoke import smoke

normal = np.random.default_rng(0).standard_normal
FOLDER = Path(__file__).parent / "first_rnns"
Declared = Callable[[Any], Any]
BATCHED, BATCH_FIRST, SINGLE = "time_first", "batch_first", "single"
BOTH = {"float32", "float64", "h_0", "h_n"}
TORCH = BOTH | {"gradients"}
# What plugs in unchanged, and what is found of it.
AS_THEY_ARE = {
    "lstm_notebook.py:LSTM": {SINGLE, "lstm", "float64", "h_0", "h_n"},
    "lstm_char_level.py:CharLSTM": BOTH | {BATCHED, "lstm", "readout"},
    "gru_stacked.py:GRU": {BATCH_FIRST, "gru", "float64", "h_0", "h_n"},
    "lstm_torch_gates.py:MyLSTM": TORCH | {BATCH_FIRST, "lstm"},
    "lstm_cell_loop.py:SequenceModel": TORCH | {BATCHED, "lstm", "readout"},
}
# What needs a line, and what is found of it then.
DECLARED: dict[str, tuple[Declared, set[str]]] = {
    "lstm_torch_fused.py:FusedLSTM": (gates("ifog"), TORCH | {BATCHED, "lstm", "readout"}),
    "gru_torch_parameters.py:GRUScratch": (
        gates(cell="gru_reset_before"),
        TORCH | {BATCHED, "gru_reset_before"},
    ),
    "gru_paper.py:GRUNetwork": (
        gates(cell="gru_reset_before", new_share="z"),
        {SINGLE, "gru_reset_before", "float64", "h_0", "readout"},
    ),
}
CHECKS = ["output", "final_state", "readout"]
SHARE = 9  # a case in so many is asked on each commit, of those with fewer numbers than LARGE
LARGE = 3000


def of(name: str, old: str = "", new: str = "") -> Any:
    """A class of its own, with some of its code replaced, and as its line says."""
    file, _, cls = name.partition(":")
    text = (FOLDER / file).read_text()
    assert old in text
    space: dict[str, Any] = {"__name__": file}
    exec(compile(text.replace(old, new) if old else text, str(FOLDER / file), "exec"), space)
    declare, _claims = DECLARED.get(name, (lambda found: found, set()))
    return declare(space[cls])


def sigmoid(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


@pytest.mark.parametrize("name", [*AS_THEY_ARE, *DECLARED])
def test_a_right_one_conforms(name: str) -> None:
    found = smoke(as_implementation(of(name)))
    assert found.claims == (AS_THEY_ARE.get(name) or DECLARED[name][1])
    assert found.notes[0].startswith("read by its shapes: ")  # type: ignore[attr-defined]
    planned = [item for item in plan(found, checks=CHECKS) if small(item.case)][::SHARE]
    assert len(planned) > 20
    assert [r for r in (item.execute() for item in planned) if r.outcome != "passed"] == []


def small(case: Case) -> bool:
    return case.T * case.B * case.H < LARGE


@pytest.mark.slow
@pytest.mark.weekly
@pytest.mark.parametrize("name", [*AS_THEY_ARE, *DECLARED])
def test_a_right_one_conforms_in_every_case(name: str) -> None:
    report = check(of(name), checks=CHECKS, isolation=None)
    assert report.conforms, report.failures[:2]
    assert report.executed > 100


WRONG = [
    ("lstm_notebook.py:LSTM", "f * c + i * c_tilde", "i * c + f * c_tilde"),
    ("lstm_notebook.py:LSTM", "o * np.tanh(c)", "o * c"),
    ("lstm_char_level.py:CharLSTM", "np.copy(c_prev)", "np.zeros_like(c_prev)"),
    ("gru_stacked.py:GRU", "(1 - z) * n + z * h", "z * n + (1 - z) * h"),
    ("gru_stacked.py:GRU", "h_r, h_z, h_n =", "h_z, h_r, h_n ="),
    ("gru_stacked.py:GRU", "i_n + r * h_n", "i_n + h_n"),
    ("lstm_torch_gates.py:MyLSTM", "+ self.output_gate_h(h_t)", ""),
    ("lstm_torch_fused.py:FusedLSTM", "i * torch.tanh(g)", "i * g"),
    ("gru_torch_parameters.py:GRUScratch", "(R * H) @ self.W_hh", "R * (H @ self.W_hh)"),
    ("lstm_cell_loop.py:SequenceModel", "(hx, cx))", "(hx, torch.zeros_like(cx)))"),
    ("gru_paper.py:GRUNetwork", "@ (r * h)", "@ (z * h)"),
]


@pytest.mark.parametrize(("name", "old", "new"), WRONG)
def test_a_wrong_one_is_read_as_the_right_one_and_fails(name: str, old: str, new: str) -> None:
    found = smoke(as_implementation(of(name, old, new)))
    claims = AS_THEY_ARE.get(name) or DECLARED[name][1]
    assert found.claims in (claims, claims - {"gradients"})  # a weight that is not read has none
    assert any(item.execute().outcome == "failed" for item in plan(found, checks=["output"]))


@pytest.mark.slow
@pytest.mark.weekly
def test_a_wrong_one_is_named() -> None:
    name, old, new = WRONG[0]
    report = check(of(name, old, new), checks=["output"], isolation=None)
    assert report.diagnosis is not None
    assert [cause.names for cause in report.diagnosis.causes] == [("ForgetAndInputExchanged",)]


SAY = "if it is meant so, write above it: @rnn_conformance.gates"


@pytest.mark.parametrize(
    ("name", "declare", "line"),
    [
        ("lstm_torch_fused.py:FusedLSTM", gates(), '("ifog")'),
        (
            "gru_paper.py:GRUNetwork",
            gates(cell="gru_reset_before"),
            '(cell="gru_reset_before", new_share="z")',
        ),
    ],
)
def test_what_is_meant_is_said_and_the_verdict_stays(
    name: str, declare: Declared, line: str
) -> None:
    found = smoke(as_implementation(declare(of(name))))
    assert sum(note.endswith(f"{SAY}{line}") for note in getattr(found, "notes", ())) == 1
    assert any(item.execute().outcome == "failed" for item in plan(found, checks=["output"]))


def test_an_order_is_no_choice_where_gates_have_names() -> None:
    notes = smoke(as_implementation(of(*WRONG[0]))).notes  # type: ignore[attr-defined]
    assert notes
    assert not any(SAY in note for note in notes)


class Numbered:
    """A layer for each gate, by numbers."""

    def __init__(self, n_in: int, n_hidden: int) -> None:
        for k in "1234":
            setattr(self, f"W{k}", normal((n_hidden, n_in + n_hidden)))
            setattr(self, f"b{k}", normal(n_hidden))
        self.peephole = normal(n_hidden)

    def forward(self, xs: Any) -> Any:
        c = h = np.zeros((xs.shape[1], len(self.b1)), xs.dtype)  # type: ignore[attr-defined]
        states = []
        for x in xs:
            i, f, g, o = (
                np.hstack([h, x]) @ getattr(self, f"W{k}").T + getattr(self, f"b{k}")
                for k in "1234"
            )
            c = sigmoid(f) * c + sigmoid(i + self.seen(c)) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            states.append(h)
        return states, c

    def seen(self, c: Any) -> Any:
        return 0


class Peeps(Numbered):
    def seen(self, c: Any) -> Any:
        return self.peephole * c


def test_what_names_and_shapes_do_not_say_is_asked_for_in_a_line() -> None:
    said = r'which gate is each\? .*@rnn_conformance.gates\(i="W1", f="W2", g="W3", o="W4"\)'
    with pytest.raises(CannotBeJudged, match=said):
        check(Numbered)
    numbers = gates(i="1", f="2", g="3", o="4")
    told = numbers(type("Told", (Numbered,), {}))
    right = plan(smoke(as_implementation(told)), checks=["output"])[::8]
    assert {item.execute().outcome for item in right} == {"passed"}
    with pytest.raises(CannotBeJudged, match=r"peephole: of which gate\?"):
        check(numbers(type("Told", (Peeps,), {})))
    with pytest.raises(CannotBeJudged, match="gates are declared, and no weight of all gates"):
        check(gates("zrn")(type("Told", (Numbered,), {})))
    name = "gru_paper.py:GRUNetwork"
    line = r'write @rnn_conformance.gates\(cell="gru_reset_before"\) above it'
    with pytest.raises(CannotBeJudged, match=rf"implementation '\w+': a GRU that resets .*{line}"):
        check(gates("rzn")(of(name)))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"cell": "tanh"}, "cell: expected one of lstm, gru, gru_reset_before"),
        ({"new_share": "1-z"}, "new_share: expected '1 - z' or 'z', got '1-z'"),
        ({"cell": "lstm", "order": "rzn"}, "lstm has the letters of 'ifgo', got 'rzn'"),
        ({"i": "1", "f": "2"}, "expected the letters of 'ifgo' or 'rzn', got 'if'"),
    ],
)
def test_a_line_that_says_nothing_known_is_refused(said: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gates(**said)
