"""The slopes of a loss in balls, forwards: every number with its slope in every argument.

Written from the equations alone, one sequence after the other, and sharing nothing with the
reference. A float becomes a ball of radius zero, and Arb proves that every result encloses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb, ctx
from rnn_reference.weights import Array

Balls = npt.NDArray[np.object_]
WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def each(function: Callable[[arb], arb], values: npt.NDArray[Any]) -> Balls:
    return np.asarray(np.frompyfunc(function, 1, 1)(values), dtype=object)


@dataclass(frozen=True)
class Number:
    """Values (n,) or (n, m), and their slopes (P, n) or (P, n, m) in P numbers."""

    value: Balls
    slope: Balls

    def __add__(self, other: "Number") -> "Number":
        return Number(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: "Number") -> "Number":
        slope = self.slope * other.value + other.slope * self.value
        return Number(self.value * other.value, slope)

    def __matmul__(self, other: "Number") -> "Number":
        """A matrix times a vector."""
        slope = self.slope @ other.value + other.slope @ self.value.T
        return Number(self.value @ other.value, slope)

    def __getitem__(self, at: Any) -> "Number":
        place = at if isinstance(at, tuple) else (at,)
        return Number(self.value[place], self.slope[:, *place])

    def one_minus(self) -> "Number":
        return Number(1 - self.value, -self.slope)

    def activation(self, f: Callable[[arb], arb], slope: Callable[[arb], arb]) -> "Number":
        return Number(each(f, self.value), self.slope * each(slope, self.value))

    def tanh(self) -> "Number":
        return self.activation(lambda a: a.tanh(), lambda a: 1 / a.cosh() ** 2)

    def sigmoid(self) -> "Number":
        return self.activation(
            lambda a: 1 / (1 + (-a).exp()), lambda a: 1 / (a / 2).cosh() ** 2 / 4
        )

    def relu(self) -> "Number":
        return self.activation(
            lambda a: a if a > 0 else arb(0), lambda a: arb(1) if a > 0 else arb(0)
        )


State = tuple[Number, ...]
Weights = tuple[Number, Number, Number, Number]
Cell = Callable[[Weights, Number, State], State]


def gates(count: int, of: Number) -> list[Number]:
    H = len(of.value) // count
    return [of[k * H : (k + 1) * H] for k in range(count)]


def sums(w: Weights, x: Number, h: Number) -> Number:
    W_ih, W_hh, b_ih, b_hh = w
    return W_ih @ x + b_ih + W_hh @ h + b_hh


def lstm(w: Weights, x: Number, state: State) -> State:
    h, c = state
    i, f, g, o = gates(4, sums(w, x, h))
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru(w: Weights, x: Number, state: State, before: bool = False) -> State:
    (h,) = state
    (W_r, W_z, W_n), (U_r, U_z, U_n), (b_r, b_z, b_n), (v_r, v_z, v_n) = (gates(3, p) for p in w)
    r = sums((W_r, U_r, b_r, v_r), x, h).sigmoid()
    z = sums((W_z, U_z, b_z, v_z), x, h).sigmoid()
    inner = U_n @ (r * h) + v_n if before else r * (U_n @ h + v_n)
    return (z.one_minus() * (W_n @ x + b_n + inner).tanh() + z * h,)


EQUATIONS: dict[str, Cell] = {
    "tanh": lambda w, x, state: (sums(w, x, state[0]).tanh(),),
    "relu": lambda w, x, state: (sums(w, x, state[0]).relu(),),
    "lstm": lstm,
    "gru": gru,
    "gru_reset_before": lambda w, x, state: gru(w, x, state, before=True),
}


def slopes(
    cell: Cell, arguments: Mapping[str, Array], d: Mapping[str, Array], lengths: Array
) -> dict[str, Array]:
    """dL/d of each argument: four weights, inputs (T, B, I), h_0 and c_0 (1, B, H).

    L is the sum of the output times d["output"], of h_n times d["h_n"], and likewise c_n.
    """
    with ctx.workprec(128):
        count = sum(a.size for a in arguments.values())
        one, numbers, at = each(arb, np.eye(count)), dict[str, Number](), 0
        for name, a in arguments.items():
            slope = one[:, at : at + a.size].reshape(count, *a.shape)
            numbers[name], at = Number(each(arb, a), slope), at + a.size
        w: Any = tuple(numbers[name] for name in WEIGHTS)
        parts = [name for name in ("h_0", "c_0") if name in arguments]
        total = np.zeros(count, dtype=object)
        for b, length in enumerate(lengths):
            state = tuple(numbers[name][0, b] for name in parts)
            for t in range(length):
                state = cell(w, numbers["inputs"][t, b], state)
                total = total + state[0].slope @ each(arb, d["output"][t, b])
            for name, part in zip(("h_n", "c_n"), state, strict=False):
                total = total + part.slope @ each(arb, d[name][0, b])
        assert all(ball.rad() < 1e-30 for ball in total)
        ends = np.cumsum([a.size for a in arguments.values()])[:-1]
        found = np.split(total.astype(np.float64), ends)
    return {
        name: part.reshape(a.shape)
        for (name, a), part in zip(arguments.items(), found, strict=True)
    }
