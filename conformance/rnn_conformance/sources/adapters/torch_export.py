"""What torch.export makes of a layer of torch, as a layer.

It is exported once for its options and for each of its shapes, at most EXPORTS times, and computes
with the weights of each call. To export takes as long as to compile, so few sizes are asked.
"""

from collections.abc import Callable, Collection, Mapping
from threading import Lock
from typing import Any, ClassVar

import torch

from rnn_conformance.contract.call import GRADIENTS, HALF_DTYPES, NONLINEARITIES
from rnn_conformance.contract.conventions import UNDEFINED
from rnn_conformance.sources.adapters.torch_layer import TorchLayer

EXPORTS = 100  # of the same options, of which the suite asks a dozen shapes or two
Given = tuple[Any, ...]  # inputs, and the state where there is one: h_0, or (h_0, c_0)
Run = Callable[[Mapping[str, torch.Tensor], Given], tuple[Any, Any]]  # of weights by name
Export = Callable[[torch.nn.Module, Given], Run]
# A packed sequence cannot be exported: its sizes depend on data. The readout is not the layer's.
LACKING = {"lengths", "dropout", "readout", GRADIENTS, *HALF_DTYPES}


class Exported(torch.nn.Module):
    """A layer that is exported whenever it is called with tensors of new shapes."""

    def __init__(self, layer: torch.nn.Module, export: Export) -> None:
        super().__init__()
        self.layer, self._export, self._lock = layer, export, Lock()
        self._runs: dict[tuple[torch.Size, ...], Run] = {}

    def load_state_dict(self, *given: Any, **options: Any) -> Any:
        return self.layer.load_state_dict(*given, **options)

    def forward(self, *given: Any) -> tuple[Any, Any]:
        given = tuple(part for part in given if part is not None)
        shapes = tuple(tensor.shape for tensor in tensors(given))
        with self._lock:
            if shapes not in self._runs:
                if len(self._runs) == EXPORTS:
                    raise RuntimeError(f"shapes: expected at most {EXPORTS} of the same options")
                with torch.inference_mode(False), torch.no_grad():
                    self._runs[shapes] = self._export(self.layer, given)
        return self._runs[shapes](self.layer.state_dict(), given)


class TorchExport(TorchLayer):
    """A layer of torch by torch.export, in evaluation."""

    conventions: ClassVar[dict[str, str]] = {
        "shapes": "few",
        "T = 0": UNDEFINED,
        "B = 0": UNDEFINED,
    }
    path = "torch.export"

    def __init__(
        self,
        own: type[torch.nn.Module] = torch.nn.RNN,
        cells: Collection[str] = NONLINEARITIES,
    ) -> None:
        def make(*sizes: int, **options: Any) -> torch.nn.Module:
            with torch.inference_mode(False):
                return Exported(own(*sizes, **options).eval(), self.export)

        self.own, self.cells = own, cells
        super().__init__(make, f"{self.path}-{own.__name__}")
        self.claims -= LACKING

    def export(self, layer: torch.nn.Module, given: Given) -> Run:
        module = torch.export.export(layer, clones(given)).module()
        return lambda weights, given: torch.func.functional_call(module, dict(weights), given)


def tensors(given: Given) -> tuple[torch.Tensor, ...]:
    """Inputs, h_0 and c_0, those that are given."""
    inputs, *state = given
    parts = state[0] if state and isinstance(state[0], tuple) else state
    return (inputs, *parts)


def clones(given: Given) -> Given:
    """The same in memory that no inference mode has seen."""
    inputs, *state = given
    found = [one.clone() for one in tensors(given)[1:]]
    tuple_of_two = bool(state) and isinstance(state[0], tuple)
    return (inputs.clone(), tuple(found)) if tuple_of_two else (inputs.clone(), *found)


RNN = TorchExport()
LSTM = TorchExport(torch.nn.LSTM, ("lstm",))
GRU = TorchExport(torch.nn.GRU, ("gru",))
