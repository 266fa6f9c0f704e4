"""What an implementation may compute in place of the right thing, tried on the numbers it gives."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Float64, Precision
from rnn_conformance.cells.cell import CellWeights
from rnn_conformance.contract.call import Array

Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
BLOCKS = (2, 4, 8, 16, 32, 64, 128, 256)
NEVER = 1e300  # a number that is not found
Values = tuple[Float64, Float64]  # what is expected of numbers, and how far off each may be


Term = tuple[Float64, Float64]  # of the sum, and the absolute values that it adds up


@dataclass(frozen=True)
class Edit:
    """One thing that is done otherwise.

    Attributes:
        says: what, in a sentence without place.
        does: by slot, which is a part of a step, what is computed there.
        last: how much it allows, so that another edit is preferred if it explains as many; 0 for
            one that says what the number is.
    """

    says: str
    does: Mapping[str, Any] = field(hash=False, compare=False)
    last: int = 0


Edits = frozenset[Edit]


def combinable(edits: Iterable[Edit]) -> bool:
    """Whether no two of them replace the same slot."""
    slots = [slot for edit in edits for slot in edit.does]
    return len(slots) == len({*slots})


class Trials(ABC):
    """Numbers that were found, and what is expected of them after edits.

    Attributes:
        found: (N,).
        edits: what can be tried.
        features: of each number, by name, beside its place.
        compared: how many right and how many wrong numbers are looked at to find a place.
        paired: how many edits, the most promising ones, are tried together with every other one.
    """

    compared, paired = 4000, 1000

    found: Float64
    edits: tuple[Edit, ...]
    features: Mapping[str, npt.NDArray[Any]]

    @abstractmethod
    def values(self, edits: Edits, at: Indices) -> Values:
        """What is expected of some of the numbers."""

    def values_each(self, made: Edits, each: Sequence[Edit], at: Indices) -> Values:
        """The same with one more edit at a time, (len(each), len(at)); NEVER of untried ones."""
        value, radius = np.full((len(each), len(at)), NEVER), np.zeros((len(each), len(at)))
        for n, edit in enumerate(each):
            if self.exhausted():
                break
            value[n], radius[n] = self.values(made | {edit}, at)
        return value, radius

    def features_with(self, _: Edits, at: Indices) -> Mapping[str, npt.NDArray[Any]]:
        """The features of some of the numbers, as they are with edits."""
        return {name: values[at] for name, values in self.features.items()}

    def sums(self, _: Edits, at: Indices) -> Values:
        """The pre-activations of some of the numbers, where each has one; NaN elsewhere."""
        return np.full(len(at), np.nan), np.zeros(len(at))

    def estimated(self, _: Edits, __: Indices) -> tuple[Edit, ...]:
        """Further edits, with constants that many of these wrong numbers agree on."""
        return ()

    def few(self, at: Indices) -> Indices:
        """Those of the numbers on which every edit is tried first; all where that is fast."""
        return at

    def exhausted(self) -> bool:
        """Whether so much has been tried that no more should be."""
        return False

    def hidden(self, _: Edits, __: Indices) -> list[Float64]:
        """Of some numbers, what does not show of the state, and its radius, (2, steps + 1) each.

        Before the first step and after each; nothing where the whole state shows.
        """
        return []

    def fits(self, edits: Edits, at: Indices) -> Mask:
        """Which of the numbers are as expected."""
        with np.errstate(all="ignore"):
            return self._near(self.values(edits, at), at)

    def fits_each(self, made: Edits, each: Sequence[Edit], at: Indices) -> Mask:
        """The same, (len(each), len(at)), with one more edit at a time."""
        with np.errstate(all="ignore"):
            return self._near(self.values_each(made, each, at), at)

    def _near(self, values: Values, at: Indices) -> Mask:
        (value, radius), found = values, self.found[at]
        near = np.abs(found - value) <= radius
        fitting: Mask = near | (found == value) | (np.isnan(found) & np.isnan(value))
        return fitting


class Some(Trials):
    """Some of the numbers alone."""

    def __init__(self, trials: Trials, which: Mask) -> None:
        self._trials, self._at = trials, np.flatnonzero(which)
        self.found, self.edits = trials.found[which], trials.edits
        self.features = {name: values[which] for name, values in trials.features.items()}
        self.compared, self.paired = trials.compared, trials.paired

    def values(self, edits: Edits, at: Indices) -> Values:
        return self._trials.values(edits, self._at[at])

    def values_each(self, made: Edits, each: Sequence[Edit], at: Indices) -> Values:
        return self._trials.values_each(made, each, self._at[at])

    def features_with(self, edits: Edits, at: Indices) -> Mapping[str, npt.NDArray[Any]]:
        return self._trials.features_with(edits, self._at[at])

    def estimated(self, edits: Edits, at: Indices) -> tuple[Edit, ...]:
        return self._trials.estimated(edits, self._at[at])

    def few(self, at: Indices) -> Indices:
        return np.searchsorted(self._at, self._trials.few(self._at[at]))

    def exhausted(self) -> bool:
        return self._trials.exhausted()


@dataclass(frozen=True)
class Steps:
    """Numbers of one layer and direction of a call, and all that they can have come from.

    Attributes:
        cell: its name.
        direction: 0 for the forward one; of a layer with one direction, that one.
        back: whether it reads from the last step to the first.
        inputs, radius: (T, B, n) in the order in which the direction reads them, padding too, and
            how far from them what the layer has read can be.
        states, off: (T + 1, B, H), the initial ones first, and how far from what the layer has
            computed they can be, of a layer that does not show as it is.
        t, b, u: (N,), step, row and unit of each number.
        padding: (N,), whether it stands in padding.
        ended: (N,), the number at the row's last real step in time.
        carried: (N,), what a row's state is while it reads padding.
        lengths: (B,), how many real steps each row has.
        running_on: (N, H), the state before it, of an implementation that overlooks lengths.
        other_weights, other_states: what can be mistaken for these, by name; states (B, H).
        earlier: the weights of earlier calls, each with words for which calls these were.
        found: (N,), the numbers.
        hidden: (B, (S-1)·H), the parts of the initial state that do not show.
    """

    cell: str
    precision: Precision
    direction: int
    back: bool
    weights: CellWeights
    inputs: Float64
    radius: Float64
    states: Float64
    off: Float64
    t: Indices
    b: Indices
    u: Indices
    padding: Mask
    ended: Float64
    carried: Float64
    lengths: Indices
    running_on: Float64
    other_weights: Mapping[str, CellWeights]
    earlier: Sequence[tuple[frozenset[str], CellWeights]]
    other_states: Mapping[str, Float64]
    found: Float64
    hidden: Float64

    @cached_property
    def x(self) -> Float64:
        """What each number's step reads, (N, n)."""
        return self.inputs[self.t, self.b]

    @property
    def own(self) -> slice | None:
        """Of the inputs, those of the same units, where there are as many; None elsewhere."""
        n, H = self.inputs.shape[2], self.states.shape[2]
        start = self.direction * H if n == 2 * H else 0
        return slice(start, start + H) if n in (H, 2 * H) else None

    @cached_property
    def before(self) -> Float64:
        """The state before it, (N, H)."""
        return self.states[self.t, self.b]


class State(NamedTuple):
    """What a new state is made of: what is new, the state before; what was found.

    `carried` is what the state is while padding is read; `ended` is what was found at every step of
    the row, where that is one number. `read` is what is read of the unit from as many as there are.
    """

    new: Float64
    before: Float64
    carried: Float64
    ended: Float64
    found: Float64
    read: Float64


def for_each(like: Indices, value: Any) -> npt.NDArray[Any]:
    """One value for each number, where it is the same for all of them."""
    return value if np.ndim(value) else np.full(like.shape, value)


def product(rows: Float64, W: Array, units: Indices) -> Term:
    """One unit of W times each row."""
    terms = rows * W[units]
    return terms.sum(axis=1), np.abs(terms).sum(axis=1)


def rounded(values: npt.ArrayLike, bits: int) -> Float64:
    """To so many bits."""
    mantissa, exponent = np.frexp(np.asarray(values, np.float64))
    result: Float64 = np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)
    return result


SHORT = {8: "bfloat16", 11: "TF32 or float16", 24: "float32"}  # names by bits


def of_vectors() -> Iterator[tuple[str, Callable[[Float64], Float64]]]:
    """What may be done to vectors (N, n) before they are multiplied, each in words."""
    yield "is read in reverse order of units", lambda v: v[:, ::-1]
    yield "is read one unit further on", lambda v: np.roll(v, -1, axis=1)
    yield "is read one unit too early", lambda v: np.roll(v, 1, axis=1)
    yield "is read without its last number", lambda v: _first(v, v.shape[1] - 1)
    yield "is read without its first number", lambda v: np.where(np.arange(v.shape[1]), v, 0)
    for k in BLOCKS:
        yield f"is read in whole blocks of {k} alone", partial(_whole_blocks, k)
        yield f"is read up to its {k}th number alone", partial(_first, count=k)
    for bits, name in SHORT.items():
        yield f"is read with {bits} bits ({name})", partial(rounded, bits=bits)


def _whole_blocks(k: int, v: Float64) -> Float64:
    return _first(v, v.shape[1] // k * k)


def _first(v: Float64, count: int) -> Float64:
    return np.where(np.arange(v.shape[1]) < count, v, 0)


def of_matrices() -> Iterator[tuple[str, Callable[[Array], Array]]]:
    """What may be done to a weight, each in words; its shape must stay."""
    yield "is transposed", np.transpose
    yield ", stored by columns, is read by rows", lambda W: W.reshape(W.shape[::-1]).T
    yield "has its rows in reverse order", lambda W: W[::-1]
    yield "has no diagonal", lambda W: W * (1 - np.eye(*W.shape))
    yield "has nothing but its diagonal", lambda W: W * np.eye(*W.shape)
    yield "has nothing above its diagonal", np.tril
    yield "has nothing below its diagonal", np.triu
    yield "is rounded to 8-bit integers of one scale", _in_int8
    for k in BLOCKS[1:6]:
        yield f"repeats its first {k} rows", partial(_repeated, k)
        yield f"has nothing but its diagonal blocks of {k}", partial(_in_blocks, k)
    for least in (0.1, 0.01, 0.001):
        yield f"has no entries below {least:g}", partial(_pruned, least)
    for bits, name in SHORT.items():
        yield f"is kept with {bits} bits ({name})", partial(rounded, bits=bits)


def _in_int8(W: Array) -> Float64:
    scale = max(float(np.abs(W).max()), 1e-300) / 127
    result: Float64 = np.rint(W / scale) * scale
    return result


def _repeated(k: int, W: Array) -> Array:
    return W[np.arange(len(W)) % k]


def _in_blocks(k: int, W: Array) -> Array:
    rows, columns = (np.arange(n) // k for n in W.shape)
    return np.where(rows[:, np.newaxis] == columns, W, 0)


def _pruned(least: float, W: Array) -> Array:
    return np.where(np.abs(W) < least, 0, W)


def agreed(values: Float64, width: float, least: int) -> list[float]:
    """The numbers near which at least so many of the values lie, at most three; most first.

    Args:
        width: how far apart values may be that agree, as a share of them.
    """
    left, found = np.sort(values[np.isfinite(values)]), list[float]()
    while len(left) >= least and len(found) < 3:
        ends = np.searchsorted(left, left + np.abs(left) * width, side="right")
        counts = ends - np.arange(len(left))
        start = int(counts.argmax())
        if counts[start] < least:
            break
        middle = float(np.median(left[start : ends[start]]))
        short = float(f"{middle:.3g}")  # the number that somebody wrote, if it is one
        found.append(short if abs(short - middle) <= width * abs(middle) else middle)
        left = np.delete(left, np.s_[start : ends[start]])
    return found


def as_float32(found: Float64, _: Float64, radius: Float64, u: Float64) -> Float64:
    """A number of float32, within the bound of float32."""
    return np.where(found == found.astype(np.float32), radius * np.maximum(2.0**-24 / u, 1), -1)
