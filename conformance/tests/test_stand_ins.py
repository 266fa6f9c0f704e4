"""Stand-ins for torch.nn.RNN: what is kept in a module from call to call is seen."""

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
import torch
from rnn_conformance import Case, plan, repeat
from rnn_conformance.run.smoke import smoke
from rnn_conformance.run.verdict import can_crash
from rnn_conformance.sources.adapters.torch_layer import TorchLayer, TorchLSTM

CASE = Case(L=2, bidirectional=True, T=7, B=4, I=5, H=3)


class Strict(torch.nn.RNN):
    """Right."""


class Stale(torch.nn.RNN):
    """Weights are those of the first call."""

    first: Any = None

    def forward(self, x: Any, h: Any = None) -> Any:
        if self.first is None:
            self.first = [p.clone() for p in self.parameters()]
        for parameter, kept in zip(self.parameters(), self.first, strict=True):
            parameter.copy_(kept)
        return super().forward(x, h)


class Buffered(torch.nn.RNN):
    """h_n is one buffer of the module."""

    buffer: Any = None

    def forward(self, x: Any, h: Any = None) -> Any:
        output, h_n = super().forward(x, h)
        if self.buffer is None or self.buffer.shape != h_n.shape:
            self.buffer = h_n
        return output, self.buffer.copy_(h_n)


class Shared(torch.nn.RNN):
    """What is scaled up in one call is scaled down in another that came in between."""

    scale = 1.0

    def forward(self, x: Any, h: Any = None) -> Any:
        self.scale *= 2
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.05)
        self.scale /= 2
        output, h_n = super().forward(x, h)
        return output * self.scale, h_n


class WrongInOrder(torch.nn.RNN):
    """Rows that are packed in order, longest first, end in other states."""

    def forward(self, x: Any, h: Any = None) -> Any:
        output, h_n = super().forward(x, h)
        packed = isinstance(x, torch.nn.utils.rnn.PackedSequence)
        return output, h_n * 0 if packed and x.sorted_indices is None else h_n


def outcome(check: str, stand_in: Any, case: Case = CASE) -> str:
    adapter = TorchLayer(stand_in, stand_in.__name__)
    assert smoke(adapter) is adapter
    return repeat(adapter, check, case).outcome


@pytest.mark.parametrize(
    ("stand_in", "check"),
    [(Stale, "calls_are_independent"), (Buffered, "earlier_results_kept"), (Shared, "threads")],
)
def test_what_a_module_keeps_is_seen(stand_in: Any, check: str) -> None:
    assert outcome(check, stand_in) == "failed"
    assert outcome(check, Strict) == "passed"


class OneLayer(torch.nn.Module):
    """Takes none of the options but these."""

    def __init__(self, input_size: int, hidden_size: int, nonlinearity: str = "tanh") -> None:
        super().__init__()
        if nonlinearity != "tanh":
            raise TypeError("no relu here")


def test_a_lacking_option_comes_with_a_hint_at_claims() -> None:
    layer = TorchLayer(OneLayer, "OneLayer")
    for case, claim in ((CASE, "layers"), (Case(bidirectional=True), "bidirectional")):
        with pytest.raises(TypeError, match=rf"--claims FILE, in which .* has no '{claim}'$"):
            layer.run(case.call())
    with pytest.raises(TypeError, match=r"^no relu here$"):
        layer.run(Case(cell="relu").call())


def test_what_torch_packs_is_no_fault_of_what_stands_in() -> None:
    lengths = Case(T=7, B=4, I=5, H=3, lengths="unsorted")
    assert outcome("lengths_refused", Strict, lengths) == "passed"
    assert TorchLayer().known_failures
    assert not TorchLayer(Strict, "Strict").known_failures


class Checked(torch.nn.LSTM):
    """What torch.nn.LSTM lacks: sizes of a packed sequence and of its state are checked."""

    def forward(self, x: Any, state: Any = None) -> Any:
        if isinstance(x, torch.nn.utils.rnn.PackedSequence):
            rows = self.num_layers * (1 + self.bidirectional), int(x.batch_sizes[0])
            fitting = all(part.shape == (*rows, self.hidden_size) for part in state or ())
            if x.data.shape[1] != self.input_size or not fitting:
                raise ValueError("sizes")
        return super().forward(x, state)


def test_a_stand_in_that_checks_packed_sizes_is_called_with_wrong_ones() -> None:
    refused = [f"wrong_{what}_refused" for what in ("inputs", "states", "rows")]
    planned = plan(TorchLSTM(Checked, name="Checked"), checks=refused)
    outcomes = {item.case.lengths: item.execute().outcome for item in planned}
    assert {*outcomes.values()} == {"passed"}
    assert len(outcomes) > 1


def test_rows_are_packed_in_order_where_they_are() -> None:
    for lengths, expected in (("sorted", "failed"), ("equal", "failed"), ("unsorted", "passed")):
        case = replace(CASE, lengths=lengths)  # type: ignore[arg-type]
        assert outcome("final_state", WrongInOrder, case) == expected
        assert outcome("final_state", Strict, case) == "passed"


def test_a_call_in_bfloat16_leaves_a_module_of_float32_as_it_is() -> None:
    adapter = TorchLayer()
    single = Case(T=3, B=2, I=3, H=4, weights="moderate")
    before = adapter.run(single.call()).output
    adapter.run(replace(single, dtype="bfloat16").call())
    assert (adapter.run(single.call()).output == before).all()


class Handing(torch.nn.LSTM):
    """Hands on what it is given."""

    def forward(self, *given: Any) -> Any:
        return super().forward(*given)


def test_what_hands_packed_sequences_of_any_size_to_an_lstm_can_crash() -> None:
    """torch.nn.LSTM does not check them, findings.md, 15."""
    assert can_crash(TorchLSTM(Handing, "Handing"))
    assert not can_crash(TorchLSTM())
    assert not can_crash(TorchLSTM(lambda *sizes, **named: Handing(*sizes, **named), "made"))
