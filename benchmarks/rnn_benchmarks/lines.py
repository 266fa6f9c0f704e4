"""The lines that need torch and NumPy alone: one recurrence, in several ways.

Each line is prepared outside the timed part (its copy of the weights, the inputs in the layout that
it reads), then called without arguments: T steps from a zero initial state, of the Elman RNN with T
readouts, all outputs and states returned in its own layout. `collect` brings them to one layout,
again outside the timed part. What needs another framework or a compiler stands in `rivals`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from rnn_conformance import to_torch
from rnn_reference import GRU, LSTM, BatchGRU, BatchLSTM, BatchRNN, SingleSequenceRNN
from rnn_reference.weights import Array

from rnn_benchmarks.measure import Call
from rnn_benchmarks.workload import DTYPES, Point, Workload


class Trajectory(NamedTuple):
    """All outputs (T, B, O) and all states (T, B, H).

    Of a cell with gates, which has no readout: all outputs (T, B, H) and the last state (S, B, H),
    where S is 2 for the LSTM, h and c.
    """

    outputs: Array
    states: Array


def collect_rows(result: Any) -> Trajectory:
    """Arrays, tensors or lists by time step: outputs (B, O) and states (B, H)."""
    return Trajectory(*map(np.stack, result))


def collect_columns(result: Any) -> Trajectory:
    """Dicts by time step: outputs (O, B) and states (H, B), the initial one left out."""
    steps = range(len(result[0]))
    return Trajectory(*(np.stack([each[t].T for t in steps]) for each in result))


def collect_gated(result: Any) -> Trajectory:
    """What the `forward` of a layer returns, arrays or tensors: (output, h_n or (h_n, c_n))."""
    output, last = result
    return Trajectory(np.asarray(output), np.concatenate(last if type(last) is tuple else (last,)))


@dataclass(frozen=True)
class Line:
    """A way to run the recurrence: one call of what `prepare` returns is timed."""

    prepare: Callable[[Workload], Call]
    collect: Callable[[Any], Trajectory] = collect_rows
    dtypes: tuple[str, ...] = DTYPES
    single: bool = False  # one sequence only

    def takes(self, point: Point) -> bool:
        """Whether it computes in this dtype, and this many sequences."""
        return point.dtype in self.dtypes and (point.B == 1 or not self.single)


def prepare_single(workload: Workload) -> Call:
    """The reference's `SingleSequenceRNN.forward`, of a batch of one."""
    model = SingleSequenceRNN.from_weights(workload.weights)
    columns = list(workload.inputs.transpose(0, 2, 1))  # (I, 1) each
    return lambda: model.forward(columns)


def prepare_blackboard(workload: Workload) -> Call:
    """The equations as they stand, a column a sequence: x_t (I, B), h_t (H, B), y_t (O, B)."""
    W_xh, b_xh, W_hh, b_hh, W_ho, b_ho = workload.weights.values()
    h_0 = np.zeros((len(W_hh), workload.inputs.shape[1]), W_hh.dtype)
    columns = [np.ascontiguousarray(rows.T) for rows in workload.inputs]

    def forward() -> tuple[Mapping[int, Array], Mapping[int, Array]]:
        h, y = {-1: h_0}, {}
        for t, x in enumerate(columns):
            h[t] = np.tanh(W_xh @ x + b_xh + W_hh @ h[t - 1] + b_hh)
            y[t] = W_ho @ h[t] + b_ho
        return y, h

    return forward


def prepare_batch_rnn(workload: Workload) -> Call:
    """The reference's `BatchRNN.forward`, with the validation of its inputs that belongs to it."""
    model = BatchRNN.from_weights(workload.weights)
    return lambda: model.forward(workload.inputs)


def prepare_rnn_cell(workload: Workload) -> Call:
    """`torch.nn.RNNCell` in a Python loop, read out at every step."""
    rnn, readout = to_torch(workload.weights)
    inputs = torch.from_numpy(workload.inputs)
    cell = torch.nn.RNNCell(rnn.input_size, rnn.hidden_size, dtype=inputs.dtype)
    cell.load_state_dict({name.removesuffix("_l0"): w for name, w in rnn.state_dict().items()})
    h_0 = inputs.new_zeros(inputs.shape[1], rnn.hidden_size)

    def forward() -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        with torch.inference_mode():
            h, states, outputs = h_0, [], []
            for x in inputs:
                h = cell(x, h)
                states.append(h)
                outputs.append(readout(h))
            return outputs, states

    return forward


def prepare_torch_rnn(workload: Workload) -> Call:
    """`torch.nn.RNN` over the whole sequence, and one readout of all its states."""
    rnn, readout = to_torch(workload.weights)
    inputs = torch.from_numpy(workload.inputs)

    def forward() -> tuple[torch.Tensor, torch.Tensor]:
        with torch.inference_mode():
            states, _ = rnn(inputs)
            return readout(states), states

    return forward


def prepare_gated(kind: type[LSTM | GRU], workload: Workload) -> Call:
    """The `forward` of the reference's class, with the validation that belongs to it."""
    model = kind.from_weights(workload.weights)
    return lambda: model.forward(workload.inputs)


def prepare_torch_gated(kind: type[torch.nn.LSTM | torch.nn.GRU], workload: Workload) -> Call:
    """torch's class over the whole sequence."""
    layer, x = torch_layer(kind, workload)

    def forward() -> Any:
        with torch.inference_mode():
            return layer(x)

    return forward


def torch_layer(
    kind: type[torch.nn.LSTM | torch.nn.GRU], workload: Workload
) -> tuple[torch.nn.LSTM | torch.nn.GRU, torch.Tensor]:
    """A layer with the weights of a workload, and its inputs."""
    hidden_size, inputs = workload.weights["weight_hh_l0"].shape[1], workload.inputs
    x = torch.from_numpy(inputs)
    layer = kind(inputs.shape[2], hidden_size, dtype=x.dtype)
    layer.load_state_dict({name: torch.from_numpy(w) for name, w in workload.weights.items()})
    return layer, x


LINES = {
    "single": Line(prepare_single, collect_columns, single=True),
    "blackboard": Line(prepare_blackboard, collect_columns),
    "batch-rnn": Line(prepare_batch_rnn, collect_columns),
    "rnn-cell": Line(prepare_rnn_cell),
    "torch-rnn": Line(prepare_torch_rnn),
    "plain-lstm": Line(partial(prepare_gated, LSTM), collect_gated),
    "batch-lstm": Line(partial(prepare_gated, BatchLSTM), collect_gated),
    "torch-lstm": Line(partial(prepare_torch_gated, torch.nn.LSTM), collect_gated),
    "plain-gru": Line(partial(prepare_gated, GRU), collect_gated),
    "batch-gru": Line(partial(prepare_gated, BatchGRU), collect_gated),
    "torch-gru": Line(partial(prepare_torch_gated, torch.nn.GRU), collect_gated),
}
