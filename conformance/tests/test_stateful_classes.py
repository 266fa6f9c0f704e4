"""Classes with `forward` are used as a user would: one model for many calls."""

from typing import Any

import numpy as np
import pytest
from rnn_conformance import check
from rnn_reference import BatchRNN

from .miniatures import function

NAMED = ("output", "earlier_results_kept", "calls_are_independent")


class StateKept(BatchRNN):
    """An omitted h_0 goes on from the last call."""

    last: Any = None

    def forward(self, inputs: Any, h_0: Any = None) -> Any:
        fits = self.last is not None and self.last.shape[1] == inputs.shape[1]
        found = super().forward(inputs, self.last if h_0 is None and fits else h_0)
        self.last = found[1][len(inputs) - 1].copy()
        return found


class ResultsOverwritten(BatchRNN):
    """States of the last call are overwritten by the next."""

    kept: Any = None

    def forward(self, inputs: Any, h_0: Any = None) -> Any:
        step_output, hidden_states = super().forward(inputs, h_0)
        if self.kept is not None:
            self.kept[0][...] = 7
        self.kept = hidden_states
        return step_output, hidden_states


class WeightsPacked(BatchRNN):
    """Weights are read at the first call only."""

    packed: Any = None

    def forward(self, inputs: Any, h_0: Any = None) -> Any:
        self.packed = self.packed or BatchRNN.from_weights(self.weights)
        return self.packed.forward(inputs, h_0)


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (StateKept, "calls_are_independent"),
        (ResultsOverwritten, "earlier_results_kept"),
        (WeightsPacked, "changes_in_place_are_seen"),
    ],
)
def test_what_outlives_a_call_is_seen(cls: type[Any], name: str) -> None:
    report = check(cls, checks=[name], diagnosed=False)
    assert report.failures
    assert check(BatchRNN, checks=[name]).conforms


def test_arrays_of_other_libraries_are_taken() -> None:
    class Foreign:
        def __init__(self, array: Any) -> None:
            self.array = array

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.asarray(self.array, dtype)

    foreign = function(
        lambda found, weights: found.update({n: Foreign(a) for n, a in found.items()})
    )
    assert check(foreign, checks=NAMED).conforms
