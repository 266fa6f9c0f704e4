"""The ratio of one line over hidden size and batch size, a cell each, for each dtype."""

import math
from collections.abc import Iterable, Iterator
from statistics import geometric_mean

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnn_benchmarks.names import OURS
from rnn_benchmarks.ratios import Comparison
from rnn_benchmarks.svg import element
from rnn_benchmarks.table import number

# Orange to blue, which colour-blind readers tell apart; the number stands in each cell besides.
COLOURS = LinearSegmentedColormap.from_list("slower-faster", ["#b35806", "#f7f4f0", "#2166ac"])
DARK, LIGHT = "#1a1a1a", "#ffffff"
WIDEST = 4.0  # ratios from 1/4 to 4 have colours of their own
ROW = 0.52  # inches


def heatmaps(
    comparisons: Iterable[Comparison], yardstick_title: str
) -> Iterator[tuple[str, str, str]]:
    """Heading, caption and SVG for each dtype that has two cells at least."""
    own = [each for each in comparisons if each.line == OURS]
    for dtype in dict.fromkeys(each.point.dtype for each in own):
        cells: dict[tuple[int, int], list[float]] = {}
        for each in own:
            if each.point.dtype == dtype:
                cells.setdefault((each.point.B, each.point.H), []).append(each.ratio)
        if len(cells) < 2:
            continue
        means = {sizes: geometric_mean(ratios) for sizes, ratios in cells.items()}
        counts = sorted({len(ratios) for ratios in cells.values()})
        title, points = own[0].title, " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
        caption = (
            f"{dtype}: how many times as fast as {yardstick_title} {title} is, geometric mean over "
            f"T and I (points a cell: {points}). Blue: faster; orange: slower."
        )
        figure = _figure(means, dtype)
        yield (
            f"Where {title} wins, and by how much",
            caption,
            element(figure, f"heat-{dtype}", caption),
        )


def _figure(means: dict[tuple[int, int], float], dtype: str) -> Figure:
    batch_sizes = sorted({B for B, _ in means})
    hidden_sizes = sorted({H for _, H in means})
    height = 0.85 + ROW * len(batch_sizes)
    figure = Figure(figsize=(4.6, height))
    axes = figure.add_axes((0.15, 0.5 / height, 0.82, ROW * len(batch_sizes) / height))
    for (B, H), ratio in means.items():
        _cell(axes, hidden_sizes.index(H), batch_sizes.index(B), ratio)
    axes.set_xlim(0, len(hidden_sizes))
    axes.set_ylim(0, len(batch_sizes))
    axes.set_xticks([index + 0.5 for index in range(len(hidden_sizes))], map(str, hidden_sizes))
    axes.set_yticks([index + 0.5 for index in range(len(batch_sizes))], map(str, batch_sizes))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("hidden size H")
    axes.set_ylabel("batch size B")
    axes.set_title(dtype)
    return figure


def _cell(axes: Axes, column: int, row: int, ratio: float) -> None:
    share = 0.5 + math.log(min(max(ratio, 1 / WIDEST), WIDEST)) / math.log(WIDEST) / 2
    colour = COLOURS(share)
    red, green, blue = to_rgb(colour)
    is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
    axes.add_patch(Rectangle((column + 0.02, row + 0.03), 0.96, 0.94, color=colour, linewidth=0))
    axes.text(
        column + 0.5,
        row + 0.5,
        number(ratio),
        ha="center",
        va="center",
        color=LIGHT if is_dark else DARK,
    )
