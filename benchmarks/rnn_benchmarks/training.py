"""A training step, forward and all gradients of the weights, beside torch.nn.RNN with autograd.

Both are called in turn, on the same numbers; a ratio is the median of those of the rounds. The loss
is linear in the outputs, whose gradients are drawn once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from rnn_reference import BatchRNN
from rnn_reference.weights import Array

from rnn_benchmarks import in_turn
from rnn_benchmarks.agreement import DisagreementError, allowance
from rnn_benchmarks.grid import Point
from rnn_benchmarks.lines import readout_of, torch_weights
from rnn_benchmarks.pairs import Call
from rnn_benchmarks.workload import SEED, Workload, draw

FEW = 4
Step = Callable[[], Mapping[str, Array]]


def prepare(point: Point) -> tuple[Call, Call]:
    """torch's training step and BatchRNN's, whose gradients have been compared.

    First in float64 and over few steps and sequences, where a difference can hide behind nothing;
    then as they are timed, where the sums are so long that their bound is wide.
    """
    few = replace(point, T=min(point.T, FEW), B=min(point.B, FEW), dtype="float64")
    for each in (few, point):
        workload = draw(each)
        shape = (each.T, each.B, len(workload.weights["W_ho"]))
        dy = np.random.default_rng(SEED).uniform(-1, 1, shape).astype(each.dtype)
        theirs, ours = torch_step(workload, dy), batch_rnn_step(workload, dy)
        require_equal_gradients(ours(), theirs(), allowed(workload))
    return theirs, ours


def batch_rnn_step(workload: Workload, dy: Array) -> Step:
    """`forward`, then `backward`, of `BatchRNN`; dy (T, B, O)."""
    model, by_step = BatchRNN.from_weights(workload.weights), dict(enumerate(dy.swapaxes(1, 2)))
    by_step = {t: np.ascontiguousarray(columns) for t, columns in by_step.items()}

    def step() -> dict[str, Array]:
        _, states = model.forward(workload.inputs)
        return model.backward(workload.inputs, states, by_step).weights

    return step


def torch_step(workload: Workload, dy: Array) -> Step:
    """`torch.nn.RNN` and `torch.nn.Linear`, then autograd."""
    readout = readout_of(workload)
    input_size, hidden_size = workload.inputs.shape[2], readout.in_features
    rnn = torch.nn.RNN(input_size, hidden_size, dtype=readout.weight.dtype)
    rnn.load_state_dict(torch_weights(workload, suffix="_l0"))
    inputs, gradient = torch.from_numpy(workload.inputs), torch.from_numpy(dy)
    parameters: dict[str, Any] = {
        "W_xh": rnn.weight_ih_l0,
        "b_xh": rnn.bias_ih_l0,
        "W_hh": rnn.weight_hh_l0,
        "b_hh": rnn.bias_hh_l0,
        "W_ho": readout.weight,
        "b_ho": readout.bias,
    }

    def step() -> dict[str, Array]:
        for module in (rnn, readout):
            module.zero_grad(set_to_none=True)
        states, _ = rnn(inputs)
        outputs: torch.Tensor = readout(states)
        outputs.backward(gradient)  # type: ignore[no-untyped-call]
        return {name: parameter.grad.numpy() for name, parameter in parameters.items()}

    return step


def allowed(workload: Workload) -> Mapping[str, float]:
    """How far two right gradients of each weight can be apart.

    With |h|, |dL/dy| <= 1, c the largest sum of |W_hh| down a column and D = ||W_ho'|| / (1 - c),
    every d_t is at most D. A step adds at most p D to its error, p = gamma_{H+O+5} + 2 s, s the
    error of a state, which makes e = p D / (1 - c). A sum of T B products d v, v at most V and off
    by at most s, is off by T B (e V + D s + gamma_{TB} D V); two of them by twice that.
    """
    W = {name: np.abs(weight.astype(np.float64)) for name, weight in workload.weights.items()}
    T, B, _ = workload.inputs.shape
    O, H = W["W_ho"].shape
    u = float(np.finfo(workload.inputs.dtype).eps) / 2
    c = float(W["W_hh"].sum(axis=0).max())
    if not c < 1:
        raise ValueError(f"W_hh: expected absolute column sums below 1, got {c:.3g}")
    s = allowance(workload).states / 2
    D = float(W["W_ho"].sum(axis=0).max()) / (1 - c)
    e = ((H + O + 5) * u / (1 - (H + O + 5) * u) + 2 * s) * D / (1 - c)
    sums = T * B * u / (1 - T * B * u)

    def of(largest: float, gradient: float, error: float, of_factor: float) -> float:
        once = error * largest + gradient * of_factor + sums * gradient * largest
        return float(2 * T * B * once)

    bias = of(1, D, e, 0)
    return {
        "W_xh": of(float(np.abs(workload.inputs).max()), D, e, 0),
        "b_xh": bias,
        "W_hh": of(1, D, e, s),
        "b_hh": bias,
        "W_ho": of(1, 1, 0, s),
        "b_ho": of(1, 1, 0, 0),
    }


def require_equal_gradients(
    ours: Mapping[str, Array], theirs: Mapping[str, Array], most: Mapping[str, float]
) -> None:
    """DisagreementError where a gradient differs by more than rounding can make it."""
    for name, found in ours.items():
        apart = float(np.abs(found - theirs[name].reshape(found.shape)).max())
        if not apart <= most[name]:
            raise DisagreementError(
                f"gradients of {name}: {apart:.1e} apart, rounding explains {most[name]:.1e}; "
                "not timed"
            )


QUESTION = in_turn.Question(
    prepare,
    ratio=lambda theirs, ours: theirs / ours,
    title="times as fast",
    computed="torch.nn.RNN",
    worst=min,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a grid and print the table."""
    in_turn.main(QUESTION, __doc__, arguments)


if __name__ == "__main__":
    main()
