"""What ports of a GRU do otherwise in a step, beside its sums."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64, Sum
from rnn_conformance.cells.activations import complement as rest
from rnn_conformance.cells.activations import times as reset
from rnn_conformance.cells.edits import Edit, Steps, Term, product
from rnn_conformance.cells.elman.edits import STATES_AFTER
from rnn_conformance.cells.elman.slips import Function
from rnn_conformance.cells.elman.terms import moved
from rnn_conformance.cells.gated.balls import between
from rnn_conformance.cells.gated.edits import (
    MOVES,
    activations,
    finally_,
    h_after,
    of_each_gate,
    of_every_gate,
    of_other_gates,
)
from rnn_conformance.cells.moves import Move, at


class GruParts(NamedTuple):
    """The terms of n, and r."""

    x: Sum
    b_ih: Sum
    h: Sum
    b_hh: Sum
    r: Ball


def _kept(says: str, h: Any, before: Callable[[Steps], Float64]) -> Iterator[Edit]:
    """A state that goes in for h_{t-1}, everywhere or for z alone."""
    yield Edit(f"h_{{t-1}} {says}", {"h": h, "before": before})
    yield Edit(f"the h_{{t-1}} of z h_{{t-1}} {says}", {"before": before})


def _states_of_gru() -> Iterator[Edit]:
    for where, move in MOVES.items():
        h, before = partial(moved, "h", move), partial(_moved_before, move)
        yield from _kept(f"is taken {where}", h, before)
    for says, change in (
        ("is replaced by zeros", np.zeros_like), ("is replaced by ones", np.ones_like),
    ):  # fmt: skip
        yield from _kept(says, partial(_changed, change), partial(_changed_before, change))
    for name in STATES_AFTER:
        does = {"h": partial(h_after, name), "before": partial(_before_after, name)}
        yield Edit(f"{name} goes in for h_0", does)


def _moved_before(move: Move, s: Steps) -> Float64:
    t, b = move(at(s.t, len(s.states), s.b, s.lengths, 1, back=s.back))
    found: Float64 = s.states[t, b, s.u]
    return found


def _changed(change: Function, s: Steps) -> Term:
    return product(change(s.before), s.weights.W_hh, s.u)


def _changed_before(change: Function, s: Steps) -> Float64:
    return change(s.states[s.t, s.b, s.u])


def _before_after(name: str, s: Steps) -> Float64:
    own, state = s.states[s.t, s.b, s.u], s.other_states.get(name)
    return own if state is None else np.where(s.t == 0, state[s.b, s.u], own)


def _sums_of_n() -> Iterator[Edit]:
    says: Mapping[str, tuple[bool, Callable[[GruParts], Sum]]] = {
        "r multiplies h_{t-1} after the product with W_hh": (False, RESETS["gru"][1]),
        "r multiplies h_{t-1} before the product with W_hh": (True, RESETS["gru_reset_before"][1]),
        "b_hh of n is added outside the product with r": (
            False, lambda p: p.x + p.b_ih + reset(p.h, p.r) + p.b_hh,
        ),
        "r multiplies the whole sum of n": (
            False, lambda p: reset(p.x + p.b_ih + p.h + p.b_hh, p.r),
        ),
        "r multiplies W_ih x_t of n, not W_hh h_{t-1}": (
            False, lambda p: reset(p.x + p.b_ih, p.r) + p.h + p.b_hh,
        ),
        "r multiplies b_ih of n too": (
            False, lambda p: p.x + reset(p.b_ih + p.h + p.b_hh, p.r),
        ),
    }  # fmt: skip
    for what, does in says.items():
        yield Edit(what, {"n": does})


RESETS: Mapping[str, tuple[bool, Callable[[GruParts], Sum]]] = {  # whether h is reset before
    "gru": (False, lambda p: p.x + p.b_ih + reset(p.h + p.b_hh, p.r)),
    "gru_reset_before": (True, lambda p: p.x + p.b_ih + p.h + p.b_hh),
}


def updated(z: Ball, n: Ball, h: Ball, _: Ball) -> Ball:
    """(1 - z) n + z h."""
    return between(z, n, h)


def _updates() -> Iterator[Edit]:
    says: Mapping[str, Callable[[Ball, Ball, Ball, Ball], Ball]] = {
        "z and 1 - z are exchanged": lambda z, n, h, _: between(rest(z), n, h),
        "h_t is z n + z h_{t-1}": lambda z, n, h, _: z * n + z * h,
        "h_t is (1 - z) n + (1 - z) h_{t-1}": lambda z, n, h, _: rest(z) * n + rest(z) * h,
        "h_t is n + z h_{t-1}": lambda z, n, h, _: n + z * h,
        "h_t is (1 - z) n + h_{t-1}": lambda z, n, h, _: rest(z) * n + h,
        "h_t is z n": lambda z, n, *_: z * n,
        "h_t is (1 - z) n - z h_{t-1}": lambda z, n, h, _: rest(z) * n + -(z * h),
        "z multiplies r h_{t-1}": lambda z, n, h, r: between(z, n, r * h),
    }
    for what, new in says.items():
        yield Edit(what, {"out": new})


LIBRARY: Sequence[Edit] = (
    *_sums_of_n(), *_updates(),
    *of_every_gate("h_{t-1} of the products"), *of_each_gate("rzn"), *of_other_gates("rzn"),
    *activations("rz", "n"),
    *_states_of_gru(), *finally_("h_t"),
)  # fmt: skip
