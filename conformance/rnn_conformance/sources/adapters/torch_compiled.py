"""The cells of torch through torch.compile, which needs a C++ compiler; weights as for the cell.

torch.compile leaves the layers of torch as they are, which would be judged twice. One graph serves
many sizes; for some, such as one row, another is compiled, which takes seconds: minutes for all
cases.
"""

from typing import Any

import torch

from rnn_conformance.sources.adapters.torch_cell import Step, TorchCell

# The sizes of a cell are symbols, and however many graphs there are, none is left uncompiled.
CONFIGURED = {
    "allow_unspec_int_on_nn_module": True,
    "recompile_limit": 1000,
    "accumulated_recompile_limit": 1000,
}


class CompiledTorchCell(TorchCell):
    """Every step is a compiled graph; what cannot be compiled as one raises."""

    suffix = "-compiled"
    can_crash = True
    backend = "inductor"

    def step(self, cell: torch.nn.RNNCellBase) -> Step:
        compiled = torch.compile(cell, dynamic=True, fullgraph=True, backend=self.backend)

        def step(x: torch.Tensor, state: Any) -> Any:
            with torch._dynamo.config.patch(CONFIGURED):  # loaded when it is named
                return compiled(x, state)

        return step


COMPILED_LSTM_CELL = CompiledTorchCell(torch.nn.LSTMCell, ("lstm",))
COMPILED_GRU_CELL = CompiledTorchCell(torch.nn.GRUCell, ("gru",))
