"""The drawing of a heat: one path for each class of shares, and what stands at its axes."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import groupby

from rnn_conformance.findings import Heat

# Upper ends of the classes; what is above the last one, or no number, is in a class of its own.
EDGES = (0.03, 0.1, 0.3, 1.0, 10.0, 1000.0)
WITHIN = EDGES.index(1.0)  # the last class within the bound
MOST_WIDE, MOST_HIGH = 720, 480


@dataclass(frozen=True)
class Drawing:
    """Sizes in pixels; the origin is the upper left corner of the first step and unit.

    Attributes:
        width, height: of the map.
        paths: for each class that occurs, its number and the `d` of its path.
        steps, units: where the middle of a labelled one is, and its label.
    """

    width: int
    height: int
    paths: tuple[tuple[int, str], ...]
    steps: tuple[tuple[float, int], ...]
    units: tuple[tuple[float, int], ...]


def draw(heat: Heat) -> Drawing:
    """Time runs from left to right, units from top to bottom."""
    T, units = len(heat.shares), len(heat.shares[0])
    wide = max(3, min(26, MOST_WIDE // T))
    high = max(6, min(26, MOST_HIGH // units))
    paths: dict[int, list[str]] = {}
    for unit, row in enumerate(zip(*heat.shares, strict=True)):
        step = 0
        for kind, run in groupby(row, key=class_of):
            length = sum(1 for _ in run)
            box = f"M{step * wide} {unit * high}h{length * wide}v{high}h-{length * wide}z"
            paths.setdefault(kind, []).append(box)
            step += length
    return Drawing(
        T * wide,
        units * high,
        tuple((kind, "".join(paths[kind])) for kind in sorted(paths)),
        _labels(T, wide, heat.first_step, apart=34),
        _labels(units, high, heat.first_unit, apart=14),
    )


def class_of(share: float) -> int:
    """The number of the class, from 0 on; `WITHIN` at most where the share is 1 or less."""
    return bisect_left(EDGES, share)


def _labels(count: int, size: int, first: int, *, apart: int) -> tuple[tuple[float, int], ...]:
    """Every first, second, fifth or tenth … one, so that labels are `apart` from each other."""
    steps = (factor * 10**power for power in range(4) for factor in (1, 2, 5))
    every = next(step for step in steps if step * size >= apart)
    return tuple(((i + 0.5) * size, first + i) for i in range(count) if (first + i) % every == 0)
