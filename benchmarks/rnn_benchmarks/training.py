"""A step of training: both passes, and the gradient of every weight, beside torch's autograd.

Each line computes its outputs and the gradients of a loss of which dL/d of every output is given.
The readout of the RNN is part of it, as everywhere; LSTM and GRU have none.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from rnn_conformance import to_torch
from rnn_reference import GRU, LSTM, BatchRNN
from rnn_reference.weights import Array

from rnn_benchmarks.lines import Line, torch_layer
from rnn_benchmarks.measure import Call
from rnn_benchmarks.workload import Workload


class Training(NamedTuple):
    """All outputs (T, B, O) or (T, B, H), and all gradients of weights, one after the other."""

    outputs: Array
    gradients: Array  # (1, N)


def losses_of(workload: Workload) -> Array:
    """dL/d of every output, of a workload that has them."""
    assert workload.losses is not None
    return workload.losses


def collect(result: Any) -> Training:
    """Outputs, and the gradients of the weights in their order."""
    outputs, gradients = result
    flat = [np.ravel(gradient) for gradient in gradients]
    return Training(np.asarray(outputs), np.concatenate(flat)[np.newaxis])


def collect_columns(result: Any) -> Training:
    """Outputs (O, B) by time step."""
    outputs, gradients = result
    return collect((np.stack([outputs[t].T for t in range(len(outputs))]), gradients))


def prepare_batch_rnn(workload: Workload) -> Call:
    """The reference's `BatchRNN`, forward and backward."""
    model, inputs = BatchRNN.from_weights(workload.weights), workload.inputs
    losses = {t: np.ascontiguousarray(loss.T) for t, loss in enumerate(losses_of(workload))}

    def step() -> tuple[Any, Any]:
        outputs, states = model.forward(inputs)
        return outputs, model.backward(inputs, states, losses).weights.values()

    return step


def prepare_torch_rnn(workload: Workload) -> Call:
    """`torch.nn.RNN` with one readout of all its states."""
    rnn, readout = to_torch(workload.weights)
    x, loss = torch.from_numpy(workload.inputs), torch.from_numpy(losses_of(workload))
    # In the order of our weights: W_xh, b_xh, W_hh, b_hh, W_ho, b_ho.
    W_xh, W_hh, b_xh, b_hh = rnn.parameters()
    weights = [W_xh, b_xh, W_hh, b_hh, *readout.parameters()]

    def step() -> tuple[Any, Any]:
        outputs = readout(rnn(x)[0])
        return outputs.detach(), torch.autograd.grad(outputs, weights, loss)

    return step


def prepare_gated(kind: type[LSTM | GRU], workload: Workload) -> Call:
    """The `backward` of the reference's class, which runs both passes; it is written to be read."""
    model, loss = kind.from_weights(workload.weights), losses_of(workload)

    def step() -> tuple[Any, Any]:
        found = model.backward(workload.inputs, d_output=loss)
        return found.output, found.gradients.weights.values()

    return step


def prepare_torch_gated(kind: type[torch.nn.LSTM | torch.nn.GRU], workload: Workload) -> Call:
    """torch's class, with autograd."""
    layer, x = torch_layer(kind, workload)
    weights, loss = [*layer.parameters()], torch.from_numpy(losses_of(workload))

    def step() -> tuple[Any, Any]:
        output, _ = layer(x)
        return output.detach(), torch.autograd.grad(output, weights, loss)

    return step


def _line(prepare: Callable[[Workload], Call], collected: Callable[[Any], Any] = collect) -> Line:
    return Line(prepare, collected)


TRAINING = {
    "batch-rnn-training": _line(prepare_batch_rnn, collect_columns),
    "torch-rnn-training": _line(prepare_torch_rnn),
    "plain-lstm-training": _line(partial(prepare_gated, LSTM)),
    "torch-lstm-training": _line(partial(prepare_torch_gated, torch.nn.LSTM)),
    "plain-gru-training": _line(partial(prepare_gated, GRU)),
    "torch-gru-training": _line(partial(prepare_torch_gated, torch.nn.GRU)),
}
