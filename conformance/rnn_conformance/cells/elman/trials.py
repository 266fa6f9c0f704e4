"""The numbers that calls of a plain RNN gave, and what is expected of them after edits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64, gamma
from rnn_conformance.cells import changes, moves
from rnn_conformance.cells.activations import ULPS
from rnn_conformance.cells.cell import CellWeights
from rnn_conformance.cells.edits import (
    Edit,
    Edits,
    Indices,
    Mask,
    Steps,
    Term,
    Values,
    product,
)
from rnn_conformance.cells.elman import effective
from rnn_conformance.cells.elman.edits import (
    BIASES,
    LIBRARY,
    NAMED,
    TERMS,
    VECTORS,
    factors,
    moved,
    right,
    times,
    with_vector,
)
from rnn_conformance.cells.elman.slips import relu
from rnn_conformance.cells.moves import At
from rnn_conformance.cells.step_trials import APART, FEW, StepTrials

FEW_CALLS = 12  # on which every edit is tried first
VOTERS, MOST = 60, 100_000  # numbers, and what their call may have, to look for another place
SLOTS = ("x", "h", *BIASES)
MISSING = {slot: Edit("", {slot: partial(times, slot, factor=0.0)}) for slot in SLOTS}
PARTS = (*((slot,) for slot in SLOTS), BIASES, SLOTS)  # of the weights, that may be kept
SUM = "the pre-activation"
KEPT_IN = 12  # calls, in which weights of earlier ones are looked for first
ALL_BUT = 0.9  # of the wrong numbers of a call, which such weights must explain
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
PART_OF_SUM, PART_OF_STATE = (*SLOTS, *MOVED, changes.ONE, "h_{t-1}"), (*PARTS_OF,)
INNER, WELL, CLOSE = 0.99, 1e3, 1e-5  # states, conditions and numbers, to solve for what goes in
SINGLE = 1e-10  # the roundoff of float32 is above it, that of float64 below
MANY, IN_A_BIN, SMOOTH = 80, 3, 0.5  # numbers that lie on a curve, and how smooth it is


class ElmanTrials(StepTrials):
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
            self._inherited = each(
                lambda s: (
                    product(s.radius[s.t, s.b], np.abs(s.weights.W_ih), s.u)[0]
                    + product(s.off[s.t, s.b], np.abs(s.weights.W_hh), s.u)[0]
                )
            )
            self._right = {slot: self._term(None, slot, None, every) for slot in SLOTS}
            self._least = np.sum([size for _, size in self._right.values()], axis=0)
            self._gamma = np.asarray(gamma(self._m, self._u))
            self._beside = self._inherited + self._m * self._eta
        self.features = self.features_with(frozenset(), every)

    def few(self, at: Indices) -> Indices:
        calls = np.unique(self._number[at])
        some = calls[np.linspace(0, len(calls) - 1, min(len(calls), FEW_CALLS)).astype(int)]
        return at[np.isin(self._number[at], some)]

    def _term(self, place: Edit | None, slot: str, edit: Edit | None, at: Indices) -> Term:
        """A term of some numbers; the right one where an edit cannot be made."""

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

    def _rows(self, edit: Edit, at: Indices) -> Values:
        """What comes of a change of whole rows."""

        def of_call(n: int) -> Values:
            own = np.arange(self._starts_of[n], self._ends[n])
            value, radius = _of_rows(edit, self._steps[n])
            radius = radius + self._inherited[own] + self._eta[own]
            return changes.told_apart((value, radius), self._states({}, own, *self._sum({}, own)))

        return self._by_call(edit, at, of_call)

    def features_with(self, edits: Edits, at: Indices) -> Mapping[str, Any]:
        with np.errstate(all="ignore"):
            a, _ = self._sum({slot: edit for edit in edits for slot in edit.does}, at)
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

    def estimated(self, edits: Edits, at: Indices) -> tuple[Edit, ...]:
        slots = {slot for edit in edits for slot in edit.does}
        with np.errstate(all="ignore"):
            found = list[Edit]()
            if not {"f", "after"} & slots:
                found += self._mixed(edits, slots, at)
                found += self._another_function(edits, at)
                found += self._in_a_table(edits, at)
            found += self._of_states(edits, slots, at)
            if not edits:
                found += effective.otherwise(effective.solved(self._steps))
            for slot in {*VECTORS} - slots:
                found += self._from_elsewhere(slot, edits, at)
                if not {"f", "after", "more", "place", "before_f", "after_f"} & slots:
                    found += self._of_vectors(slot, edits, at)
            if len(edits) < 2:
                for part in PARTS:
                    if not {*part} & slots:
                        found += self._kept(part, edits, at)
        return tuple(found)

    def _kept(self, part: Sequence[str], edits: Edits, at: Indices) -> Iterator[Edit]:
        """Weights are those of an earlier call."""
        by_slot = {slot: edit for edit in edits for slot in edit.does}
        at = np.sort(at)
        groups = np.split(at, np.flatnonzero(np.diff(np.searchsorted(self._ends, at, "right"))) + 1)
        kept, fitting = dict[int, CellWeights](), list[frozenset[str]]()
        several = [some[:VOTERS] for some in groups if len(some) >= FEW]
        for n, some in enumerate(sorted(several, key=len, reverse=True)):
            if n == KEPT_IN and len(fitting) < KEPT_IN / 2:
                return
            number = int(np.searchsorted(self._ends, some[0], side="right"))
            s, here = self._steps[number], some - self._starts_of[number]
            best, most, says = None, ALL_BUT * len(some), frozenset[str]()
            rest, off = self._sum({**by_slot, **{slot: MISSING[slot] for slot in part}}, some)
            for names, weights in s.earlier:
                theirs, ours = (
                    [getattr(w, NAMED[slot]).shape for slot in part] for w in (weights, s.weights)
                )
                if theirs == ours:
                    of = replace(s, weights=weights, t=s.t[here], b=s.b[here], u=s.u[here])
                    a = rest + sum(right(slot, of)[0] for slot in part)
                    value, radius = self._states(by_slot, some, a, 2 * off)
                    fits = (np.abs(value - self.found[some]) <= radius).sum()
                    if fits > most:
                        best, most, says = weights, fits, names
            if best is not None:
                kept[id(s.earlier)] = best
                fitting.append(says)
        if fitting and len(fitting) >= len(several) / 4:
            alike = frozenset.intersection(*fitting)
            whose = min(alike, key=len) if alike else "an earlier call"
            every = " and ".join(NAMED[slot] for slot in part)
            what = f"{every} {'is that' if len(part) == 1 else 'are those'}"
            does = {slot: partial(_of_kept, slot, kept) for slot in part}
            yield Edit(f"{what} of {whose}", does)

    def _from_elsewhere(self, slot: str, edits: Edits, at: Indices) -> Iterator[Edit]:
        """What is multiplied stands at another step or in another row."""
        by_slot = {s: edit for edit in edits for s in edit.does}
        some = at[~self._padding[at]][:VOTERS]
        a, e = self._sum({**by_slot, slot: MISSING[slot]}, some)

        def matches() -> Iterator[tuple[At, Mask]]:
            for i, rest, off in zip(some, a, e, strict=True):
                number = int(np.searchsorted(self._ends, i, side="right"))
                s, n = self._made(by_slot.get("place"), number), i - self._starts_of[number]
                of, W = (s.inputs, s.weights.W_ih) if slot == "x" else (s.states, s.weights.W_hh)
                if of.size <= MOST and of.shape[1] * len(of) > 1:
                    every = of @ W[s.u[n]].astype(np.float64)
                    here = np.full(every.size, i)
                    value, radius = self._states(
                        by_slot, here, rest + every.ravel(), 2 * off + 0 * here
                    )
                    possible = (np.abs(value - self.found[i]) <= radius).reshape(every.shape)
                    first = len(of) - len(s.inputs)
                    where = moves.at(s.t[n], len(of), s.b[n], s.lengths, first, back=s.back)
                    yield where, possible

        for where, move in moves.voted(matches()):
            yield Edit(f"{VECTORS[slot]} is taken {where}", {slot: partial(moved, slot, move)})

    def _of_vectors(self, slot: str, edits: Edits, at: Indices) -> Iterator[Edit]:
        """What is multiplied is changed by a constant: rows of it that all units agree on."""
        given, solved = list[Float64](), list[Float64]()
        by_slot = {s: edit for edit in edits for s in edit.does}
        numbers = np.searchsorted(self._ends, at, side="right")
        for number in np.unique(numbers):
            s, rows = self._steps[number], at[numbers == number] - self._starts_of[number]
            rows = rows[np.unique(s.t[rows] * s.states.shape[1] + s.b[rows], return_index=True)[1]]
            one = _every_unit(s, rows)
            if one is None or factors(slot, s)[1].shape[0] < factors(slot, s)[1].shape[1]:
                continue
            others = [
                (by_slot[other].does[other](one) if other in by_slot else None) or right(other, one)
                for other in SLOTS if other != slot
            ]  # fmt: skip
            rest = sum((term[0] for term in others), np.zeros(len(one.u)))
            a = one.found if s.cell == "relu" else np.arctanh(one.found)
            usable = one.found > 0 if s.cell == "relu" else np.abs(one.found) < INNER
            W, H = factors(slot, s)[1].astype(np.float64), s.states.shape[2]
            whole = usable.reshape(-1, H).all(axis=1)
            if not whole.any() or not np.isfinite(W).all() or np.linalg.cond(W) > WELL:
                continue
            v = (a - rest).reshape(-1, H)[whole] @ np.linalg.pinv(W).T
            known = factors(slot, one)[0][::H][whole]
            agrees = np.abs(v @ W.T - (a - rest).reshape(-1, H)[whole]).max(axis=1) < CLOSE
            given.append(known[agrees].ravel())
            solved.append(v[agrees].ravel())
        if not given:
            return
        known, v = np.concatenate(given), np.concatenate(solved)
        wrong = np.abs(v - known) > CLOSE * (1 + np.abs(known))
        known, v = known[wrong], v[wrong]
        for says, change in changes.estimated(v, known, max(FEW, len(v) // 20), CLOSE):
            yield Edit(f"{VECTORS[slot]} {says}", {slot: with_vector(slot, change)})

    def _mixed(self, edits: Edits, slots: set[str], at: Indices) -> Iterator[Edit]:
        """Terms count so many times, or others are added: to the pre-activation, or after it."""
        by_slot = {slot: edit for edit in edits for slot in edit.does}
        found, relu = self.found[at], self._relu[at]
        inner = np.where(relu, found > 0, np.abs(found) < INNER) & ~self._padding[at]
        at, many = at[inner], max(FEW, len(at) // 50)
        if {"more", "f", "after"} & slots or len(at) < FEW:
            return
        found, relu = found[inner], relu[inner]
        a, e = self._sum(by_slot, at)
        exact = np.where(relu, found, np.arctanh(found))
        parts = {name: self._part(name, at)[0] for name in PART_OF_SUM if name not in slots}
        for some in changes.mixtures(exact - a, parts, many):
            of = [k for k in some if k in SLOTS]
            if len(some) > 1 or not of or np.abs(1 + some[of[0]] - changes.USUAL).min() > APART:
                yield Edit(changes.in_words(some, TERMS, SUM), {"more": some, **dict.fromkeys(of)})
        if {"f", "after", "mix"} & slots:
            return
        new, _ = self._states(by_slot, at, a, e)
        parts = {name: self._part(name, at)[0] for name in PART_OF_STATE}
        parts |= {"f(a)": new, "a": a}
        for some in changes.mixtures(found - new, parts, many):
            if len(some) > 1 or not {*some} <= {"f(a)", changes.ONE}:
                terms = {**{"f(a)": 1.0}, **some, "f(a)": 1 + some.get("f(a)", 0)}
                says = " + ".join(f"{c:.6g} {name}" for name, c in terms.items() if c)
                yield Edit(f"h_t is {says}", {"mix": terms})

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
                yield Edit(says, {"f": curve, "loosely": partial(_loosely, middle, off)}, last=8)

    def _in_a_table(self, edits: Edits, at: Indices) -> Iterator[Edit]:
        """tanh lies on chords: off towards 0 by its second derivative, up to d²/8 times."""
        new, radius = self.values(edits, at)
        bent = np.where(self._relu[at], 0, -2 * new * (1 - new**2))
        off, large = self.found[at] - new, np.abs(bent) > 0.2
        times = off[large] / bent[large]
        if (
            large.sum() < MANY
            or (off[large] * bent[large] < -np.abs(radius[large] * bent[large])).any()
        ):
            return
        most = 1.02 * float(times.max())
        if most > 0 and (times > most / 2).mean() > 0.3:
            says = f"tanh is interpolated in a table, with steps of about {np.sqrt(8 * most):.2g}"
            yield Edit(says, {"loosely": partial(_off_chords, most)}, last=2)

    def _sum(self, by_slot: Any, at: Indices) -> Values:
        """The pre-activation, and how far off it can be."""
        place = by_slot.get("place")
        edited = {slot: by_slot[slot] for slot in SLOTS if slot in by_slot}
        edited = {slot: edit for slot, edit in edited.items() if edit.does[slot]}
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


def _every_unit(s: Steps, rows: Indices) -> Steps | None:
    """Every unit of the steps of some numbers; nothing of what is in padding, or does not show."""
    rows = rows[~s.padding[rows]]
    if not len(rows) or s.off.any() or s.radius.any():
        return None
    H = s.states.shape[2]
    t, b = (np.repeat(part[rows], H) for part in (s.t, s.b))
    u = np.tile(np.arange(H), len(rows))
    return replace(s, t=t, b=b, u=u, found=s.states[t + 1, b, u])


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


def _of_kept(slot: str, kept: Mapping[int, CellWeights], s: Steps) -> Term | None:
    weights = kept.get(id(s.earlier))
    return None if weights is None else right(slot, replace(s, weights=weights))


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


def _off_chords(most: float, a: Float64) -> Float64:
    found: Float64 = most * np.abs(2 * np.tanh(a) * (1 - np.tanh(a) ** 2))
    return found
