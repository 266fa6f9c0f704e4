"""The layers of a call: what each has read and given, and all that its numbers can be made of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_conformance.bounds.balls import Float64, exactly
from rnn_conformance.cases.order import in_direction, turned
from rnn_conformance.cells.edits import Steps
from rnn_conformance.cells.running import trajectory, with_inherited
from rnn_conformance.cells.weights import of_cell
from rnn_conformance.explain.calls import Asked
from rnn_conformance.explain.features import Index, features_of
from rnn_conformance.explain.what import Explanation, groups


@dataclass(frozen=True)
class Layer:
    """One layer of a call, by direction.

    Attributes:
        inputs, radius: (T, B, n) in the order of time, and how far off they can be.
        states, off: (D, T, B, H) in the order in which each direction computes them, the same.
    """

    inputs: Float64
    radius: Float64
    states: Float64
    off: Float64


def layers_of(asked: Asked, found: Sequence[Explanation] | None = None) -> list[Layer]:
    """Every layer of a call; those below the last as they show, or as they are with edits."""
    inputs, radius = asked.data.inputs.astype(np.float64), np.zeros((1, 1, 1))
    layers = []
    for number in range(asked.case.L):
        radius = np.broadcast_to(radius, inputs.shape)
        layer = Layer(inputs, radius, asked.states, np.zeros_like(asked.states))
        if number < asked.case.L - 1 and found is None and asked.below:
            below = asked.below[number]
            layer = replace(layer, states=below.value, off=below.radius)
        elif number < asked.case.L - 1:
            layer = _computed(asked, number, layer, found or ())
        elif asked.off is not None:
            layer = replace(layer, off=asked.off)
        layers.append(layer)
        inputs, radius = (in_time(asked, part) for part in (layer.states, layer.off))
    return layers


def _computed(asked: Asked, number: int, layer: Layer, found: Sequence[Explanation]) -> Layer:
    """A layer whose states do not show, as it is with edits: a step more each pass."""
    D, T, B, H = layer.states.shape
    layer = replace(layer, states=np.zeros_like(layer.states))
    t, b, u = (index.ravel() for index in np.indices((T, B, H)))
    library = tuple(one.edit for one in found)
    for _ in range(T):
        states, radii = layer.states.copy(), layer.states.copy()
        for d in range(D):
            steps = steps_of(asked, number, layer, d, (t, b, u))
            trials = asked.case.equation.trials([steps], library)
            assert trials is not None
            features = features_of(asked, number, d, (t, b, u), steps)
            for made, at in groups(trials, found, features):
                with np.errstate(all="ignore"):
                    value, radius = trials.values(made, at)
                states[d, t[at], b[at], u[at]] = value
                radii[d, t[at], b[at], u[at]] = radius
        layer = replace(layer, states=states)
    for d in range(D):
        w = of_cell(asked.data.weights, number, d, asked.case.options)
        radii[d] = with_inherited(w, radii[d])
    return replace(layer, off=radii)


def in_time(asked: Asked, states: Float64) -> Float64:
    """States of each direction (D, T, B, H) side by side, in the order of time, (T, B, D·H)."""
    ways = zip(asked.case.options.ways, states, strict=True)
    each = [in_direction(h, asked.data.lengths, way) for way, h in ways]
    return np.concatenate(each, axis=2)


def steps_of(asked: Asked, number: int, layer: Layer, d: int, index: Index) -> Steps:
    """Some numbers of one direction, by (t, b, u) in the order in which it computes them."""
    data, o, (t, b, u) = asked.data, asked.case.options, index
    D, lengths, way = o.directions, data.lengths, o.ways[d]
    initial, hidden = parts_of(asked)
    time = turned(t, data.steps[b]) if way else t
    padding = time >= data.steps[b]
    running_on = np.concatenate([initial[number * D + d][None], layer.states[d][:-1]])[t, b]
    if way and lengths is not None:
        by_time = in_direction(layer.states[d], lengths, way)
        running_on = np.concatenate([by_time[1:], initial[number * D + d][None]])[time, b]
    weights = {"the other direction": (number, 1 - d)} if D == 2 else {}
    weights |= {"the layer below": (number - 1, d), "the first layer": (0, d)} if number else {}
    weights |= {"the second layer": (1, d)} if number > 1 else {}
    others = {name: of_cell(data.weights, *place, o) for name, place in weights.items()}
    states = _other_states(asked, number, layer, d)
    earlier = tuple(
        (call.says, of_cell(call.data.weights, number, d, call.case.options))
        for call in asked.earlier
        if number < call.case.L and call.case.options.directions == D
    )
    ended = layer.states[d][np.where(way, 0, data.steps[b] - 1), b, u]
    return Steps(
        asked.case.cell,
        asked.precision,
        d,
        bool(way),
        of_cell(data.weights, number, d, o),
        in_direction(layer.inputs, lengths, way),
        in_direction(layer.radius, lengths, way),
        np.concatenate([initial[number * D + d][None], layer.states[d]]),
        np.concatenate([0 * initial[number * D + d][None], layer.off[d]]),
        t,
        b,
        u,
        padding,
        ended,
        initial[number * D + d][b, u] if way else ended,
        data.steps,
        running_on,
        others,
        earlier,
        states,
        layer.states[d][t, b, u],
        hidden[number * D + d],
    )


def parts_of(asked: Asked) -> tuple[Float64, Float64]:
    """Of the initial state (L·D, B, ...), the part that shows, and the others."""
    H, initial = asked.case.H, asked.data.initial.astype(np.float64)
    return initial[..., :H], initial[..., H:]


def _other_states(asked: Asked, number: int, layer: Layer, d: int) -> dict[str, Float64]:
    """What can be mistaken for the state before the first step, (B, H), by words."""
    data, o = asked.data, asked.case.options
    D, (initial, _) = o.directions, parts_of(asked)
    found = {}
    if D == 2:
        found["h_0 of the other direction"] = initial[number * D + 1 - d]
        one_first = initial[d * o.num_layers + number]
        found["h_0 of the place with all layers of one direction first"] = one_first
    if data.lengths is not None:
        found["the state after the padding has been read"] = _after_padding(asked, number, layer, d)
    if number:
        found["h_0 of the layer below"] = initial[(number - 1) * D + d]
        found["h_0 of the first layer"] = initial[d]
        last = np.where(o.ways[d], 0, data.steps - 1)
        half = np.s_[d * o.hidden_size : (d + 1) * o.hidden_size]
        found["the last state of the layer below"] = layer.inputs[last, np.arange(len(last)), half]
    for says, before in asked.before.items():
        if before.answer is not None and number == asked.case.L - 1:
            kept = before.states[d, -1] if d < len(before.states) else before.states[0, -1]
            if kept.shape == layer.states[d, 0].shape:
                found[f"the state after {says}"] = kept
                rest = before.final(1) if len(o.parts) > 1 else None
                if rest is not None:
                    found[f"the rest of the state after {says}"] = rest[-1]
    return found


def _after_padding(asked: Asked, number: int, layer: Layer, d: int) -> Float64:
    """The state (B, H) of a reverse direction that begins in the padding."""
    data, o = asked.data, asked.case.options
    w, initial = of_cell(data.weights, number, d, o), data.initial[number * o.directions + d]
    read = exactly(layer.inputs[::-1], asked.precision)
    states = trajectory(asked.case.equation, w, read, initial).value
    states = np.concatenate([initial[None], states])[..., : o.hidden_size]
    found: Float64 = states[len(layer.inputs) - data.steps, np.arange(len(data.steps))]
    return found
