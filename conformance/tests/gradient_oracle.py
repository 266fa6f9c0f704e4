"""Exact gradients in ball arithmetic: the chain rule over every product and sum of a forward pass.

The forward pass is written from contract/specification.md alone, row by row and number by number.
Each number keeps what it was computed from and how it changes with it; nothing is known here of a
step backwards. Precision is that of `flint.ctx`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb

Array = npt.NDArray[Any]
ONE = arb(1)


@dataclass(eq=False)
class Number:
    """A number, what it came from with dvalue/d of each, and dL/dvalue once it is known."""

    value: Any
    came_from: Sequence[tuple["Number", Any]] = ()
    slope: Any = field(default_factory=lambda: arb(0))


Numbers = list[Number]


class Tape:
    """Every number in the order in which it was computed."""

    def __init__(self) -> None:
        self.numbers: Numbers = []

    def number(self, value: Any, came_from: Sequence[tuple[Number, Any]] = ()) -> Number:
        self.numbers.append(Number(value, came_from))
        return self.numbers[-1]

    def given(self, values: Array) -> Array:
        """One number for each of the array."""
        found = np.empty(values.shape, object)
        for place, value in np.ndenumerate(values):
            found[place] = self.number(arb(float(value)))
        return found

    def sum(self, *terms: Number) -> Number:
        return self.number(sum((n.value for n in terms), arb(0)), [(n, ONE) for n in terms])

    def products(self, row: Sequence[Number], x: Sequence[Number]) -> Number:
        """The sum of the products of two rows."""
        each = list(zip(row, x, strict=True))
        parts = [pair for w, v in each for pair in ((w, v.value), (v, w.value))]
        return self.number(sum((w.value * v.value for w, v in each), arb(0)), parts)

    def tanh(self, a: Number) -> Number:
        t = a.value.tanh()
        return self.number(t, [(a, 1 - t * t)])

    def relu(self, a: Number) -> Number:
        above = a.value > 0
        return self.number(a.value if above else arb(0), [(a, arb(above))])

    def sigmoid(self, a: Number) -> Number:
        s = 1 / (1 + (-a.value).exp())
        return self.number(s, [(a, s * (1 - s))])

    def less(self, a: Number, b: Number) -> Number:
        return self.number(a.value - b.value, [(a, ONE), (b, -ONE)])

    def back(self) -> None:
        """dL/d of every number, from those whose slope is set."""
        for number in reversed(self.numbers):
            for source, change in number.came_from:
                source.slope += number.slope * change


def step(
    tape: Tape, cell: str, w: Sequence[Array], x: Sequence[Number], state: Numbers
) -> tuple[Numbers, Numbers]:
    """The state after a step, and W_ih x_t + b_ih, of one row."""
    W_ih, W_hh, b_ih, b_hh = w
    h = state[: W_hh.shape[1]]
    H = len(h)
    of_x = [tape.sum(tape.products(row, x), b) for row, b in zip(W_ih.tolist(), b_ih, strict=True)]

    def of_state(k: int, u: int, h: Numbers = h) -> Number:
        return tape.sum(tape.products(W_hh[k * H + u].tolist(), h), b_hh[k * H + u])

    def each(f: Callable[[Number], Number], k: int) -> Numbers:
        return [f(tape.sum(of_x[k * H + u], of_state(k, u))) for u in range(H)]

    def times(a: Number, b: Number) -> Number:
        return tape.products([a], [b])

    if cell in ("tanh", "relu"):
        return each(tape.tanh if cell == "tanh" else tape.relu, 0), of_x
    if cell == "lstm":
        i, f, o = (each(tape.sigmoid, k) for k in (0, 1, 3))
        g = each(tape.tanh, 2)
        c = [
            tape.sum(times(f[u], state[H + u]), times(i[u], g[u]))  # as LSTM-CELL-1 says
            for u in range(H)
        ]
        return [*(times(o[u], tape.tanh(c[u])) for u in range(H)), *c], of_x
    r, z = each(tape.sigmoid, 0), each(tape.sigmoid, 1)
    if cell == "gru":
        inner = [times(r[u], of_state(2, u)) for u in range(H)]
    else:
        reset = [times(r[u], h[u]) for u in range(H)]
        inner = [of_state(2, u, reset) for u in range(H)]
    n = [tape.tanh(tape.sum(of_x[2 * H + u], inner[u])) for u in range(H)]
    one = tape.number(ONE)
    return [tape.sum(times(tape.less(one, z[u]), n[u]), times(z[u], h[u])) for u in range(H)], of_x


@dataclass(frozen=True)
class Exact:
    """The results and the gradients of a call, rounded to float64.

    Attributes:
        output, h_n: (T, B, D·H) and (L·D, B, S·H), 0 in the padding.
        gradients: "inputs" (T, B, I), "h_0" (L·D, B, S·H), each weight by name.
        adjoints: dL/d of W_ih x_t + b_ih of the first layer, (T, B, D·G·H).
    """

    output: Array
    h_n: Array
    gradients: Mapping[str, Array]
    adjoints: Array


def exact(
    cell: str,
    layers: int,
    directions: Sequence[int],
    weights: Mapping[str, Array],
    inputs: Array,
    h_0: Array,
    steps: Sequence[int],
    upstream: tuple[Array, Array],
) -> Exact:
    """Of a loss that changes with output and h_n as `upstream` says.

    Args:
        directions: of each 0, or 1 where it reads from a row's last step on.
        h_0: (L·D, B, S·H).
        steps: of each row.
    """
    tape, D = Tape(), len(directions)
    named = {name: tape.given(value) for name, value in weights.items()}
    x_all, h_all = tape.given(inputs), tape.given(h_0)
    T, B, _ = inputs.shape
    width = upstream[0].shape[2]
    output, h_n = np.zeros((T, B, width)), np.zeros(h_0.shape)
    first: dict[tuple[int, int], Numbers] = {}
    for b, length in enumerate(steps):
        x: list[Numbers] = [x_all[t, b].tolist() for t in range(length)]
        for layer in range(layers):
            halves: list[list[Numbers]] = []
            for d, way in enumerate(directions):
                end = f"l{layer}_reverse" if d else f"l{layer}"
                W_ih, W_hh = named[f"weight_ih_{end}"], named[f"weight_hh_{end}"]
                zeros = tape.given(np.zeros(len(W_ih)))
                biases = [named.get(f"bias_{k}_{end}", zeros) for k in ("ih", "hh")]
                state, place = h_all[layer * D + d, b].tolist(), layer * D + d
                found: list[Numbers] = [[]] * length
                for t in range(length)[:: -1 if way else 1]:
                    state, of_x = step(tape, cell, (W_ih, W_hh, *biases), x[t], state)
                    found[t] = state[: W_hh.shape[1]]
                    if layer == 0:
                        first[t, b] = [*first.get((t, b), []), *of_x]
                halves.append(found)
                for number, change in zip(state, upstream[1][place, b], strict=True):
                    number.slope += arb(float(change))
                h_n[place, b] = [float(number.value) for number in state]
            x = [[one for half in halves for one in half[t]] for t in range(length)]
        for t in range(length):
            for number, change in zip(x[t], upstream[0][t, b], strict=True):
                number.slope += arb(float(change))
            output[t, b] = [float(number.value) for number in x[t]]
    tape.back()
    slopes = np.frompyfunc(lambda number: float(number.slope), 1, 1)
    parts = {"inputs": x_all, "h_0": h_all, **named}
    gradients = {name: np.asarray(slopes(part), np.float64) for name, part in parts.items()}
    adjoints = np.zeros((T, B, len(first[0, 0])))
    for step_and_row, numbers in first.items():
        adjoints[step_and_row] = [float(number.slope) for number in numbers]
    return Exact(output, h_n, gradients, adjoints)
