"""How adapters hand on weights and states, whose sizes they refuse where they would hide them."""

from collections.abc import Iterable, Mapping

import numpy as np

from rnn_conformance.contract.call import Array, Call, Options


def refuse_misfits(call: Call, names: Iterable[str]) -> None:
    """Raises ValueError where one of these weights has a shape that the options do not give it."""
    shapes = call.options.weight_shapes()
    for name in names:
        if (found := call.weights[name].shape) != shapes[name]:
            raise ValueError(f"{name}: expected shape {shapes[name]}, got {found}")


def merged_bias(call: Call, end: str) -> Array:
    """bias_ih + bias_hh (H,) of a layer and direction. Raises ValueError where one does not fit."""
    names = f"bias_ih_{end}", f"bias_hh_{end}"
    refuse_misfits(call, names)
    b_ih, b_hh = (call.weights[name] for name in names)
    return b_ih + b_hh


def weights_of(call: Call, end: str) -> list[Array]:
    """weight_ih, weight_hh and, where there are biases, the merged one of a layer and direction."""
    kernels = [call.weights[f"weight_ih_{end}"], call.weights[f"weight_hh_{end}"]]
    return [*kernels, merged_bias(call, end)] if call.options.bias else kernels


def stacked(o: Options, weights: Mapping[str, Array], layer: int) -> dict[str, Array]:
    """weight_ih, weight_hh, bias_ih and bias_hh of a layer, each (D, …), forward first."""
    ends = [f"l{layer}{suffix}" for suffix in ("", "_reverse")[: o.directions]]
    names = ["weight_ih", "weight_hh", *["bias_ih", "bias_hh"] * o.bias]
    return {name: np.stack([weights[f"{name}_{end}"] for end in ends]) for name in names}


def state_of_one(call: Call) -> Array | None:
    """h_0 of the only layer, if it is given. Raises ValueError where it is for more."""
    if call.h_0 is None:
        return None
    h_0: Array
    (h_0,) = call.h_0
    return h_0
