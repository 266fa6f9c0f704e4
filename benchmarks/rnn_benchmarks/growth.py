"""How time grows with a size: the exponent p of time ∝ size^p, fitted on logarithms."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from rnn_benchmarks.grid import Point
from rnn_benchmarks.ratios import Comparison
from rnn_benchmarks.table import Table, by_title, number

# What counting multiplications gives: T·B·H·(H + I + O).
THEORY = {"T": "1", "B": "1", "H": "1 to 2"}


def exponent(times: Iterable[tuple[Point, float]], axis: str) -> float | None:
    """The least-squares slope of log time against log size, the same wherever the rest is held.

    Every combination of the other sizes and the dtype has a level of its own, so that only what
    differs along the axis counts. None where no combination has two sizes.
    """
    groups: dict[tuple[object, ...], list[tuple[float, float]]] = {}
    for point, seconds in times:
        sizes = asdict(point)
        size = sizes.pop(axis)
        groups.setdefault(tuple(sizes.values()), []).append((math.log(size), math.log(seconds)))
    above = below = 0.0
    for members in groups.values():
        x_mean = sum(x for x, _ in members) / len(members)
        y_mean = sum(y for _, y in members) / len(members)
        above += sum((x - x_mean) * (y - y_mean) for x, y in members)
        below += sum((x - x_mean) ** 2 for x, _ in members)
    return above / below if below else None


def growth_table(comparisons: Sequence[Comparison]) -> Table:
    """The exponents of each line over all points, and between the two largest of each size."""
    cells = {title: _cells(group) for title, group in by_title(comparisons).items()}
    rows = [(title, *found) for title, found in cells.items() if set(found) != {"-"}]
    return Table(
        heading="Growth",
        remark="The exponent p of time ∝ size^p by least squares on logarithms: over all sizes, "
        "and between the two largest alone, where what every call costs weighs least. Theory "
        "counts multiplications, T·B·H·(H + I + O). Less than theory is time that does not go into "
        "them; more is a cache that no longer holds what it held.",
        columns=("Line", *THEORY, *(f"{axis}, largest two" for axis in THEORY)),
        rows=(("theory", *THEORY.values(), *("1", "1", "up to 2")), *rows) if rows else (),
    )


def _cells(group: Sequence[Comparison]) -> list[str]:
    times = [(each.point, each.step.median * each.point.T) for each in group]
    cells = []
    for largest_two in (False, True):
        for axis in THEORY:
            sizes = sorted({asdict(point)[axis] for point, _ in times})
            kept = sizes[-2:] if largest_two else sizes
            found = exponent([each for each in times if asdict(each[0])[axis] in kept], axis)
            cells.append("-" if found is None else number(found) if found >= 0 else f"{found:.2f}")
    return cells
