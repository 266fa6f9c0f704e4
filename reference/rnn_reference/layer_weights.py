"""The weights of a stack of layers as one mapping, under the names of `torch.nn.RNN`."""

from collections.abc import Mapping
from typing import NamedTuple

from rnn_reference.weights import (
    Array,
    validate_array,
    validate_float,
    validate_matrix,
    validate_names,
)

PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
DIRECTIONS = ("", "_reverse")  # what a name ends in, in the order of states and of output halves


class LayerSizes(NamedTuple):
    """What the names and shapes of the weights decide."""

    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    bidirectional: bool

    @property
    def directions(self) -> tuple[str, ...]:
        """What the names of each direction's weights end in."""
        return DIRECTIONS if self.bidirectional else DIRECTIONS[:1]


def layer_weight_shapes(sizes: LayerSizes) -> dict[str, tuple[int, ...]]:
    """The shape of every weight, in torch's order: layer, then direction, then part."""
    H = sizes.hidden_size
    shapes: dict[str, tuple[int, ...]] = {}
    for k in range(sizes.num_layers):
        width = sizes.input_size if k == 0 else H * len(sizes.directions)
        of_parts: dict[str, tuple[int, ...]] = {"weight_ih": (H, width), "weight_hh": (H, H)}
        if sizes.bias:
            of_parts |= {"bias_ih": (H,), "bias_hh": (H,)}
        for direction in sizes.directions:
            shapes |= {f"{part}_l{k}{direction}": shape for part, shape in of_parts.items()}
    return shapes


def validate_layer_weights(weights: Mapping[str, Array]) -> tuple[LayerSizes, dict[str, Array]]:
    """The sizes, and a plain dict of the weights in torch's order, once they fit together.

    Layers, directions and whether there are biases are read from the names, the sizes and the dtype
    from weight_ih_l0. Raises what `validate_names` raises, each unknown and missing name named, and
    what `validate_array` raises for an entry that does not fit.
    """
    if not isinstance(weights, Mapping):
        raise TypeError(f"weights: expected a mapping by name, got {type(weights).__name__}")
    known = {
        (part, k, direction)
        for k in range(len(weights))  # n weights make fewer than n layers, whatever a name says
        for part in PARTS
        for direction in DIRECTIONS
        if f"{part}_l{k}{direction}" in weights
    }
    sizes = LayerSizes(
        input_size=1,
        hidden_size=1,
        num_layers=1 + max((k for _, k, _ in known), default=0),
        bias=any(part.startswith("bias") for part, _, _ in known),
        bidirectional=any(direction for _, _, direction in known),
    )
    validate_names(weights, layer_weight_shapes(sizes))
    first = weights["weight_ih_l0"]
    hidden_size, input_size = validate_matrix("weight_ih_l0", first)
    dtype = validate_float("weight_ih_l0", first)
    sizes = sizes._replace(input_size=input_size, hidden_size=hidden_size)
    return sizes, {
        name: validate_array(name, weights[name], shape, dtype)
        for name, shape in layer_weight_shapes(sizes).items()
    }
