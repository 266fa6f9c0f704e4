"""Where things stand in the drawings of a page, and in which colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from rnn_conformance.bounds.judgement import ErrorMap

# Shares of a bound up to each of these have one colour.
LEVELS = {
    1.0: "within its bound",
    1e1: "up to 10 times",
    1e3: "up to 1000 times",
    1e6: "up to a million times",
    inf: "more, or no number",
}


def level(value: float) -> int:
    """Which of `LEVELS` the share of a bound lies in."""
    return sum(value > most for most in LEVELS)


@dataclass(frozen=True)
class Frame:
    """Where points stand in a plot of this width and height.

    Attributes:
        points: pre-activation, state found and right state, as a finding has them.
    """

    points: Sequence[tuple[float, float, float]]
    width: float
    height: float

    @property
    def left(self) -> float:
        return min(point[0] for point in self.points)

    @property
    def right(self) -> float:
        return max(point[0] for point in self.points)

    @property
    def bottom(self) -> float:
        return min(min(point[1:]) for point in self.points)

    @property
    def top(self) -> float:
        return max(max(point[1:]) for point in self.points)

    def x(self, a: float) -> float:
        """Across, of a pre-activation."""
        return round(self.width * (a - self.left) / (self.right - self.left or 1), 1)

    def y(self, state: float) -> float:
        """Down, of a state."""
        return round(self.height * (self.top - state) / (self.top - self.bottom or 1), 1)


def blocks(errors: ErrorMap) -> str:
    """What a map stands for where it has blocks; empty where it has every number."""
    each = (steps[-1] - steps[0] >= len(steps) for steps in (errors.steps, errors.units))
    return "Each cell is the worst of several; its first is named." if any(each) else ""
