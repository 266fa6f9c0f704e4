"""What is done by mistake to numbers, rows and whole sequences, in words that follow their name."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from rnn_conformance.bounds.balls import Float64, gamma
from rnn_conformance.cells.edits import agreed

Function = Callable[[Float64], Float64]
COUNTED: Mapping[float, str] = {0: "is missing", 2: "counts twice", -1: "is subtracted"}
USUAL = np.array((0.0, 0.5, 1.0, 2.0, -1.0))  # times, which libraries have, or which change nothing
ONE = "1"  # what a constant counts
DRAWS, AGREED, LARGE = 30, 2e-4, 1e-3  # how parts are tried: so often, so near, of such a size

NUMBERS: Mapping[str, Function] = {
    "goes through tanh": np.tanh,
    "goes through relu": lambda v: np.maximum(v, 0),
    "goes through the logistic function": lambda v: 1 / (1 + np.exp(-v)),
    "is taken without its sign": np.abs,
    "is squared": np.square,
    "is replaced by ones": np.ones_like,
}


def _rounded(decimals: int, v: Float64) -> Float64:
    found: Float64 = np.round(v, decimals)
    return found


DECIMALS: Mapping[str, Function] = {
    f"is rounded to {k} decimal{'s' * (k > 1)}": partial(_rounded, k) for k in range(1, 6)
}
STEPS: Mapping[str, Function] = {  # of what is known exactly: next to a step nothing is told apart
    "is replaced by its sign": np.sign,
    "is rounded to integers": np.rint,
    "is cut to integers": np.trunc,
    **DECIMALS,
}


class OfRows(NamedTuple):
    """A change of rows (..., n), and how many times an error of a row, by its norm, can grow."""

    change: Function
    slope: Callable[[Float64], Any]

    def bounded(self, v: Float64, radius: Float64, u: Any) -> tuple[Float64, Float64]:
        """Changed rows, and how far off they can be where rows are off by at most a radius.

        Its own roundings count as errors of what goes in, and of what comes out.
        """
        found, own = self.change(v), gamma(v.shape[-1] + 8, u)
        grown = self.slope(v) * _norm(radius + own * np.abs(v))
        steeper = np.where(grown < 1, grown / (1 - grown), np.inf)  # where a divisor is smaller
        return found, steeper + own * np.abs(found)


def _norm(v: Float64) -> Float64:
    found: Float64 = np.sqrt(np.square(v).sum(axis=-1, keepdims=True))
    return found


def _centred(v: Float64) -> Float64:
    found: Float64 = v - v.mean(axis=-1, keepdims=True)
    return found


def _alone(_: Float64) -> float:
    """Of a change that makes no error grow."""
    return 1.0


def _spread(v: Float64, least: float) -> Float64:
    found: Float64 = np.sqrt(np.square(_centred(v)).mean(axis=-1, keepdims=True) + least)
    return found


def _largest(v: Float64) -> Float64:
    found: Float64 = np.abs(v).max(axis=-1, keepdims=True)
    return found


def _log_softmax(v: Float64) -> Float64:
    off = v - v.max(axis=-1, keepdims=True)
    found: Float64 = off - np.log(np.exp(off).sum(axis=-1, keepdims=True))
    return found


def _in_all(v: Float64) -> float:
    """Of a change that lets every entry depend on every other one."""
    return 1 + float(np.sqrt(v.shape[-1]))


ROWS: Mapping[str, OfRows] = {
    "is divided by its norm": OfRows(lambda v: v / _norm(v), lambda v: 1 / _norm(v)),
    "is divided by its norm where that is above 1": OfRows(
        lambda v: v / np.maximum(_norm(v), 1), _alone
    ),
    "is divided by its largest size": OfRows(
        lambda v: v / _largest(v), lambda v: _in_all(v) / _largest(v)
    ),
    "has its mean subtracted": OfRows(_centred, _alone),
    **{
        f"is standardised{says}": OfRows(
            partial(lambda e, v: _centred(v) / _spread(v, e), least),
            partial(lambda e, v: 1 / _spread(v, e), least),
        )
        for says, least in (("", 0.0), (", with 1e-5 in its variance", 1e-5))
    },
    "goes through softmax": OfRows(lambda v: np.exp(_log_softmax(v)), _alone),
    "goes through log-softmax": OfRows(_log_softmax, _in_all),
    "is sorted": OfRows(lambda v: np.sort(v, axis=-1), _alone),
}


def _spectral(W: Float64) -> Any:
    return np.linalg.norm(W, 2) if np.isfinite(W).all() and W.size else np.float64(1)


MATRICES: Mapping[str, Function] = {
    **NUMBERS,
    **DECIMALS,
    "is divided by its spectral norm": lambda W: W / _spectral(W),
    "is divided by its spectral norm where that is above 1": lambda W: W / np.fmax(_spectral(W), 1),
    "is divided by its Frobenius norm": lambda W: W / np.sqrt(np.square(W).sum()),
    "has the mean of its entries subtracted": lambda W: W - W.mean(),
    "has its columns in reverse order": lambda W: W[:, ::-1],
    "is made symmetric": lambda W: (W + W.T) / 2 if W.shape == W.T.shape else W,
    **{f"{says} in each row": of.change for says, of in ROWS.items()},
    **{
        f"{says} in each column": partial(lambda f, W: f(W.T).T, of.change)
        for says, of in ROWS.items()
    },
}


def _count(v: Float64) -> Any:
    return np.arange(1, len(v) + 1).reshape(-1, *[1] * (v.ndim - 1))


PASSED: Mapping[str, Function] = {  # of sequences (T, B, n), where lengths do not matter
    "is the mean of those so far": lambda v: np.cumsum(v, axis=0) / _count(v),
    "is the sum of those so far": lambda v: np.cumsum(v, axis=0),
    "is the largest so far": lambda v: np.maximum.accumulate(v, axis=0),
    "is the difference to the one before": lambda v: np.diff(v, axis=0, prepend=0 * v[:1]),
    "is the mean of all steps": lambda v: np.broadcast_to(v.mean(axis=0), v.shape),
    "is the mean of all rows": lambda v: np.broadcast_to(v.mean(axis=1, keepdims=True), v.shape),
    "has the mean of all rows subtracted": lambda v: v - v.mean(axis=1, keepdims=True),
}
POOLED: Mapping[str, Function] = {  # of the states (T, ...) of a row
    "is the mean of all steps": lambda v: v.mean(axis=0),
    "is the sum of all steps": lambda v: v.sum(axis=0),
    "is the largest of all steps": lambda v: v.max(axis=0),
}


def estimated(
    found: Float64, usual: Float64, many: int, width: float = 0
) -> Iterator[tuple[str, Function]]:
    """Changes of numbers by a constant on which so many of these agree, each in words.

    Args:
        width: how far apart the same number may be found, as a share of it.
    """
    for c in agreed(np.abs(found[np.abs(usual) > np.abs(found)]), width, many):
        if c > 0:
            yield f"is clamped to ±{c:.9g}", partial(lambda c, v: np.clip(v, -c, c), c)
    for c in agreed(found / np.where(np.abs(usual) > 1e-3, usual, np.nan), max(width, 1e-5), many):
        if abs(c - 1) > 1e-5 and c != 0:
            yield f"is {c:.7g} times as large", partial(lambda c, v: c * v, c)
    for c in agreed(found - usual, 1e-3, many):
        if abs(c) > 1e-5:
            yield f"has {c:.6g} added", partial(lambda c, v: v + c, c)
    for c in agreed(found, width, many):
        yield f"is {c:.9g}", partial(lambda c, v: np.full_like(v, c), c)
    if np.isnan(found).sum() >= many:
        yield "is NaN", partial(lambda v: np.full_like(v, np.nan))


def mixtures(
    surplus: Float64, parts: Mapping[str, Float64], many: int
) -> Iterator[Mapping[str, float]]:
    """One or two parts of which the same multiple is too much in so many numbers; most first.

    Args:
        surplus: (N,), found minus expected.
        parts: each (N,), by name.
    """
    rng, found = np.random.default_rng(0), list[tuple[int, int, Mapping[str, float]]]()
    finite = np.isfinite(np.sum([surplus, *parts.values()], axis=0))
    surplus, known = surplus[finite], {name: part[finite] for name, part in parts.items()}
    if len(surplus) < many:
        return
    for n in (1, 2):
        for names in combinations(known, n):
            V = np.stack([known[name] for name in names], axis=1)
            draws = rng.integers(0, len(V), (DRAWS, n))
            A, b = V[draws], surplus[draws]
            solvable = np.abs(np.linalg.det(A)) > 1e-3
            if not solvable.any():
                continue
            every = np.linalg.solve(A[solvable], b[solvable][..., np.newaxis])[..., 0]
            off = np.abs(V @ every.T - surplus[:, np.newaxis])
            size = np.abs(V) @ np.abs(every.T)
            near = (off <= AGREED * size) & (size > LARGE)
            best = int(near.sum(axis=0).argmax())
            inside = near[:, best]
            if inside.sum() < many:
                continue
            c = np.linalg.lstsq(V[inside], surplus[inside], rcond=None)[0]
            if np.abs(c).min() > 1e-4:
                found.append((-int(inside.sum()), n, dict(zip(names, map(_short, c), strict=True))))
    for _, _, mixture in sorted(found, key=lambda one: one[:2])[:3]:
        yield mixture


def in_words(mixture: Mapping[str, float], terms: Mapping[str, str], to: str) -> str:
    """What is too much by a mixture.

    Args:
        terms: those that count anyway, in words; the other parts are added to something.
    """
    counted = [
        f"{terms[name]} {COUNTED.get(1 + c, f'counts {1 + c:.6g} times')}"
        for name, c in mixture.items()
        if name in terms
    ]
    added = [
        f"{c:.6g}{'' if name == ONE else ' ' + name} is added to {to}"
        for name, c in mixture.items()
        if name not in terms
    ]
    return " and ".join([*counted, *added])


def _short(c: float) -> float:
    """The number that somebody wrote, if it is one."""
    written = float(f"{c:.3g}")
    return written if abs(written - c) <= AGREED * abs(c) else float(c)


def told_apart(
    changed: tuple[Float64, Float64], usual: tuple[Float64, Float64]
) -> tuple[Float64, Float64]:
    """Changed numbers and how far off they can be; the usual ones where that spans both.

    So a wide bound explains nothing.
    """
    (value, radius), (right, bound) = changed, usual
    apart = np.abs(value - right) > radius
    return np.where(apart, value, right), np.where(apart, radius, bound)
