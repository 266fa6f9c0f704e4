"""Right ways to compute gradients: what `Differentiable` can do otherwise, for each cell."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from rnn_conformance.checks.subject import parts_of
from rnn_conformance.contract.call import GATED, Answer, Array, Call, Lengths, Upstream
from rnn_conformance.variants import gated, healthy
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.recurrence import Recurrence, of_cell
from rnn_conformance.variants.step_backwards import GruStep, Taped

CHUNK = 3  # steps between the states that are kept


class ChunksRecomputed(Differentiable):
    """Every third state is kept, and those between are computed again."""

    def taped(self, call: Call, x: Array, steps: Lengths) -> list[Taped]:
        return [self._again(call, one) for one in super().taped(call, x, steps)]

    def _again(self, call: Call, one: Taped) -> Taped:
        states = [
            self.direction(call, one.w, one.x[t : t + CHUNK], one.before[t])
            for t in range(0, len(one.x), CHUNK)
        ]
        after = np.concatenate(states)
        return replace(one, after=after, before=np.concatenate([one.before[:1], after[:-1]]))


class RowsBackwardsAlone(Differentiable):
    """The backward pass of each row is a loop of its own."""

    def through_time(
        self, call: Call, one: Taped, d_states: Array, d_last: Array, steps: Lengths
    ) -> tuple[Array, Array, Array]:
        rows = [slice(b, b + 1) for b in range(len(steps))]
        each = []
        for row in rows:
            alone = replace(
                one, x=one.x[:, row], before=one.before[:, row], after=one.after[:, row]
            )
            each.append(
                super().through_time(call, alone, d_states[:, row], d_last[row], steps[row])
            )
        d, du, first = zip(*each, strict=True)
        return np.concatenate(d, axis=1), np.concatenate(du, axis=1), np.concatenate(first)


class AddedFromTheLast(Differentiable):
    """The gradient of a weight is added up step by step, from the last to the first."""

    order = -1

    def summed(self, d: Array, x: Array) -> Array:
        found = np.zeros((d.shape[-1], x.shape[-1]), d.dtype)
        for t in range(len(d))[:: self.order]:
            found += super().summed(d[t : t + 1], x[t : t + 1])
        return found

    def of_bias(self, d: Array) -> Array:
        found = np.zeros(d.shape[-1], d.dtype)
        for t in range(len(d))[:: self.order]:
            found += d[t].sum(axis=0)
        return found


class AddedFromTheFirst(AddedFromTheLast):
    """The gradient of a weight is added up step by step, from the first to the last."""

    order = 1


class SlopeOfPreactivation(Differentiable):
    """The slope of tanh comes from what it is of, as 1 / cosh², and that of relu likewise."""

    def slope(self, call: Call, h: Array, a: Array) -> Array:
        found = a > 0 if call.options.cell == "relu" else 1 / np.cosh(a) ** 2
        return found.astype(h.dtype)


class SlopeInFactors(Differentiable):
    """The slope of tanh is (1 - h) (1 + h), that of σ is s - s²."""

    def slope(self, call: Call, h: Array, a: Array) -> Array:
        return super().slope(call, h, a) if call.options.cell == "relu" else (1 - h) * (1 + h)

    def slope_of_gate(self, s: Array) -> Array:
        return s - s * s


class KeptSubtracted(Differentiable):
    """dL/dn of a GRU is what z does not keep, dh - dh z."""

    def of_candidate(self, call: Call, s: GruStep, dh: Array) -> Array:
        return (dh - dh * s.z) * self.slope(call, s.n, s.a_n)


class GateByGate(Differentiable):
    """The product with each gate's weights is its own, and they are added in turn."""

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        gates = len(W_hh) // W_hh.shape[1]
        each = zip(np.split(d, gates, axis=-1), np.split(W_hh, gates), strict=True)
        products = [super(GateByGate, self).handed_back(W, of_gate) for of_gate, W in each]
        found: Array = np.sum(products, axis=0)
        return found


class ColumnsBackwards(Differentiable):
    """A column a row of the batch: W' d, products from the left."""

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        return (np.ascontiguousarray(W_hh.T) @ np.ascontiguousarray(d.T)).T

    def to_inputs(self, W_ih: Array, d: Array) -> Array:
        found: Array = np.einsum("gi,tbg->tbi", W_ih, d)
        return found


class OneByOneBackwards(healthy.SummedBackwards, Differentiable):
    """The terms of W' d are added one by one, from the last to the first."""

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        found = np.zeros((*d.shape[:-1], W_hh.shape[1]), d.dtype)
        for k in reversed(range(len(W_hh))):
            found += d[..., k : k + 1] * W_hh[k]
        return found

    def to_inputs(self, W_ih: Array, d: Array) -> Array:
        return self.handed_back(W_ih, d)


class FusedBackwards(healthy.FusedProduct, Differentiable):
    """Each pre-activation comes from one product of [x, h, 1], in both passes."""


class GatesByTanh(gated.SigmoidByTanh, Differentiable):
    """σ is (1 + tanh(a / 2)) / 2, in both passes."""


class TanhByGates(gated.TanhBySigmoid, Differentiable):
    """tanh is 2 σ(2a) - 1, in both passes."""


class WiderBackwards(Differentiable):
    """Both passes are wider than the call, float64 or the long double; the results are rounded."""

    def run(self, call: Call) -> Answer:
        wide = healthy.wider(call.inputs)
        loss = call.upstream or Upstream()
        answer = super().run(
            replace(
                call,
                weights={name: value.astype(wide) for name, value in call.weights.items()},
                inputs=call.inputs.astype(wide),
                h_0=None if call.h_0 is None else call.h_0.astype(wide),
                c_0=None if call.c_0 is None else call.c_0.astype(wide),
                upstream=call.upstream and loss.each(lambda part: part.astype(wide)),
            )
        )
        results = {name: part.astype(call.dtype) for name, part in parts_of(answer).items()}
        found = answer.gradients
        gradients = found and {name: part.astype(call.dtype) for name, part in found.items()}
        return replace(Answer.of(results), gradients=gradients)


class WiderSumsBackwards(Differentiable):
    """The sums over steps and rows, and W_hh' d, are wider than the call, and rounded once."""

    def summed(self, d: Array, x: Array) -> Array:
        wide = healthy.wider(d)
        return super().summed(d.astype(wide), x.astype(wide)).astype(d.dtype)

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        wide = healthy.wider(d)
        return super().handed_back(W_hh.astype(wide), d.astype(wide)).astype(d.dtype)


class _SummedBackwards(healthy.SummedBackwards, Differentiable):
    """The states differ by rounding from those of `Differentiable`."""


class StatesRecomputed(Differentiable):
    """The gradients are those of another forward pass, which adds in another order."""

    conventions: ClassVar[Mapping[str, str]] = {"backward pass": "of its own"}

    def gradients(self, call: Call) -> dict[str, Array]:
        return _SummedBackwards().gradients(call)


_OF_ALL: tuple[type[Differentiable], ...] = (
    Differentiable, ChunksRecomputed, RowsBackwardsAlone, AddedFromTheLast, AddedFromTheFirst,
    SlopeOfPreactivation, SlopeInFactors, ColumnsBackwards, OneByOneBackwards, FusedBackwards,
    WiderBackwards, WiderSumsBackwards, StatesRecomputed,
)  # fmt: skip
_OF_GATES: tuple[type[Differentiable], ...] = (GateByGate, GatesByTanh, TanhByGates)
_ALSO = {cell: (*_OF_GATES, *((KeptSubtracted,) if cell != "lstm" else ())) for cell in GATED}
_OF_CELLS = (of_cell(way, cell) for cell, also in _ALSO.items() for way in (*_OF_ALL, *also))
RIGHT: dict[str, type[Recurrence]] = {way.__name__: way for way in (*_OF_ALL, *_OF_CELLS)}
for _name, _way in RIGHT.items():
    _way.name = _name
