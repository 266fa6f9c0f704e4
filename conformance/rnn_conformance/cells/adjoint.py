"""What the suite asks of a cell whose gradients it judges: one step, backwards.

d_t is dL/d of the pre-activations of a step, G·H numbers a row, as W_ih x_t is added to them. What
the gates of a step contribute to a product is a factor, a ball of each number, of all steps.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Ball, Matrix, Sum
from rnn_conformance.contract.call import Array

Factors = tuple[Ball, ...]


class Forward(NamedTuple):
    """What a layer has computed, of all steps; a stack of directions, rows (..., T·B, n).

    Attributes:
        x: W_ih x_t + b_ih, G·H of them a row.
        before, after: the states, S·H.
    """

    x: Sum
    W_hh: Matrix
    b_hh: Sum
    before: Ball
    after: Ball


class Received(NamedTuple):
    """dL/d of the state before a step.

    Attributes:
        h: of the part that shows: a sum, to which dL/dh from elsewhere is added.
        hidden: of the part that does not; None of a cell that has none.
    """

    h: Sum
    hidden: Ball | None = None


class Adjoint(ABC):
    """One step of a cell, backwards."""

    @abstractmethod
    def factors(self, forward: Forward) -> Factors:
        """What the gradients of a step are products with, (..., rows, H) each."""

    def arrived(self, _: Factors, dh: Ball, __: Ball | None) -> Ball:
        """What the gates are given, (..., rows, H): dL/dh_t, or that of what does not show.

        Args:
            dh: dL/dh_t.
            hidden: what the step after it hands to the part that does not show.
        """
        return dh

    @abstractmethod
    def of_gates(self, factors: Factors, dh: Ball, arrived: Ball, W_hh_T: Matrix) -> Ball:
        """d_t, (..., rows, G·H).

        Args:
            W_hh_T: W_hh transposed.
        """

    def seen(self, _: Factors, arrived: Ball, __: Ball, ___: Array) -> Ball:
        """What is known of `arrived` once d_t shows.

        Args:
            computed: d_t as it should be.
            d: as it shows.
        """
        return arrived

    @abstractmethod
    def received(self, factors: Factors, W_hh_T: Matrix, d: Ball, arrived: Ball) -> Received:
        """dL/d of the state before the step."""

    def of_products(self, _: Factors, d: Ball, h: Ball) -> Iterator[tuple[Ball, Ball]]:
        """dL/d of the products with W_hh, gates of its rows in turn, and what it multiplied."""
        yield d, h


def divided(d: Array, factor: Ball) -> Ball:
    """What gave d, which shows, when it was multiplied by this factor."""
    p, value = factor.precision, d.astype(np.float64)
    return Ball(value, 2 * p.both * np.abs(value) + 2 * p.flushed, p) / factor


def nearest(known: Ball, others: Iterable[tuple[Ball, npt.NDArray[np.bool_]]]) -> Ball:
    """Of each number the ball of the smallest radius, of those that may be taken."""
    value, radius = known.value, known.radius
    for other, taken in others:
        nearer = taken & (other.radius < radius)
        value, radius = np.where(nearer, other.value, value), np.where(nearer, other.radius, radius)
    return Ball(value, radius, known.precision)


def right(d: Array, computed: Ball) -> npt.NDArray[np.bool_]:
    """Which numbers are within their bounds."""
    found: npt.NDArray[np.bool_] = np.abs(d - computed.value) <= computed.bound
    return found
