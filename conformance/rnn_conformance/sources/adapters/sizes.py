"""How adapters hand on weights and states, whose sizes they refuse where they would hide them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_conformance.contract.call import GATED, GATES, Array, Call, Options
from rnn_conformance.contract.declaration import KnownFailure

READOUT = ("W_ho", "b_ho")


def in_order(
    o: Options, weights: Mapping[str, Array], orders: Mapping[str, str]
) -> dict[str, Array]:
    """The weights of all layers with their gates as a framework has them, such as "iofg".

    Args:
        orders: by cell; one that is missing has ours.

    Raises ValueError where the rows of a weight are no multiple of the gates.
    """
    order, found = orders.get(o.cell, ""), dict(weights)
    for name in weights.keys() - set(READOUT) if order else ():
        gates = dict(zip(GATED[o.cell], np.split(weights[name], GATES[o.cell]), strict=True))
        found[name] = np.concatenate([gates[gate] for gate in order])
    return found


def refuse_misfits(call: Call, names: Iterable[str]) -> None:
    """Raises ValueError where one of these weights has a shape that the options do not give it."""
    shapes = call.options.weight_shapes()
    for name in names:
        if (found := call.weights[name].shape) != shapes[name]:
            raise ValueError(f"{name}: expected shape {shapes[name]}, got {found}")


def biases(call: Call, end: str) -> tuple[Array, Array]:
    """bias_ih and bias_hh of a layer and direction. Raises ValueError where one does not fit."""
    names = f"bias_ih_{end}", f"bias_hh_{end}"
    refuse_misfits(call, names)
    b_ih, b_hh = (call.weights[name] for name in names)
    return b_ih, b_hh


def merged_bias(call: Call, end: str) -> Array:
    """bias_ih + bias_hh (G·H,) of a layer and direction: one, where a cell only adds them."""
    b_ih, b_hh = biases(call, end)
    return b_ih + b_hh


def biases_of_gru(call: Call, end: str) -> tuple[Array, Array]:
    """Of a GRU in our order: both of r and z added, beside b_in (3 H,); and b_hn (H,) alone."""
    b_ih, b_hh = biases(call, end)
    reading = 2 * call.options.hidden_size
    return np.concatenate([b_ih[:reading] + b_hh[:reading], b_ih[reading:]]), b_hh[reading:]


def weights_of(call: Call, end: str) -> list[Array]:
    """weight_ih, weight_hh and, where there are biases, the merged one of a layer and direction."""
    kernels = [call.weights[f"weight_ih_{end}"], call.weights[f"weight_hh_{end}"]]
    return [*kernels, merged_bias(call, end)] if call.options.bias else kernels


def stacked(o: Options, weights: Mapping[str, Array], layer: int) -> dict[str, Array]:
    """weight_ih, weight_hh, bias_ih and bias_hh of a layer, each (D, …), forward first."""
    ends = [f"l{layer}{suffix}" for suffix in ("", "_reverse")[: o.directions]]
    names = ["weight_ih", "weight_hh", *["bias_ih", "bias_hh"] * o.bias]
    return {name: np.stack([weights[f"{name}_{end}"] for end in ends]) for name in names}


def state_of_one(call: Call) -> tuple[Array, ...]:
    """h_0 of the only layer, and c_0, if they are given. Raises ValueError for those of more."""
    found = []
    for part in call.state.values():
        (only,) = part
        found.append(only)
    return tuple(found)


def pulled_back(
    call: Call, theirs: Callable[[Call], Sequence[Array]], found: Sequence[Array]
) -> dict[str, Array]:
    """The gradients of our weights, from those of a framework's own.

    Each of our numbers stands in one of theirs, or is added to it. Where it stands is seen by
    numbers that count them.

    Args:
        theirs: the framework's weights for a call.
        found: their gradients, in the same order.
    """
    gradients = {}
    for name, ours in call.weights.items():
        counted: dict[str, Array] = {n: np.zeros(w.shape) for n, w in call.weights.items()}
        counted[name] = counts(ours)
        gradients[name] = gathered(ours, theirs(replace(call, weights=counted)), found)
    return gradients


def counts(like: Array) -> Array:
    """Numbers that count from 1, in the shape of an array."""
    return np.arange(1.0, like.size + 1).reshape(like.shape)


def gathered(like: Array, numbers: Sequence[Any], found: Sequence[Any]) -> Array:
    """The gradient of an array, from those of arrays in which its numbers stand.

    Args:
        numbers: what these hold where the array holds `counts`, or their negatives; 0 and NaN are
            none of its numbers.
        found: their gradients.
    """
    gradient = np.zeros(like.size, like.dtype)
    for count, of_theirs in zip(numbers, found, strict=True):
        at: Array = np.nan_to_num(np.asarray(count, np.float64))
        here = at != 0
        signed = np.copysign(1, at[here]).astype(like.dtype) * np.asarray(of_theirs)[here]
        np.add.at(gradient, np.abs(at[here]).astype(int) - 1, signed)
    return gradient.reshape(like.shape)


def nan_of_padding(cells: Iterable[str]) -> tuple[KnownFailure, ...]:
    """Of layers that mask: the gradient of `where` multiplies what is not chosen by 0.

    A unit of relu hands back nothing where it is NaN.
    """
    everywhere = ("gradient_of_steps", "gradient_of_weights", "gradients_of_calls")
    found = [(check, "*nan_padding*") for check in everywhere]
    found += [
        (check, f"*-{cell}-*nan_padding*")
        for check in ("gradient_of_inputs", "gradient_of_states")
        for cell in cells
        if cell != "relu"
    ]
    reason = "NaN in the padding makes NaN of gradients"
    return tuple(KnownFailure(check, reason, case, "findings.md, 18") for check, case in found)


def upstream_of(call: Call) -> dict[str, Array | None]:
    """dL/d of the output and of the parts of the final state, in this order."""
    assert call.upstream is not None
    names = ("output", *(f"{part}_n" for part in call.options.parts))
    return {name: getattr(call.upstream, name) for name in names}


def losses_of(call: Call) -> tuple[Array, list[Array]]:
    """The same, zeros where the loss sees nothing: of the output, and of the states, in parts."""
    o, shape = call.options, call.inputs.shape[:-1]
    rows = () if call.layout == "single" else (shape[1 if call.layout == "time_first" else 0],)
    of_state = (o.num_layers * o.directions, *rows, o.hidden_size)
    shapes = [(*shape, o.directions * o.hidden_size), *[of_state] * len(o.parts)]
    output, *states = (
        np.zeros(size, call.dtype) if loss is None else loss
        for size, loss in zip(shapes, upstream_of(call).values(), strict=True)
    )
    return output, states


def state_of(parts: Iterable[Any]) -> Any:
    """The state as torch and others take it: h, or (h, c); None where no part is given."""
    found = tuple(parts)
    return found if len(found) > 1 else next(iter(found), None)


def parts_of(state: Any) -> tuple[Any, Any]:
    """h and c of what `state_of` gives; None for the c of a cell without one."""
    return state if isinstance(state, tuple) else (state, None)
