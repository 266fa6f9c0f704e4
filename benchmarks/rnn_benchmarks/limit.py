"""How far each line is from the floor, the compiled loop through NumPy's own BLAS and tanh."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import geometric_mean

from rnn_benchmarks.grid import Point
from rnn_benchmarks.names import LIMIT
from rnn_benchmarks.ratios import Comparison
from rnn_benchmarks.summary import Interval
from rnn_benchmarks.table import Table, label, number

LISTED = 6


@dataclass(frozen=True)
class Distance:
    """A line's time over the floor's at one point: 1 is level with it, 2 takes twice as long."""

    point: Point
    line: str
    title: str
    distance: float
    interval: Interval


def distances(comparisons: Iterable[Comparison], yardstick: str) -> tuple[Distance, ...]:
    """The distance of every line at every point that has the floor.

    Both were paired with the yardstick, so that the distance is the quotient of two ratios; that of
    the yardstick itself is 1. Its interval reaches from the one extreme quotient to the other, and
    so covers with at least the sum of both coverages less 1.
    """
    every = tuple(comparisons)
    floors = {each.point: each for each in every if each.line == LIMIT}
    found = []
    for each in every:
        floor = floors.get(each.point)
        if floor is None or each.line == LIMIT:
            continue
        itself = each.line == yardstick
        ratio = 1.0 if itself else each.ratio
        line = Interval(1.0, 1.0, 1.0) if itself else each.interval
        interval = Interval(
            low=floor.interval.low / line.high,
            high=floor.interval.high / line.low,
            coverage=max(0.0, floor.interval.coverage + line.coverage - 1),
        )
        found.append(Distance(each.point, each.line, each.title, floor.ratio / ratio, interval))
    return tuple(found)


def mean_distance(group: Iterable[Distance]) -> float:
    """The geometric mean."""
    return geometric_mean(each.distance for each in group)


def distance_table(found: Sequence[Distance]) -> Table:
    """The mean distance of each line, overall, by dtype and by hidden size, and the largest."""
    dtypes = list(dict.fromkeys(each.point.dtype for each in found))
    sizes = sorted({each.point.H for each in found})
    rows = []
    for title, group in _by_line(found).items():
        worst = max(group, key=lambda each: each.distance)
        rows.append(
            (
                title,
                number(mean_distance(group)),
                *(_cell(group, dtype=dtype) for dtype in dtypes),
                *(_cell(group, H=size) for size in sizes),
                number(worst.distance),
                label(worst.point),
            )
        )
    return Table(
        heading="Distance to the floor",
        remark="A line's time over that of a C loop that calls the same BLAS and the same tanh as "
        "NumPy: 1 is level with it. Geometric means over the points, and the largest. Below 1 the "
        "line is faster than the best C loop that was found.",
        columns=(
            "Line",
            "Mean",
            *dtypes,
            *(f"H={size}" for size in sizes),
            "Largest",
            "there",
        ),
        rows=tuple(rows),
    )


def batch_size_table(found: Sequence[Distance]) -> Table:
    """The mean distance of each line at each batch size."""
    sizes = sorted({each.point.B for each in found})
    return Table(
        heading="Distance to the floor by batch size",
        remark="Geometric means over the points that have this B.",
        columns=("Line", *(f"B={size}" for size in sizes)),
        rows=tuple(
            (title, *(_cell(group, B=size) for size in sizes))
            for title, group in _by_line(found).items()
        ),
    )


def worst_table(
    comparisons: Iterable[Comparison], found: Iterable[Distance], line: str
) -> Table | None:
    """The points of one line with the lowest ratios and those with the largest distances."""
    own = [each for each in comparisons if each.line == line]
    if not own:
        return None
    far = {each.point: each for each in found if each.line == line}
    lowest = sorted(own, key=lambda each: each.ratio)[:LISTED]
    furthest = sorted(
        (each for each in own if each.point in far and each not in lowest),
        key=lambda each: -far[each.point].distance,
    )[:LISTED]
    return Table(
        heading=f"Worst points of {own[0].title}",
        remark="Where the ratio is lowest, then where the distance to the floor is largest.",
        columns=("Point", "Shows", "Ratio", "its interval", "Distance", "its interval"),
        rows=tuple(
            (
                label(each.point),
                each.verdict.value,
                number(each.ratio),
                _interval(each.interval),
                number(far[each.point].distance) if each.point in far else "-",
                _interval(far[each.point].interval) if each.point in far else "-",
            )
            for each in (*lowest, *furthest)
        ),
        text_columns=2,
    )


def _by_line(found: Iterable[Distance]) -> dict[str, list[Distance]]:
    groups: dict[str, list[Distance]] = {}
    for each in found:
        groups.setdefault(each.title, []).append(each)
    return groups


def _interval(interval: Interval) -> str:
    return f"{number(interval.low)} to {number(interval.high)}"


def _cell(group: Iterable[Distance], **wanted: object) -> str:
    members = [each for each in group if wanted.items() <= asdict(each.point).items()]
    return number(mean_distance(members)) if members else "-"
