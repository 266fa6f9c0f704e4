"""Steps, directions, lengths and layers round the step of any cell: forwards, and then back.

What goes back is dL/d of everything that went forwards: through the last layer first, and through
the steps of each direction against its order. The loops are written to be read.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rnn_reference.adjoints import Adjoint
from rnn_reference.cells import CellWeights, State, Step
from rnn_reference.validation import Array

Lengths = npt.NDArray[np.integer]
Direction = Callable[[CellWeights, Array, State, Lengths, range], tuple[Array, State]]


def run_direction(
    step: Step, weights: CellWeights, x: Array, state: State, lengths: Lengths, order: range
) -> tuple[Array, State]:
    """The outputs (T, B, H) of one layer in one direction, 0 in the padding, and its last state.

    Args:
        x: the layer's inputs (T, B, I), finite in the padding too.
        state: the parts of the initial state, (B, H) each.
        lengths: how many steps each sequence has, (B,). At the others its state stays as it is.
        order: the time steps, 0 … T-1 or T-1 … 0.
    """
    outputs = np.empty((*x.shape[:2], state[0].shape[1]), x.dtype)
    for t in order:
        inside = (t < lengths)[:, np.newaxis]
        output, after = step(weights, x[t], state)
        outputs[t] = np.where(inside, output, 0)
        state = tuple(np.where(inside, a, b) for a, b in zip(after, state, strict=True))
    return outputs, state


class Ran(NamedTuple):
    """One layer in one direction, as it ran: the arguments of `run_direction`, and each state."""

    weights: CellWeights
    x: Array
    lengths: Lengths
    order: range
    states: list[State]  # before each step, in this order


def recording(step: Step, ran: list[Ran]) -> Direction:
    """`run_direction` of this step, which adds what it runs to `ran`."""

    def run(
        weights: CellWeights, x: Array, state: State, lengths: Lengths, order: range
    ) -> tuple[Array, State]:
        states: list[State] = []

        def recorded(w: CellWeights, x_t: Array, before: State) -> tuple[Array, State]:
            states.append(before)
            return step(w, x_t, before)

        ran.append(Ran(weights, x, lengths, order, states))
        return run_direction(recorded, weights, x, state, lengths, order)

    return run


def back_through_direction(
    adjoint: Adjoint, ran: Ran, d_outputs: Array, d_state: State
) -> tuple[CellWeights, Array, State]:
    """dL/d of the weights, the inputs (T, B, I) and the initial state of what `run_direction` ran.

    Padding contributes nothing, and what comes to a state there goes on to the state before it.

    Args:
        adjoint: that of the step.
        d_outputs: dL/d(outputs) (T, B, H), finite in the padding too.
        d_state: the parts of dL/d(last state), (B, H) each.
    """
    w, x, lengths, order, states = ran
    d_weights, dx = CellWeights(*map(np.zeros_like, w)), np.empty_like(x)
    for t, before in zip(reversed(order), reversed(states), strict=True):
        inside = (t < lengths)[:, np.newaxis]
        dh, *others = d_state  # the output is h
        d_after = tuple(np.where(inside, part, 0) for part in (dh + d_outputs[t], *others))
        terms, dx[t], d_before = adjoint(w, x[t], before, d_after)
        for total, term in zip(d_weights, terms, strict=True):
            total += term
        d_state = tuple(np.where(inside, a, b) for a, b in zip(d_before, d_state, strict=True))
    return d_weights, dx, d_state


def run_layers(
    run: Direction,
    layers: Sequence[Sequence[CellWeights]],
    x: Array,
    initial: State,
    lengths: Lengths,
    between: Callable[[Array], Array],
) -> tuple[Array, State]:
    """The last layer's outputs (T, B, D*H), and the last states in parts as those of `initial`.

    Args:
        run: what runs one layer in one direction, as `run_direction` does with a step.
        layers: each layer's weights in D directions, 1 or 2, the forward one first.
        x, lengths: as for one direction.
        initial: the parts of the initial states, (L*D, B, H) each.
        between: what happens to outputs on their way to the next layer.
    """
    forward = range(len(x))
    starts, last = zip(*initial, strict=True), []
    for k, directions in enumerate(layers):
        if k > 0:
            x = between(x)
        outputs = []
        for weights, order in zip(directions, (forward, forward[::-1]), strict=False):
            output, state = run(weights, x, next(starts), lengths, order)
            outputs.append(output)
            last.append(state)
        x = np.concatenate(outputs, axis=2) if len(outputs) > 1 else outputs[0]
    return x, tuple(np.stack(part) for part in zip(*last, strict=True))


def back_through_layers(
    adjoint: Adjoint,
    ran: Sequence[Ran],
    d_outputs: Array,
    d_last: State,
    back_between: Callable[[Array], Array],
) -> tuple[list[CellWeights], Array, State]:
    """dL/d of each layer's weights in each direction, the inputs, and the parts of `initial`.

    Args:
        adjoint: that of the step.
        ran: all that `run_layers` ran, in its order: by layer, and then by direction.
        d_outputs: dL/d(the last layer's outputs) (T, B, D*H), finite in the padding too.
        d_last: the parts of dL/d(the last states), (L*D, B, H) each.
        back_between: dL/dy of what `between` got, from dL/d of what it gave; last layer first.
    """
    D = d_outputs.shape[2] // d_last[0].shape[2]
    d_weights: list[CellWeights] = []
    d_states, d_initial = list(zip(*d_last, strict=True)), list[State]()
    for first in reversed(range(0, len(ran), D)):
        of_layer, halves = slice(first, first + D), np.split(d_outputs, D, axis=2)
        given = zip(ran[of_layer], halves, d_states[of_layer], strict=True)
        found = [back_through_direction(adjoint, *each) for each in given]
        d_weights = [weights for weights, _, _ in found] + d_weights
        d_initial = [state for _, _, state in found] + d_initial
        dx = np.sum([dx for _, dx, _ in found], axis=0)  # both directions read the same inputs
        d_outputs = back_between(dx) if first > 0 else dx
    return d_weights, d_outputs, tuple(np.stack(part) for part in zip(*d_initial, strict=True))


def dropped(x: Array, share: float, generator: np.random.Generator) -> Array:
    """x, each entry either 0, with probability `share`, or multiplied by 1 / (1 - share)."""
    kept = generator.random(x.shape) >= share
    return np.where(kept, x / (1 - share), 0) if share < 1 else np.zeros_like(x)
