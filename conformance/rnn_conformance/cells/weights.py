"""The weights of layers by name: taken apart, and changed so that the exact result is known."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rnn_conformance.cells.cell import HALF, CellWeights
from rnn_conformance.contract.call import GATES, Array, Options

Weights = Mapping[str, Array]


def of_cell(weights: Weights, layer: int, direction: int, options: Options) -> CellWeights:
    """The weights of one layer and direction."""
    end = f"l{layer}{'_reverse' if direction else ''}"
    W_ih, W_hh = weights[f"weight_ih_{end}"], weights[f"weight_hh_{end}"]
    if not options.bias:
        zeros = np.zeros(len(W_ih), W_ih.dtype)
        return CellWeights(W_ih, W_hh, zeros, zeros)
    return CellWeights(W_ih, W_hh, weights[f"bias_ih_{end}"], weights[f"bias_hh_{end}"])


def names_of(layer: int, direction: int, options: Options) -> dict[str, str]:
    """The full name of each weight of a layer and direction by its kind, such as "weight_ih"."""
    end = f"_l{layer}{'_reverse' if direction else ''}"
    names = (name for name in options.weight_shapes() if name.endswith(end))
    return {name.removesuffix(end): name for name in names}


def of_marks(gradients: Weights, options: Options, marks: int) -> Array:
    """What multiplied each of the first inputs in one step of one row alone, (marks, D·G·H).

    Args:
        gradients: those of the weights.
        marks: how many inputs these are.
    """
    each = (names_of(0, d, options)["weight_ih"] for d in range(options.directions))
    return np.concatenate([gradients[name].T[:marks] for name in each], axis=-1)


def passing(weights: Weights) -> npt.NDArray[np.intp]:
    """The input that is added to each pre-activation of the first layer, (G·H,)."""
    W_ih = weights["weight_ih_l0"]
    order: npt.NDArray[np.intp] = W_ih[:, : len(W_ih)].argmax(axis=1)
    return order


def of_readout(weights: Weights) -> tuple[Array, Array]:
    """W_ho and b_ho."""
    return weights["W_ho"], weights["b_ho"]


def degenerate(w: CellWeights, biased: bool) -> Iterator[str]:
    """How these weights could hide a mistake, such as one matrix for its transpose."""
    if biased and not (w.b_ih.all() and w.b_hh.all()):
        yield "a bias is zero"
    if biased and (w.b_ih == w.b_hh).any():
        yield "two biases are equal"
    H = w.W_hh.shape[1]
    for gate in np.split(w.W_hh, len(w.W_hh) // H):
        if not gate.all():
            yield "a weight of the state is zero"
        if H > 1 and (gate == gate.T).all():
            yield "the weights of the state are symmetric"


def of_layer(weights: Weights, layer: int, options: Options) -> CellWeights:
    """Those of each direction of a layer, one on the other."""
    each = [of_cell(weights, layer, d, options) for d in range(options.directions)]
    return CellWeights(*map(np.stack, zip(*each, strict=True)))


def of_one_layer(weights: Weights, layer: int) -> dict[str, Array]:
    """The weights of a layer, under the names of the first; without the readout."""
    return {
        name.replace(f"_l{layer}", "_l0"): value
        for name, value in weights.items()
        if name.endswith((f"_l{layer}", f"_l{layer}_reverse"))
    }


def of_one_direction(weights: Weights, direction: int) -> dict[str, Array]:
    """The weights of a direction, under the names of the forward one; without the readout."""
    return {
        name.removesuffix("_reverse"): value
        for name, value in without_readout(weights).items()
        if name.endswith("_reverse") == bool(direction)
    }


def without_readout(weights: Weights) -> dict[str, Array]:
    """Those of the layers."""
    return {name: value for name, value in weights.items() if not name.endswith("_ho")}


def permuted(weights: Weights, order: npt.NDArray[np.int64], options: Options) -> dict[str, Array]:
    """Every hidden unit in another place."""
    H, G = options.hidden_size, GATES[options.cell]
    rows = np.concatenate([order + g * H for g in range(G)])
    width = wide(order, options)

    def changed(name: str, value: Array) -> Array:
        if name.endswith("_ho"):
            return value[:, width] if name == "W_ho" else value
        value = value[rows]
        if name.startswith("weight_hh"):
            return value[:, order]
        above = name.startswith("weight_ih") and "_l0" not in name
        return value[:, width] if above else value

    return {name: changed(name, value) for name, value in weights.items()}


def wide(order: npt.NDArray[np.int64], options: Options) -> npt.NDArray[np.int64]:
    """An order of units, for the columns of the output: both directions."""
    return np.concatenate([order + d * options.hidden_size for d in range(options.directions)])


def of_state(order: npt.NDArray[np.int64], options: Options) -> npt.NDArray[np.int64]:
    """An order of units, for each part of the state."""
    return np.concatenate([order + p * options.hidden_size for p in range(len(options.parts))])


def with_biases_negated(weights: Weights) -> dict[str, Array]:
    """Every bias negated, that of the readout too."""
    return {n: -v if n.startswith(("bias", "b_ho")) else v for n, v in weights.items()}


def with_inputs_scaled(
    weights: Weights, scale: float, layers: range = range(1)
) -> dict[str, Array]:
    """What multiplies the inputs of some layers, times a number."""
    starts = tuple(f"weight_ih_l{layer}" for layer in layers)
    return {
        name: value * value.dtype.type(scale) if name.startswith(starts) else value
        for name, value in weights.items()
    }


def of_two(weights: Weights, options: Options) -> dict[str, Array]:
    """Two layers side by side in one, as blocks; without the readout."""
    G = GATES[options.cell]

    def both(value: Array) -> Array:
        blocks = []
        for gate in np.split(value, G):
            zeros = np.zeros_like(gate)
            diagonal = [[gate, zeros], [zeros, gate]]
            blocks.append(np.concatenate([gate, gate]) if gate.ndim == 1 else np.block(diagonal))
        return np.concatenate(blocks)

    return {name: both(value) for name, value in without_readout(weights).items()}


def handing_on(
    options: Options, dtype: npt.DTypeLike, pins: Sequence[float | None]
) -> dict[str, Array]:
    """Of a memoryless cell: each unit reads half of one number, and its state depends on it alone.

    Unit j of the reverse direction reads number H + j, that of the other number j, counted in a
    circle where there are fewer. So a layer hands on all that the one below it gives.

    Args:
        pins: as in `Cell`.
    """
    H, reading = options.hidden_size, list(pins).index(None)
    units = np.arange(H)
    weights: dict[str, Array] = {
        name: np.zeros(shape, dtype) for name, shape in options.weight_shapes().items()
    }
    for name, value in weights.items():
        if name.startswith("bias_ih"):
            value[:] = np.repeat([pin or 0 for pin in pins], H)
        elif name.startswith("weight_ih"):
            d = name.endswith("_reverse")
            value[reading * H + units, (d * H + units) % value.shape[1]] = HALF
    return weights
