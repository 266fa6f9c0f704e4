"""Right implementations that compute in another way, which the suite must accept."""

from collections.abc import Sequence

import numpy as np

from rnn_conformance.protocol import Answer, Array, Call
from rnn_conformance.recurrence import Recurrence, Weights


class Plain(Recurrence):
    """Products of rows, term by term, as `Recurrence` has it."""


class SummedBackwards(Recurrence):
    """The terms of every sum are added one by one, from the last to the first."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        a = np.zeros((len(x), len(w["W_hh"])), x.dtype)
        for vectors, name in ((h, "W_hh"), (x, "W_xh")):
            for i in reversed(range(vectors.shape[1])):
                a += vectors[:, i : i + 1] * w[name][:, i]
        return a + w["b_hh"].T + w["b_xh"].T


class FusedProduct(Recurrence):
    """One product of [h, x, 1] with the weights side by side and the biases merged."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        fused = np.hstack([w["W_hh"], w["W_xh"], w["b_xh"] + w["b_hh"]])
        return np.hstack([h, x, np.ones_like(x[:, :1])]) @ fused.T


class WiderInside(Recurrence):
    """Everything but the results is kept wider than the call: float64, or the long double."""

    def weights(self, weights: Weights) -> Weights:
        return {name: value.astype(_wider(value)) for name, value in weights.items()}

    def answer(self, call: Call, states: list[Array], outputs: list[Array]) -> Answer:
        narrow = [[a.astype(call.dtype) for a in part] for part in (states, outputs)]
        return super().answer(call, *narrow)


class WiderSums(Recurrence):
    """Products and sums are wider than the call, and rounded before the activation."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        wide = {name: value.astype(_wider(value)) for name, value in w.items()}
        return super().preactivation(wide, x, h).astype(x.dtype)


class Columns(Recurrence):
    """A column a sequence: states (H, B), products from the left, results in Fortran order."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return (w["W_xh"] @ x.T + w["b_xh"] + (w["W_hh"] @ h.T + w["b_hh"])).T

    def laid_out(self, call: Call, array: Array) -> Array:
        return np.asfortranarray(super().laid_out(call, array))


class CompensatedSums(Recurrence):
    """Kahan's sums: the rounding of each addition is carried to the next."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        terms = [w["b_xh"].T, w["b_hh"].T]
        terms += [x[:, i : i + 1] * w["W_xh"][:, i] for i in range(x.shape[1])]
        terms += [h[:, i : i + 1] * w["W_hh"][:, i] for i in range(h.shape[1])]
        return kahan_sum(terms, np.zeros_like(h))


class TanhThroughExpm1(Recurrence):
    """tanh a = -expm1(-2|a|) / (expm1(-2|a|) + 2), with the sign of a."""

    def activation(self, a: Array) -> Array:
        return tanh_through_expm1(a)


class EachRowAlone(Recurrence):
    """Each sequence is a product of its own, matrix times vector."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return np.stack(
            [
                w["W_xh"] @ one + w["W_hh"] @ state + (w["b_xh"] + w["b_hh"])[:, 0]
                for one, state in zip(x, h, strict=True)
            ]
        )


def kahan_sum(terms: Sequence[Array], zeros: Array) -> Array:
    """The sum of these, the rounding of each addition carried to the next (W. Kahan, 1965)."""
    total, rest = zeros, zeros
    for term in terms:
        y = term - rest
        new = total + y
        rest = (new - total) - y
        total = new
    return total


def tanh_through_expm1(a: Array) -> Array:
    """tanh a = -expm1(-2|a|) / (expm1(-2|a|) + 2), with the sign of a."""
    e = np.expm1(-2 * np.abs(a))
    size: Array = -e / (e + 2)
    return np.copysign(size, a)


HEALTHY: dict[str, type[Recurrence]] = {
    cls.__name__: cls
    for cls in (
        Plain,
        SummedBackwards,
        FusedProduct,
        WiderInside,
        WiderSums,
        Columns,
        CompensatedSums,
        TanhThroughExpm1,
        EachRowAlone,
    )
}
for _name, _cls in HEALTHY.items():
    _cls.name = _name


def _wider(array: Array) -> type[np.floating]:
    return np.float64 if array.dtype == np.float32 else np.longdouble
