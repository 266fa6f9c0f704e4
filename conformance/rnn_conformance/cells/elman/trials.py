"""What may be done to the states of a plain RNN, with constants that are solved for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from rnn_conformance.bounds.balls import Float64
from rnn_conformance.cells import changes, moves
from rnn_conformance.cells.cell import CellWeights
from rnn_conformance.cells.edits import Edit, Edits, Indices, Mask, Steps, Term
from rnn_conformance.cells.elman import effective
from rnn_conformance.cells.elman.numbers import MOVED, PARTS_OF, SLOTS, ElmanNumbers
from rnn_conformance.cells.elman.terms import (
    BIASES,
    NAMED,
    TERMS,
    VECTORS,
    factors,
    moved,
    right,
    times,
    with_vector,
)
from rnn_conformance.cells.moves import At
from rnn_conformance.cells.step_trials import APART, FEW

VOTERS, MOST = 60, 100_000  # numbers, and what their call may have, to look for another place
MISSING = {slot: Edit("", {slot: partial(times, slot, factor=0.0)}) for slot in SLOTS}
PARTS = (*((slot,) for slot in SLOTS), BIASES, SLOTS)  # of the weights, that may be kept
SUM = "the pre-activation"
KEPT_IN = 12  # calls, in which weights of earlier ones are looked for first
ALL_BUT = 0.9  # of the wrong numbers of a call, which such weights must explain
PART_OF_SUM, PART_OF_STATE = (*SLOTS, *MOVED, changes.ONE, "h_{t-1}"), (*PARTS_OF,)
INNER, WELL, CLOSE = 0.99, 1e3, 1e-5  # states, conditions and numbers, to solve for what goes in
MANY, IN_A_BIN, SMOOTH = 80, 3, 0.5  # numbers that lie on a curve, and how smooth it is


class ElmanTrials(ElmanNumbers):
    """With every edit of the library, and those that the numbers suggest."""

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
        groups = np.split(at, np.flatnonzero(np.diff(self._number[at])) + 1)
        kept, fitting = dict[int, CellWeights](), list[frozenset[str]]()
        several = [some[:VOTERS] for some in groups if len(some) >= FEW]
        for n, some in enumerate(sorted(several, key=len, reverse=True)):
            if n == KEPT_IN and len(fitting) < KEPT_IN / 2:
                return
            number = int(self._number[some[0]])
            s, here = self._steps[number], some - self._starts_of[number]
            best, most, says = None, ALL_BUT * len(some), frozenset[str]()
            rest, off = self._sum({**by_slot, **{slot: MISSING[slot] for slot in part}}, some)
            for names, weights in _earlier(part, s):
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
            for s in (self._steps[self._number[some[0]]] for some in groups if len(some) < FEW):
                kept |= {id(s.earlier): w for names, w in _earlier(part, s) if whose in names}
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
                number = int(self._number[i])
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
        numbers = self._number[at]
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


def _every_unit(s: Steps, rows: Indices) -> Steps | None:
    """Every unit of the steps of some numbers; nothing of what is in padding, or does not show."""
    rows = rows[~s.padding[rows]]
    if not len(rows) or s.off.any() or s.radius.any():
        return None
    H = s.states.shape[2]
    t, b = (np.repeat(part[rows], H) for part in (s.t, s.b))
    u = np.tile(np.arange(H), len(rows))
    return replace(s, t=t, b=b, u=u, found=s.states[t + 1, b, u])


def _earlier(part: Sequence[str], s: Steps) -> Iterator[tuple[frozenset[str], CellWeights]]:
    """The weights of earlier calls of which this part has the same shapes."""
    shapes = [getattr(s.weights, NAMED[slot]).shape for slot in part]
    for names, weights in s.earlier:
        if [getattr(weights, NAMED[slot]).shape for slot in part] == shapes:
            yield names, weights


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
