"""The numbers that calls of a plain RNN gave, and what is expected of them after edits."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64, gamma
from rnn_conformance.cells.activations import ULPS
from rnn_conformance.cells.edits import (
    Edit,
    Edits,
    Indices,
    Mask,
    Steps,
    Term,
    Trials,
    Values,
    agreed,
)
from rnn_conformance.cells.elman.edits import BIASES, LIBRARY, State, TermOf, right, times

SLOTS = ("x", "h", *BIASES)
NAMES = {"x": "W_ih x_t", "h": "W_hh h_{t-1}", "b_ih": "b_ih", "b_hh": "b_hh"}
USUAL = (0.0, 0.5, 1.0, 2.0, -1.0)  # factors that the library has, or that change nothing
APART = 2e-4  # estimates of one constant
FEW = 5  # numbers that agree on a constant
MANY, IN_A_BIN, SMOOTH = 80, 3, 0.5  # numbers that lie on a curve, and how smooth it is


class ElmanTrials(Trials):
    """Those of tanh and of relu.

    Args:
        steps: the numbers, call by call.
        library: the edits that are tried.
    """

    def __init__(self, steps: Sequence[Steps], library: Sequence[Edit] = LIBRARY) -> None:
        def each(of: Any) -> Any:
            return np.concatenate([np.broadcast_to(of(s), s.u.shape) for s in steps])

        def term(slot: str, of: TermOf) -> Term:
            each = [right(slot, s) if (edited := of(s)) is None else edited for s in steps]
            value, size = zip(*each, strict=True)
            return np.concatenate(value), np.concatenate(size)

        self.found, self.edits = each(lambda s: s.found), tuple(library)
        self._relu: Mask = each(lambda s: s.cell == "relu")
        self._padding: Mask = each(lambda s: s.padding)
        self._u, self._eta = each(lambda s: s.precision.both), each(lambda s: s.precision.flushed)
        self._m = each(lambda s: s.inputs.shape[2] + s.states.shape[2] + 3)
        self._before = each(lambda s: np.where(s.padding, s.ended, s.states[s.t, s.b, s.u]))
        with np.errstate(all="ignore"):
            self._inherited = each(
                lambda s: (s.radius[s.t, s.b] * np.abs(s.weights.W_ih[s.u])).sum(axis=1)
            )
            self._right = {slot: term(slot, partial(right, slot)) for slot in SLOTS}
            self._edited = {
                (edit, slot): term(slot, edit.does[slot])
                for edit in library
                for slot in SLOTS
                if slot in edit.does
            }
            a, _ = self._sum({}, np.arange(len(self.found)))
        self.features = {"|a|": np.abs(a), "a": a}

    def values(self, edits: Edits, at: Indices) -> Values:
        by_slot = {slot: edit for edit in edits for slot in edit.does}
        (a, e), u, eta = self._sum(by_slot, at), self._u[at], self._eta[at]
        relu = self._relu[at]

        def f(a: Float64) -> Float64:
            if "f" in by_slot:
                return np.asarray(by_slot["f"].does["f"](a, relu))
            return np.where(relu, np.maximum(a, 0), np.tanh(a))

        new, lower, upper = f(a), f(a - e), f(a + e)
        through = np.fmax(np.abs(upper - new), np.abs(lower - new))
        radius = through + (2 * ULPS + 1) * u * (np.abs(new) + through) + eta
        if "loosely" in by_slot:
            radius = radius + by_slot["loosely"].does["loosely"](a)
        biases = {b: self._right[b][0][at] for b in BIASES}
        others = self._before[at], biases, self.found[at]
        if "after" in by_slot:
            after, ends = by_slot["after"].does["after"], (new, new - radius, new + radius)
            new, lower, upper = (after(State(end, *others)) for end in ends)
            apart = np.fmax(np.abs(lower - new), np.abs(upper - new))
            radius = apart + 2 * u * np.abs(new) + eta
        if "allows" in by_slot:
            radius = by_slot["allows"].does["allows"](self.found[at], new, radius, u)
        padding = self._padding[at]
        if "padding" in by_slot:
            there = by_slot["padding"].does["padding"](State(new, *others))
            return np.where(padding, there, new), radius
        return np.where(padding, 0, new), np.where(padding, 0, radius)

    def estimated(self, edits: Edits, at: Indices) -> tuple[Edit, ...]:
        slots = {slot for edit in edits for slot in edit.does}
        with np.errstate(all="ignore"):
            found = list[Edit]()
            if not {"f", "after"} & slots:
                found += self._factors_of_terms(edits, slots, at)
                found += self._another_function(edits, at)
            found += self._of_states(edits, slots, at)
        return tuple(found)

    def _factors_of_terms(self, edits: Edits, slots: set[str], at: Indices) -> Iterator[Edit]:
        """A term counts so many times."""
        found, relu = self.found[at], self._relu[at]
        inner = np.where(relu, found > 0, np.abs(found) < 0.9)
        at, found, relu = at[inner], found[inner], relu[inner]
        a, _ = self._sum({slot: edit for edit in edits for slot in edit.does}, at)
        surplus = np.where(relu, found, np.arctanh(found)) - a
        for slot in (slot for slot in SLOTS if slot not in slots):
            term = self._right[slot][0][at]
            large = np.abs(term) > 0.05
            for c in agreed(1 + surplus[large] / term[large], APART, FEW):
                if c not in USUAL:
                    yield Edit(
                        f"{NAMES[slot]} counts {c:.6g} times",
                        {slot: partial(times, slot, factor=c)},
                    )

    def _another_function(self, edits: Edits, at: Indices) -> Iterator[Edit]:
        """The state depends on the pre-activation alone, in another way: a curve through them."""
        a, _ = self._sum({slot: edit for edit in edits for slot in edit.does}, at)
        new, _ = self.values(edits, at)
        for is_relu, name in ((False, "tanh"), (True, "relu")):
            of = np.flatnonzero((self._relu[at] == is_relu) & np.isfinite(a) & ~self._padding[at])
            if len(of) < MANY:
                continue
            of = of[np.argsort(a[of])]
            bins = np.array_split(of, len(of) // IN_A_BIN)
            middle, off = (
                np.array([np.median(part[one]) for one in bins])
                for part in (a, self.found[at] - new)
            )
            jumps = np.abs(np.diff(off))
            if np.isfinite(off).all() and np.median(jumps) < SMOOTH * np.median(np.abs(off)):
                worst = int(np.where(np.abs(middle) < 20, np.abs(off), 0).argmax())
                curve = partial(_on_curve, is_relu, middle, off)
                says = f"{name} is another function: {off[worst]:+.2g} at {middle[worst]:.3g}"
                yield Edit(says, {"f": curve, "loosely": partial(_loosely, middle, off)}, last=True)

    def _of_states(self, edits: Edits, slots: set[str], at: Indices) -> Iterator[Edit]:
        """New states are clamped, scaled, shifted, mixed with the old ones, or constant."""
        new, _ = self.values(edits, at)
        found, before, many = self.found[at], self._before[at], max(FEW, len(at) // 50)
        if not {"f", "after"} & slots:
            for c in agreed(np.abs(found[np.abs(new) > np.abs(found)]), 0, many):
                if c > 0:
                    clamp = partial(_clamped, c)
                    yield Edit(f"the new state is clamped to ±{c:.9g}", {"after": clamp})
            for c in agreed(found / np.where(np.abs(new) > 1e-3, new, np.nan), 1e-5, many):
                if abs(c - 1) > 1e-5 and c != 0:
                    scaled = partial(lambda c, s: c * s.new, c)
                    yield Edit(f"the new state is {c:.7g} times as large", {"after": scaled})
            for c in agreed(found - new, 1e-3, many):
                if abs(c) > 1e-5:
                    shifted = partial(lambda c, s: s.new + c, c)
                    yield Edit(f"{c:.6g} is added to the new state", {"after": shifted})
            for c in agreed((found - new) / (before - new), APART, many):
                if c not in (0.0, 1.0):
                    mixed = partial(lambda c, s: c * s.before + (1 - c) * s.new, c)
                    yield Edit(f"{c:.6g} of the old state is kept in the new one", {"after": mixed})
        if "after" not in slots:
            for c in agreed(found, 0, many):
                yield Edit(f"the state is {c:.9g}", {"after": partial(constant, c)})
            if np.isnan(found).sum() >= FEW:
                yield Edit("the state is NaN", {"after": partial(constant, np.nan)})

    def _sum(self, by_slot: Any, at: Indices) -> Values:
        """The pre-activation, and how far off it can be."""
        value, size, least = (np.zeros(len(at)) for _ in range(3))
        for slot, (term, usual) in self._right.items():
            edit = by_slot.get(slot)
            if edit is None:
                one, of = term[at], usual[at]
            elif (edit, slot) in self._edited:
                one, of = (part[at] for part in self._edited[edit, slot])
            else:  # an estimated factor
                c = edit.does[slot].keywords["factor"]
                one, of = c * term[at], abs(c) * usual[at]
            value, size, least = value + one, size + np.abs(of), least + usual[at]
        m, u = self._m[at], self._u[at]
        return value, gamma(m, u) * np.fmax(size, least) + self._inherited[at] + m * self._eta[at]


def _on_curve(of_relu: bool, middle: Float64, off: Float64, a: Float64, relu: Mask) -> Float64:
    usual = np.where(relu, np.maximum(a, 0), np.tanh(a))
    inside = (relu == of_relu) & (a >= middle[0]) & (a <= middle[-1])
    found: Float64 = usual + np.where(inside, np.interp(a, middle, off), 0)
    return found


def _loosely(middle: Float64, off: Float64, a: Float64) -> Float64:
    """How far from the curve a number may be: between its points it is not known."""
    jumps = np.abs(np.diff(off))
    either = np.fmax(np.append(jumps, 0), np.append(0, jumps))
    found: Float64 = np.abs(np.interp(a, middle, off)) / 20 + np.interp(a, middle, either)
    return found


def constant(c: float, s: State) -> Float64:
    """The same for every number."""
    return np.full_like(s.new, c)


def _clamped(c: float, s: State) -> Float64:
    return np.clip(s.new, -c, c)
