"""A long recurrence in chunks of time that run as one batch: the states, not yet certified.

At a small batch a step's time goes into dispatch and into reading W_hh, not into arithmetic. So the
T steps are cut into C chunks of n, and all run at once, each from a guess of its first state
(zeros). Then each runs again from where the one before it ended, until it meets the states that are
there already: from then on these hold. A recurrence that contracts forgets its start, so T steps
become n and a few. A chaotic one never does.

Two trajectories need not become equal bit by bit: roundings can keep them a unit in the last place
apart for ever. Where a chunk has come to h, and the states there go on from h', its next sum is off
by |W_hh||h - h'|. Of what the certificate grants to that sum, gamma_m(u) times |W_hh||h| and other
terms that are not negative, the seam may use one half (a right order of summation has been seen to
use no more than 0.38):

    |W_hh||h - h'|  <=  1/2 gamma_m(u) |W_hh||h|,          m = I + H + 3.

That decides when to stop, and proves nothing: the certificate does, of every state and seam.
Likewise the sizes below are a guess at what pays, and a wrong one costs time alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rnn_reference.recurrence import recurrence, side_by_side

from rnn_conformance.certificate import Precision, gamma
from rnn_conformance.protocol import Array

BLOCK = 16  # steps between two looks at the seams
PILOT = 8  # steps after which a first look says whether to go on
FEWEST_STEPS = 2 * BLOCK  # of a chunk: many short ones are more to look at than to compute
WANTED_BYTES = 16 * 1024  # of the states of a step
WANTED_ROWS = 16  # even if they make more bytes: with fewer, W_hh is read for next to nothing
BYTES_OF_DISPATCH = 3 * 1024  # a step on this many bytes of states takes twice the shortest
TWINS = 4  # of chunks spread over time
SHORTEST = 512  # steps; with fewer, cutting them up is no small part of the loop's time
DEAREST_PILOT = 0.1  # the share of the loop's time that it may cost to see that nothing settles
PROMISED = 0.6  # the share that the whole is to cost by a first look, which may be off
DEAREST = 0.75  # the share at which it is given up


@dataclass(frozen=True)
class Cell:
    """h_t = f(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh), and when two states are as good as equal.

    Attributes:
        W: [W_hh  W_xh  b_xh  b_hh], as the loop wants it.
        nonlinearity: "tanh" or "relu".
        weighing: |W_hh| transposed.
        allowed: 1/2 gamma_m(u) of the module's docstring.
    """

    W: Array
    nonlinearity: str
    weighing: Array
    allowed: float

    @classmethod
    def of(cls, weights: Mapping[str, Array], nonlinearity: str) -> "Cell":
        """From W_xh (H, I), W_hh (H, H), b_xh (H, 1), b_hh (H, 1)."""
        W_xh, W_hh = weights["W_xh"], weights["W_hh"]
        W = side_by_side(W_hh, W_xh, weights["b_xh"], weights["b_hh"])
        allowed = gamma(sum(W_xh.shape) + 3, Precision.of(W_xh.dtype).u) / 2
        return cls(W, nonlinearity, np.abs(W_hh).T, allowed)

    def loop(self, inputs: Array, h_0: Array) -> Array:
        """(T + 1, B, H), h_0 (B, H) in front, for inputs (T, B, I)."""
        states, _ = recurrence(inputs, h_0, self.W, self.nonlinearity)
        return states

    def run(self, inputs: Array, starts: Array) -> Array:
        """(n + 1, C, B, H), the starts (C, B, H) in front, for inputs (n, C, B, I) of chunks."""
        n, C, B, I = inputs.shape
        states = self.loop(inputs.reshape(n, C * B, I), starts.reshape(C * B, -1))
        return states.reshape(n + 1, C, B, -1)

    def closed(self, h: Array, there: Array) -> npt.NDArray[np.bool_]:
        """(C,), whether chunks that have come to h (C, B, H) may go on with what follows there."""
        off = np.abs(h - there) @ self.weighing
        closed: npt.NDArray[np.bool_] = np.all(
            off <= self.allowed * (np.abs(h) @ self.weighing), axis=(1, 2)
        )
        return closed

    def steps_left(self, before: float, now: float, steps: int) -> float:
        """Until a gap is closed that went from `before` to `now` in so many steps; inf for never.

        Gaps are shares of the largest state, and shrink by the same factor at each step, as they do
        in the long run.
        """
        if now <= self.allowed:
            return 0.0
        if not now < before < math.inf:
            return math.inf
        return steps * math.log(self.allowed / now) / math.log(now / before)


@dataclass(frozen=True)
class Cut:
    """`chunks` of `steps` each; a step of all of them costs as much as `cost` of the loop's."""

    chunks: int
    steps: int
    cost: float


@dataclass(frozen=True)
class Uncertified:
    """All states (T, B, H), not yet certified, and how they were come by: see `ChunkedRun`."""

    states: Array
    chunks: int
    extra_steps: int
    fell_back: bool


def all_states(cell: Cell, inputs: Array, h_0: Array) -> Uncertified:
    """All states for inputs (T, B, I) from h_0 (B, H): from chunks, and the rest from the loop."""
    T, B, _ = inputs.shape
    cut = cut_time(T, B, h_0.shape[1], inputs.dtype)
    if cut.chunks == 1:
        return Uncertified(cell.loop(inputs, h_0)[1:], 1, 0, False)
    states, extra = _from_chunks(cell, inputs, h_0, cut)
    known = len(states)
    if known < T:
        states = np.concatenate([states, cell.loop(inputs[known:], states[-1])[1:]])
    return Uncertified(states, cut.chunks, extra, known < T)


def cut_time(T: int, B: int, H: int, dtype: npt.DTypeLike) -> Cut:
    """As many chunks as make 16 KiB of states a step, or 16 rows; none shorter than 32 steps.

    One, which is the loop, where T is short or the chunks would cost too much of the loop's time:
    a step of more rows counts as longer in proportion to 3 KiB and the bytes of its states.
    """
    row = H * np.dtype(dtype).itemsize
    chunks = min(max(WANTED_BYTES // row, WANTED_ROWS) // B, T // FEWEST_STEPS)
    if chunks > 1 and T >= SHORTEST:
        steps = -(-T // chunks)
        chunks = -(-T // steps)
        cost = (BYTES_OF_DISPATCH + chunks * B * row) / (BYTES_OF_DISPATCH + B * row)
        if PILOT * (cost - 1) <= DEAREST_PILOT * T and (steps + BLOCK) * cost <= PROMISED * T:
            return Cut(chunks, steps, cost)
    return Cut(1, T, 1.0)


def _from_chunks(cell: Cell, inputs: Array, h_0: Array, cut: Cut) -> tuple[Array, int]:
    """Run the chunks until all agree or that will not pay: the right states, and extra steps.

    The states are (t, B, H) from the first on: t = T with all seams closed, or else fewer.
    """
    T, B, I = inputs.shape
    n, C = cut.steps, cut.chunks

    # Step by step, so that a step of all chunks is one block; the last chunk is filled with zeros.
    filled = np.zeros((C * n, B, I), inputs.dtype)
    filled[:T] = inputs
    chunks = np.ascontiguousarray(filled.reshape(C, n, B, I).swapaxes(0, 1))
    states = np.empty((n + 1, C, B, h_0.shape[1]), inputs.dtype)

    def whole(right: int, steps: int = n) -> Array:
        """The states of the first chunks, those of a chunk up to a step, one after another."""
        in_order = states[1 : steps + 1, :right].swapaxes(0, 1)
        return in_order.reshape(-1, B, in_order.shape[-1])[:T]

    states[: PILOT + 1], expected = _begin(cell, chunks, h_0)
    if n + expected > PROMISED * T / cut.cost:
        return whole(1, PILOT), 0
    states[PILOT:] = cell.run(chunks[PILOT:], states[PILOT])

    extra, budget = 0, DEAREST * T / cut.cost - n
    for right in range(1, C + 1):  # each turn closes the seam behind one more chunk, at the least
        seams = np.flatnonzero(~cell.closed(states[n, :-1], states[0, 1:])) + 1
        if not seams.size:
            break
        states[0, seams] = states[n, seams - 1]
        for t in range(0, n - BLOCK + 1, BLOCK):
            end = t + BLOCK if t + 2 * BLOCK <= n else n
            again, there = cell.run(chunks[t:end, seams], states[t, seams]), states[end, seams]
            states[t + 1 : end + 1, seams] = again[1:]
            extra += end - t
            apart = ~cell.closed(again[-1], there)
            if not apart.any():
                break
            gap = _gap(again[-1, apart], there[apart])
            if extra + cell.steps_left(1.0, gap, extra) > budget:  # from a guess of zeros
                return whole(right), extra
            seams = seams[apart]
    return whole(C), extra


def _begin(cell: Cell, chunks: Array, h_0: Array) -> tuple[Array, float]:
    """The first states of all chunks, starts in front, and how many steps forgetting takes.

    That is seen from twins of a few chunks, which start at distance 1 from them in every unit.
    """
    C = chunks.shape[1]
    twins = slice(None, None, -(-C // TWINS))
    starts = np.zeros((C, *h_0.shape), h_0.dtype)
    starts[0] = h_0
    far = starts[twins] - np.copysign(1, starts[twins])
    inputs = np.concatenate([chunks[:PILOT], chunks[:PILOT, twins]], axis=1)
    states = cell.run(inputs, np.concatenate([starts, far]))
    halfway, now = (_gap(states[t, C:], states[t, :C][twins]) for t in (PILOT // 2, PILOT))
    return states[:, :C], PILOT + cell.steps_left(halfway, now, PILOT // 2)


def _gap(h: Array, there: Array) -> float:
    """The median over chunks of the largest difference, as a share of the largest state."""
    chunks = len(h)
    apart = np.abs(h - there).reshape(chunks, -1).max(axis=1)
    largest = np.abs(h).reshape(chunks, -1).max(axis=1)
    gaps = np.sort(apart / np.maximum(largest, np.finfo(h.dtype).tiny))  # NaN last
    return float(gaps[chunks // 2])
