"""The report on recurrences computed in chunks of time: what it says, its tables and its plots."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median, quantiles
from typing import Literal

import matplotlib as mpl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MultipleLocator, NullLocator

from rnn_benchmarks.content import Content, Table, number, percent, plural
from rnn_benchmarks.html import TEMPLATES
from rnn_benchmarks.plots import Plot
from rnn_benchmarks.ratios import NOISE_LIMIT
from rnn_benchmarks.svg import INK, LINES, SETTINGS, element

Dtype = Literal["float32", "float64"]

TITLE = "Chunks of time at once: gain over the sequential loop"
LINE_STYLES = tuple(zip(LINES, "so^v", strict=True))
WIDTH, HEIGHT = 4.6, 3.3  # inches, as narrow as the other plots
CONTRACTIVE = 0.9  # the spectral radius up to which gains are summed up


@dataclass(frozen=True)
class Measured:
    """One point: what became of the chunks, and the seconds of each line in each round.

    Lines: "torch", "batch_rnn", "loop" (what is fallen back to), "chunks", and "certified" (chunks
    with their certificate). `share` is the worst error as a share of its bound.
    """

    T: int
    H: int
    radius: float
    dtype: Dtype
    chunks: int
    extra_steps: int
    fell_back: bool
    share: float
    seconds: Mapping[str, Sequence[float]]

    @property
    def looped(self) -> bool:
        """Whether the loop computed states: it was fallen back to, or nothing was cut."""
        return self.fell_back or self.chunks == 1

    @property
    def steps(self) -> int:
        """Steps of each chunk."""
        return -(-self.T // self.chunks)

    def gains(self, yardstick: str, line: str) -> list[float]:
        """The yardstick's time over the line's, in each round."""
        pairs = zip(self.seconds[yardstick], self.seconds[line], strict=True)
        return [slow / fast for slow, fast in pairs]

    def gain(self, yardstick: str, line: str = "chunks") -> float:
        """The median of these."""
        return median(self.gains(yardstick, line))


@dataclass(frozen=True)
class Run:
    """All points, and where and how they were measured."""

    measured: tuple[Measured, ...]
    machine: Mapping[str, str]
    threads: Mapping[str, int]
    input_size: int
    command: str


def write(run: Run) -> Content:
    """The content of the report, plots apart."""
    rounds = len(run.measured[0].seconds["torch"])
    return Content(
        title=TITLE,
        findings=tuple(_findings(run.measured)),
        warnings=tuple(_warnings(run.measured)),
        tables=(_summary(run.measured), _points(run.measured)),
        notes=(
            f"One sequence (B=1), I={run.input_size}; inputs and weights are standard normal, W_hh "
            "scaled to the spectral radius. All lines give every state; BatchRNN's readout, of one "
            "unit, is included in its time.",
            f"Gain: the time of the other line over that of the chunks, within one round of all "
            f"lines; the median of {plural(rounds, 'round')}. 2 is twice as fast.",
            "With certificate: the one-step certificate of every state, and the checks of the "
            "arguments, are in the time. Every result, and torch.nn.RNN's, was certified.",
            "Extra steps: those of the batch of chunks beyond its first run. Fell back: the chunks "
            "did not settle soon enough, and the loop computed the rest. Not cut: the steps were "
            "left to the loop without an attempt.",
        ),
        facts=(
            *run.machine.items(),
            ("Threads, as read back", ", ".join(f"{n} {c}" for n, c in run.threads.items())),
        ),
        command=run.command,
        comparisons=(),
        yardstick="torch",
        yardstick_title="torch.nn.RNN",
    )


def html(run: Run, content: Content) -> str:
    """The whole page, plots inside."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = lambda plot: Markup(plot.svg)
    template = environment.get_template("report.html.jinja")
    return template.render(content=content, sections=draw(run.measured))


def _findings(measured: Sequence[Measured]) -> list[str]:
    worst = max(each.share for each in measured)
    found = [
        f"All {plural(len(measured), 'result')} certified; the worst error is {number(worst)} of "
        "its bound."
    ]
    settled = [each for each in measured if each.chunks > 1 and not each.fell_back]
    if settled:
        best = max(settled, key=lambda each: each.gain("torch"))
        found.append(
            f"Where chunks settled ({len(settled)} of {plural(len(measured), 'point')}), they were "
            f"{_mean(settled, 'torch')} times as fast as torch.nn.RNN in geometric mean, "
            f"{_mean(settled, 'torch', 'certified')} times with the certificate, and "
            f"{_mean(settled, 'batch_rnn')} times as fast as BatchRNN; at best "
            f"{number(best.gain('torch'))} times torch.nn.RNN ({_label(best)})."
        )
    fallen = [each for each in measured if each.fell_back]
    if fallen:
        costs = [1 / each.gain("loop") - 1 for each in fallen]
        found.append(
            f"Where they did not ({plural(len(fallen), 'point')}), the attempt cost "
            f"{percent(median(costs))} of the loop in the median, {percent(max(costs))} at worst."
        )
    return found


def _warnings(measured: Sequence[Measured]) -> list[str]:
    noisy = [each for each in measured if _spread(each.seconds["torch"]) > NOISE_LIMIT]
    if not noisy:
        return []
    return [
        f"The machine was noisy at {len(noisy)} of {plural(len(measured), 'point')}: the quartiles "
        f"of torch.nn.RNN's own times were more than {percent(NOISE_LIMIT - 1)} apart. Repeat on a "
        "quiet machine."
    ]


def _spread(seconds: Sequence[float]) -> float:
    if len(seconds) < 2:
        return 1.0
    low, _, high = quantiles(seconds, n=4, method="inclusive")
    return high / low


def _summary(measured: Sequence[Measured]) -> Table:
    rows = []
    for dtype, H, T in dict.fromkeys((each.dtype, each.H, each.T) for each in measured):
        group = [each for each in measured if (each.dtype, each.H, each.T) == (dtype, H, T)]
        calm = [each for each in group if each.radius <= CONTRACTIVE]
        fallen = [f"{each.radius:g}" for each in group if each.fell_back]
        cut = max(each.chunks for each in group) > 1
        extra = [each.extra_steps for each in calm]
        rows.append(
            (
                f"{dtype} H={H} T={T}",
                *(
                    _mean(calm, yardstick, line) if calm else "-"
                    for yardstick in ("torch", "batch_rnn")
                    for line in ("chunks", "certified")
                ),
                f"{min(extra)} to {max(extra)}" if cut and calm else "-",
                (", ".join(fallen) or "none") if cut else "not cut",
            )
        )
    return Table(
        heading=f"Spectral radius up to {CONTRACTIVE}",
        remark="Geometric mean of the gain, over torch.nn.RNN and over BatchRNN, without the "
        "certificate and with it; extra steps; and at which of all radii the loop had to go on.",
        columns=(
            "Point",
            "torch",
            "certified",
            "BatchRNN",
            "certified",
            "Extra steps",
            "Fell back at radius",
        ),
        rows=tuple(rows),
    )


def _points(measured: Sequence[Measured]) -> Table:
    return Table(
        heading="Every point",
        remark="Gains over the other lines, medians over the rounds; the loop is what is fallen "
        "back to.",
        columns=(
            "Point",
            "Became",
            "Chunks",
            "Extra steps",
            "torch",
            "certified",
            "BatchRNN",
            "loop",
            "ms",
            "torch ms",
            "Share of bound",
        ),
        rows=tuple(
            (
                _label(each),
                "fell back" if each.fell_back else "settled" if each.chunks > 1 else "not cut",
                str(each.chunks),
                str(each.extra_steps),
                number(each.gain("torch")),
                number(each.gain("torch", "certified")),
                number(each.gain("batch_rnn")),
                number(each.gain("loop")),
                number(1000 * median(each.seconds["chunks"])),
                number(1000 * median(each.seconds["torch"])),
                number(each.share),
            )
            for each in measured
        ),
        text_columns=2,
        long=True,
    )


def _label(each: Measured) -> str:
    return f"{each.dtype} T={each.T} H={each.H} radius {each.radius:g}"


def _mean(group: Sequence[Measured], yardstick: str, line: str = "chunks") -> str:
    return number(geometric_mean(each.gain(yardstick, line) for each in group))


def draw(measured: Sequence[Measured]) -> list[tuple[str, list[Plot]]]:
    """Sections of plots, a heading each: gains and extra steps, a plot for each dtype and H."""
    sections: dict[str, list[Plot]] = {}
    panels = dict.fromkeys((each.dtype, each.H) for each in measured)
    with mpl.rc_context(SETTINGS):
        for yardstick, title in (("torch", "torch.nn.RNN"), ("batch_rnn", "BatchRNN")):
            for dtype, H in panels:
                group = [each for each in measured if (each.dtype, each.H) == (dtype, H)]
                plot = _gain_panel(group, yardstick, title)
                sections.setdefault(plot.heading, []).append(plot)
        for dtype, H in panels:
            group = [each for each in measured if (each.dtype, each.H) == (dtype, H)]
            plot = _steps_panel(group)
            sections.setdefault(plot.heading, []).append(plot)
    return list(sections.items())


def _gain_panel(group: Sequence[Measured], yardstick: str, title: str) -> Plot:
    figure = _panel(
        group,
        {
            "-": lambda each: each.gain(yardstick),
            ":": lambda each: each.gain(yardstick, "certified"),
        },
        f"times as fast as {title}",
    )
    figure.axes[0].axhline(1, color=INK, linewidth=1)
    name = _name(group)
    caption = (
        f"Gain over {title} against the spectral radius of W_hh ({name}). Solid: the states; "
        "dotted: with their certificate. Hollow: the loop, from the start or fallen back to."
    )
    svg = element(figure, f"gain-{yardstick}-{group[0].dtype}-{group[0].H}", caption)
    return Plot(f"Gain over {title}", caption, svg)


def _steps_panel(group: Sequence[Measured]) -> Plot:
    cut = [each for each in group if each.chunks > 1]
    figure = _panel(
        cut or group, {"-": lambda each: (each.steps + each.extra_steps) / each.T}, "share of T"
    )
    figure.axes[0].axhline(1, color=INK, linewidth=1)
    caption = (
        f"Sequential steps of the batch of chunks, extra ones included, as a share of T "
        f"({_name(group)}). Hollow: there the loop went on."
    )
    svg = element(figure, f"steps-{group[0].dtype}-{group[0].H}", caption)
    return Plot("Sequential steps left", caption, svg)


def _panel(
    group: Sequence[Measured], lines: Mapping[str, Callable[[Measured], float]], label: str
) -> Figure:
    """A plot against the spectral radius, a colour and a marker for each T."""
    lengths = sorted({each.T for each in group})
    styles = {T: LINE_STYLES[i % len(LINE_STYLES)] for i, T in enumerate(lengths)}
    figure = Figure(figsize=(WIDTH, HEIGHT))
    axes = figure.add_axes((0.13, 0.14, 0.84, 0.68))
    axes.set_yscale("log")
    for style, value in lines.items():
        for T in lengths:
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
