"""The numbers that calls gave, each with where it stands and all that it can have come from."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64
from rnn_conformance.bounds.judgement import share
from rnn_conformance.cases import expected
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.order import turned
from rnn_conformance.cells.edits import Indices, Mask, Steps, Trials, Values
from rnn_conformance.cells.readout_edits import FIRST, PREACTIVATION, Outputs, ReadoutTrials
from rnn_conformance.cells.weights import of_one_layer, of_readout
from rnn_conformance.checks.registry import comparable
from rnn_conformance.contract.call import Answer, Array
from rnn_conformance.contract.conventions import ZEROS_IN_PADDING
from rnn_conformance.explain.calls import Asked
from rnn_conformance.explain.features import READ, features_of, joined, some_of
from rnn_conformance.explain.final import Finals, FinalTrials
from rnn_conformance.explain.layers import Layer, in_time, layers_of, parts_of, steps_of
from rnn_conformance.explain.what import Explanation, groups
from rnn_conformance.explain.where import Features

MOST_HIDDEN = 20_000  # numbers of a call, of what does not show
STEADY = "contractive"  # weights with which rounding does not grow
SHORT = 12  # steps of calls of several layers, whose hidden states are computed again


def of_states(
    calls: Sequence[Asked], claimed: frozenset[str], found: Sequence[Explanation] | None = None
) -> tuple[Trials, Features] | None:
    """The states of all layers that show, with everything that can be tried.

    With edits, those of the last layers, and the others are as they are with these.
    """
    steps, features, rng = list[Steps](), list[Features](), np.random.default_rng(0)
    for asked in calls:
        layers = layers_of(asked, found)
        first = 0 if asked.below and found is None else asked.case.L - 1
        for number, layer in [*enumerate(layers)][first:]:
            for d, wrong in enumerate(_wrong_states(asked, number, layer)):
                index = some_of(wrong, rng)
                one = steps_of(asked, number, layer, d, index)
                if ZEROS_IN_PADDING not in claimed and one.padding.any():
                    index = tuple(part[~one.padding] for part in index)  # type: ignore[assignment]
                    one = steps_of(asked, number, layer, d, index)
                steps.append(one)
                features.append(features_of(asked, number, d, index, one))
    if not steps:
        return None
    trials = calls[0].case.equation.trials(steps)
    return None if trials is None else (trials, joined(features))


def _wrong_states(asked: Asked, number: int, layer: Layer) -> Mask:
    """Which states of a layer are outside the bound of their own step, (D, T, B, H)."""
    data, o = asked.data, asked.case.options
    one = replace(
        data,
        options=replace(o, input_size=layer.inputs.shape[2], num_layers=1),
        weights=of_one_layer(data.weights, number),
        inputs=layer.inputs,
        h_0=data.initial[number * o.directions : (number + 1) * o.directions],
    )
    answer = Answer(in_time(asked, layer.states))
    with np.errstate(all="ignore"):
        right = expected.from_own_states(one, asked.precision, answer)
        shares = share(right.output, answer.output.astype(np.float64), right.output_bound)
    wrong: Mask = asked.read(shares) > 1
    return wrong


def of_shown(calls: Sequence[Asked]) -> tuple[list[Asked], tuple[Trials, Features] | None]:
    """Calls as if their states were right and did not show, and what shows in place of these.

    Those of weights with which rounding does not grow.
    """
    carried, rows, known = list[Asked](), list[Any](), list[Features]()
    rng = np.random.default_rng(0)
    for asked in calls:
        if asked.answer is None or asked.case.equation.gates > 1 or not is_steady(asked):
            continue
        right = expected.whole(asked.data, asked.precision)
        answer = replace(asked.answer, output=right.output)
        call = replace(asked, answer=answer, off=asked.read(right.output_bound))
        carried.append(call)
        o, steps, first = (
            asked.case.options,
            asked.data.steps,
            (asked.case.L - 1) * len(call.states),
        )
        initial = parts_of(asked)[0][first:, np.newaxis]
        states, radii = (
            np.concatenate([start, part], axis=1)
            for start, part in ((initial, call.states), (0 * initial, call.off))
        )
        for d, given in enumerate(asked.states):
            t, b, u = some_of(share(call.states[d], given, radii[d, 1:]) > 1, rng)
            t, b, u = (part[t < steps[b]] for part in (t, b, u))
            T, B, H, D, L = (
                np.full(len(t), size)
                for size in (asked.case.T, asked.case.B, asked.case.H, o.directions, 1)
            )
            place = Finals(T, B, H, D, L, 0 * t + d, t + 1, b, u)
            other = states, radii
            rows.append((given[t, b, u], place, states, radii, steps, asked.precision, other))
            known.append(features_of(asked, asked.case.L - 1, d, (t, b, u), None))
    if not rows:
        return [], None
    trials = FinalTrials(*zip(*rows, strict=True), name="what shows of h_t", last=False)
    return carried, (trials, joined(known))


def is_steady(asked: Asked) -> bool:
    """Whether rounding stays small over all steps."""
    return asked.case.weights == STEADY and comparable(asked.case)


def of_final_states(
    calls: Sequence[Asked],
    found: Sequence[Explanation] | None,
    placed: Sequence[Explanation],
) -> dict[str, tuple[Trials, Features]]:
    """h_n, and what else there is of the last state, by name.

    Layers that do not show are as in `layers_of`, states as edits say that they were made.
    """
    tables, rng = dict[str, tuple[list[Any], list[Features]]](), np.random.default_rng(0)
    for asked in calls:
        names = [f"{name}_n" for name in asked.case.options.parts]
        every = [] if asked.final(0) is None else _every_part(asked, found, placed)
        for part, _ in enumerate(every):
            row, features = _finals(asked, every, part, rng)
            rows, known = tables.setdefault(names[part], ([], []))
            rows.append(row)
            known.append(features)
    others = dict(zip(tables, [*tables][::-1], strict=True)) if len(tables) == 2 else {}
    return {
        name: (
            FinalTrials(*zip(*rows, strict=True), name=name, other=others.get(name, "")),
            joined(known),
        )
        for name, (rows, known) in tables.items()
    }


def _finals(
    asked: Asked, every: Sequence[tuple[Float64, Float64]], part: int, rng: np.random.Generator
) -> tuple[tuple[Any, ...], Features]:
    """Some numbers of a part of the last state, with all that they can have come from."""
    o, given, (states, radii) = asked.case.options, asked.final(part), every[part]
    assert given is not None
    rows = np.arange(given.shape[1])
    last, limit = (numbers[:, asked.data.steps, rows] for numbers in (states, radii))
    with np.errstate(all="ignore"):
        limit = limit + 2 * asked.precision.both * np.abs(last)
        s, b, u = some_of(share(last, given, limit) > 1, rng)
    sizes = (asked.case.T, asked.case.B, asked.case.H, o.directions, asked.case.L)
    T, B, H, D, L = (np.full(len(s), size) for size in sizes)
    place = Finals(T, B, H, D, L, s, asked.data.steps[b], b, u)
    other = every[1 - part] if len(every) > 1 else every[part]
    row = given[s, b, u], place, states, radii, asked.data.steps, asked.precision, other
    number, d = s // o.directions, s % o.directions
    at = features_of(asked, 0, 0, (asked.data.steps[b] - 1, b, u), None)
    names = np.array(["forward", "reverse"])[d] if o.directions == 2 else at["direction"]
    own = {"layer": number, "layers above": asked.case.L - 1 - number, "direction": names}
    dropped = ("step", "steps before the end", "odd step", READ, "row·T + step", "step·B + row")
    return row, {k: v for k, v in {**at, **own}.items() if k not in dropped}


def _every_part(
    asked: Asked, found: Sequence[Explanation] | None, placed: Sequence[Explanation]
) -> list[tuple[Float64, Float64]]:
    """Of each part of the state, what it was, (L·D, T + 1, B, H), and how far off that may be.

    What does not show is as it is with the edits, where these give what shows; nothing is said of
    it where it is too much to compute.
    """
    layers, ways = layers_of(asked, found), range(asked.case.options.directions)
    each = [(number, d) for number in range(len(layers)) for d in ways]
    states = np.stack([_as_made(asked, n, layers[n], d, placed) for n, d in each])
    initial = 0 * states[:, :1]
    radii = np.concatenate([layer.off for layer in layers])
    every = [(states, np.concatenate([initial, radii], axis=1))]
    if len(asked.case.options.parts) > 1 and states.size < MOST_HIDDEN:
        hidden = [_hidden(asked, n, layers[n], d, placed) for n, d in each]
        value, radius = (np.stack(numbers) for numbers in zip(*hidden, strict=True))
        every.append((value, radius))
    return every


def _hidden(
    asked: Asked, number: int, layer: Layer, d: int, placed: Sequence[Explanation]
) -> tuple[Float64, Float64]:
    """The second part of the state of a direction, and its radius, (T + 1, B, H)."""
    T, B, H = layer.states[d].shape
    b, u = (index.ravel() for index in np.indices((B, H)))
    steps = steps_of(asked, number, layer, d, (asked.data.steps[b] - 1, b, u))
    edits = frozenset(one.edit for one in placed)
    trials = asked.case.equation.trials([steps], tuple(edits))
    found = np.zeros((2, T + 1, B, H))
    if trials is not None:
        with np.errstate(all="ignore"):
            each = trials.hidden(edits, np.arange(len(b)))
        for row, unit, numbers in zip(b, u, each, strict=True):
            found[:, : numbers.shape[1], row, unit] = numbers
    return found[0], found[1]


def _as_made(
    asked: Asked, number: int, layer: Layer, d: int, found: Sequence[Explanation]
) -> Float64:
    """The states of a direction, (T + 1, B, H), the initial ones first, where they were made."""
    T, B, _ = layer.inputs.shape
    t, b = np.indices((T, B)).reshape(2, -1)
    steps = steps_of(asked, number, layer, d, (t, b, 0 * t))
    elsewhere = [one for one in found if "place" in one.edit.does]
    features = features_of(asked, number, d, (t, b, 0 * t), steps) if elsewhere else {}
    for one in elsewhere:
        if not one.rule.names - features.keys() and one.rule.holds(features).any():
            steps = one.edit.does["place"](steps)
    return steps.states


def of_readouts(
    calls: Sequence[Asked], found: Sequence[Explanation]
) -> tuple[Trials, Features] | None:
    """y, where some are wrong; pre-activations are as they are with edits."""
    outputs, features, rng = list[Outputs](), list[Features](), np.random.default_rng(0)
    every = [(c, c.answer, c.answer.y) for c in calls if c.answer and c.answer.y is not None]
    wrong = [_wrong_readouts(asked, answer.output, y) for asked, answer, y in every]
    if not any(one.any() for one in wrong):
        return None
    for (asked, answer, all_y), outside in zip(every, wrong, strict=True):
        data = asked.data
        t, b, u = some_of(outside, rng)
        real = t < data.steps[b]
        t, b, u = t[real], b[real], u[real]
        D = asked.case.options.directions
        initial = np.concatenate(list(parts_of(asked)[0][-D:]), axis=1)[None]
        states = np.concatenate([initial, answer.output]).astype(np.float64)
        off = np.zeros_like(states)
        if asked.off is not None:
            off[1:] = in_time(asked, asked.off)
        W, bias = of_readout(data.weights)
        y, last = (
            np.where(early > t, 0, all_y.astype(np.float64)[t - early, b, u]) for early in (0, 1)
        )
        layers = layers_of(asked)
        first, off_first = (in_time(asked, of)[t, b] for of in (layers[0].states, layers[0].off))
        unactivated = _unactivated(asked, layers[-1], t, b, found)
        others = {PREACTIVATION: unactivated, FIRST: (first, off_first)}
        outputs.append(
            Outputs(W, bias, states, off, others, t, b, u, data.steps, last, y, asked.precision)
        )
        at = dict(features_of(asked, asked.case.L - 1, 0, (t, b, u), None))
        at["unit"], at["units before the end"] = u, asked.case.O - 1 - u
        at["O = D·H"] = np.broadcast_to(W.shape[0] == W.shape[1], t.shape)
        features.append(at)
    return ReadoutTrials(outputs), joined(features)


def _wrong_readouts(asked: Asked, output: Array, y: Array) -> Mask:
    """Which real y are outside the bound of what shows of their states, (T, B, O)."""
    with np.errstate(all="ignore"):
        judged = expected.judge_readout(asked.data, asked.precision, output, y)
        wrong: Mask = (judged.shares() > 1) & asked.data.real
    return wrong


def _unactivated(
    asked: Asked, layer: Layer, t: Indices, b: Indices, found: Sequence[Explanation]
) -> Values:
    """The pre-activations (N, D·H) of the last layer at these steps in time, with edits."""
    o = asked.case.options
    every = np.zeros((2, len(t), o.directions, o.hidden_size))
    if asked.case.equation.gates > 1:  # there are several
        value, off = np.full_like(every, np.nan).reshape(2, len(t), -1)
        return value, off
    steps, library = asked.data.steps, tuple(one.edit for one in found)
    for d, way in enumerate(o.ways):
        read = turned(t, steps[b]) if way else t
        units = np.tile(np.arange(o.hidden_size), len(t))
        index = np.repeat(read, o.hidden_size), np.repeat(b, o.hidden_size), units
        one = steps_of(asked, asked.case.L - 1, layer, d, index)
        trials = asked.case.equation.trials([one], library)
        assert trials is not None
        sums, features = (
            np.zeros((2, len(units))),
            features_of(asked, asked.case.L - 1, d, index, one),
        )
        for made, at in groups(trials, found, features):
            sums[:, at] = trials.sums(made, at)
        every[:, :, d] = sums.reshape(2, len(t), -1)
    value, off = every.reshape(2, len(t), -1)
    return value, off


def can_be_computed(case: Case) -> bool:
    """Whether its states can be computed again, with edits."""
    alone = case.equation.gates == 1
    return alone and comparable(case) and case.T <= SHORT and case.H <= 64 and case.B <= 32
