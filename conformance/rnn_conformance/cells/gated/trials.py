"""The numbers that calls of an LSTM or a GRU gave, and what is expected of them after edits."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64, Precision, Sum, gamma
from rnn_conformance.cells.activations import LENIENT, ULPS, sigmoid
from rnn_conformance.cells.edits import (
    Edit,
    Edits,
    Indices,
    Steps,
    Term,
    Values,
    for_each,
)
from rnn_conformance.cells.elman.terms import BIASES, NAMED, right
from rnn_conformance.cells.gated.balls import monotone
from rnn_conformance.cells.gated.edits import gate_of
from rnn_conformance.cells.step_trials import StepTrials
from rnn_conformance.contract.call import GATED

FEW_CALLS, FEW_EACH = 10, 6  # on which every edit is tried first
# About milliseconds of one core. They are counted, not measured, so that all machines say the same.
MOST_EFFORT, PER_CALL, PER_STEP, PER_ENTRY = 25_000, 0.1, 0.4, 0.0005
Does = Mapping[str, Any]


def by_slot(edits: Edits) -> Does:
    """What is done in each slot."""
    return {slot: what for edit in edits for slot, what in edit.does.items()}


class GatedTrials(StepTrials):
    """Those of cells with gates: their sums at every step that a number depends on.

    Such a step is an entry; a number's own is the last of its entries.
    """

    def __init__(self, steps: Sequence[Steps], library: Sequence[Edit]) -> None:
        super().__init__(steps, library)
        self._cell = steps[0].cell
        self.letters = GATED[self._cell]
        self._lengths: Indices = self._each(self.entries)
        self._first = np.cumsum(self._lengths) - self._lengths
        self._every_step = [_with_history(s, self.entries(s)) for s in steps]
        self._bounds = np.cumsum([0, *(len(s.u) for s in self._every_step)])
        self._gates = [
            {k: gate_of(s, self.letters, k) for k in self.letters} for s in self._every_step
        ]

        def each(of: Callable[[Steps], Any]) -> Any:
            return np.concatenate([for_each(s.u, of(s)) for s in self._every_step])

        self._m = each(lambda s: s.inputs.shape[2] + s.states.shape[2] + 2)
        self._both = each(lambda s: s.precision.u), each(lambda s: s.precision.eta)
        self._shown = each(lambda s: s.states[s.t + 1, s.b, s.u])
        self._before = each(lambda s: s.states[s.t, s.b, s.u])
        self._usual: dict[str, Term] = {}
        for k in self.letters:
            for slot in NAMED:
                terms = [right(slot, gates[k]) for gates in self._gates]
                value, size = map(np.concatenate, zip(*terms, strict=True))
                self._usual[f"{slot}.{k}"] = value, size
        self._cached_at: bytes | None = None
        self._cached: dict[Any, Any] = {}
        self.effort = 0.0

    compared, paired = 1200, 12  # since a step takes long

    def few(self, at: Indices) -> Indices:
        calls, lengths = self._number[at], self._lengths[at]
        every = np.random.default_rng(0).permutation(np.unique(calls))
        shortest = np.argsort([lengths[calls == number].min() for number in every], kind="stable")
        kept = list[Indices]()
        for number in every[shortest[: len(every) // 2 + 1]][:FEW_CALLS]:
            own = at[calls == number]
            kept.append(own[np.argsort(self._lengths[own], kind="stable")][:FEW_EACH])
        return np.sort(np.concatenate(kept)) if kept else at

    def exhausted(self) -> bool:
        return self.effort > MOST_EFFORT

    def entries(self, s: Steps) -> Indices:
        """How many steps each number depends on."""
        return np.ones(len(s.u), np.int64)

    # ------------------------------------------------------------------ sums

    def _of(self, at: Indices) -> Indices:
        """The entries of numbers, number by number; what is known of others is forgotten."""
        if at.tobytes() != self._cached_at:
            self._cached, self._cached_at = {}, at.tobytes()
            lengths = self._lengths[at]
            ends = np.cumsum(lengths)
            shift = np.repeat(self._first[at] - (ends - lengths), lengths)
            self._cached["entries"] = shift + np.arange(len(shift))
        entries: Indices = self._cached["entries"]
        return entries

    def _precision(self, of: Indices) -> Any:
        return Precision("", *(part[of] for part in self._both))

    def _calls(self, of: Indices) -> Iterator[tuple[int, Indices]]:
        """The calls of entries, each with the positions of its own among them."""
        if "calls" not in self._cached:
            calls = np.searchsorted(self._bounds, of, side="right") - 1
            order = np.argsort(calls, kind="stable")
            numbers, starts = np.unique(calls[order], return_index=True)
            parts = np.split(order, starts)[1:]
            self._cached["calls"] = list(zip(numbers.tolist(), parts, strict=True))
        return iter(self._cached["calls"])

    def _steps_of(self, number: int, of: Indices, where: Indices, k: str) -> Steps:
        key = "steps", number, k
        if key not in self._cached:
            s, here = self._gates[number][k], of[where] - self._bounds[number]
            changed = {name: getattr(s, name)[here] for name in ("t", "b", "u")}
            self._cached[key] = replace(s, **changed)
        steps: Steps = self._cached[key]
        return steps

    def _edited(self, what: Any, of: Indices, k: str, usual: tuple[Float64, ...]) -> Any:
        """What an edit does at entries; the usual where it cannot be done."""
        parts = tuple(part.copy() for part in usual)
        for number, where in self._calls(of):
            done = what(self._steps_of(number, of, where, k))
            if done is None:
                continue
            nan_goes_in = np.isnan(self._steps[number].inputs).any()
            for part, new, own in zip(parts, done, usual, strict=True):
                keep = np.isnan(new) & ~nan_goes_in  # a NaN elsewhere explains no NaN here
                part[where] = np.where(keep, own[where], new)
        return parts

    def _term(self, slot: str, k: str, does: Does, of: Indices) -> Sum:
        what = does.get(f"{slot}.{k}") or does.get(slot)
        key = "term", slot, k, what, str(does.get("roughly"))
        if key not in self._cached:
            usual = tuple(part[of] for part in self._usual[f"{slot}.{k}"])
            value, size = self._edited(what, of, k, usual) if what else usual
            p = self._precision(of)
            m, roundoff = self._m[of], does.get("roughly", {}).get(slot)
            rough = gamma(m + 1, roundoff) * size if roundoff else np.zeros(len(of))
            own = {"x": m - 2, "h": 0, "b_ih": 1, "b_hh": 1}[slot] + 0 * m
            self._cached[key] = Sum(value, np.fmax(size, usual[1]), rough, own, p)
        term: Sum = self._cached[key]
        return term

    def _sum(self, k: str, does: Does, of: Indices) -> Sum:
        x, h, b_ih, b_hh = (self._term(slot, k, does, of) for slot in ("x", "h", *BIASES))
        return x + b_ih + h + b_hh

    def _gate(self, k: str, does: Does, of: Indices, a: Ball | None = None) -> Ball:
        """A gate of which the sum is known, or computed."""
        function = does.get(f"f.{k}") or (np.tanh if k in "gnc" else sigmoid)
        if a is not None:
            return _no_less(monotone(function, a, ULPS, LENIENT))
        terms = [does.get(f"{slot}.{k}") or does.get(slot) for slot in NAMED]
        key = "gate", k, function, *terms, str(does.get("roughly"))
        if key not in self._cached:
            found = monotone(function, self._sum(k, does, of).ball(), ULPS, LENIENT)
            self._cached[key] = _no_less(found)
        gate: Ball = self._cached[key]
        return gate

    # ------------------------------------------------------------------ numbers

    @abstractmethod
    def new(self, edits: Edits, at: Indices) -> Ball:
        """The new h of numbers."""

    def values(self, edits: Edits, at: Indices) -> Values:
        found = self.new(edits, at)
        self.effort += PER_STEP + PER_CALL * len([*self._calls(self._of(at))]) * len(edits)
        slots = {slot: edit for edit in edits for slot in edit.does}
        return self._finished(slots, at, found.value, found.bound)

    def estimated(self, edits: Edits, at: Indices) -> tuple[Edit, ...]:
        with np.errstate(all="ignore"):
            slots = {slot for edit in edits for slot in edit.does}
            return tuple(self._of_states(edits, slots, at))


def _with_history(s: Steps, counts: Indices) -> Steps:
    """Every number's own step, and those before it."""
    ends = np.cumsum(counts)
    back = np.repeat(ends, counts) - 1 - np.arange(counts.sum())
    return replace(s, t=np.repeat(s.t, counts) - back, b=np.repeat(s.b, counts),
                    u=np.repeat(s.u, counts))  # fmt: skip


def _no_less(ball: Ball) -> Ball:
    return Ball(ball.value, ball.radius + ball.precision.flushed, ball.precision)
