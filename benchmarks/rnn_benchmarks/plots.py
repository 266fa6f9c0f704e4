"""The plots: ratios at a glance, then ratio, distance to the floor and time against H and B."""

from dataclasses import dataclass
from typing import Literal

import matplotlib as mpl
from matplotlib.figure import Figure

from rnn_benchmarks.content import Content
from rnn_benchmarks.heatmap import heatmaps
from rnn_benchmarks.limit import Distance
from rnn_benchmarks.panels import WIDTH, finish, line, panel, plain_log_ticks, widened
from rnn_benchmarks.slices import AXES, Slice, size, slices_along
from rnn_benchmarks.summary import CONFIDENCE
from rnn_benchmarks.svg import BAND, INK, LINES, SETTINGS, element
from rnn_benchmarks.table import MICROSECONDS, by_title, percent

# Each line has a marker of its own and its name beside it, so that nothing hangs on colour alone.
LINE_STYLES = tuple(zip(LINES, "so^vPX*<>", strict=True))
YARDSTICK_STYLE = (INK, "D")
ROW = 0.62  # inches


@dataclass(frozen=True)
class Plot:
    """A plot under a heading, the same for plots that stand side by side.

    `place` is where on the page: at the top, before the tables, or after them.
    """

    heading: str
    caption: str
    svg: str
    place: Literal["top", "before", "after"] = "after"


def draw(content: Content) -> tuple[Plot, ...]:
    """All plots for which there are points."""
    styles = _styles(content)
    with mpl.rc_context(SETTINGS):
        plots = [
            Plot(*parts, place="top")
            for parts in heatmaps(content.comparisons, content.yardstick_title)
        ]
        along = {
            axis: [each for each in slices_along(content.comparisons, axis) if each.sizes[1:]]
            for axis in AXES
        }
        for parts in along.values():
            plots += [each for part in parts for each in _distance_panel(part, content, styles)]
        plots += [_overview(content, styles)] if len(styles) > 1 else []
        for parts in along.values():
            plots += [_ratio_panel(each, content, styles) for each in parts]
            plots += [_time_panel(each, styles) for each in parts]
    return tuple(plots)


def _overview(content: Content, styles: dict[str, tuple[str, str]]) -> Plot:
    """A row a line: every ratio as a mark, solid in the first dtype and hollow in the second."""
    lines = by_title(each for each in content.comparisons if each.line != content.yardstick)
    dtypes = list(dict.fromkeys(each.point.dtype for each in content.comparisons))
    figure = Figure(figsize=(WIDTH, 0.7 + ROW * len(lines)))
    height = figure.get_figheight()
    axes = figure.add_axes((0.03, 0.6 / height, 0.92, 1 - 0.7 / height))
    for row, (title, group) in enumerate(lines.items()):
        colour, marker = styles[title]
        for offset, dtype in enumerate(dtypes):
            ratios = [each.ratio for each in group if each.point.dtype == dtype]
            axes.plot(
                ratios,
                [row + 0.22 * offset] * len(ratios),
                marker,
                color=colour,
                markerfacecolor="none" if offset else colour,
                markersize=6,
                alpha=0.8,
            )
        axes.annotate(title, (0, row - 0.3), xycoords=("axes fraction", "data"), color=colour)
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_ylim(len(lines) - 0.45, -0.65)
    axes.set_xscale("log")
    axes.set_xlim(*widened(axes.get_xlim()))
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    plain_log_ticks(axes.xaxis)
    axes.set_xlabel(f"ratio to {content.yardstick_title} (right of 1: faster)")
    shown = " and ".join(
        f"{dtype} {'hollow' if offset else 'solid'}" for offset, dtype in enumerate(dtypes)
    )
    caption = f"Ratio at every point, a mark each, {shown}."
    return Plot("All ratios", caption, element(figure, "overview", caption))


def _ratio_panel(part: Slice, content: Content, styles: dict[str, tuple[str, str]]) -> Plot:
    figure, axes = panel(part)
    ends = {}
    floors = []
    for title, group in part.by_line.items():
        sizes = [size(each.point, part.axis) for each in group]
        if group[0].line == content.yardstick:
            floors = group
            continue
        line(
            axes,
            sizes,
            [(each.interval.low, each.ratio, each.interval.high) for each in group],
            styles[title],
        )
        ends[title] = group[-1].ratio
    axes.axhline(1, color=INK, linewidth=1)
    axes.fill_between(
        [size(each.point, part.axis) for each in floors],
        [each.floor.low for each in floors],
        [each.floor.high for each in floors],
        color=BAND,
        linewidth=0,
    )
    ends[content.yardstick_title] = 1.0
    axes.set_ylabel("ratio")
    finish(axes, ends, styles)
    caption = (
        f"Ratio to {content.yardstick_title} against {AXES[part.axis]} ({part}). Above 1: faster. "
        f"Bars: {percent(CONFIDENCE)} intervals; band: {content.yardstick_title} against itself."
    )
    identifier = f"ratio-{part.axis}-{part.dtype}"
    return Plot(f"Ratio against {AXES[part.axis]}", caption, element(figure, identifier, caption))


def _distance_panel(
    part: Slice, content: Content, styles: dict[str, tuple[str, str]]
) -> list[Plot]:
    """None where the floor was not measured."""
    points = {each.point for each in part.comparisons}
    groups: dict[str, list[Distance]] = {}
    for each in sorted(content.distances, key=lambda each: size(each.point, part.axis)):
        if each.point in points:
            groups.setdefault(each.title, []).append(each)
    if not groups:
        return []
    figure, axes = panel(part)
    for title, group in groups.items():
        line(
            axes,
            [size(each.point, part.axis) for each in group],
            [(each.interval.low, each.distance, each.interval.high) for each in group],
            styles[title],
        )
    axes.axhline(1, color=INK, linewidth=1)
    axes.set_ylabel("times the floor")
    finish(axes, {title: group[-1].distance for title, group in groups.items()}, styles)
    caption = (
        f"A line's time over the C floor's against {AXES[part.axis]} ({part}). 1 is level with the "
        "floor. Bars: from both intervals."
    )
    heading = f"Distance to the floor against {AXES[part.axis]}"
    return [
        Plot(
            heading, caption, element(figure, f"floor-{part.axis}-{part.dtype}", caption), "before"
        )
    ]


def _time_panel(part: Slice, styles: dict[str, tuple[str, str]]) -> Plot:
    figure, axes = panel(part)
    ends = {}
    for title, group in part.by_line.items():
        steps = [each.step for each in group]
        line(
            axes,
            [size(each.point, part.axis) for each in group],
            [
                (step.low * MICROSECONDS, step.median * MICROSECONDS, step.high * MICROSECONDS)
                for step in steps
            ],
            styles[title],
        )
        ends[title] = steps[-1].median * MICROSECONDS
    axes.set_ylabel("µs a step")
    finish(axes, ends, styles)
    caption = (
        f"Time per step of the whole batch against {AXES[part.axis]} ({part}). "
        "Marks: medians; bars: from the first to the third quartile."
    )
    identifier = f"time-{part.axis}-{part.dtype}"
    return Plot(
        f"Time per step against {AXES[part.axis]}", caption, element(figure, identifier, caption)
    )


def _styles(content: Content) -> dict[str, tuple[str, str]]:
    titles = [title for title in by_title(content.comparisons) if title != content.yardstick_title]
    styles = {title: LINE_STYLES[i % len(LINE_STYLES)] for i, title in enumerate(titles)}
    return {**styles, content.yardstick_title: YARDSTICK_STYLE}
