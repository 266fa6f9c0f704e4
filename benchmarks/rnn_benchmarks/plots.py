"""Three plots of a run: the ratio over both sizes, the ratio of every line, the distance."""

from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from rnn_benchmarks.results import mean
from rnn_benchmarks.workload import DTYPES, LIMIT, OURS, TITLES, YARDSTICKS

SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "rnn", "font.size": 9}
COLOURS = dict(zip(DTYPES, ("#1f77b4", "#d95f02"), strict=True))
WIDEST = 2.0  # ratios from 1/4 to 4, as binary logarithms, have colours of their own


def ratio_by_size(table: Any, footer: str, path: Path) -> None:
    """Our ratios, means over T and I: a square for each H and B, a panel for a line and dtype."""
    names = [name for name in OURS.values() if name in set(table.line)]
    figure, panels = _figure(0.5 + 2.4 * len(names), len(DTYPES), footer, len(names))
    for axes, (name, dtype) in zip(panels, product(names, DTYPES), strict=False):
        ours = table[(table.line == name) & (table.dtype == dtype)]
        if ours.empty:
            continue
        cells = np.log2(ours.pivot_table("ratio", "B", "H", aggfunc=mean))
        axes.imshow(cells, cmap="RdBu", vmin=-WIDEST, vmax=WIDEST, origin="lower", aspect="auto")
        for (row, column), value in np.ndenumerate(cells):
            if np.isfinite(value):
                colour = "white" if abs(value) > 0.6 * WIDEST else "black"
                label = f"{2**value:.2f}"
                axes.text(column, row, label, ha="center", va="center", color=colour)
        axes.set_xticks(range(len(cells.columns)), cells.columns)
        axes.set_yticks(range(len(cells.index)), cells.index)
        axes.set(xlabel="hidden size H", ylabel="batch size B", title=f"{TITLES[name]} {dtype}")
    title = "torch's time over that of the line, mean over T and I (blue: the line is faster)"
    _save(figure, title, path)


def ratio_by_line(table: Any, footer: str, path: Path) -> None:
    """Every ratio as a dot, a row a line, and the geometric mean of each dtype as a bar."""
    names = [name for name in TITLES if name in set(table.line) - {*YARDSTICKS.values()}]
    figure, (axes,) = _figure(1.3 + 0.45 * len(names), 1, footer)
    for offset, (dtype, colour) in zip((-0.16, 0.16), COLOURS.items(), strict=True):
        part = table[(table.dtype == dtype) & table.line.isin(names)]
        means = part.groupby("line").ratio.agg(mean)
        rows, bars = (
            [names.index(each) + offset for each in of] for of in (part.line, means.index)
        )
        axes.plot(part.ratio, rows, "o", color=colour, alpha=0.45, markersize=4)
        axes.plot(means, bars, "|", color=colour, markersize=13, mew=2.5)
        axes.plot([], [], "o", color=colour, label=dtype)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(names)), [TITLES[name] for name in names])
    axes.invert_yaxis()
    axes.set_xscale("log")
    _plain(axes.xaxis)
    axes.set_xlabel("ratio (right of 1: faster; bar: geometric mean)")
    axes.legend(loc="best", frameon=False)
    _save(figure, "The time of torch's layer over that of each line, at every point", path)


def distance_to_floor(table: Any, footer: str, path: Path) -> None:
    """Times the floor of BatchRNN and torch.nn.RNN, geometric means by H and by B."""
    figure, panels = _figure(3.3, 2, footer)
    sizes = {"H": "hidden size H", "B": "batch size B"}
    for axes, (size, label) in zip(panels, sizes.items(), strict=True):
        means = table.groupby(["line", "dtype", size]).distance.agg(mean).unstack()
        for name, style in ((OURS["rnn"], "o-"), (YARDSTICKS["rnn"], "s--")):
            for dtype, colour in COLOURS.items():
                if (name, dtype) in means.index:
                    line = means.loc[(name, dtype)].to_numpy()
                    legend = f"{TITLES[name]} {dtype}"
                    axes.plot(line, style, color=colour, label=legend, markersize=4)
        axes.axhline(1, color="black", linewidth=0.8)
        axes.set_yscale("log")
        axes.set_xticks(range(len(means.columns)), means.columns)
        _plain(axes.yaxis)
        axes.set_xlabel(label)
    panels[0].set_ylabel("times the floor")
    panels[0].legend(frameon=False, fontsize=7.5)
    _save(figure, f"Time over that of the {TITLES[LIMIT]}, mean over all points of a size", path)


PLOTS = {
    "ratio-by-size": ratio_by_size,
    "ratio-by-line": ratio_by_line,
    "distance-to-floor": distance_to_floor,
}


def _figure(height: float, panels: int, footer: str, rows: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(7.2, height), layout="constrained")
    figure.supxlabel(footer, fontsize=7.5, color="#555555", x=0.99, ha="right")
    return figure, list(np.ravel(figure.subplots(max(rows, 1), panels, sharey="row")))


def _plain(axis: Any) -> None:
    """Ticks at 1, 2 and 5 times the powers of ten, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def _save(figure: Figure, title: str, path: Path) -> None:
    figure.suptitle(title, fontsize=10)
    with mpl.rc_context(SETTINGS):  # the same results give the same file
        figure.savefig(path, metadata=dict.fromkeys(("Creator", "Date")))
