"""The tables of ratios to the yardstick: by line, by size, and at every point."""

from collections.abc import Sequence

from rnn_benchmarks.ratios import Comparison, Verdict
from rnn_benchmarks.summary import CONFIDENCE
from rnn_benchmarks.table import MICROSECONDS, Table, by_title, cell, label, mean, number, percent

SIZES = {"H": "hidden size", "B": "batch size"}


def line_table(lines: Sequence[Comparison]) -> Table:
    """Means, extremes and verdicts of each line."""
    dtypes = list(dict.fromkeys(each.point.dtype for each in lines))
    verdicts = (Verdict.FASTER, Verdict.SLOWER, Verdict.LEVEL, Verdict.NOISY)
    rows = []
    for title, group in by_title(lines).items():
        ratios = [each.ratio for each in group]
        rows.append(
            (
                title,
                number(mean(group)),
                *(cell(group, dtype=dtype) for dtype in dtypes),
                number(min(ratios)),
                number(max(ratios)),
                *(str(sum(each.verdict is verdict for each in group)) for verdict in verdicts),
            )
        )
    return Table(
        heading="Ratio by line",
        remark="Geometric mean of the ratios, overall and by dtype, the lowest and the highest; "
        "and at how many points the line is faster or slower by more than the noise, level (no "
        "difference shown), or the machine too noisy to say.",
        columns=(
            "Line",
            "Mean",
            *dtypes,
            "Lowest",
            "Highest",
            *(verdict.value.capitalize() for verdict in verdicts),
        ),
        rows=tuple(rows),
    )


def size_table(lines: Sequence[Comparison], axis: str) -> Table:
    """Means of each line at each H or B."""
    sizes = sorted({getattr(each.point, axis) for each in lines})
    return Table(
        heading=f"Ratio by {SIZES[axis]}",
        remark=f"Geometric mean of the ratios at each {axis}. Different {axis} may have been run "
        "with different other sizes.",
        columns=("Line", *(f"{axis}={size}" for size in sizes)),
        rows=tuple(
            (title, *(cell(group, **{axis: size}) for size in sizes))
            for title, group in by_title(lines).items()
        ),
    )


def point_table(comparisons: Sequence[Comparison], yardstick_title: str) -> Table:
    """Every measurement."""
    return Table(
        heading="Every point",
        remark="Medians over the rounds. µs: microseconds a step, the whole batch in it.",
        columns=(
            "Point",
            "Line",
            "Shows",
            "Ratio",
            percent(CONFIDENCE),
            "µs",
            f"{yardstick_title} µs",
            "Rounds",
        ),
        rows=tuple(
            (
                label(each.point),
                each.title,
                each.verdict.value,
                number(each.ratio),
                f"{number(each.interval.low)} to {number(each.interval.high)}",
                number(each.step.median * MICROSECONDS),
                number(each.yardstick_step.median * MICROSECONDS),
                str(each.rounds),
            )
            for each in comparisons
        ),
        text_columns=3,
        long=True,
    )
