"""Wrong from some size on: rests of vectors and unrolled loops, indices that overflow."""

import numpy as np

from rnn_conformance.contract.call import Array, Call
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.registry import mutant


@mutant("sizes", caught_by="output")
class VectorLoopLeavesARest(Recurrence):
    """Units beyond the last multiple of eight read no state, where H is above eight."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        W, H = w["W_hh"].copy(), h.shape[1]
        W[H - H % 8 if H > 8 else H :] = 0
        return super().preactivation({**w, "W_hh": W}, x, h)


@mutant("sizes", caught_by="output")
class VectorKernelForEight(Recurrence):
    """Where H is a multiple of eight, another kernel forgets b_hh."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        right = super().preactivation(w, x, h)
        return right - w["b_hh"] if h.shape[1] % 8 == 0 else right


@mutant("sizes", caught_by="output", shipped_in="tensorflow/tensorflow#53024 (LSTM)")
class StatesOf32Rows(Recurrence):
    """States are kept for 32 rows; the others start every step from zeros."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        kept = h.copy()
        kept[32:] = 0
        return super().preactivation(w, x, kept)


@mutant("sizes", caught_by="output", shipped_in="pytorch/pytorch#177834 (LSTM)")
class RowsBeyond512(Recurrence):
    """Rows beyond the 512th keep their state."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(call, w, x, h)
        new[512:] = h[512:]
        return new


@mutant("sizes", caught_by="output", shipped_in="pytorch/pytorch#195738 (LSTM)")
class BiasNotAddedBeyond65536(Recurrence):
    """Where B·T is above 65,536, b_ih is not added."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        many = x.shape[0] * x.shape[1] > 65536
        return super().direction(call, {**w, "b_ih": 0 * w["b_ih"]} if many else w, x, h)


@mutant("sizes", caught_by="output")
class RowNumberIn16Bits(Recurrence):
    """The number of a row of T·B is kept in 16 bits, so that later ones repeat the first."""

    def laid_out(self, call: Call, steps: Array) -> Array:
        rows = steps.reshape(-1, steps.shape[-1])
        return super().laid_out(call, rows[np.arange(len(rows)) % 65536].reshape(steps.shape))


@mutant("sizes", caught_by="output")
class OneRowAsAVector(Recurrence):
    """A batch of one row goes another way, on which W_hh is transposed."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        W = w["W_hh"]
        return super().preactivation({**w, "W_hh": W.T if len(x) == 1 else W}, x, h)


@mutant("sizes", caught_by="output", shipped_in="tensorflow/tensorflow#51561 (LSTM)")
class OnlyFirstRowRight(Recurrence):
    """Rows after the first read the state of the first."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation(w, x, np.repeat(h[:1], len(h), axis=0))


@mutant("sizes", caught_by="union_of_two")
class KernelForTenFeatures(Recurrence):
    """From ten features on, another kernel is used, which forgets the first."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        W = w["W_ih"].copy()
        if x.shape[1] >= 10:
            W[:, 0] = 0
        return super().preactivation({**w, "W_ih": W}, x, h)


@mutant("sizes", caught_by="output")
class InputTailOverwritesBlock(Recurrence):
    """Input features beyond the last whole block of sixteen replace the sum instead of adding."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        tail = x.shape[1] - x.shape[1] % 16
        if 0 < tail < x.shape[1]:
            w, x = {**w, "W_ih": w["W_ih"][:, tail:]}, x[:, tail:]
        return super().preactivation(w, x, h)


@mutant("sizes", caught_by="output")
class InputsBeyond128(Recurrence):
    """Input features beyond the 128th are not read."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "W_ih": w["W_ih"][:, :128]}, x[:, :128], h)


@mutant("sizes", caught_by="output")
class RecurrentUnitsBeyond128(Recurrence):
    """Hidden units beyond the 128th feed nothing back."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "W_hh": w["W_hh"][:, :128]}, x, h[:, :128])


@mutant("sizes", caught_by="output")
class UnitsBeyond256AreThoseBefore(Recurrence):
    """Hidden units beyond the 256th are those of 256 units before."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        return states[..., np.arange(states.shape[-1]) % 256]


@mutant("sizes", caught_by="output")
class LargeStateNotCleared(Recurrence):
    """An omitted h_0 of more than a thousand numbers is memory that nobody cleared."""

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return np.full_like(h_0, 0.3) if call.h_0 is None and h_0.size > 1000 else h_0


@mutant("sizes", caught_by="output")
class UnitsBeyond16AreZero(Recurrence):
    """Hidden units beyond the 16th are zero."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        states[..., 16:] = 0
        return states


@mutant("sizes", caught_by="output", of="plain")
class LastUnitOf40To64IsZero(Recurrence):
    """The last unit is zero where H is 40 to 64."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        if 40 <= h.shape[1] <= 64:
            states[..., -1] = 0
        return states


@mutant("sizes", caught_by="output")
class UnitsBeyond160FeedNothingBack(Recurrence):
    """Hidden units beyond the 160th feed nothing back."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "W_hh": w["W_hh"][:, :160]}, x, h[:, :160])


@mutant("sizes", caught_by="output")
class RowsBeyond100000AreZero(Recurrence):
    """Of B·T numbers of a unit, those beyond the 100,000th are zero."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        states = super().direction(call, w, x, h)
        states.reshape(-1, h.shape[1])[100_000:] = 0
        return states
