"""torch.nn.RNNCell through torch.compile, which needs a C++ compiler; weights as for the cell.

torch.compile leaves torch.nn.RNN as it is, which would be judged twice. One graph serves many
sizes; for some, such as one row, another is compiled, which takes seconds: minutes for all cases.
"""

import torch
import torch._dynamo

from rnn_conformance.sources.adapters.torch_cell import Step, TorchCell

# The sizes of a cell are symbols, and however many graphs there are, none is left uncompiled.
CONFIGURED = {
    "allow_unspec_int_on_nn_module": True,
    "recompile_limit": 1000,
    "accumulated_recompile_limit": 1000,
}


class CompiledTorchCell(TorchCell):
    """Every step is a compiled graph; what cannot be compiled as one raises."""

    name = "torch.nn.RNNCell-compiled"
    can_crash = True
    backend = "inductor"

    def step(self, cell: torch.nn.RNNCell) -> Step:
        compiled = torch.compile(cell, dynamic=True, fullgraph=True, backend=self.backend)

        def step(x: torch.Tensor, h: torch.Tensor | None) -> torch.Tensor:
            with torch._dynamo.config.patch(CONFIGURED):
                found: torch.Tensor = compiled(x, h)
            return found

        return step
