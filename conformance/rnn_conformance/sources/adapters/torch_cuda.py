"""torch.nn.RNN on a GPU, where cuDNN computes it; weights as on the CPU.

Left to itself, torch lets cuDNN round the factors of products in float32 to TF32. That is judged
under a name of its own, by the bound of float32 as all that claims float32 is.
"""

from typing import Any

import torch

from rnn_conformance.contract.call import Answer, Call
from rnn_conformance.sources.adapters.torch_layer import TorchLayer


class OnDevice(torch.nn.RNN):
    """Takes and gives tensors of the CPU, packed or not, and computes on the device."""

    def __init__(self, *sizes: int, of: str, **options: Any) -> None:
        super().__init__(*sizes, **options)
        self._of = of

    def forward(self, inputs: Any, h_0: torch.Tensor | None = None) -> tuple[Any, torch.Tensor]:
        self.to(self._of)
        state = None if h_0 is None else h_0.to(self._of)
        output, h_n = super().forward(inputs.to(self._of), state)
        return output.to("cpu"), h_n.to("cpu")


class TorchCuda(TorchLayer):
    """torch.nn.RNN on a device; float32 in float32 throughout, unless `tf32` allows TF32."""

    tf32 = False

    def __init__(self, device: str = "cuda") -> None:
        def make(*sizes: int, **options: Any) -> torch.nn.Module:
            return OnDevice(*sizes, of=device, **options)

        super().__init__(make, f"torch.nn.RNN-{device}{'-tf32' if self.tf32 else ''}")

    def run(self, call: Call) -> Answer:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=self.tf32):
            return super().run(call)


class TorchCudaTF32(TorchCuda):
    """The same as torch has it by default."""

    tf32 = True
