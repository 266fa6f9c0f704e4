"""The plots of chunks of time: gains and steps left, against the spectral radius, by T."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MultipleLocator, NullLocator

from rnn_benchmarks.parallel_results import Dtype, Measured
from rnn_benchmarks.plots import Plot
from rnn_benchmarks.svg import INK, LINES, SETTINGS, element

LINE_STYLES = tuple(zip(LINES[:4], "so^v", strict=True))
WIDTH, HEIGHT = 4.6, 3.3  # inches, as narrow as the other plots

Styles = Mapping[int, tuple[str, str]]  # a colour and a marker for each T


def draw(measured: Sequence[Measured]) -> list[tuple[str, list[Plot]]]:
    """Sections of plots, a heading each; a plot for each dtype and H."""
    lengths = sorted({each.T for each in measured})
    styles = {T: LINE_STYLES[i % len(LINE_STYLES)] for i, T in enumerate(lengths)}
    groups: dict[tuple[Dtype, int], list[Measured]] = {}
    for each in measured:
        groups.setdefault((each.dtype, each.H), []).append(each)
    with mpl.rc_context(SETTINGS):
        sections = [
            (
                f"Gain over {title}",
                [_gain_panel(group, yardstick, title, styles) for group in groups.values()],
            )
            for yardstick, title in (("torch", "torch.nn.RNN"), ("batch_rnn", "BatchRNN"))
        ]
        steps = [_steps_panel(group, styles) for group in groups.values()]
    return [*sections, ("Sequential steps left", steps)]


def _gain_panel(group: Sequence[Measured], yardstick: str, title: str, styles: Styles) -> Plot:
    figure = _panel(
        group,
        {
            "-": lambda each: each.gain(yardstick),
            ":": lambda each: each.gain(yardstick, "certified"),
        },
        f"times as fast as {title}",
        styles,
    )
    figure.axes[0].axhline(1, color=INK, linewidth=1)
    name = _name(group)
    caption = (
        f"Gain over {title} against the spectral radius of W_hh ({name}). Solid: the states; "
        "dotted: with their certificate. Hollow: the loop, from the start or fallen back to."
    )
    svg = element(figure, f"gain-{yardstick}-{group[0].dtype}-{group[0].H}", caption)
    return Plot(f"Gain over {title}", caption, svg)


def _steps_panel(group: Sequence[Measured], styles: Styles) -> Plot:
    cut = [each for each in group if each.chunks > 1]
    figure = _panel(
        cut or group,
        {"-": lambda each: 1 if each.looped else (each.steps + each.extra_steps) / each.T},
        "share of T",
        styles,
    )
    figure.axes[0].axhline(1, color=INK, linewidth=1)
    caption = (
        f"Sequential steps of the batch of chunks, extra ones included, as a share of T "
        f"({_name(group)}). Hollow, at 1: left to the loop."
    )
    svg = element(figure, f"steps-{group[0].dtype}-{group[0].H}", caption)
    return Plot("Sequential steps left", caption, svg)


def _panel(
    group: Sequence[Measured],
    lines: Mapping[str, Callable[[Measured], float]],
    label: str,
    styles: Styles,
) -> Figure:
    """A plot against the spectral radius, a colour and a marker for each T."""
    figure = Figure(figsize=(WIDTH, HEIGHT))
    axes = figure.add_axes((0.13, 0.14, 0.84, 0.68))
    axes.set_yscale("log")
    for style, value in lines.items():
        for T in sorted({each.T for each in group}):
            colour, marker = styles[T]
            of_T = sorted((each for each in group if each.T == T), key=lambda each: each.radius)
            radii, values = [each.radius for each in of_T], [value(each) for each in of_T]
            name = f"T={T}" if style == "-" else None
            axes.plot(radii, values, style, color=colour, linewidth=1.5)
            for hollow in (False, True):
                chosen = [i for i, each in enumerate(of_T) if each.looped is hollow]
                axes.plot(
                    [radii[i] for i in chosen],
                    [values[i] for i in chosen],
                    marker,
                    color=colour,
                    markersize=5,
                    markerfacecolor="none" if hollow else colour,
                )
            axes.plot([], [], marker + "-", color=colour, markersize=5, label=name)
    figure.legend(loc="upper left", bbox_to_anchor=(0.1, 0.93), ncols=4, frameon=False)
    axes.set_title(_name(group), color=INK, pad=24)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MultipleLocator(0.5))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda gain, _: f"{gain:,.10g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("spectral radius of W_hh")
    axes.set_ylabel(label)
    return figure


def _name(group: Sequence[Measured]) -> str:
    return f"{group[0].dtype}, H={group[0].H}"
