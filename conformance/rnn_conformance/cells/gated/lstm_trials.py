"""The numbers that calls of an LSTM gave, and what is expected of them after edits.

c of an LSTM does not show. It is carried from c_0 through the steps of each number: with the edits
where these give what shows, else with none of them, and read off h where that knows it better. So
each step is judged alone, and an edit need not be made in the steps before it.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, combinations, islice

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64, Precision, Sum
from rnn_conformance.cells.activations import before_tanh
from rnn_conformance.cells.edits import Edits, Indices, Steps
from rnn_conformance.cells.elman.terms import NAMED, right
from rnn_conformance.cells.gated.lstm_edits import LstmParts
from rnn_conformance.cells.gated.trials import PER_ENTRY, PER_STEP, Does, GatedTrials, by_slot
from rnn_conformance.cells.moves import Move, at

MOST_WAYS = 4  # in which the steps before a number may have been made
KNOWN = 1e-2  # how far off c may be that is read off an h which nothing gives


class LstmTrials(GatedTrials):
    """Those of the LSTM."""

    def entries(self, s: Steps) -> Indices:
        return s.t + 1

    def new(self, edits: Edits, at: Indices) -> Ball:
        of = self._of(at)
        last = np.cumsum(self._lengths[at]) - 1
        value, radius = self._cells(edits, at)[:, np.cumsum(self._lengths[at] + 1) - 2]
        c = Ball(value, radius, self._precision(of[last]))
        return self._step(by_slot(edits), of, last, c)[0]

    def hidden(self, edits: Edits, at: Indices) -> list[Float64]:
        return np.split(self._cells(edits, at, 1), np.cumsum(self._lengths[at] + 1)[:-1], axis=1)

    def _step(self, does: Does, of: Indices, here: Indices, c: Ball) -> tuple[Ball, Ball, Ball]:
        """h, c and o after a step, of some of the entries."""
        p = self._precision(of[here])
        self.effort += PER_STEP + PER_ENTRY * len(here)
        if "c_from" in does:
            value, radius = self._read_at(does["c_from"], of)
            c = Ball(value[here], radius[here], p)

        def part(ball: Ball) -> Ball:
            return Ball(ball.value[here], ball.radius[here], p)

        gates = dict[str, Ball]()
        for k in self.letters:
            if f"peep.{k}" in does:
                a = part(self._sum(k, does, of).ball()) + does[f"peep.{k}"] * c
                gates[k] = self._gate(k, does, of, a)
            else:
                gates[k] = part(self._gate(k, does, of))
        h = Ball(self._before[of[here]], np.zeros(len(here)), p).kept()
        parts = LstmParts(gates["i"], gates["f"], gates["g"], gates["o"], c, h)
        new = does["c"](parts) if "c" in does else parts.f * c + parts.i * parts.g

        def shown(c: Ball) -> Ball:
            return self._gate("c", does, of, c)

        out = does["out"](parts, new, shown) if "out" in does else parts.o * shown(new)
        return out, new, parts.o

    def _read_at(self, move: Move, of: Indices) -> tuple[Float64, Float64]:
        """c at other steps or in other rows, with its radius, as h shows it; NaN elsewhere."""
        key = "read", move
        if key not in self._cached:
            value, radius = np.zeros((2, len(of)))
            for number, where in self._calls(of):
                s = self._steps_of(number, of, where, "o")
                t, b = move(at(s.t, len(s.states), s.b, s.lengths, 1, back=s.back))
                made = replace(s, t=np.maximum(t - 1, 0), b=b)
                a, size = (sum(part) for part in zip(*(right(n, made) for n in NAMED), strict=True))
                p, none = Precision("", s.precision.u, s.precision.eta), np.zeros(len(t))
                o = self._gate(
                    "o", {}, of, Sum(a, size, none, int(self._m[of[where[0]]]), p).ball()
                )
                read = before_tanh(Ball(s.states[t, b, s.u], none, p).kept() / o)
                known = np.where(read.radius < KNOWN, read.value, np.nan)
                value[where] = np.where(t == 0, s.hidden[b, s.u], known)
                radius[where] = np.where(t == 0, 0, read.radius)
            self._cached[key] = value, radius
        found: tuple[Float64, Float64] = self._cached[key]
        return found

    def _starts(self, does: Does, at: Indices) -> Float64:
        """c_0 of numbers."""
        numbers = self._number[at]
        found = np.empty(len(at))
        for number in np.unique(numbers):
            where = np.flatnonzero(numbers == number)
            s, here = self._steps[number], at[where] - self._starts_of[number]
            own = replace(s, t=0 * s.t[here], b=s.b[here], u=s.u[here])
            usual = s.hidden[own.b, own.u]
            new = does["c_0"](own) if "c_0" in does else None
            found[where] = usual if new is None else new
        return found

    def _cells(self, edits: Edits, at: Indices, more: int = 0) -> Float64:
        """c before each step of each number, and, with one more, after its last: (2, entries).

        One more place than it has steps is each number's, and what is computed there is c with its
        radius.
        """
        of, lengths = self._of(at), self._lengths[at]
        found = np.zeros((2, len(of) + len(at)))
        if not len(at):
            return found
        ways = [by_slot(way) for way in _subsets(edits)]
        starts = np.array([self._starts(does, at) for does in ways])
        first = np.cumsum(lengths) - lengths
        kept = first + np.arange(len(at))
        found[0, kept] = starts[0]
        order = np.argsort(-lengths, kind="stable")
        ends = -(lengths[order] + more)
        for t in range(int(lengths.max()) - 1 + more):
            live = order[: np.searchsorted(ends, -(t + 1), side="left")]
            here, now = first[live] + t, kept[live] + t
            p = self._precision(of[here])
            before = [Ball(start[live] if t == 0 else found[0, now], found[1, now], p)
                      for start in starts]  # fmt: skip
            found[:, now + 1] = self._after(ways, of, here, before)
        return found

    def _after(
        self, ways: Sequence[Does], of: Indices, here: Indices, before: Sequence[Ball]
    ) -> Float64:
        """c after a step, and its radius: of the first way that gives the h that shows."""
        seen, p = self._shown[of[here]], before[0].precision
        after, done = np.zeros((2, len(here))), np.zeros(len(here), bool)
        for n, (does, c) in enumerate(zip(ways, before, strict=True)):
            h, new, o = self._step(does, of, here, c)
            right_now = np.abs(h.value - seen) <= h.bound
            read = before_tanh(Ball(seen, np.zeros(len(here)), p).kept() / o)
            nearer = read.radius < np.where(right_now, new.radius, KNOWN)
            nearer &= (right_now | (not does)) & (not does.keys() & {"f.c", "out", "after"})
            c_now = np.where(nearer, [read.value, read.radius], [new.value, new.radius])
            taken = ~done & (right_now | nearer)
            also = np.abs(c_now[0] - after[0]) + c_now[1]  # more than one way gives what shows
            after[1] = np.where(done & right_now, np.fmax(after[1], also), after[1])
            after = np.where(taken | (n == 0), c_now, after)
            done |= taken
        return after


def _subsets(edits: Edits) -> list[Edits]:
    """Ways in which earlier steps may have been made: with all edits first, with none last."""
    one = sorted(edits, key=lambda edit: edit.says)
    every = chain.from_iterable(combinations(one, n) for n in range(len(one), 0, -1))
    return [*map(frozenset, islice(every, MOST_WAYS - 1)), frozenset()]
