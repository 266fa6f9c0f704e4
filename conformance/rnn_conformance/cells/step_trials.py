"""What trials of the states of every cell have in common: what is done with a new state."""

from collections.abc import Callable, Iterator, Sequence
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
    for_each,
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
        self._places = dict[Any, Steps]()
        self._tables = dict[Any, tuple[Float64, Mask]]()
        self._steps = tuple(steps)
        self._ends = np.cumsum([len(s.u) for s in steps])
        self._starts_of = self._ends - [len(s.u) for s in steps]
        self._number = np.repeat(np.arange(len(steps)), [len(s.u) for s in steps])
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
        return np.concatenate([for_each(s.u, of(s)) for s in self._steps])

    def _made(self, place: Edit | None, number: int) -> Steps:
        """The steps of a call as they were made."""
        if place is None:
            return self._steps[number]
        if (place, number) not in self._places:
            self._places[place, number] = place.does["place"](self._steps[number])
        return self._places[place, number]

    def _by_call(self, key: Any, at: Indices, of: Callable[[int], Values]) -> Values:
        """Two numbers for each of some, computed call by call, and of no other calls."""
        if key not in self._tables:
            self._tables[key] = np.zeros((2, len(self.found))), np.zeros(len(self._steps), bool)
        table, known = self._tables[key]
        if not known.all():
            asked = np.zeros_like(known)
            asked[self._number[at]] = True
            for n in np.flatnonzero(asked & ~known).tolist():
                table[:, self._starts_of[n] : self._ends[n]] = of(n)
                known[n] = True
        return table[0, at], table[1, at]

    def _old(self, place: Edit | None, at: Indices) -> tuple[Float64, Mask]:
        """The unit's own state before each number, and which numbers stand in padding."""

        def of_call(n: int) -> Values:
            s = self._made(place, n)
            old = np.where(s.padding, s.ended, s.states[s.t, s.b, s.u])
            return old, s.padding.astype(np.float64)

        old, padded = self._by_call(("old", place), at, of_call)
        return old, padded > 0

    def _finished(self, by_slot: Any, at: Indices, new: Float64, radius: Float64) -> Values:
        """What comes of new states."""
        u, eta = self._u[at], self._eta[at]
        before, padding = self._old(by_slot.get("place"), at)
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
        before, _ = self._old(next((edit for edit in edits if "place" in edit.does), None), at)
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
