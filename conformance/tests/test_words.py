"""Functions and classes are told in their own words what is wrong, and what they should return."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rnn_conformance.contract.call import Array
from rnn_reference import BatchRNN

from .miniatures import by_check, function, in_one_case

VALUES = ("output", "final_state", "readout", "inputs_unchanged")


@pytest.mark.parametrize(
    ("part", "check", "start"),
    [
        ("hidden_states", "output", "hidden_states: step 0, row 0, unit 0: expected "),
        ("outputs", "readout", "outputs: step 0, row 0, unit 0: expected "),
        ("h_n", "final_state", "h_n (step is layer·D + direction): step 0, row 0, "),
    ],
)
def test_a_function_is_told_in_its_words(part: str, check: str, start: str) -> None:
    found = by_check(
        in_one_case(function(lambda found, weights: found[part].fill(9)), VALUES).records
    )
    assert found[check].outcome == "failed"
    assert found[check].message.startswith(start)


@pytest.mark.parametrize("name", ["W_xh", "b_hh", "W_ho"])
def test_a_weight_that_is_written_to_goes_by_its_own_name(name: str) -> None:
    report = in_one_case(function(lambda found, weights: weights[name].fill(9)), VALUES)
    message = by_check(report.records)["inputs_unchanged"].message
    assert message.startswith(f"{name}, which was given: step 0, row 0, unit 0: ")


GIVEN = '"hidden_states", and "h_n" and "outputs" where given'


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ((1,), '"hidden_states", "h_n", "outputs", got tuple'),
        ({}, f"{GIVEN}, got an empty one"),
        ({"states": 1, "h_n": 2}, f"{GIVEN}, got 'states', 'h_n'"),
    ],
)
def test_functions_are_told_what_they_should_return(result: Any, message: str) -> None:
    report = in_one_case(lambda weights, inputs, h_0: result, ["output"])
    assert report.failures[0].message == f"raised TypeError: expected a mapping with {message}"


def test_arrays_of_other_libraries_are_taken() -> None:
    class Foreign:
        def __init__(self, array: Array) -> None:
            self.array = array

        def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
            return np.asarray(self.array, dtype)

    foreign = function(lambda found, _: found.update({n: Foreign(a) for n, a in found.items()}))
    assert in_one_case(foreign, VALUES).conforms


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y, h: None, "forward: expected (step_output, hidden_states), got NoneType"),
        (
            lambda y, h: (y, [*h.values()][2:]),
            "hidden_states: expected a mapping, list or array of time steps 0 … 6, got steps "
            "0, 1, 2, 3, 4, 5",
        ),
        (
            lambda y, h: (y, {**h, 3: h[3].T}),
            "hidden_states[3]: expected shape (4, 3), got (3, 4), rows for columns",
        ),
        (lambda y, h: ({**y, 1: None}, h), "step_output[1]: expected shape (2, 3), got ()"),
    ],
)
def test_classes_are_told_what_forward_should_return(
    change: Callable[[Any, Any], Any], message: str
) -> None:
    class Changed(BatchRNN):
        def forward(self, inputs: Array, h_0: Array | None = None) -> Any:
            return change(*super().forward(inputs, h_0))

    report = in_one_case(Changed, ["output"])
    (record,) = report.failures
    assert record.message == f"raised TypeError: {message}"
