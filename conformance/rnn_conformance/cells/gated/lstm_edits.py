"""What ports of an LSTM do otherwise in a step, beside its sums."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from rnn_conformance.bounds.balls import Ball, Float64
from rnn_conformance.cells.activations import complement as rest
from rnn_conformance.cells.edits import Edit, Steps, Term, product
from rnn_conformance.cells.elman.edits import CLIPS, STATES_AFTER
from rnn_conformance.cells.elman.slips import Function
from rnn_conformance.cells.elman.terms import moved
from rnn_conformance.cells.gated.balls import monotone
from rnn_conformance.cells.gated.edits import (
    MOVES,
    activations,
    finally_,
    h_after,
    of_each_gate,
    of_every_gate,
    of_other_gates,
)
from rnn_conformance.contract.dtypes import bfloat16

FORMATS: Mapping[str, Callable[[Float64], Any]] = {
    "float32": lambda c: c.astype(np.float32),
    "float16": lambda c: c.astype(np.float16),
    "bfloat16": lambda c: bfloat16(c.astype(np.float32)),
}
OfBall = Callable[[Ball], Ball]


class LstmParts(NamedTuple):
    """The gates, c_{t-1} and h_{t-1} of the unit."""

    i: Ball
    f: Ball
    g: Ball
    o: Ball
    c: Ball
    h: Ball


def _of_c(change: Function) -> Callable[[LstmParts], Ball]:
    return lambda p: monotone(change, p.f * p.c + p.i * p.g)


def _cells() -> Iterator[Edit]:
    says: Mapping[str, Callable[[LstmParts], Ball]] = {
        "f c_{t-1} is missing": lambda p: p.i * p.g,
        "i g is missing": lambda p: p.f * p.c,
        "i is 1 - f": lambda p: p.f * p.c + rest(p.f) * p.g,
        "f is 1 - i": lambda p: rest(p.i) * p.c + p.i * p.g,
        "f multiplies h_{t-1}, not c_{t-1}": lambda p: p.f * p.h + p.i * p.g,
        "i + g stands for i g": lambda p: p.f * p.c + p.i + p.g,
        "i g is subtracted": lambda p: p.f * p.c + -(p.i * p.g),
        "f multiplies i g too": lambda p: p.f * (p.c + p.i * p.g),
        "c goes through tanh": _of_c(np.tanh),
        **{
            f"c is clipped to ±{c:g}": _of_c(partial(np.clip, a_min=-c, a_max=c)) for c in CLIPS
        },
        **{f"c is rounded to {name}": _of_c(to) for name, to in FORMATS.items()},
    }  # fmt: skip
    for what, new in says.items():
        yield Edit(what, {"c": new})
    for where, move in MOVES.items():
        yield Edit(f"c_{{t-1}} is taken {where}", {"c_from": move})
        both = {"c_from": move, "h": partial(moved, "h", move)}
        yield Edit(f"h_{{t-1}} and c_{{t-1}} are taken {where}", both)
    for letters in ("i", "f", "if"):
        whose = " and of ".join(letters)
        for times, part in ((1, ""), (0.5, "half of "), (0.1, "a tenth of ")):
            peeping = {f"peep.{k}": times for k in letters}
            yield Edit(f"{part}c_{{t-1}} is added to the sum of {whose}", peeping)
    outs: Mapping[str, Callable[[LstmParts, Ball, OfBall], Ball]] = {
        "h_t is o tanh(c_{t-1})": lambda p, _, shown: p.o * shown(p.c),
        "h_t is tanh(o c_t)": lambda p, new, shown: shown(p.o * new),
    }
    for what, out in outs.items():
        yield Edit(what, {"out": out})


def _starts() -> Iterator[Edit]:
    firsts: Mapping[str, Callable[[Steps], Float64]] = {
        "c_0 is taken as 0": lambda s: np.zeros(len(s.u)),
        "c starts at 1": lambda s: np.ones(len(s.u)),
        "h_0 is used for c_0": lambda s: s.states[0, s.b, s.u],
        "c_0 is taken from row 0 in every row": lambda s: s.hidden[0, s.u],
        "c_0 is taken from the row before": lambda s: s.hidden[s.b - 1, s.u],
        "c_0 is taken from the next row": lambda s: s.hidden[(s.b + 1) % len(s.hidden), s.u],
    }
    for what, first in firsts.items():
        yield Edit(what, {"c_0": first})
    yield Edit("c_0 is used for h_0", {"h": _c_for_h})
    both = {"h": _c_for_h, "c_0": firsts["h_0 is used for c_0"]}
    yield Edit("h_0 and c_0 are exchanged", both)
    zeros = {"h": _no_h_0, "c_0": firsts["c_0 is taken as 0"]}
    yield Edit("h_0 is taken as 0", {"h": _no_h_0})
    yield Edit("h_0 and c_0 are taken as 0", zeros)
    for name in STATES_AFTER:
        does = {"h": partial(h_after, name), "c_0": partial(_c_after, name)}
        yield Edit(f"{name} goes in for h_0 and c_0", does)


def _c_for_h(s: Steps) -> Term:
    rows = np.where((s.t == 0)[:, np.newaxis], s.hidden[s.b], s.before)
    return product(rows, s.weights.W_hh, s.u)


def _no_h_0(s: Steps) -> Term:
    return product(np.where((s.t == 0)[:, np.newaxis], 0, s.before), s.weights.W_hh, s.u)


def _c_after(name: str, s: Steps) -> Float64 | None:
    state = s.other_states.get(f"the rest of {name}")
    return None if state is None else state[s.b, s.u]


LIBRARY: Sequence[Edit] = (
    *_cells(), *_starts(),
    *of_every_gate(), *of_each_gate("ifgo"), *of_other_gates("ifgo"), *activations("ifo", "gc"),
    *finally_("h_t"),
)  # fmt: skip
