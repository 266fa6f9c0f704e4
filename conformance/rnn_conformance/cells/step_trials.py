"""What trials of the states of every cell have in common: what is done with a new state."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64
from rnn_conformance.cells import changes
from rnn_conformance.cells.edits import (
    NEVER,
    Edit,
    Edits,
    Indices,
    Mask,
    State,
    Steps,
    Trials,
    Values,
    agreed,
)

APART = 2e-4  # estimates of one constant
FEW = 5  # numbers that agree on a constant


class StepTrials(Trials):
    """States of one family of cells, call by call.

    Args:
        steps: the numbers, call by call.
        library: the edits that are tried.
    """

    def __init__(self, steps: Sequence[Steps], library: Sequence[Edit]) -> None:
        self._places = dict[Any, Sequence[Steps]]()
        self._olds = dict[Any, tuple[Float64, Mask]]()
        self._steps = tuple(steps)
        self._ends = np.cumsum([len(s.u) for s in steps])
        self._starts_of = self._ends - [len(s.u) for s in steps]
        self.found, self.edits = self._each(lambda s: s.found), tuple(library)
        self._padding: Mask = self._each(lambda s: s.padding)
        self._u = self._each(lambda s: s.precision.both)
        self._eta = self._each(lambda s: s.precision.flushed)
        self._carried = self._each(lambda s: s.carried)
        self._ended = self._each(_if_all_alike)
        self._read = self._each(
            lambda s: NEVER if s.own is None else s.inputs[s.t, s.b, s.own.start + s.u]
        )
        self._off = self._each(lambda s: s.off[s.t + 1, s.b, s.u])
        self.features = {}

    def _each(self, of: Any) -> Any:
        return np.concatenate([np.broadcast_to(of(s), s.u.shape) for s in self._steps])

    def _made(self, place: Edit | None) -> Sequence[Steps]:
        """The steps as they were made."""
        if place not in self._places:
            self._places[place] = [place.does["place"](s) for s in self._steps] if place else ()
        return self._places[place] or self._steps

    def _old(self, place: Edit | None) -> tuple[Float64, Mask]:
        """The unit's own state before each number, and which numbers stand in padding."""
        if place not in self._olds:
            made = self._made(place)
            each = [np.where(s.padding, s.ended, s.states[s.t, s.b, s.u]) for s in made]
            self._olds[place] = np.concatenate(each), np.concatenate([s.padding for s in made])
        return self._olds[place]

    def _finished(self, by_slot: Any, at: Indices, new: Float64, radius: Float64) -> Values:
        """What comes of new states."""
        u, eta = self._u[at], self._eta[at]
        old, padded = self._old(by_slot.get("place"))
        before, padding = old[at], padded[at]
        others = (
            before, self._carried[at], self._ended[at], self.found[at], self._read[at],
        )  # fmt: skip
        if "after" in by_slot:
            after, ends = by_slot["after"].does["after"], (new, new - radius, new + radius)
            new, lower, upper = (after(State(end, *others)) for end in ends)
            apart = np.fmax(np.abs(lower - new), np.abs(upper - new))
            radius = np.where(np.abs(new) < NEVER, apart + 2 * u * np.abs(new) + eta, 0)
        if "allows" in by_slot:
            radius = by_slot["allows"].does["allows"](self.found[at], new, radius, u)
        radius = radius + self._off[at]
        if "padding" in by_slot:
            there = by_slot["padding"].does["padding"](State(new, *others))
            return np.where(padding, there, new), radius
        return np.where(padding, 0, new), np.where(padding, 0, radius)

    def _of_states(self, edits: Edits, slots: set[str], at: Indices) -> Iterator[Edit]:
        """New states are clamped, scaled, shifted, mixed with the old ones, or constant."""
        new, _ = self.values(edits, at)
        found, many = self.found[at], max(FEW, len(at) // 50)
        before = self._old(next((edit for edit in edits if "place" in edit.does), None))[0][at]
        if "after" in slots:
            return
        for says, change in changes.estimated(found, new, many):
            yield Edit(f"the new state {says}", {"after": partial(_changed, change)})
        if "f" not in slots:
            for c in agreed((found - new) / (before - new), APART, many):
                if c not in (0.0, 1.0):
                    mixed = partial(lambda c, s: c * s.before + (1 - c) * s.new, c)
                    yield Edit(f"{c:.6g} of the old state is kept in the new one", {"after": mixed})


def _if_all_alike(s: Steps) -> Float64:
    """The state after the last step, where all of the row are this one, and not all the same."""
    states = s.states[1:]
    same = (states == states[-1]) | np.isnan(states)
    alike = same.all(axis=(0, 2)) & (len(states) > 1) & (states != states[-1, 0, 0]).any()
    return np.where(alike[s.b] & ~s.padding, s.ended, NEVER)


def _changed(change: changes.Function, s: State) -> Float64:
    return change(s.new)
