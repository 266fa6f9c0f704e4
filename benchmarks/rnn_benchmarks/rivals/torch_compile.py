"""`torch.compile`: a few steps of a written-out loop as one compiled graph.

`torch.nn.RNN` itself is not taken apart by `torch.compile`, and to unroll all T steps would take
minutes, so the graph holds STEPS of them and a Python loop carries the state from call to call.
"""

import shutil

import torch
from torch.nn.functional import linear

from rnn_benchmarks.lines import Call, Line, UnavailableError
from rnn_benchmarks.workload import Workload

STEPS = 10


def load(threads: int) -> Line:
    """The line; its threads are torch's. UnavailableError without a C++ compiler."""
    del threads
    if not any(map(shutil.which, ("c++", "g++", "clang++"))):
        raise UnavailableError("no C++ compiler was found")
    return Line(prepare)


def prepare(workload: Workload) -> Call:
    """Compiles for the sizes of this workload: seconds."""
    tensors = (torch.from_numpy(weight) for weight in workload.weights.values())
    W_xh, b_xh, W_hh, b_hh, W_ho, b_ho = tensors
    bias, readout_bias = (b_xh + b_hh).squeeze(1), b_ho.squeeze(1)
    inputs = torch.from_numpy(workload.inputs)
    h_0 = torch.zeros(inputs.shape[1], len(W_hh), dtype=W_hh.dtype)

    def some_steps(h: torch.Tensor, projected: torch.Tensor) -> torch.Tensor:
        states = []
        for a in projected.unbind():
            h = torch.tanh(a + linear(h, W_hh))
            states.append(h)
        return torch.stack(states)

    torch._dynamo.reset()  # or it would soon have met more sizes than it compiles for
    compiled = torch.compile(some_steps, dynamic=False)

    def forward() -> tuple[torch.Tensor, torch.Tensor]:
        with torch.inference_mode():
            h, parts = h_0, []
            for projected in torch.split(linear(inputs, W_xh, bias), STEPS):
                parts.append(compiled(h, projected))
                h = parts[-1][-1]
            states = torch.cat(parts)
            return linear(states, W_ho, readout_bias), states

    return forward
