"""The two classes of a first notebook plug in as they are; the wrong ones are rejected."""

from typing import Any

import numpy as np
import pytest
from rnn_conformance import CannotBeJudged, as_implementation, check
from rnn_conformance.run.smoke import smoke


class SingleSequenceRNN:
    """One sequence: a list of vectors or an array (T, I). Results by step, as columns."""

    def __init__(self, input_size, hidden_size, output_size):  # type: ignore[no-untyped-def]
        self.hidden_size = hidden_size
        self.W_xh = np.random.randn(hidden_size, input_size)  # noqa: NPY002
        self.b_xh = np.random.randn(hidden_size, 1)  # noqa: NPY002
        self.W_hh = np.random.randn(hidden_size, hidden_size)  # noqa: NPY002
        self.b_hh = np.random.randn(hidden_size, 1)  # noqa: NPY002
        self.W_ho = np.random.randn(output_size, hidden_size)  # noqa: NPY002
        self.b_ho = np.random.randn(output_size, 1)  # noqa: NPY002

    def forward(self, inputs: Any) -> Any:
        hidden_states, step_output = {-1: np.zeros((self.hidden_size, 1))}, {}
        for t, vector in enumerate(inputs):
            x, h = np.reshape(vector, (-1, 1)), hidden_states[t - 1]
            hidden_states[t] = np.tanh(self.W_xh @ x + self.b_xh + self.W_hh @ h + self.b_hh)
            step_output[t] = self.W_ho @ hidden_states[t] + self.b_ho
        return step_output, hidden_states


class BatchRNN(SingleSequenceRNN):
    """A batch: inputs (T, B, I), a column a sequence."""

    def forward(self, inputs: Any) -> Any:
        hidden_states, step_output = {-1: np.zeros((self.hidden_size, inputs.shape[1]))}, {}
        for t, x in enumerate(inputs):
            h = hidden_states[t - 1]
            hidden_states[t] = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            step_output[t] = self.W_ho @ hidden_states[t] + self.b_ho
        return step_output, hidden_states


class Slots(SingleSequenceRNN):
    """Lists and arrays of T + 1 slots, so that index -1 is the initial state; flat biases."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)  # type: ignore[no-untyped-call]
        self.b_xh, self.b_hh, self.b_ho = (b[:, 0] for b in (self.b_xh, self.b_hh, self.b_ho))

    def forward(self, inputs: Any) -> Any:
        states = np.zeros((len(inputs) + 1, self.hidden_size))
        outputs = []
        for t, x in enumerate(inputs):
            states[t] = np.tanh(self.W_xh @ x + self.b_xh + self.W_hh @ states[t - 1] + self.b_hh)
            outputs.append(self.W_ho @ states[t] + self.b_ho)
        return outputs, states


class InitialStateFirst(BatchRNN):
    """Lists, that of the states with the initial one first."""

    def forward(self, inputs: Any) -> Any:
        step_output, hidden_states = super().forward(inputs)
        return [*step_output.values()], [*hidden_states.values()]


class InFloat32(BatchRNN):
    """Results in float32, whatever comes."""

    def forward(self, inputs: Any) -> Any:
        results = super().forward(inputs)
        return tuple({t: np.float32(step) for t, step in by_step.items()} for by_step in results)


class WeightsElsewhere(BatchRNN):
    """The weights of the constructor are kept in a tuple, which is what is read."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)  # type: ignore[no-untyped-call]
        self.kept = (self.W_xh, self.W_hh)

    def forward(self, inputs: Any) -> Any:
        self.W_xh, self.W_hh = self.kept
        return super().forward(inputs)


class StateKept(BatchRNN):
    """What comes in depends on the states of the last call."""

    last: Any = None

    def forward(self, inputs: Any) -> Any:
        if self.last is not None and self.last.shape[1] == inputs.shape[1]:
            inputs = inputs + 0.1 * self.last.sum()
        step_output, hidden_states = super().forward(inputs)
        self.last = hidden_states[len(inputs) - 1]
        return step_output, hidden_states


class Aliased(BatchRNN):
    """No new array a step: every state is the last one in the end."""

    def forward(self, inputs: Any) -> Any:
        h = np.zeros((self.hidden_size, inputs.shape[1]))
        hidden_states, step_output = {-1: h}, {}
        for t, x in enumerate(inputs):
            h[:] = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            hidden_states[t] = h
            step_output[t] = self.W_ho @ h + self.b_ho
        return step_output, hidden_states


class OtherNames(BatchRNN):
    """Weights by other names."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)  # type: ignore[no-untyped-call]
        self.Wxh = self.__dict__.pop("W_xh")


RIGHT = (SingleSequenceRNN, BatchRNN, Slots, InitialStateFirst)


@pytest.mark.parametrize("cls", RIGHT)
def test_a_right_one_conforms_and_is_told_what_is_not_asked(cls: type[Any]) -> None:
    report = check(cls)
    assert report.conforms
    assert report.executed > 200
    assert {record.case.partition("-")[0] for record in report.records} == {"float64"}
    assert all("-no_h0" in record.case for record in report.records)
    alone = cls in (SingleSequenceRNN, Slots)
    claims = smoke(as_implementation(cls)).claims
    assert claims == {"single" if alone else "time_first", "float64", "tanh", "readout"}
    single = "batches are not asked: a batch was refused, a single sequence was not"
    assert report.notes == (
        "h_0 is never given: `forward` takes no initial state",
        *[single] * alone,
        "float32 is not claimed: a float32 call was answered in float64",
    )


@pytest.mark.usefixtures("few_cases")
def test_one_of_float32_is_asked_in_float32_alone() -> None:
    report = check(InFloat32)
    assert report.conforms
    assert {record.case.partition("-")[0] for record in report.records} == {"float32"}
    assert report.notes[-1] == "float64 is not claimed: a float64 call was answered in float32"


def test_weights_that_are_not_read_are_told() -> None:
    with pytest.raises(CannotBeJudged, match=r"W_xh and W_hh were set .* nothing changed"):
        check(WeightsElsewhere)


def test_what_outlives_a_call_is_seen() -> None:
    """One model serves many calls, as a user's does."""
    assert check(StateKept, checks=["calls_are_independent"], diagnosed=False).failures
    assert check(BatchRNN, checks=["calls_are_independent"]).conforms


@pytest.mark.usefixtures("few_cases")
def test_the_aliased_one_is_rejected_and_named() -> None:
    report = check(Aliased, checks=["output", "readout"])
    assert not report.conforms
    assert report.diagnosis is not None
    assert [cause.names for cause in report.diagnosis.causes] == [("OneArrayForAllSteps",)]


def test_other_names_of_weights_are_refused_by_name() -> None:
    with pytest.raises(CannotBeJudged, match=r"no attribute W_xh; its arrays are .*Wxh"):
        check(OtherNames)
