"""A toy cell with a part of its state that shows at the end alone, by one line that registers it.

c_t = c_{t-1} / 2 + tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh),    h_t = tanh(c_t)
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pytest
from rnn_conformance import Answer, Call, plan
from rnn_conformance.bounds.balls import Ball, Matrix, Sum, applied, joined, product
from rnn_conformance.cases.case import Case
from rnn_conformance.cells import CELLS, Cell, decimals, register
from rnn_conformance.cells.activations import ULPS, sech2, tanh
from rnn_conformance.cells.cell import Linear, Row
from rnn_conformance.contract.call import (
    GATES,
    HALF_DTYPES,
    NONLINEARITIES,
    PARTS,
    Array,
    Lengths,
    Options,
)
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.vectors.exact import exact

from .miniatures import conforms_to_every_check


@dataclass(frozen=True)
class Summing(Cell):
    """The equation in balls and in decimal digits."""

    name: str = "summing"
    clause: str = "RNN-SUM-1"
    formula: str = ""
    parts: tuple[str, ...] = ("h", "c")
    odd: bool = True

    def read(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        return tanh(x + product(W_hh, h) + b_hh)

    def after(self, read: Ball, state: Ball) -> Ball:
        c = 0.5 * state.split(2)[1].kept() + read
        return joined([applied(c, np.tanh, sech2, ULPS).shown(), c.shown()])

    def exact(self, x: Row, of_state: Linear, before: Row) -> Row:
        rows = zip(x, of_state(before[: len(x)]), before[len(x) :], strict=True)
        c = [last / Decimal(2) + decimals.tanh(a + b) for a, b, last in rows]
        return [*map(decimals.tanh, c), *c]

    def reason(self, roundings: int) -> str:
        return f"gamma_{roundings}(u) through two tanh"


class Right(Recurrence):
    """The same in NumPy: both parts of a state side by side."""

    name = "Summing"
    claims = Recurrence.claims - {*NONLINEARITIES, *HALF_DTYPES, "float64"} | {"summing"}

    def step(self, call: Call, w: Mapping[str, Array], x: Array, h: Array) -> Array:
        shown, hidden = np.split(h, 2, axis=-1)
        c = hidden / 2 + np.tanh(self.preactivation(w, x, shown))
        return np.concatenate([np.tanh(c), c], axis=-1)


class PartsExchanged(Right):
    def initial(self, call: Call, x: Array) -> Array:
        return np.concatenate(np.split(super().initial(call, x), 2, axis=-1)[::-1], axis=-1)


class HiddenPartIgnored(Right):
    def initial(self, call: Call, x: Array) -> Array:
        h, c = np.split(super().initial(call, x), 2, axis=-1)
        return np.concatenate([h, 0 * c], axis=-1)


class HiddenPartOfThePadding(Right):
    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        H = states.shape[-1] // 2
        return np.concatenate([super().last(states, h_0, steps, d)[:, :H], states[-1, :, H:]], 1)


class HiddenPartsFromTheTop(Right):
    def stacked(self, h_n: list[Array], o: Options) -> Array:
        H = o.hidden_size
        pairs = zip(h_n, reversed(h_n), strict=True)
        return np.stack([np.concatenate([h[:, :H], c[:, H:]], axis=1) for h, c in pairs])


class HiddenPartNotGiven(Right):
    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        return replace(super().answer(call, output, h_n), c_n=None)


class HiddenPartSquashed(Right):
    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        found = super().answer(call, output, h_n)
        return replace(found, c_n=found.h_n)


class HiddenPartAThousandthOff(Right):
    def step(self, call: Call, w: Mapping[str, Array], x: Array, h: Array) -> Array:
        h = h.copy()
        h[:, h.shape[1] // 2 :] *= h.dtype.type(1.001)
        return super().step(call, w, x, h)


class AnyHiddenPart(Right):
    def run(self, call: Call) -> Answer:
        fits = call.h_0 is None or (call.c_0 is not None and call.c_0.shape == call.h_0.shape)
        return super().run(call if fits else replace(call, c_0=call.h_0))


WRONG = {
    PartsExchanged: "output",
    HiddenPartIgnored: "output",
    HiddenPartOfThePadding: "final_state",
    HiddenPartsFromTheTop: "final_state",
    HiddenPartNotGiven: "final_state",
    HiddenPartSquashed: "final_state",
    HiddenPartAThousandthOff: "output",
    AnyHiddenPart: "wrong_states_refused",
}


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    register(Summing())
    yield
    for known in (CELLS, GATES, PARTS):
        del known["summing"]


def test_a_right_one_conforms_and_is_asked_every_check() -> None:
    conforms_to_every_check(Right())


@pytest.mark.parametrize(("wrong", "by"), WRONG.items())
def test_a_wrong_one_is_rejected(wrong: Callable[[], Right], by: str) -> None:
    assert any(item.execute().outcome == "failed" for item in plan(wrong(), checks=[by]))


def test_decimal_digits_give_the_same() -> None:
    case = Case(L=2, bidirectional=True, lengths="unsorted", cell="summing", dtype="float64")
    right, found = exact(case.data()), Right().run(case.call())
    assert found.h_n is not None
    assert found.c_n is not None
    np.testing.assert_allclose(found.output, right.output, rtol=1e-12)
    np.testing.assert_allclose(np.concatenate([found.h_n, found.c_n], -1), right.h_n, rtol=1e-12)
