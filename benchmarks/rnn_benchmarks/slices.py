"""The comparisons along one size, the other sizes held: what one panel shows."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rnn_benchmarks.grid import MIDDLE, Point
from rnn_benchmarks.ratios import Comparison
from rnn_benchmarks.table import by_title

AXES = {"H": "hidden size H", "B": "batch size B"}


@dataclass(frozen=True)
class Slice:
    """The comparisons in one dtype along one axis, the other sizes held."""

    axis: str
    dtype: str
    held: tuple[tuple[str, int], ...]
    comparisons: tuple[Comparison, ...]

    def __str__(self) -> str:
        """The dtype and what is held, as a title."""
        return f"{self.dtype}, {', '.join(f'{name}={value}' for name, value in self.held)}"

    @property
    def sizes(self) -> list[int]:
        """The sizes along the axis, from small to large."""
        return sorted({size(each.point, self.axis) for each in self.comparisons})

    @property
    def by_line(self) -> dict[str, list[Comparison]]:
        """The comparisons of each line by title, from the smallest size to the largest."""
        return by_title(sorted(self.comparisons, key=lambda each: size(each.point, self.axis)))


def slices_along(comparisons: Iterable[Comparison], axis: str) -> list[Slice]:
    """For each dtype the slice along the axis with most sizes; among equals, nearest the middle."""
    groups: dict[tuple[str, tuple[tuple[str, int], ...]], list[Comparison]] = {}
    for each in comparisons:
        groups.setdefault((each.point.dtype, _held(each.point, axis)), []).append(each)
    middle = set(_held(MIDDLE, axis))
    best: dict[str, Slice] = {}

    def rank(part: Slice) -> tuple[int, int]:
        return len(part.sizes), len(middle & set(part.held))

    for (dtype, held), members in groups.items():
        part = Slice(axis, dtype, held, tuple(members))
        if dtype not in best or rank(part) > rank(best[dtype]):
            best[dtype] = part
    return list(best.values())


def size(point: Point, axis: str) -> int:
    """Of the point, along the axis."""
    return int(asdict(point)[axis])


def _held(point: Point, axis: str) -> tuple[tuple[str, int], ...]:
    sizes = asdict(point)
    return tuple((name, sizes[name]) for name in ("T", "B", "I", "H") if name != axis)
