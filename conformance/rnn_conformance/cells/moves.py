"""Where a number is taken from by mistake: another step, another row."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rnn_conformance.cells.edits import BLOCKS, Indices, Mask

FEW = 5  # numbers that agree on a place
MANY = 0.5  # of all places, from which on nothing is said by them


@dataclass(frozen=True)
class At:
    """Where numbers stand; each field is (N,), or one for all.

    Attributes:
        t, T: position in time and the number of positions; of states, 0 is the initial one.
        ends: the number of positions of the row, without padding.
        every_end: the same of each row of the call, (B,).
        b, B: row and the number of rows.
        order, rank, twice: the row that stands at b when rows are sorted by length, where b
            stands, and the row that stands there when they are sorted so twice.
        back: whether positions are counted from the last step to the first.
    """

    t: Any
    T: Any
    ends: Any
    every_end: Any
    b: Any
    B: Any
    order: Any
    rank: Any
    twice: Any
    back: Any


Move = Callable[[At], tuple[Any, Any]]  # to a position and a row


def at(
    t: Indices, T: int, b: Indices, lengths: Indices, first: int = 0, *, back: bool = False
) -> At:
    """Of numbers of one call, by the lengths (B,) of its rows; `first`: 1 for an initial state."""
    order = np.argsort(-lengths, kind="stable")
    ends = lengths[b] + first
    places = order[b], np.argsort(order)[b], order[order][b]
    return At(t, T, ends, lengths + first, b, len(lengths), *places, back)


def _early(n: int, a: At) -> tuple[Any, Any]:
    return np.clip(a.t - n, 0, a.T - 1), a.b


def _at_step(t: int, a: At) -> tuple[Any, Any]:
    return np.minimum(0 * a.t + t, a.T - 1), a.b


def _before(n: int, a: At) -> tuple[Any, Any]:
    return a.t, (a.b - n) % a.B


def _in_row(b: int, a: At) -> tuple[Any, Any]:
    return a.t, np.minimum(0 * a.b + b, a.B - 1)


USUAL: dict[str, Move] = {  # the commonest, in words that follow "is taken"
    "1 step too early": partial(_early, 1),
    "1 step too late": partial(_early, -1),
    "from the start of the sequence": partial(_at_step, 0),
    "from the other end": lambda a: (np.where(a.t < a.ends, a.ends - 1 - a.t, a.t), a.b),
    "from the row before": partial(_before, 1),
    "from the next row": partial(_before, -1),
    "from row 0 in every row": partial(_in_row, 0),
}


def _read_as(rows_first: bool, a: At) -> tuple[Any, Any]:
    """An array of (B, T) is read as (T, B), or the other way round: in the order of time."""
    t = np.where(a.back & (a.t < a.ends), a.ends - 1 - a.t, a.t)
    if rows_first:
        b, found = divmod(t * a.B + a.b, a.T)
    else:
        found, b = divmod(a.b * a.T + t, a.B)
    ends = a.every_end[b] if a.back else a.T
    return np.where(a.back & (found < ends), ends - 1 - found, found), b


BLOCKED: dict[str, Callable[[int, At], tuple[Any, Any]]] = {  # of blocks of so many
    "from the start of its block of {} steps": lambda k, a: (a.t // k * k, a.b),
    "from the end of the block of {} steps before": lambda k, a: (
        np.maximum(a.t - 1, 0) // k * k,
        a.b,
    ),
    "at t modulo {}": lambda k, a: (a.t % k, a.b),
    "from the first of each {} rows": lambda k, a: (a.t, a.b // k * k),
    "from row b modulo {}": lambda k, a: (a.t, a.b % k),
}
OTHERS: dict[str, Move] = {
    "from the other end of the padding": lambda a: (a.T - 1 - a.t, a.b),
    "from the last step": lambda a: (0 * a.t + a.T - 1, a.b),
    "with its rows in reverse order": lambda a: (a.t, a.B - 1 - a.b),
    "with its rows exchanged in pairs": lambda a: (a.t, np.minimum(a.b ^ 1, a.B - 1)),
    "with its first and its last row exchanged": lambda a: (
        a.t,
        np.select([a.b == 0, a.b == a.B - 1], [a.B - 1, 0 * a.b], a.b),
    ),
    "with its rows sorted by length": lambda a: (a.t, a.order),
    "with its rows put back from an order by length": lambda a: (a.t, a.rank),
    "with its rows sorted by length and sorted again": lambda a: (a.t, a.twice),
    "as (T, B), which is (B, T)": partial(_read_as, True),
    "as (B, T), which is (T, B)": partial(_read_as, False),
    **{says.format(k): partial(move, k) for says, move in BLOCKED.items() for k in BLOCKS},
}


def _from(here: At, t: int, b: int) -> Iterator[tuple[str, Move]]:
    """The moves along time, or along the rows, that lead from here to this place."""
    if b == here.b:
        n = int(here.t) - t
        yield f"{abs(n)} steps too {'early' if n > 0 else 'late'}", partial(_early, n)
        yield from_position(t)
    elif t == here.t:
        n = int(here.b) - b
        yield f"from {abs(n)} rows {'before' if n > 0 else 'after'}", partial(_before, n)
        yield f"from row {b}", partial(_in_row, b)


def from_position(t: int) -> tuple[str, Move]:
    """Always from one position."""
    return f"from position {t}", partial(_at_step, t)


def voted(matches: Iterable[tuple[At, Mask]]) -> Iterator[tuple[str, Move]]:
    """The other moves that lead most wrong numbers to where they can come from.

    Args:
        matches: of each number where it stands, and from which positions and rows (T, B) it can
            come.
    """
    hits, known = Counter[str](), dict(OTHERS)
    for here, possible in matches:
        if possible.mean() > MANY:
            continue
        found = {says for says, move in OTHERS.items() if possible[move(here)]}
        near_by = np.zeros_like(possible)
        near_by[:, here.b] = near_by[here.t] = True
        for t, b in np.argwhere(possible & near_by):
            near = dict(_from(here, int(t), int(b)))
            known |= near
            found |= near.keys()
        hits.update(found)
    for where, count in hits.most_common(3):
        if count >= FEW:
            yield where, known[where]
