"""The weights that an implementation acts as if it had, solved for from its own steps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from rnn_conformance.bounds.balls import Float64
from rnn_conformance.cells import changes
from rnn_conformance.cells.edits import Edit, Mask, Steps
from rnn_conformance.cells.elman.terms import MATRICES, with_matrix

CALLS, INNER, CLOSE = 6, 0.999, 1e-5  # calls that are solved; states and entries that count
MOST, USUAL = 40, 12  # columns: few enough to solve for, and so many that they tell much
LEAST = 1e-8  # the error of a sum, as a share of it
ALIKE = 0.98  # of the entries, which a change must give
Function = Callable[[Float64], Float64]


class Solved(NamedTuple):
    """A weight (units, n), and as what it acts."""

    weight: Float64
    acts: Float64


def _place(of: Callable[..., Mask]) -> Callable[[Float64], Mask]:
    return lambda W: of(*np.indices(W.shape), *W.shape)


WHERE: Mapping[str, Callable[[Float64], Mask]] = {
    "off the diagonal": _place(lambda i, j, _, __: i != j),
    "on the diagonal": _place(lambda i, j, _, __: i == j),
    "more than one from the diagonal": _place(lambda i, j, _, __: abs(i - j) > 1),
    "in odd columns": _place(lambda _, j, __, ___: j % 2 == 1),
    "in even columns": _place(lambda _, j, __, ___: j % 2 == 0),
    "where row + column is odd": _place(lambda i, j, _, __: (i + j) % 2 == 1),
    "where row + column is even": _place(lambda i, j, _, __: (i + j) % 2 == 0),
    "in the second half of columns": _place(lambda _, j, __, n: j >= n // 2),
    "in the first half of columns": _place(lambda _, j, __, n: j < n // 2),
    **{f"in column {k}": partial(lambda k, W: np.indices(W.shape)[1] == k, k) for k in range(4)},
    **{
        f"in the column {k} before the last": partial(
            lambda k, W: W.shape[1] - 1 - np.indices(W.shape)[1] == k, k
        )
        for k in range(3)
    },
    "of negative entries": lambda W: W < 0,
    "of positive entries": lambda W: W > 0,
    "everywhere": lambda W: np.ones(W.shape, bool),
}
INSTEAD: Mapping[str, Function] = {
    "is 0": np.zeros_like,
    "is negated": np.negative,
    "is that of the column before": lambda W: np.roll(W, 1, axis=1),
    "is that of the next column": lambda W: np.roll(W, -1, axis=1),
    "is that of column 0": lambda W: np.broadcast_to(W[:, :1], W.shape),
    "is that of the row before": lambda W: np.roll(W, 1, axis=0),
    "is that of the next row": lambda W: np.roll(W, -1, axis=0),
}


def solved(steps: Sequence[Steps]) -> Mapping[str, list[Solved]]:
    """By slot, the weights of some calls, of units that show enough to solve for them."""
    found: dict[str, list[Solved]] = {slot: [] for slot in MATRICES}
    usual = sorted(steps, key=lambda s: abs(s.inputs.shape[2] + s.states.shape[2] - USUAL))
    for s in usual:
        n = s.inputs.shape[2] + s.states.shape[2] + 1
        enough = s.inputs.shape[0] * s.inputs.shape[1] >= 2 * n and n < MOST
        exact = s.precision.u < 1e-10 and not s.off.any() and not s.radius.any()
        if enough and exact and len(found["x"]) < CALLS:
            acts = _acts(s)
            some = np.isfinite(acts).all(axis=1)
            I = s.inputs.shape[2]
            if some.any():
                W_ih, W_hh = (W.astype(np.float64)[some] for W in s.weights[:2])
                found["x"].append(Solved(W_ih, acts[some, :I]))
                found["h"].append(Solved(W_hh, acts[some, I + 1 :]))
    return found


def _acts(s: Steps) -> Float64:
    """W_ih, the sum of the biases and W_hh, side by side; NaN in units that do not show them."""
    T = len(s.inputs)
    t, b = np.nonzero(np.arange(T)[:, np.newaxis] < s.lengths)
    V = np.concatenate([s.inputs[t, b], np.ones((len(t), 1)), s.states[t, b]], axis=1)
    states = s.states[t + 1, b]
    found = np.full((states.shape[1], V.shape[1]), np.nan)
    for u, h in enumerate(states.T):
        inner = (h > 0 if s.cell == "relu" else np.abs(h) < INNER) & np.isfinite(V).all(axis=1)
        A, a = V[inner], h[inner] if s.cell == "relu" else np.arctanh(h[inner])
        if len(a) < 2 * V.shape[1] or np.linalg.cond(A) > 1e5:
            continue
        w = np.linalg.lstsq(A, a, rcond=None)[0]
        if (np.abs(A @ w - a) <= LEAST * (np.abs(A) @ np.abs(w))).all():
            found[u] = w
    return found


def otherwise(every: Mapping[str, list[Solved]]) -> Iterator[Edit]:
    """As what the weights act, in words that hold of all of them."""
    for slot, some in every.items():
        off = [np.abs(s.acts - s.weight) > CLOSE * (1 + np.abs(s.weight)) for s in some]
        if not any(one.any() for one in off):
            continue
        acts = np.concatenate([s.acts[wrong] for s, wrong in zip(some, off, strict=True)])
        usual = np.concatenate([s.weight[wrong] for s, wrong in zip(some, off, strict=True)])
        constants = changes.estimated(acts, usual, max(5, len(acts) // 2), CLOSE)
        for what, change in {**INSTEAD, **dict(constants)}.items():
            for where, mask in WHERE.items():
                made = partial(_made, change, mask)
                if _gives(made, some):
                    says = f"{MATRICES[slot]} {what}{'' if where == 'everywhere' else ' ' + where}"
                    yield Edit(says, {slot: with_matrix(slot, made)})


def _made(change: Function, where: Callable[[Float64], Mask], W: Float64) -> Float64:
    wide = W.astype(np.float64)
    return np.where(where(wide), change(wide), wide)


def _gives(made: Function, some: Sequence[Solved]) -> bool:
    near = [np.abs(made(s.weight) - s.acts) <= CLOSE * (1 + np.abs(s.weight)) for s in some]
    return bool(np.mean(np.concatenate([one.ravel() for one in near])) >= ALIKE)
