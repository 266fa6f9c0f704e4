"""Found against expected, each with its own bound: the worst share, and the first one outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Float64
from rnn_conformance.bounds.reproduction import Formula, numpy_lines
from rnn_conformance.contract.call import Array

MOST_BLOCKS = 24  # of steps, and of units, in a map


@dataclass(frozen=True)
class Place:
    """One number of a result: its time step, row of the batch and unit."""

    step: int
    row: int
    unit: int
    expected: float
    found: float
    bound: float

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Place":
        """The place of these fields; what is no finite number is a string such as "inf"."""
        return cls(**{name: kind(data[name]) for name, kind in cls.__annotations__.items()})

    @property
    def share(self) -> float:
        """The error as a share of its bound; infinite where no number was found."""
        return float(share(*map(np.float64, (self.expected, self.found, self.bound))))

    def __str__(self) -> str:
        where = f"step {self.step}, row {self.row}, unit {self.unit}"
        if self.bound == 0:
            return f"{where}: expected exactly {self.expected!r}, found {self.found!r}"
        return (
            f"{where}: expected {self.expected!r}, "
            f"found {self.found!r}, bound {self.bound:.3g} (error is {self.share:.3g} of it)"
        )


@dataclass(frozen=True)
class ErrorMap:
    """How wrong a result is over steps and units, all rows together; in blocks where it is large.

    Attributes:
        steps, units: the first index in each block.
        shares: the worst error of each block as a share of its bound: a row for each block of
            steps, in it a number for each block of units.
    """

    steps: tuple[int, ...]
    units: tuple[int, ...]
    shares: tuple[tuple[float, ...], ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ErrorMap":
        """The map of these lists; an infinite share is the string "inf"."""
        shares = tuple(tuple(map(float, row)) for row in data["shares"])
        return cls(tuple(data["steps"]), tuple(data["units"]), shares)


@dataclass(frozen=True)
class Judgement:
    """A result beside what it should be.

    Attributes:
        what: the name of the result, as it reads in a message.
        expected, found, bound: (T, B, units), broadcast to one shape.
        reason: where the bound comes from, in one sentence.
        first_step: the time step of index 0 of the first axis.
        formula: how an expected number comes about, where NumPy alone can repeat it.
        call: the expression of the call that gave it, if that is not `case.call()`.
    """

    what: str
    expected: npt.NDArray[Any]
    found: npt.NDArray[Any]
    bound: npt.NDArray[Any] | float
    reason: str
    first_step: int = 0
    formula: Formula | None = None
    call: str = ""

    def shares(self) -> Float64:
        """The error of every number as a share of its bound; infinite where it is no number."""
        return share(
            self.expected.astype(np.float64, copy=False),
            self.found.astype(np.float64, copy=False),
            np.asarray(self.bound, np.float64),
        )

    def worst(self) -> tuple[float, Place]:
        shares = self.shares()
        index = np.unravel_index(int(np.argmax(shares)), shares.shape)
        return float(shares[index]), self._place(index)

    def first_outside(self) -> Place | None:
        """The first number outside its bound, by time step, then row, then unit."""
        outside = np.argwhere(self.shares() > 1)
        return self._place(tuple(outside[0])) if len(outside) else None

    def describe(self, place: Place) -> str:
        """One line: what is outside where, by how much, and what else is."""
        outside = self.shares() > 1
        others = ", ".join(
            f"{name} {_ranges(np.unique(index) + (self.first_step if name == 'steps' else 0))}"
            for name, index in zip(("steps", "rows", "units"), np.nonzero(outside), strict=True)
        )
        count = f"{np.count_nonzero(outside)} of {outside.size} numbers are outside"
        return f"{self.what}: {place}; {count}, in {others}"

    def error_map(self) -> ErrorMap:
        """Of all numbers, to three digits."""
        worst = self.shares().max(axis=1)
        steps, units = map(_blocks, worst.shape)
        shares = np.maximum.reduceat(np.maximum.reduceat(worst, steps, axis=0), units, axis=1)
        return ErrorMap(
            tuple(int(step) + self.first_step for step in steps),
            tuple(map(int, units)),
            tuple(tuple(float(f"{share:.3g}") for share in row) for row in shares),
        )

    def reproduce(self, place: Place) -> str:
        """Lines of NumPy that compute what was expected there; empty where NumPy alone cannot."""
        if self.formula is None or self.call:
            return ""
        index = (place.step - self.first_step, place.row, place.unit)
        return numpy_lines(self.formula, index, place.found, place.bound)

    def _place(self, index: tuple[Any, ...]) -> Place:
        step, row, unit = (int(i) for i in index)
        bound = np.broadcast_to(np.asarray(self.bound, np.float64), self.found.shape)
        return Place(
            step + self.first_step,
            row,
            unit,
            float(self.expected[index]),
            float(self.found[index]),
            float(bound[index]),
        )


def identical(what: str, before: Array, after: Array) -> Judgement:
    """Memory that nobody should have written to, of any rank; NaN is identical to NaN."""
    shape = (1,) * (3 - before.ndim) + before.shape
    same_bits = (before == after) | (np.isnan(before) & np.isnan(after))
    was, found = (np.where(same_bits, 0, values).reshape(shape) for values in (before, after))
    return Judgement(what, was, found, 0.0, "unchanged, bit for bit")


def _blocks(length: int) -> npt.NDArray[np.int64]:
    """Where so many blocks start, of nearly one size each, as a map has at most."""
    number = min(length, MOST_BLOCKS)
    return np.arange(number) * length // number


def _ranges(indices: npt.NDArray[np.int64]) -> str:
    """Such as 0-3, 7: sorted indices as ranges, the first few of them."""
    parts = np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)
    shown = [f"{p[0]}-{p[-1]}" if len(p) > 1 else f"{p[0]}" for p in parts[:4]]
    return ", ".join(shown + ["…"] * (len(parts) > 4))


def share(
    expected: Float64 | np.float64, found: Float64 | np.float64, bound: Float64 | np.float64
) -> Float64:
    """|found - expected| / bound, 0 for 0/0, infinity for whatever cannot be compared."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = np.abs(found - expected)
        share: Float64 = error / bound
        if np.isfinite(share).all():
            return share
        share = np.where(error == 0, 0.0, share)
    return np.where(np.isfinite(error) & ~np.isnan(share), share, np.inf)
