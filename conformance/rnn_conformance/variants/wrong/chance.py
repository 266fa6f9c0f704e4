"""Another result for the same call: what chance, or the number of calls, decides."""

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.calls import Remembers, sizes_of
from rnn_conformance.variants.wrong.precision import rounded
from rnn_conformance.variants.wrong.registry import mutant


class Chance(Recurrence):
    """Draws numbers of its own."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)


@mutant("determinism", caught_by="repeatable")
class TermsLostAtRandom(Chance):
    """Two units in a thousand lose the recurrent part of a step, as in a race."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        right = super().preactivation(w, x, h)
        lost = self.rng.random(right.shape) < 2e-3
        return np.where(lost, x @ w["W_ih"].T + w["b_ih"], right).astype(right.dtype)


@mutant("determinism", caught_by="calls_are_independent", shipped_in="espnet/espnet#3539")
class DropoutLeftOn(Chance):
    """One state in a thousand is set to zero at random, as if dropout were left on."""

    def activation(self, call: Call, a: Array) -> Array:
        dropped = self.rng.random(a.shape) < 1e-3
        return np.where(dropped, 0, super().activation(call, a)).astype(a.dtype)


@mutant("determinism", caught_by="output")
class OmittedStateUninitialised(Chance):
    """An omitted h_0 is whatever lay in memory."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        garbage = self.rng.standard_normal(h_0.shape).astype(h_0.dtype)
        return garbage if call.h_0 is None else h_0


@mutant("determinism", caught_by="repeatable")
class SecondDeviceInTF32(Remembers):
    """Every second call runs on another device, which rounds to the 11 bits of TF32."""

    second = True

    def rows(self, call: Call) -> Array:
        self.second = self.kept["second"] = not self.kept.get("second", True)
        return super().rows(call)

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        right = super().preactivation(w, x, h)
        return rounded(right, 11) if self.second else right


@mutant("determinism", "h_0", caught_by="repeatable")
class EveryThirdCallReversesState(Remembers):
    """Every third call of the same sizes reads the units of h_0 in reverse order."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        count = self.kept.get(sizes_of(h_0), 0)
        self.kept[sizes_of(h_0)] = count + 1
        return np.flip(h_0, axis=2).copy() if count % 3 == 2 else h_0
