"""What was measured of recurrences computed in chunks of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Dtype = Literal["float32", "float64"]


@dataclass(frozen=True)
class Measured:
    """One point: what became of the chunks, and the seconds of each line in each round.

    Lines: "torch", "batch_rnn", "loop" (what is fallen back to), "chunks", and "certified" (chunks
    with their certificate). `share` is the worst error as a share of its bound.
    """

    T: int
    H: int
    radius: float
    dtype: Dtype
    chunks: int
    extra_steps: int
    fell_back: bool
    share: float
    seconds: Mapping[str, Sequence[float]]

    @property
    def looped(self) -> bool:
        """Whether the loop computed states: it was fallen back to, or nothing was cut."""
        return self.fell_back or self.chunks == 1

    @property
    def steps(self) -> int:
        """Steps of each chunk."""
        return -(-self.T // self.chunks)

    def gains(self, yardstick: str, line: str) -> list[float]:
        """The yardstick's time over the line's, in each round."""
        pairs = zip(self.seconds[yardstick], self.seconds[line], strict=True)
        return [slow / fast for slow, fast in pairs]

    def gain(self, yardstick: str, line: str = "chunks") -> float:
        """The median of these."""
        return median(self.gains(yardstick, line))


@dataclass(frozen=True)
class Run:
    """All points, and where and how they were measured."""

    measured: tuple[Measured, ...]
    machine: Mapping[str, str]
    threads: Mapping[str, int]
    input_size: int
    command: str
