"""What is expected of the states that calls of a plain RNN gave, after edits."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64, gamma
from rnn_conformance.cells import changes, moves
from rnn_conformance.cells.activations import ULPS
from rnn_conformance.cells.edits import Edit, Edits, Indices, Mask, Steps, Term, Values, product
from rnn_conformance.cells.elman.edits import LIBRARY
from rnn_conformance.cells.elman.slips import relu
from rnn_conformance.cells.elman.terms import BIASES, moved, right
from rnn_conformance.cells.step_trials import StepTrials

FEW_CALLS = 12  # on which every edit is tried first
SLOTS = ("x", "h", *BIASES)
SINGLE = 1e-10  # the roundoff of float32 is above it, that of float64 below
PARTS_OF: Mapping[str, Callable[[Steps], Any]] = {
    changes.ONE: lambda _: 1.0,
    "h_{t-1}": lambda s: s.states[s.t, s.b, s.u],
    "h_{t-2}": lambda s: s.states[np.maximum(s.t - 1, 0), s.b, s.u],
    "h_0": lambda s: s.states[0, s.b, s.u],
}


def _moved_or_none(slot: str, move: moves.Move, s: Steps) -> Term:
    """A term of another step; 0 where there is none."""
    value, size = moved(slot, move, s)
    there, _ = move(moves.at(s.t, len(s.inputs) + (slot == "h"), s.b, s.lengths, back=s.back))
    return np.where(there == s.t, 0, value), np.where(there == s.t, 0, size)


MOVED = {
    name: Edit(name, {slot: partial(_moved_or_none, slot, moves.USUAL[where])})
    for name, slot, where in (
        ("W_ih x_{t-1}", "x", "1 step too early"), ("W_ih x_{t+1}", "x", "1 step too late"),
        ("W_hh h_{t-2}", "h", "1 step too early"),
    )
}  # fmt: skip


class ElmanNumbers(StepTrials):
    """Those of tanh and of relu.

    Args:
        steps: the numbers, call by call.
        library: the edits that are tried.
    """

    paired = 40  # of some hundred that matter, or it takes a minute

    def __init__(self, steps: Sequence[Steps], library: Sequence[Edit] = LIBRARY) -> None:
        super().__init__(steps, library)
        each, every = self._each, np.arange(len(self.found))
        self._parts, self._sums = dict[str, Float64](), dict[frozenset[str], Term]()
        self._relu: Mask = each(lambda s: s.cell == "relu")
        self._m = each(lambda s: s.inputs.shape[2] + s.states.shape[2] + 3)
        with np.errstate(all="ignore"):
            self._inherited = each(_inherited)
            self._right = {slot: self._term(None, slot, None, every) for slot in SLOTS}
            self._least = np.sum([size for _, size in self._right.values()], axis=0)
            self._gamma = np.asarray(gamma(self._m, self._u))
            self._beside = self._inherited + self._m * self._eta
        self.features = self.features_with(frozenset(), every)

    def few(self, at: Indices) -> Indices:
        calls = np.unique(self._number[at])
        some = calls[np.linspace(0, len(calls) - 1, min(len(calls), FEW_CALLS)).astype(int)]
        return at[np.isin(self._number[at], some)]

    def _term(
        self, place: Edit | None, slot: str, edit: Edit | tuple[Edit, ...] | None, at: Indices
    ) -> Term:
        """A term of some numbers; the right one where an edit cannot be made; of several, a row
        for each.
        """
        if isinstance(edit, tuple):
            value, size = np.swapaxes([self._term(place, slot, one, at) for one in edit], 0, 1)
            return value, size

        def of_call(n: int) -> Term:
            s = self._made(place, n)
            value, size = (edit.does[slot](s) if edit else None) or right(slot, s)
            if edit and np.isnan(value).any() and not np.isnan(s.inputs).any():
                value = np.where(np.isnan(value), right(slot, s)[0], value)  # it explains none here
            return value, np.abs(size)

        return self._by_call((place, slot, edit), at, of_call)

    def values(self, edits: Edits, at: Indices) -> Values:
        by_slot = {slot: edit for edit in edits for slot in edit.does}
        if rows := by_slot.get("before_f") or by_slot.get("after_f"):
            return self._finished(by_slot, at, *self._rows(rows, at))
        return self._states(by_slot, at, *self._sum(by_slot, at))

    def values_each(self, made: Edits, each: Sequence[Edit], at: Indices) -> Values:
        """Those of one term each are tried at once, since a table's numbers are few."""
        by_slot = {slot: edit for edit in made for slot in edit.does}
        value, radius = np.empty((2, len(each), len(at)))
        slots = [next(iter(edit.does)) if len(edit.does) == 1 else "" for edit in each]
        alone = {"before_f", "after_f"} & by_slot.keys()
        for slot in {*slots}:
            of = [n for n, own in enumerate(slots) if own == slot]
            some = [each[n] for n in of]
            if slot in SLOTS and not alone:
                sums = self._sum({**by_slot, slot: tuple(some)}, at)
                value[of], radius[of] = self._states(by_slot, at, *sums)
            else:
                value[of], radius[of] = super().values_each(made, some, at)
        return value, radius

    def _rows(self, edit: Edit, at: Indices) -> Values:
        """What comes of a change of whole rows."""

        def of_call(n: int) -> Values:
            own = np.arange(self._starts_of[n], self._ends[n])
            value, radius = _of_rows(edit, self._steps[n])
            radius = radius + self._inherited[own] + self._eta[own]
            return changes.told_apart((value, radius), self._states({}, own, *self._sum({}, own)))

        return self._by_call(edit, at, of_call)

    def sums(self, edits: Edits, at: Indices) -> Values:
        with np.errstate(all="ignore"):
            return self._sum({slot: edit for edit in edits for slot in edit.does}, at)

    def features_with(self, edits: Edits, at: Indices) -> Mapping[str, Any]:
        a, _ = self.sums(edits, at)
        largest = [np.log(np.finfo(dtype).max) for dtype in (np.float64, np.float32)]
        most = np.where(self._u[at] < SINGLE, *largest)
        overflows = {"e^a overflows": a > most, "e^2a overflows": 2 * a > most}
        return {"|a|": np.abs(a), "a": a, **overflows}

    def _states(self, by_slot: Any, at: Indices, a: Float64, e: Float64) -> Values:
        """What comes of pre-activations."""
        u, eta, relu = self._u[at], self._eta[at], self._relu[at]

        def f(a: Float64) -> Float64:
            if "f" in by_slot:
                return np.asarray(by_slot["f"].does["f"](a, relu))
            return np.where(relu, np.maximum(a, 0), np.tanh(a)) if relu.any() else np.tanh(a)

        new, lower, upper = f(a), f(a - e), f(a + e)
        through = np.fmax(np.abs(upper - new), np.abs(lower - new))
        radius = through + (2 * ULPS + 1) * u * (np.abs(new) + through) + eta
        if "loosely" in by_slot:
            radius = radius + by_slot["loosely"].does["loosely"](a)
        if "mix" in by_slot:
            terms = by_slot["mix"].does["mix"]
            known = {"f(a)": (new, radius), "a": (a, e)}
            parts = [
                (c, *(known.get(name) or (self._part(name, at)[0], 0))) for name, c in terms.items()
            ]
            new, size = (
                sum(part) for part in zip(*((c * v, abs(c * v)) for c, v, _ in parts), strict=True)
            )
            radius = sum(abs(c) * off for c, _, off in parts) + (len(parts) + 1) * u * size
        for slot in by_slot["plus"].does["plus"] if "plus" in by_slot else ():
            value, size = (part[at] for part in self._right[slot])
            new, radius = new + value, radius + self._gamma[at] * size + 2 * u * np.abs(new)
        return self._finished(by_slot, at, new, radius)

    def _part(self, name: str, at: Indices) -> Term:
        """What may be added of some numbers, and the absolute values that it adds up."""
        if name in SLOTS:
            return self._term(None, name, None, at)
        if name in MOVED:
            (slot,) = MOVED[name].does
            return self._term(None, slot, MOVED[name], at)
        if name not in self._parts:
            self._parts[name] = self._each(PARTS_OF[name])
        value = self._parts[name][at]
        return value, np.abs(value)

    def _sum(self, by_slot: Any, at: Indices) -> Values:
        """The pre-activation, and how far off it can be."""
        place = by_slot.get("place")
        edited = {slot: by_slot[slot] for slot in SLOTS if slot in by_slot}
        edited = {s: e for s, e in edited.items() if isinstance(e, tuple) or e.does[s]}
        value, size = self._unedited(place, frozenset(edited), at)
        for slot, edit in edited.items():
            one, of = self._term(place, slot, edit, at)
            value, size = value + one, size + of
        rough: Any = 0.0
        for slot, u in (by_slot["roughly"].does["roughly"] if "roughly" in by_slot else {}).items():
            of = self._term(place, slot, edited.get(slot), at)[1]
            rough = rough + gamma(self._m[at], u) * of
        for name, c in by_slot["more"].does["more"].items() if "more" in by_slot else ():
            one, of = self._part(name, at)
            value, size = value + c * one, size + abs(c) * of
        radius = self._gamma[at] * np.fmax(size, self._least[at]) + rough
        return value, radius + self._beside[at]

    def _unedited(self, place: Edit | None, edited: frozenset[str], at: Indices) -> Term:
        """The sum of the right terms of the other slots, and that of their absolute values."""
        others = [slot for slot in SLOTS if slot not in edited]
        if place is not None or not others:
            terms = [self._term(place, slot, None, at) for slot in others]
            value, size = np.sum(terms, axis=0) if terms else np.zeros((2, len(at)))
            return value, size
        if edited not in self._sums:
            value, size = np.sum([self._right[slot] for slot in others], axis=0)
            self._sums[edited] = value, size
        value, size = self._sums[edited]
        return value[at], size[at]


def _inherited(s: Steps) -> Float64 | float:
    """How far off a sum is since what the layer has read, and the state before, may be."""
    pairs = (s.radius, s.weights.W_ih), (s.off, s.weights.W_hh)
    return sum(product(of[s.t, s.b], np.abs(W), s.u)[0] for of, W in pairs if of.any())


def _of_rows(edit: Edit, s: Steps) -> Values:
    """A change of the rows of all units, before or after the activation."""
    w, p, n = s.weights, s.precision, np.arange(len(s.u))
    size = np.abs(s.x) @ np.abs(w.W_ih).T + np.abs(s.before) @ np.abs(w.W_hh).T
    size = size + np.abs(w.b_ih) + np.abs(w.b_hh)
    a = s.x @ w.W_ih.T.astype(np.float64) + s.before @ w.W_hh.T.astype(np.float64)
    a = a + w.b_ih + w.b_hh
    m = s.inputs.shape[2] + s.states.shape[2] + 3
    e = gamma(m, p.both) * size + m * p.flushed
    f: Any = np.tanh if s.cell == "tanh" else relu
    if "before_f" in edit.does:
        a, e = edit.does["before_f"].bounded(a, e, p.both)
    new = f(a)
    e = np.fmax(np.abs(f(a + e) - new), np.abs(f(a - e) - new)) + (2 * ULPS + 1) * p.both * abs(new)
    if "after_f" in edit.does:
        new, e = edit.does["after_f"].bounded(new, e, p.both)
    return new[n, s.u], e[n, s.u]
