"""One panel: a size on the horizontal axis, both axes logarithmic, lines named where they end."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from rnn_benchmarks.slices import AXES, Slice
from rnn_benchmarks.svg import INK

# Inches. Narrow, so that text is readable still where a phone shrinks the plot to its own width.
WIDTH, HEIGHT = 4.6, 3.3
TICKS = (1, 2, 5)  # in each decade
MOST_DECADES = 2.5  # with all of these ticks
LABEL_SPACING = 0.075  # of an axis, between the labels of two lines


def panel(part: Slice) -> tuple[Figure, Axes]:
    """Empty axes with a tick at each size, and room on the right for the names of lines."""
    figure = Figure(figsize=(WIDTH, HEIGHT))
    axes = figure.add_axes((0.17, 0.15, 0.54, 0.74))
    axes.set_xscale("log")
    axes.set_yscale("log")
    sizes = part.sizes
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(AXES[part.axis])
    axes.set_title(str(part), color=INK)
    return figure, axes


def line(
    axes: Axes,
    sizes: Sequence[int],
    spreads: Sequence[tuple[float, float, float]],
    style: tuple[str, str],
) -> None:
    """A line through the middle values, with a bar from low to high at each."""
    colour, marker = style
    middles = [middle for _, middle, _ in spreads]
    below = [max(middle - low, 0.0) for low, middle, _ in spreads]
    above = [max(high - middle, 0.0) for _, middle, high in spreads]
    axes.errorbar(
        sizes,
        middles,
        yerr=(below, above),
        color=colour,
        marker=marker,
        markersize=5,
        linewidth=1.5,
        elinewidth=1,
        capsize=2.5,
    )


def finish(axes: Axes, ends: dict[str, float], styles: dict[str, tuple[str, str]]) -> None:
    """Ticks on the vertical axis, and each line's name where it ends."""
    plain_log_ticks(axes.yaxis)
    axes.set_ylim(*widened(axes.get_ylim()))
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = {title: float(to_axes.transform((1, end))[1]) for title, end in ends.items()}
    for title, height in spaced(heights).items():
        axes.annotate(
            title.removeprefix("torch."),
            (1.02, height),
            xycoords="axes fraction",
            color=styles[title][0],
            va="center",
            annotation_clip=False,
        )


def spaced(heights: dict[str, float]) -> dict[str, float]:
    """The heights moved apart, in their order and from 0 to 1, until labels do not overlap."""
    titles = sorted(heights, key=heights.__getitem__)
    last = len(titles) - 1
    wanted = [  # no higher and no lower than leaves room for the others
        max(LABEL_SPACING * index, min(heights[title], 1 - LABEL_SPACING * (last - index)))
        for index, title in enumerate(titles)
    ]
    upward = _pushed(wanted)
    downward = [-height for height in reversed(_pushed([-height for height in reversed(wanted)]))]
    placed = [(up + down) / 2 for up, down in zip(upward, downward, strict=True)]
    return dict(zip(titles, placed, strict=True))


def _pushed(heights: Sequence[float]) -> list[float]:
    """Ascending heights, each raised to stand clear of the one below."""
    placed = list(heights)
    for index in range(1, len(placed)):
        placed[index] = max(placed[index], placed[index - 1] + LABEL_SPACING)
    return placed


def widened(limits: tuple[float, float]) -> tuple[float, float]:
    """The limits moved outwards to the nearest ticks, so that a scale has two at least."""
    low, high = limits
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [sub * 10.0**decade for decade in decades for sub in TICKS]
    return max(tick for tick in ticks if tick <= low), min(tick for tick in ticks if tick >= high)


def plain_log_ticks(axis: Axis) -> None:
    """Ticks at 1, 2 and 5 times the powers of ten, as plain numbers; at these alone where many."""
    low, high = axis.get_view_interval()
    is_long = high / low > 10.0**MOST_DECADES
    axis.set_major_locator(LogLocator(subs=TICKS[:1] if is_long else TICKS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_locator(NullLocator())
