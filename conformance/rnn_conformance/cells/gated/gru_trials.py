"""The numbers that calls of a GRU gave, and what is expected of them after edits."""

from dataclasses import replace
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64, Precision, Sum
from rnn_conformance.cells.edits import Edits, Indices, Steps
from rnn_conformance.cells.elman.terms import BIASES, right
from rnn_conformance.cells.gated.gru_edits import RESETS, GruParts, updated
from rnn_conformance.cells.gated.trials import PER_CALL, PER_ENTRY, Does, GatedTrials, by_slot


class GruTrials(GatedTrials):
    """Those of both GRUs."""

    def new(self, edits: Edits, at: Indices) -> Ball:
        does, of = by_slot(edits), self._of(at)
        p = self._precision(of)
        r, z = self._gate("r", does, of), self._gate("z", does, of)
        before, combined = does.get("n", RESETS[self._cell])
        x, h, b_ih, b_hh = (self._term(slot, "n", does, of) for slot in ("x", "h", *BIASES))
        if before:
            h = self._of_reset_states(does, of)
        n = self._gate("n", does, of, combined(GruParts(x, b_ih, h, b_hh, r)).ball())
        usual = self._before[of]
        own = (
            self._edited(_only(does["before"]), of, "z", (usual,))[0] if "before" in does else usual
        )
        out: Ball = does.get("out", updated)(z, n, Ball(own, np.zeros(len(of)), p).kept(), r)
        return out

    def _of_reset_states(self, does: Does, of: Indices) -> Sum:
        """W_hn (r h), of the r of all units."""
        slots = ("x", "h", *BIASES)
        concerned = [does.get(f"{slot}.{k}") or does.get(slot) for k in "rn" for slot in slots]
        key = "reset", does.get("f.r"), *concerned, str(does.get("roughly"))
        if key not in self._cached:
            value, size, radius = np.empty((3, len(of)))
            self.effort += 2 * PER_CALL * len([*self._calls(of)])  # of the reset and of the product
            for number, where in self._calls(of):
                s = self._steps_of(number, of, where, "r")
                n = self._steps_of(number, of, where, "n")
                H = s.states.shape[2]
                self.effort += PER_ENTRY * H * len(where)
                every = replace(s, t=np.repeat(s.t, H), b=np.repeat(s.b, H),
                                 u=np.tile(np.arange(H), len(s.u)))  # fmt: skip
                p, terms = Precision("", s.precision.u, s.precision.eta), []
                for slot in slots:
                    usual = right(slot, every)
                    what = does.get(f"{slot}.r") or does.get(slot)
                    terms.append((what and what(every)) or usual)
                a, scale = (sum(part) for part in zip(*terms, strict=True))
                m = int(self._m[of[where[0]]])
                total = Sum(a, scale, np.zeros(len(a)), m, p)
                r = self._gate("r", does, of, total.ball())
                h = Ball(every.states[every.t, every.b, every.u], np.zeros(()), p).kept()
                rh = r * h
                states, off = s.states.copy(), np.zeros(s.states.shape)
                states[s.t, s.b], off[s.t, s.b] = (
                    part.reshape(-1, H) for part in (rh.value, rh.radius)
                )
                what = does.get("h.n") or does.get("h")
                reset = replace(n, states=states)
                value[where], size[where] = (what and what(reset)) or right("h", reset)
                radius[where] = (off[s.t, s.b] * np.abs(n.weights.W_hh[n.u])).sum(axis=1)
            known = self._term("h", "n", does, of)
            self._cached[key] = Sum(
                value,
                np.fmax(size, known.scale),
                radius + known.radius,
                known.terms,
                known.precision,
            )
        found: Sum = self._cached[key]
        return found


def _only(of: Any) -> Any:
    def both(s: Steps) -> tuple[Float64]:
        return (of(s),)

    return both
