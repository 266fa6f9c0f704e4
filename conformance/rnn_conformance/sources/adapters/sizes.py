"""What adapters refuse themselves: sizes that they would hide from what they hand them to."""

from collections.abc import Iterable

from rnn_conformance.contract.call import Array, Call


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
    merged: Array = b_ih + b_hh
    return merged


def state_of_one(call: Call) -> Array | None:
    """h_0 of the only layer, if it is given. Raises ValueError where it is for more."""
    if call.h_0 is None:
        return None
    h_0: Array
    (h_0,) = call.h_0
    return h_0
