"""Right layers that compute in another way or follow others, which the checks must accept."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from rnn_conformance.checks.subject import parts_of
from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.contract.conventions import UNDEFINED
from rnn_conformance.variants.per_call import Dropping
from rnn_conformance.variants.recurrence import Recurrence, Weights


class Plain(Recurrence):
    """Products of rows, term by term, as `Recurrence` has it."""


class FusedProduct(Recurrence):
    """One product of [x, h, 1] with the weights side by side and the biases merged."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        bias = (w["b_ih"] + w["b_hh"])[:, None]
        return np.hstack([x, h, np.ones_like(h[:, :1])]) @ np.hstack([w["W_ih"], w["W_hh"], bias]).T


class Columns(Recurrence):
    """A column a row of the batch: states (H, B), products from the left."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        recurrent = w["W_hh"] @ h.T + w["b_hh"][:, None]
        return (recurrent + (w["W_ih"] @ x.T + w["b_ih"][:, None])).T


class SummedBackwards(Recurrence):
    """The terms of every sum are added one by one, from the last to the first."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        a = np.zeros_like(h)
        for vectors, name in ((h, "W_hh"), (x, "W_ih")):
            for i in reversed(range(vectors.shape[1])):
                a += vectors[:, i : i + 1] * w[name][:, i]
        return a + w["b_hh"] + w["b_ih"]


class CompensatedSums(Recurrence):
    """Kahan's sums (1965): the rounding of each addition is carried to the next."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        terms = [w["b_ih"], w["b_hh"]]
        terms += [x[:, i : i + 1] * w["W_ih"][:, i] for i in range(x.shape[1])]
        terms += [h[:, i : i + 1] * w["W_hh"][:, i] for i in range(h.shape[1])]
        total = rest = np.zeros_like(h)
        for term in terms:
            y = term - rest
            new = total + y
            total, rest = new, (new - total) - y
        return total


class WiderInside(Recurrence):
    """Everything but the results is wider than the call: float64, or the long double."""

    def run(self, call: Call) -> Answer:
        wide = wider(call.inputs)
        weights = {name: value.astype(wide) for name, value in call.weights.items()}
        h_0 = None if call.h_0 is None else call.h_0.astype(wide)
        inputs = call.inputs.astype(wide)
        found = super().run(replace(call, weights=weights, inputs=inputs, h_0=h_0))
        return Answer.of({n: part.astype(call.dtype) for n, part in parts_of(found).items()})


class WiderSums(Recurrence):
    """Products and sums are wider than the call, and rounded before the activation."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        wide = {name: value.astype(wider(value)) for name, value in w.items()}
        return super().preactivation(wide, x, h).astype(x.dtype)


class InputProductFirst(Recurrence):
    """The product with the inputs is computed for all steps at once."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        from_inputs = x @ w["W_ih"].T + w["b_ih"]
        as_it_is = {**w, "W_ih": np.eye(len(w["b_ih"]), dtype=x.dtype), "b_ih": 0 * w["b_ih"]}
        return super().direction(call, as_it_is, from_inputs, h)


class Packed(Recurrence):
    """Rows are sorted by length, and each step is computed for those alone that still have one."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        lengths = np.full(len(h), len(x)) if call.lengths is None else call.lengths
        order = np.argsort(-lengths, kind="stable")
        states, h = np.zeros((len(x), *h.shape), h.dtype), h[order]
        for t in range(lengths.max(initial=0)):
            rows = order[: np.count_nonzero(lengths > t)]
            h = self.in_format(call, self.step(call, w, x[t, rows], h[: len(rows)]))
            states[t, rows] = h
        return states


class EachRowAlone(Recurrence):
    """Each row is a loop of its own, as long as the row."""

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        lengths = np.full(len(h), len(x)) if call.lengths is None else call.lengths
        states = np.zeros((len(x), *h.shape), h.dtype)
        for row, length in enumerate(lengths):
            own = slice(row, row + 1)
            states[:length, own] = super().direction(call, w, x[:length, own], h[own])
        return states


class FlippedAndShifted(Recurrence):
    """The reverse direction flips all steps, and then shifts each row to where it begins."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        if d == 0:
            return x
        at = (np.arange(len(x))[:, None] + (len(x) - steps)) % len(x)
        return np.take_along_axis(x[::-1], at[..., None], axis=0)

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        return self.read(states, steps, d)


class ReadOnlyFortran(Recurrence):
    """The results are read-only, and in Fortran order."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        right = super().answer(call, output, h_n)
        parts = {name: np.asfortranarray(part) for name, part in parts_of(right).items()}
        for part in parts.values():
            part.flags.writeable = False
        return Answer.of(parts)


class ViewsOfWiderMemory(Recurrence):
    """The results are strided views: h_n of a buffer for two, the output of a reversed one."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        return np.repeat(super().stacked(h_n, o), 2, axis=2)[..., ::2]

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        return super().answer(call, output[::-1].copy()[::-1], h_n)


class OtherFormulas(Recurrence):
    """tanh a through expm1(-2|a|), and relu as (a + |a|) / 2."""

    def activation(self, call: Call, a: Array) -> Array:
        if call.options.nonlinearity == "relu":
            return (a + np.abs(a)) / 2
        e = np.expm1(-2 * np.abs(a))
        size: Array = -e / (e + 2)
        return np.copysign(size, a)


class DropoutInTraining(Dropping):
    """Dropout between the layers, in training alone."""


class DropoutByKeeping(Dropping):
    """The scaled mask is drawn first, as kept with probability 1 - p, and multiplied."""

    def dropped(self, x: Array, o: Options) -> Array:
        keep = 1 - o.dropout
        mask = (self.rng.random(x.shape) < keep).astype(x.dtype) / x.dtype.type(keep)
        return x * mask


class Permissive(Recurrence):
    """No steps and rows of length 0 are taken, and give h_0; a batch of no rows is refused."""

    shortest = 0
    conventions: ClassVar[Mapping[str, str]] = {
        "T = 0": "empty",
        "B = 0": "refused",
        "length 0": "h_0",
    }

    def refuse(self, call: Call) -> None:
        if self.rows(call).shape[1] == 0:
            raise ValueError(f"inputs: expected at least one row, got shape {call.inputs.shape}")
        super().refuse(call)

    def direction(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        return super().direction(call, w, x, h) if len(x) else np.empty((0, *h.shape), h.dtype)

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        if not len(states):
            return h_0
        return np.where((steps > 0)[:, None], super().last(states, h_0, steps, d), h_0)


class PaddingLeft(Recurrence):
    """What stands in the padding of its output is not defined: the last state, repeated."""

    conventions: ClassVar[Mapping[str, str]] = {"padded output": UNDEFINED}

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        at = np.minimum(np.arange(len(x))[:, None], steps - 1)[..., None]
        return np.take_along_axis(super().layer_output(x, steps, layer, o), at, axis=0)


def wider(array: Array) -> type[np.floating]:
    """float64 for float32, else the long double."""
    return np.float64 if array.dtype == np.float32 else np.longdouble


_ALL: tuple[type[Recurrence], ...] = (
    Plain, FusedProduct, Columns, SummedBackwards, CompensatedSums, WiderInside, WiderSums,
    InputProductFirst, Packed, EachRowAlone, FlippedAndShifted, ReadOnlyFortran,
    ViewsOfWiderMemory, OtherFormulas, DropoutInTraining, DropoutByKeeping, Permissive,
    PaddingLeft,
)  # fmt: skip
HEALTHY = {cls.__name__: cls for cls in _ALL}
for _name, _cls in HEALTHY.items():
    _cls.name = _name
