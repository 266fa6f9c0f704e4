"""The lines that need torch and NumPy alone: one recurrence with its readout, in five ways.

Each line is prepared outside the timed part (its copy of the weights, the inputs in the layout that
it reads), then called without arguments: T steps and T readouts from a zero initial state, all
states and all outputs returned in its own layout. `collect` brings them to one layout, again
outside the timed part. What needs a further framework or a compiler stands in `rivals`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from rnn_reference import RNN, BatchRNN
from rnn_reference.weights import Array

from rnn_benchmarks.grid import DTYPES
from rnn_benchmarks.workload import Workload

Result = TypeVar("Result")
Columns = tuple[Mapping[int, Array], Mapping[int, Array]]
Tensors = tuple[torch.Tensor, torch.Tensor]
TensorLists = tuple[list[torch.Tensor], list[torch.Tensor]]


@dataclass(frozen=True)
class Trajectory:
    """All states (T, B, H) and all outputs (T, B, O)."""

    states: Array
    outputs: Array


@dataclass(frozen=True)
class Line(Generic[Result]):
    """A way to run the recurrence: what is timed is one call of what `prepare` returns.

    `dtypes` are those that it computes in. `threads` is what its own library says of its threads,
    where that is not among those that `threads.thread_limit` sets.
    """

    name: str
    title: str
    prepare: Callable[[Workload], Callable[[], Result]]
    collect: Callable[[Result], Trajectory]
    dtypes: tuple[str, ...] = DTYPES
    threads: Mapping[str, int] = field(default_factory=dict)


class UnavailableError(Exception):
    """Why a line cannot be run here, in a few words."""


def prepare_blackboard(workload: Workload) -> Callable[[], Columns]:
    """The equations as they stand, a column a sequence: x_t (I, B), h_t (H, B), y_t (O, B)."""
    W_xh, b_xh, W_hh, b_hh, W_ho, b_ho = workload.weights.values()
    h_0 = np.zeros((W_hh.shape[0], workload.inputs.shape[1]), W_hh.dtype)
    columns = [np.ascontiguousarray(rows.T) for rows in workload.inputs]

    def forward() -> Columns:
        h, y = {-1: h_0}, {}
        for t, x in enumerate(columns):
            h[t] = np.tanh(W_xh @ x + b_xh + W_hh @ h[t - 1] + b_hh)
            y[t] = W_ho @ h[t] + b_ho
        return y, h

    return forward


def prepare_batch_rnn(workload: Workload) -> Callable[[], Columns]:
    """The reference's `BatchRNN.forward`, with the validation of its inputs that belongs to it."""
    model = BatchRNN.from_weights(workload.weights)
    return lambda: model.forward(workload.inputs)


def prepare_layer(workload: Workload) -> Callable[[], tuple[Array, Array]]:
    """The reference's `RNN.forward`, and one readout of all its states."""
    W_xh, b_xh, W_hh, b_hh, W_ho, b_ho = workload.weights.values()
    weights = {"weight_ih_l0": W_xh, "weight_hh_l0": W_hh}
    biases = {"bias_ih_l0": b_xh[:, 0], "bias_hh_l0": b_hh[:, 0]}
    layer, W_ho_T = RNN.from_weights(weights | biases), np.ascontiguousarray(W_ho.T)

    def forward() -> tuple[Array, Array]:
        states, _ = layer.forward(workload.inputs)
        outputs = states @ W_ho_T
        outputs += b_ho.T
        return outputs, states

    return forward


def collect_arrays(result: tuple[Array, Array]) -> Trajectory:
    """Outputs (T, B, O) and states (T, B, H), which already are as wanted."""
    outputs, states = result
    return Trajectory(states=states, outputs=outputs)


def collect_columns(result: Columns) -> Trajectory:
    """A dict of outputs (O, B) and one of states (H, B), the initial one of which is left out."""
    outputs, states = result
    steps = range(len(outputs))
    return Trajectory(
        states=np.stack([states[t].T for t in steps]),
        outputs=np.stack([outputs[t].T for t in steps]),
    )


def prepare_rnn_cell(workload: Workload) -> Callable[[], TensorLists]:
    """`torch.nn.RNNCell` in a Python loop, read out at every step."""
    _, batch_size, input_size = workload.inputs.shape
    readout = readout_of(workload)
    dtype = readout.weight.dtype
    cell = torch.nn.RNNCell(input_size, readout.in_features, dtype=dtype)
    cell.load_state_dict(torch_weights(workload, suffix=""))
    inputs = torch.from_numpy(workload.inputs)
    h_0 = torch.zeros(batch_size, readout.in_features, dtype=dtype)

    def forward() -> TensorLists:
        with torch.inference_mode():
            h, states, outputs = h_0, [], []
            for x in inputs:
                h = cell(x, h)
                states.append(h)
                outputs.append(readout(h))
            return outputs, states

    return forward


def collect_tensor_lists(result: TensorLists) -> Trajectory:
    """A list of outputs (B, O) and one of states (B, H)."""
    outputs, states = result
    return Trajectory(
        states=np.stack([state.numpy() for state in states]),
        outputs=np.stack([output.numpy() for output in outputs]),
    )


def prepare_torch_rnn(workload: Workload) -> Callable[[], Tensors]:
    """`torch.nn.RNN` over the whole sequence, and one readout of all its states."""
    readout = readout_of(workload)
    rnn = torch.nn.RNN(
        workload.inputs.shape[2], readout.in_features, dtype=readout.weight.dtype
    ).eval()
    rnn.load_state_dict(torch_weights(workload, suffix="_l0"))
    inputs = torch.from_numpy(workload.inputs)

    def forward() -> Tensors:
        with torch.inference_mode():
            states, _ = rnn(inputs)
            return readout(states), states

    return forward


def collect_tensors(result: Tensors) -> Trajectory:
    """Outputs (T, B, O) and states (T, B, H), which already are as wanted."""
    outputs, states = result
    return Trajectory(states=states.numpy(), outputs=outputs.numpy())


def torch_weights(workload: Workload, suffix: str) -> dict[str, torch.Tensor]:
    """The weights of the recurrence by the names of torch's parameters."""
    weights = {name: torch.from_numpy(weight) for name, weight in workload.weights.items()}
    return {
        f"weight_ih{suffix}": weights["W_xh"],
        f"weight_hh{suffix}": weights["W_hh"],
        f"bias_ih{suffix}": weights["b_xh"].squeeze(1),
        f"bias_hh{suffix}": weights["b_hh"].squeeze(1),
    }


def readout_of(workload: Workload) -> torch.nn.Linear:
    """The readout as a layer of torch."""
    weight = torch.from_numpy(workload.weights["W_ho"])
    bias = torch.from_numpy(workload.weights["b_ho"]).squeeze(1)
    output_size, hidden_size = weight.shape
    readout = torch.nn.Linear(hidden_size, output_size, dtype=weight.dtype)
    readout.load_state_dict({"weight": weight, "bias": bias})
    return readout


BLACKBOARD = Line("blackboard", "blackboard loop", prepare_blackboard, collect_columns)
BATCH_RNN = Line("batch-rnn", "BatchRNN", prepare_batch_rnn, collect_columns)
LAYER = Line("layer", "reference RNN", prepare_layer, collect_arrays)
RNN_CELL = Line("rnn-cell", "torch.nn.RNNCell", prepare_rnn_cell, collect_tensor_lists)
TORCH_RNN = Line("torch-rnn", "torch.nn.RNN", prepare_torch_rnn, collect_tensors)

# The yardstick is a line too: paired with itself it shows the noise floor.
YARDSTICK = TORCH_RNN
LINES: dict[str, Line[Any]] = {
    line.name: line for line in (BLACKBOARD, BATCH_RNN, LAYER, RNN_CELL, YARDSTICK)
}
