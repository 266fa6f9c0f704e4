import copy

import numpy as np
import pytest
from rnn_benchmarks.agreement import allowance, require_agreement
from rnn_benchmarks.grid import OUTPUT_SIZE, Point
from rnn_benchmarks.lines import LINES, YARDSTICK, Trajectory
from rnn_benchmarks.workload import CONTRACTION, Workload, draw
from rnn_reference import SingleSequenceRNN

DTYPES = ("float32", "float64")


def small(dtype: str) -> Workload:
    return draw(Point(T=7, B=3, I=5, H=6, dtype=dtype))


def defined(workload: Workload) -> Trajectory:
    """The trajectory sequence by sequence, by the definition, which is no line."""
    model = SingleSequenceRNN.from_weights(workload.weights)
    states, outputs = [], []
    for sequence in workload.inputs.transpose(1, 0, 2):
        y, h = model.forward(sequence)
        states.append([h[t][:, 0] for t in range(len(y))])
        outputs.append([y[t][:, 0] for t in range(len(y))])
    return Trajectory(np.array(states).swapaxes(0, 1), np.array(outputs).swapaxes(0, 1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LINES)
def test_each_line_computes_the_definition(name: str, dtype: str) -> None:
    workload, line = small(dtype), LINES[name]
    trajectory = line.collect(line.prepare(workload)())
    assert trajectory.states.shape == (7, 3, 6)
    assert trajectory.outputs.shape == (7, 3, OUTPUT_SIZE)
    require_agreement(
        trajectory, defined(workload), allowance(workload), names=(line.title, "the definition")
    )


@pytest.mark.parametrize("name", LINES)
def test_a_second_call_repeats_the_first_and_nothing_is_written_to(name: str) -> None:
    workload, line = small("float64"), LINES[name]
    before = copy.deepcopy(workload)
    run = line.prepare(workload)
    first = line.collect(run())
    kept = copy.deepcopy(first)
    second = line.collect(run())
    for result in (first, second):
        np.testing.assert_array_equal(result.states, kept.states, strict=True)
        np.testing.assert_array_equal(result.outputs, kept.outputs, strict=True)
    np.testing.assert_array_equal(workload.inputs, before.inputs, strict=True)
    for weight, expected in zip(workload.weights.values(), before.weights.values(), strict=True):
        np.testing.assert_array_equal(weight, expected, strict=True)


def test_torch_lines_run_in_inference_mode() -> None:
    for name in ("rnn-cell", "torch-rnn"):
        outputs, states = LINES[name].prepare(small("float32"))()
        assert all(tensor.is_inference() for part in (outputs, states) for tensor in part)


def test_the_yardstick_is_a_line() -> None:
    assert LINES[YARDSTICK.name] is YARDSTICK


def test_a_workload_is_the_same_every_time_and_contracts() -> None:
    first, second = small("float64"), small("float64")
    np.testing.assert_array_equal(first.inputs, second.inputs, strict=True)
    assert np.abs(first.weights["W_hh"]).sum(axis=1).max() == pytest.approx(CONTRACTION)
    assert all(np.abs(weight).max() > 0.1 for weight in first.weights.values())


def test_both_dtypes_get_the_same_numbers() -> None:
    narrow, wide = small("float32"), small("float64")
    np.testing.assert_array_equal(narrow.inputs, wide.inputs.astype(np.float32), strict=True)
