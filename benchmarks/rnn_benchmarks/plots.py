"""The plots: ratio and time per step against H and B, and all ratios at a glance."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from rnn_benchmarks.content import MICROSECONDS, Content, by_title, percent
from rnn_benchmarks.grid import MIDDLE, Point
from rnn_benchmarks.ratios import CONFIDENCE, Comparison
from rnn_benchmarks.svg import BAND, INK, LINES, SETTINGS, element

AXES = {"H": "hidden size H", "B": "batch size B"}

# Each line has a marker of its own and its name beside it, so that nothing hangs on colour alone.
LINE_STYLES = tuple(zip(LINES, "so^v", strict=True))
YARDSTICK_STYLE = (INK, "D")

# Inches. Narrow, so that text is readable still where a phone shrinks the plot to its own width.
WIDTH, HEIGHT, ROW = 4.6, 3.1, 0.62
TICKS = (1, 2, 5)  # in each decade
LABEL_SPACING = 0.075  # of an axis, between the labels of two lines


@dataclass(frozen=True)
class Plot:
    """A plot under a heading, the same for plots that stand side by side."""

    heading: str
    caption: str
    svg: str


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


def draw(content: Content) -> tuple[Plot, ...]:
    """All plots for which there are points."""
    styles = _styles(content)
    with mpl.rc_context(SETTINGS):
        plots = [_overview(content, styles)] if len(styles) > 1 else []
        for axis in AXES:
            slices = [each for each in _slices(content.comparisons, axis) if _sizes(each)[1:]]
            plots += [_ratio_panel(each, content, styles) for each in slices]
            plots += [_time_panel(each, styles) for each in slices]
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
    axes.set_xlim(*_widened(axes.get_xlim()))
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    _plain_log_ticks(axes.xaxis)
    axes.set_xlabel(f"ratio to {content.yardstick_title} (right of 1: faster)")
    shown = " and ".join(
        f"{dtype} {'hollow' if offset else 'solid'}" for offset, dtype in enumerate(dtypes)
    )
    caption = f"Ratio at every point, a mark each, {shown}."
    return Plot("All ratios", caption, element(figure, "overview", caption))


def _ratio_panel(part: Slice, content: Content, styles: dict[str, tuple[str, str]]) -> Plot:
    figure, axes = _panel(part)
    ends = {}
    floors = []
    for title, group in _by_size(part).items():
        sizes = [_size(each.point, part.axis) for each in group]
        if group[0].line == content.yardstick:
            floors = group
            continue
        _line(
            axes,
            sizes,
            [(each.interval.low, each.ratio, each.interval.high) for each in group],
            styles[title],
        )
        ends[title] = group[-1].ratio
    axes.axhline(1, color=INK, linewidth=1)
    axes.fill_between(
        [_size(each.point, part.axis) for each in floors],
        [each.floor.low for each in floors],
        [each.floor.high for each in floors],
        color=BAND,
        linewidth=0,
    )
    ends[content.yardstick_title] = 1.0
    axes.set_ylabel("ratio")
    _finish(axes, ends, styles)
    caption = (
        f"Ratio to {content.yardstick_title} against {AXES[part.axis]} ({part}). Above 1: faster. "
        f"Bars: {percent(CONFIDENCE)} intervals; band: {content.yardstick_title} against itself."
    )
    identifier = f"ratio-{part.axis}-{part.dtype}"
    return Plot(f"Ratio against {AXES[part.axis]}", caption, element(figure, identifier, caption))


def _time_panel(part: Slice, styles: dict[str, tuple[str, str]]) -> Plot:
    figure, axes = _panel(part)
    ends = {}
    for title, group in _by_size(part).items():
        steps = [each.step for each in group]
        _line(
            axes,
            [_size(each.point, part.axis) for each in group],
            [
                (step.low * MICROSECONDS, step.median * MICROSECONDS, step.high * MICROSECONDS)
                for step in steps
            ],
            styles[title],
        )
        ends[title] = steps[-1].median * MICROSECONDS
    axes.set_ylabel("µs a step")
    _finish(axes, ends, styles)
    caption = (
        f"Time per step of the whole batch against {AXES[part.axis]} ({part}). "
        "Marks: medians; bars: from the first to the third quartile."
    )
    identifier = f"time-{part.axis}-{part.dtype}"
    return Plot(
        f"Time per step against {AXES[part.axis]}", caption, element(figure, identifier, caption)
    )


def _panel(part: Slice) -> tuple[Figure, Axes]:
    """Empty axes with a tick at each size, and room on the right for the names of lines."""
    figure = Figure(figsize=(WIDTH, HEIGHT))
    axes = figure.add_axes((0.17, 0.15, 0.54, 0.74))
    axes.set_xscale("log")
    axes.set_yscale("log")
    sizes = _sizes(part)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(AXES[part.axis])
    axes.set_title(str(part), color=INK)
    return figure, axes


def _line(
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


def _finish(axes: Axes, ends: dict[str, float], styles: dict[str, tuple[str, str]]) -> None:
    """Ticks on the vertical axis, and each line's name where it ends."""
    _plain_log_ticks(axes.yaxis)
    axes.set_ylim(*_widened(axes.get_ylim()))
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = {title: float(to_axes.transform((1, end))[1]) for title, end in ends.items()}
    for title, height in _spaced(heights).items():
        axes.annotate(
            title.removeprefix("torch."),
            (1.02, height),
            xycoords="axes fraction",
            color=styles[title][0],
            va="center",
            annotation_clip=False,
        )


def _spaced(heights: dict[str, float]) -> dict[str, float]:
    """The heights moved apart, in their order, until labels do not overlap."""
    titles = sorted(heights, key=heights.__getitem__)
    wanted = [heights[title] for title in titles]
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


def _widened(limits: tuple[float, float]) -> tuple[float, float]:
    """The limits moved outwards to the nearest ticks, so that a scale has two at least."""
    low, high = limits
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [sub * 10.0**decade for decade in decades for sub in TICKS]
    return max(tick for tick in ticks if tick <= low), min(tick for tick in ticks if tick >= high)


def _plain_log_ticks(axis: Axis) -> None:
    """Ticks at 1, 2 and 5 times the powers of ten, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=TICKS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_locator(NullLocator())


def _styles(content: Content) -> dict[str, tuple[str, str]]:
    titles = [title for title in by_title(content.comparisons) if title != content.yardstick_title]
    styles = {title: LINE_STYLES[i % len(LINE_STYLES)] for i, title in enumerate(titles)}
    return {**styles, content.yardstick_title: YARDSTICK_STYLE}


def _slices(comparisons: Iterable[Comparison], axis: str) -> list[Slice]:
    """For each dtype the slice along the axis with most sizes; among equals, nearest the middle."""
    groups: dict[tuple[str, tuple[tuple[str, int], ...]], list[Comparison]] = {}
    for each in comparisons:
        groups.setdefault((each.point.dtype, _held(each.point, axis)), []).append(each)
    middle = set(_held(MIDDLE, axis))
    best: dict[str, Slice] = {}

    def rank(part: Slice) -> tuple[int, int]:
        return len(_sizes(part)), len(middle & set(part.held))

    for (dtype, held), members in groups.items():
        part = Slice(axis, dtype, held, tuple(members))
        if dtype not in best or rank(part) > rank(best[dtype]):
            best[dtype] = part
    return list(best.values())


def _by_size(part: Slice) -> dict[str, list[Comparison]]:
    """The comparisons of each line, from the smallest size to the largest."""
    return by_title(sorted(part.comparisons, key=lambda each: _size(each.point, part.axis)))


def _sizes(part: Slice) -> list[int]:
    return sorted({_size(each.point, part.axis) for each in part.comparisons})


def _size(point: Point, axis: str) -> int:
    return int(asdict(point)[axis])


def _held(point: Point, axis: str) -> tuple[tuple[str, int], ...]:
    sizes = asdict(point)
    return tuple((name, sizes[name]) for name in ("T", "B", "I", "H") if name != axis)
