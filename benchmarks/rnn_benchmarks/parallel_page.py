"""The report on recurrences computed in chunks of time: what it says, and its tables."""

from collections.abc import Sequence
from statistics import geometric_mean, median, quantiles

from rnn_benchmarks.content import Content
from rnn_benchmarks.html import page
from rnn_benchmarks.parallel_plots import draw
from rnn_benchmarks.parallel_results import Measured, Run
from rnn_benchmarks.ratios import NOISE_LIMIT
from rnn_benchmarks.table import Table, number, percent, plural

TITLE = "Chunks of time at once: gain over the sequential loop"
CONTRACTIVE = 0.9  # the spectral radius up to which gains are summed up


def write(run: Run) -> Content:
    """The content of the report, plots apart."""
    rounds = len(run.measured[0].seconds["torch"])
    return Content(
        title=TITLE,
        findings=tuple(_findings(run.measured)),
        remarks=(),
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
        distances=(),
        yardstick="torch",
        yardstick_title="torch.nn.RNN",
    )


def html(run: Run, content: Content) -> str:
    """The whole page, plots inside."""
    return page(content, draw(run.measured))


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
            "torch, certified",
            "BatchRNN",
            "BatchRNN, certified",
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
