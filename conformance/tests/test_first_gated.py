"""First LSTMs and GRUs as people write them: right ones conform, wrong ones fail, by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rnn_conformance import CannotBeJudged, Report, check, gates
from rnn_conformance.run.smoke import smoke
from rnn_conformance.sources.loading import as_implementation, named

FOLDER = Path(__file__).parent / "first_rnns"
Declared = Callable[[Any], Any]
BATCHED, BATCH_FIRST, SINGLE = "time_first", "batch_first", "single"
BOTH = {"float32", "float64", "h_0", "h_n"}
# What plugs in unchanged, and what is found of it.
AS_THEY_ARE = {
    "lstm_notebook.py:LSTM": {SINGLE, "lstm", "float64", "h_0", "h_n"},
    "lstm_char_level.py:CharLSTM": BOTH | {BATCHED, "lstm", "readout"},
    "gru_stacked.py:GRU": {BATCH_FIRST, "gru", "float64", "h_0", "h_n"},
    "lstm_torch_gates.py:MyLSTM": BOTH | {BATCH_FIRST, "lstm"},
    "lstm_cell_loop.py:SequenceModel": BOTH | {BATCHED, "lstm", "readout"},
}
# What needs a line, and what is found of it then.
DECLARED: dict[str, tuple[Declared, set[str]]] = {
    "lstm_torch_fused.py:FusedLSTM": (gates("ifog"), BOTH | {BATCHED, "lstm", "readout"}),
    "gru_torch_parameters.py:GRUScratch": (
        gates(cell="gru_reset_before"),
        BOTH | {BATCHED, "gru_reset_before"},
    ),
    "gru_paper.py:GRUNetwork": (
        gates(cell="gru_reset_before", new_share="z"),
        {SINGLE, "gru_reset_before", "float64", "h_0", "readout"},
    ),
}
CHECKS = ["output", "final_state", "readout", "shape_and_dtype", "calls_are_independent"]


def of(name: str, old: str = "", new: str = "") -> Any:
    """A class of its own, with some of its code replaced, and as its line says."""
    file, _, cls = name.partition(":")
    text = (FOLDER / file).read_text()
    assert old in text
    space: dict[str, Any] = {"__name__": file}
    exec(compile(text.replace(old, new) if old else text, str(FOLDER / file), "exec"), space)
    declare, _claims = DECLARED.get(name, (lambda found: found, set()))
    return declare(space[cls])


def causes(report: Report) -> set[str]:
    assert report.diagnosis is not None
    return {name for cause in report.diagnosis.causes for name in cause.names}


@pytest.mark.parametrize("name", [*AS_THEY_ARE, *DECLARED])
def test_a_right_one_conforms(name: str) -> None:
    found = smoke(as_implementation(of(name)))
    assert found.claims == (AS_THEY_ARE.get(name) or DECLARED[name][1])
    report = check(of(name), checks=CHECKS)
    assert report.conforms, report.failures[:2]
    assert report.executed > 100
    assert report.notes[0].startswith("read by its shapes: ")


WRONG = [
    ("lstm_notebook.py:LSTM", "f * c + i * c_tilde", "i * c + f * c_tilde", ""),
    ("lstm_notebook.py:LSTM", "o * np.tanh(c)", "o * c", ""),
    ("lstm_char_level.py:CharLSTM", "np.copy(c_prev)", "np.zeros_like(c_prev)", ""),
    ("gru_stacked.py:GRU", "(1 - z) * n + z * h", "z * n + (1 - z) * h", ""),
    ("gru_stacked.py:GRU", "i_r, i_z, i_n =", "i_z, i_r, i_n =", ""),
    ("lstm_torch_gates.py:MyLSTM", "+ self.output_gate_h(h_t)", "", ""),
    ("lstm_torch_fused.py:FusedLSTM", "i * torch.tanh(g)", "i * g", ""),
    ("gru_torch_parameters.py:GRUScratch", "(R * H) @ self.W_hh", "R * (H @ self.W_hh)", ""),
    ("lstm_cell_loop.py:SequenceModel", "(hx, cx))", "(hx, torch.zeros_like(cx)))", ""),
    ("gru_paper.py:GRUNetwork", "@ (r * h)", "@ (z * h)", ""),
]


@pytest.mark.parametrize(("name", "old", "new", "cause"), WRONG)
def test_a_wrong_one_fails_and_is_named(name: str, old: str, new: str, cause: str) -> None:
    report = check(of(name, old, new))
    assert not report.conforms
    assert report.diagnosis is not None
    print(report.notes, report.diagnosis)
