"""What is expected of gradients: from what shows of each step, else as a whole.

Of one layer, dL/d of each step's pre-activations shows in the gradient of the weights where each
step of each row has an input of its own, "marked", and in that of the inputs where these are added
to pre-activations as they are, "passing". Each step of the backward pass is then judged from what
shows of the step after it. Elsewhere the backward pass is judged as a whole, which stays near where
the recurrence contracts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64, Precision, Sum, exactly, joined
from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.cases.order import as_read, by_direction, in_time, real_inputs, written
from rnn_conformance.cells import CELLS, CellWeights
from rnn_conformance.cells.backwards import Gradients, Upstream, backwards
from rnn_conformance.cells.cell import one_earlier
from rnn_conformance.cells.running import from_shown, trajectory
from rnn_conformance.cells.weights import names_of, of_layer, of_marks, passing
from rnn_conformance.contract.call import Answer, Array

SHOWN = ("marked", "passing")


@dataclass(frozen=True)
class Expected:
    """The gradients of a case by name, each with the bound on its numbers.

    Attributes:
        parts: "inputs" (T, B, n), "h_0" (L·D, B, S·H), and each weight as it is.
        adjoints: dL/d of pre-activations (T, B, D·G·H), in the order of time, and what shows of
            them; None where they do not show.
        reason: where the bounds come from.
    """

    parts: Mapping[str, Ball]
    adjoints: tuple[Ball, Float64] | None
    reason: str


def of_answer(
    case: Case, answer: Answer, layers: Sequence[Ball] = (), *, own_pass: bool = False
) -> Expected:
    """From what the answer shows of each step, where it does; else as a whole.

    Args:
        layers: as in the `Expectation` of the answer, where it is known.
        own_pass: whether the gradients are those of another forward pass, whose states may differ
            from those that show.
    """
    precision, data = Precision.of(case.dtype), case.data()
    # Garbage in what shows makes garbage of a bound; the step that showed it has failed.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if own_pass:
            return whole(data, precision)
        if case.weights in SHOWN:
            marked = case.weights == "marked"
            return from_own_steps(data, precision, answer, marked, layers)
        return whole(data, precision, layers if case.L > 1 else ())


def judge(name: str, expected: Ball, found: Array, reason: str) -> Judgement:
    """A gradient of any rank beside what it should be."""
    shape = (1,) * (3 - expected.value.ndim) + expected.value.shape
    value, bound = (part.reshape(shape) for part in (expected.value, expected.bound))
    return Judgement(f"gradient of {name}", value, found.reshape(shape), bound, reason)


def from_own_steps(
    data: Data, precision: Precision, answer: Answer, marked: bool, layers: Sequence[Ball] = ()
) -> Expected:
    """Each step of a single layer from what the answer shows of the step after it.

    Args:
        marked: whether dL/d of pre-activations shows in the gradient of the weights of the inputs;
            else it does in that of the inputs.
    """
    inputs = exactly(real_inputs(data), precision)
    layer = _Layer.of(data, 0, inputs, answer.output, *layers)
    return _from_steps(layer, _shown(data, answer, marked))


def of_exact(case: Case) -> Expected:
    """As of an answer that is exact."""
    precision, data = Precision.of(case.dtype), case.data()
    with np.errstate(over="ignore", invalid="ignore"):  # of radii, which nobody asks for
        if case.weights not in SHOWN:
            return whole(data, precision)
        inputs = exactly(real_inputs(data), precision)
        layer = _Layer.of(data, 0, inputs)
        output = in_time(layer.after.value[..., : case.H], data)
        d = layer.backwards(_of_output(data, precision)).adjoints.value
        return _from_steps(_Layer.of(data, 0, inputs, output), d)


def _from_steps(layer: "_Layer", shown: Float64) -> Expected:
    """From d_t as it shows, (D, T, B, G·H)."""
    data, precision = layer.data, layer.inputs.precision
    found = layer.backwards(_of_output(data, precision), shown)
    parts = _named(found, data, 0)
    parts |= {"inputs": _of_inputs(found, data), "h_0": found.initial}
    of_steps = found.adjoints
    value, radius = (in_time(part, data) for part in (of_steps.value, of_steps.radius))
    adjoints = Ball(value, radius, precision)
    return Expected(parts, (adjoints, in_time(shown, data)), f"one step backwards, {precision}")


def whole(data: Data, precision: Precision, known: Sequence[Ball] = ()) -> Expected:
    """The gradients in float64, and how far both passes can be from them by rounding."""
    o, inputs, layers = data.options, exactly(real_inputs(data), precision), []
    for number in range(o.num_layers):
        layers.append(_Layer.of(data, number, inputs, None, *known[number : number + 1]))
        inputs = written(layers[-1].after, data)
    upstream, parts, initial = _of_output(data, precision), dict[str, Ball](), list[Ball]()
    for layer in reversed(layers):
        found = layer.backwards(upstream)
        upstream = _of_inputs(found, data)
        parts |= _named(found, data, layer.number)
        initial.insert(0, found.initial)
    parts |= {"inputs": upstream, "h_0": joined(initial, axis=0)}
    return Expected(parts, None, f"both passes as a whole, {precision}")


@dataclass(frozen=True)
class _Layer:
    """The forward pass of a layer, all in the order in which each direction reads."""

    data: Data
    number: int
    weights: CellWeights
    inputs: Ball
    before: Ball
    after: Ball

    @classmethod
    def of(
        cls,
        data: Data,
        number: int,
        inputs: Ball,
        output: Array | None = None,
        after: Ball | None = None,
    ) -> "_Layer":
        """From its inputs (T, B, n), and where it is the only one its output.

        Args:
            after: its states, where they are known.
        """
        o, w = data.options, of_layer(data.weights, number, data.options)
        D = o.directions
        initial, read = data.initial[number * D : (number + 1) * D], as_read(inputs, data)
        states = None if output is None else by_direction(output, data)
        if states is not None and len(o.parts) == 1:
            after = Ball(states, np.zeros(states.shape), inputs.precision)
        elif states is not None:
            shown = exactly(states, inputs.precision)
            after = from_shown(CELLS[o.cell], w, read, initial, shown)
        elif after is None:
            after = trajectory(CELLS[o.cell], w, read, initial)
        if states is not None:
            seen = Ball(states, np.zeros(states.shape), inputs.precision)
            after = joined([seen, *after.split(len(o.parts))[1:]])
        before = one_earlier(after, exactly(initial, inputs.precision))
        return cls(data, number, w, read, before, after)

    def backwards(self, upstream: Ball, shown: Float64 | None = None) -> Gradients:
        """The gradients, from that of the output (T, B, D·H)."""
        data, o = self.data, self.data.options
        radius = upstream.radius if upstream.radius.ndim else np.zeros(upstream.value.shape)
        value, off = (by_direction(part, data) for part in (upstream.value, radius))
        arriving = Ball(value, off, upstream.precision)
        last = _of_last(data)[self.number * o.directions :][: o.directions]
        given = Upstream(arriving, last, data.steps)
        return backwards(
            CELLS[o.cell], self.weights, self.inputs, self.before, self.after, given, shown
        )


def _shown(data: Data, answer: Answer, marked: bool) -> Float64:
    """dL/d of pre-activations as the answer shows it, (D, T, B, G·H), 0 in the padding."""
    assert answer.gradients is not None
    T, B, _ = data.inputs.shape
    if marked:
        d = of_marks(answer.gradients, data.options, T * B).reshape(T, B, -1)
    else:
        d = answer.gradients["inputs"][..., passing(data.weights)]
    return by_direction(np.where(data.real, d.astype(np.float64), 0), data)


def _of_output(data: Data, precision: Precision) -> Ball:
    """dL/d of the output (T, B, D·H), 0 in the padding."""
    given, o = data.upstream, data.options
    assert given is not None
    if given.output is None:
        return exactly(np.zeros((*data.inputs.shape[:2], o.directions * o.hidden_size)), precision)
    return exactly(np.where(data.real, given.output, 0), precision)


def _of_last(data: Data) -> Float64:
    """dL/d of the final state, (L·D, B, S·H)."""
    given = data.upstream
    assert given is not None
    units, parts = data.options.hidden_size, data.options.parts
    found = np.zeros(data.initial.shape)
    for k, part in enumerate(parts):
        of_part = getattr(given, f"{part}_n")
        if of_part is not None:
            found[..., k * units : (k + 1) * units] = of_part
    return found


def _named(found: Gradients, data: Data, layer: int) -> dict[str, Ball]:
    """The gradients of the weights of a layer, each by its name."""
    parts = dict[str, Ball]()
    for d in range(data.options.directions):
        for kind, name in names_of(layer, d, data.options).items():
            ball = found.weights[kind]
            parts[name] = Ball(ball.value[d], ball.radius[d], ball.precision)
    return parts


def _of_inputs(found: Gradients, data: Data) -> Ball:
    """dL/d of a layer's inputs (T, B, n), 0 in the padding: the sum over its directions."""
    of_each = found.inputs
    D, T, B, _ = found.adjoints.value.shape

    def added(values: Float64) -> Float64:
        steps = values.reshape(D, T, B, -1)
        return np.where(data.real, sum(np.split(in_time(steps, data), D, axis=-1)), 0)

    value, scale, radius = (
        added(part)
        for part in (
            of_each.value,
            of_each.scale,
            np.broadcast_to(of_each.radius, of_each.value.shape),
        )
    )
    ball = Sum(value, scale, radius, D * of_each.terms, of_each.precision).ball()
    return Ball(ball.value, np.where(data.real, ball.radius, 0), ball.precision)
