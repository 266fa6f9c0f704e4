"""What a layer is given, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from rnn_conformance.protocol import Array, Layout

Nonlinearity = Literal["tanh", "relu"]
Lengths = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Options:
    """The constructor's arguments, under the names of `torch.nn.RNN`.

    Attributes:
        output_size: of the readout y_t = W_ho h_t + b_ho of the last layer; 0 for no readout.
    """

    input_size: int
    hidden_size: int
    num_layers: int = 1
    nonlinearity: Nonlinearity = "tanh"
    bias: bool = True
    bidirectional: bool = False
    dropout: float = 0.0
    output_size: int = 0

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every weight by name, such as weight_ih_l0, bias_hh_l1_reverse and W_ho."""
        H, D = self.hidden_size, self.directions
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(self.num_layers):
            for suffix in ("", "_reverse")[:D]:
                end = f"l{layer}{suffix}"
                shapes[f"weight_ih_{end}"] = (H, self.input_size if layer == 0 else D * H)
                shapes[f"weight_hh_{end}"] = (H, H)
                if self.bias:
                    shapes[f"bias_ih_{end}"] = shapes[f"bias_hh_{end}"] = (H,)
        if self.output_size:
            shapes["W_ho"], shapes["b_ho"] = (self.output_size, D * H), (self.output_size,)
        return shapes


@dataclass(frozen=True)
class LayerCall:
    """One call of a layer. Every array is a copy of its own.

    Attributes:
        weights: by name, in the shapes of `Options.weight_shapes`.
        inputs: (T, I) in the layout "single", (T, B, I) in "time_first", (B, T, I) in
            "batch_first".
        h_0: None where it is omitted, else (L·D, B, H), or (L·D, H) in "single": for each layer the
            forward direction, then the reverse.
        lengths: (B,), how many steps of each row are real; None where all are. What stands beyond
            is padding.
        training: whether dropout is on; it is off in evaluation.
        bfloat16: as in `rnn_conformance.Call`.
    """

    options: Options
    weights: Mapping[str, Array]
    inputs: Array
    h_0: Array | None
    lengths: Lengths | None
    layout: Layout
    training: bool = False
    bfloat16: bool = False

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of every array, and of the answer's."""
        return self.inputs.dtype


@dataclass(frozen=True)
class LayerAnswer:
    """What a layer gives back, in the dtype of the call.

    Attributes:
        output: the states of the last layer, forward beside reverse: (T, D·H), (T, B, D·H) or
            (B, T, D·H), by layout; zero in the padding.
        h_n: the state of each layer and direction after its last real step: (L·D, B, H) or
            (L·D, H). None if it is not given; then it is not judged.
        y: the readout of every step: (T, O), (T, B, O) or (B, T, O), by layout; None if there is no
            readout, or it is not given.
    """

    output: Array
    h_n: Array | None = None
    y: Array | None = None


@runtime_checkable
class LayerImplementation(Protocol):
    """A layer under test.

    Attributes:
        features: what it claims, of `rnn_conformance.layer.cases.FEATURES`.
    """

    @property
    def name(self) -> str: ...

    @property
    def features(self) -> frozenset[str]: ...

    def run_layer(self, call: LayerCall) -> LayerAnswer: ...
