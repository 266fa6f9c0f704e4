"""`python -m rnn_benchmarks.report results.json --folder DIR`: where NumPy is faster, and why.

`results.json` is what `--benchmark-json` wrote, or the small `results.json` of an earlier report.
The folder gets that small file, `report.md` and three plots. Without one, the summary is printed.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnn_benchmarks.choices import MIDDLE, OURS, TITLES, YARDSTICK
from rnn_benchmarks.plots import PLOTS
from rnn_benchmarks.results import POINT, Results, ResultsError, compared, read, write

BAD_INPUT = 2
HOW_TO_READ = """\
- A ratio is the time of torch.nn.RNN over that of the line, readout included: 2 is twice as fast.
  Each round of a line comes just after a round of torch.nn.RNN; a call under 2 ms is timed after
  one that is not timed. The ratio of a point is the median over its pairs, with a 95 % interval
  from order statistics. Means over points are geometric.
- torch.nn.RNN is paired with itself too. "faster" and "slower" mean that the interval lies outside
  the interval of that; "-" that it does not.
- A distance is the time of the line over that of the C floor: a compiled loop that calls the same
  BLAS and the same tanh as NumPy, the fastest of several. 1 is level with it.
- Before a line is timed, all its outputs and states are compared with the equations in float64,
  within the bounds of the suite, and so are those of torch.nn.RNN."""
WITHOUT_AVX512 = (
    "This processor has AVX2 and no AVX-512. The mean ratio is lower here than with AVX-512, and "
    "float64 with H>=128 is slower than torch.nn.RNN or level with it, because NumPy's float64 "
    "tanh takes about twice as long as torch's. The same run has measured that too."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report; 0, or 2 with one line on standard error where that cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m rnn_benchmarks.report", description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        results = read(options.results)
        if options.folder is None:
            print(summary(results))
        else:
            save(results, options.folder)
    except ResultsError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT
    return 0


def save(results: Results, folder: Path) -> None:
    """Write results.json, report.md and the plots; the folder is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    write(results, folder / "results.json")
    table, footer = compared(results), where(results)
    for name, draw in PLOTS.items():
        draw(table, footer, folder / f"{name}.svg")
    (folder / "report.md").write_text(markdown(results), "utf-8")


def where(results: Results) -> str:
    """Processor, instruction set and threads, which stand beside every figure."""
    machine, threads = results.facts["machine"], results.facts["options"]["threads"]
    many = "s" * (threads != 1)
    return f"{machine['Processor']} with {machine['Instruction set']}, {threads} thread{many}"


def summary(results: Results) -> str:
    """Where BatchRNN is faster than torch.nn.RNN, by how much, how far from the floor, and why."""
    return f"On {where(results)}: " + " ".join(_sentences(results))


def _sentences(results: Results) -> Iterator[str]:
    table = compared(results)
    ours = table[table.line == OURS]
    if ours.empty:
        yield f"{TITLES[OURS]} was not measured."
        return
    counts = ours.shows.value_counts()
    yield (
        f"{TITLES[OURS]} is faster than {TITLES[YARDSTICK]} at {counts.get('faster', 0)} of "
        f"{len(ours)} points, slower at {counts.get('slower', 0)} and within noise at "
        f"{counts.get('-', 0)}. In geometric mean it is {number(mean(ours.ratio))} times as fast "
        f"({each_mean(ours, 'dtype')}; {each_mean(ours, 'H')}), between "
        f"{number(ours.ratio.min())} and {number(ours.ratio.max())}."
    )
    if ours.distance.notna().any():
        yield (
            f"It takes {number(mean(ours.distance))} times as long as a C loop over the same BLAS "
            f"and tanh ({each_mean(ours, 'H', 'distance')})."
        )
    wide = ours[(ours.dtype == "float64") & (ours.H >= MIDDLE.H)]
    if len(wide) and len(results.tanh):
        yield (
            f"In float64 with H>={MIDDLE.H} it is {number(mean(wide.ratio))} times as fast, "
            f"between {number(wide.ratio.min())} and {number(wide.ratio.max())}: {_tanh(results)}."
        )
    others = table[~table.line.isin([OURS, YARDSTICK])].groupby("line", sort=False).ratio
    means = [
        f"{TITLES[name]} {number(mean(ratios))} (points: {len(ratios)})" for name, ratios in others
    ]
    if means:
        yield f"Other lines, times as fast as {TITLES[YARDSTICK]}: {', '.join(means)}."


def _tanh(results: Results) -> str:
    """How long both libraries take for a tanh, in words."""
    return "; ".join(
        f"NumPy's {row.dtype} tanh takes {number(row.numpy)} ns a number, "
        f"{number(row.numpy / row.torch)} times as long as torch's"
        for row in results.tanh.itertuples()
    )


def markdown(results: Results) -> str:
    """The report."""
    table, machine = compared(results), results.facts["machine"]
    ours = table[table.line == OURS]
    options = {name: value for name, value in results.facts["options"].items() if value}
    command = " ".join(f"--rnn-{name} {value}" for name, value in options.items())
    blocks = ["# NumPy beside torch.nn.RNN", summary(results)]
    blocks += [WITHOUT_AVX512] * (machine["Instruction set"] == "AVX2")
    blocks += [f"![{name}]({name}.svg)" for name in PLOTS]
    blocks += ["## By line", by_line(table)]
    blocks += ["## tanh, ns a number", text(results.tanh)] * (not results.tanh.empty)
    blocks += [f"## {TITLES[OURS]} at every point", every_point(ours)] * (not ours.empty)
    blocks += ["## Ratio of every line at every point", every_ratio(table)]
    blocks += ["## How to read it", HOW_TO_READ, "## Machine"]
    facts = machine | {name: results.facts[name] for name in ("date", "commit")}
    blocks += ["\n".join(f"- {name}: {value}" for name, value in facts.items())]
    blocks += [
        "To repeat it:",
        "```sh\npython -m pytest benchmarks/bench_loops.py --benchmark-only --benchmark-json "
        f"results.json {command}\npython -m rnn_benchmarks.report results.json "
        "--folder benchmarks/report\n```",
    ]
    return "\n\n".join(blocks) + "\n"


def by_line(table: Any) -> str:
    """A row a line: means, extremes, at how many points it is faster, and distance."""
    groups = table.groupby("line", sort=False)
    found = groups.ratio.agg(points="count", mean=mean, lowest="min", highest="max")
    for dtype, part in table.groupby("dtype"):
        found[dtype] = part.groupby("line").ratio.agg(mean)
    for shown in ("faster", "slower"):
        found[shown] = groups.shows.agg(lambda column, shown=shown: (column == shown).sum())
    found["distance"] = groups.distance.agg(mean)
    return text(found.rename(index=TITLES).reset_index())


def every_point(ours: Any) -> str:
    """A row a point: ratio, interval, what it shows, distance, and microseconds a step."""
    steps = {"µs a step": "seconds", "torch µs": "yardstick_seconds"}
    shown = ours[[*POINT, "ratio", "low", "high", "shows", "distance"]].assign(
        **{name: 1e6 * ours[column] / ours["T"] for name, column in steps.items()}
    )
    return text(shown.assign(rounds=ours.rounds))


def every_ratio(table: Any) -> str:
    """A row a point, a column a line."""
    wide = table.pivot_table("ratio", POINT, "line")
    names = [name for name in TITLES if name in wide]
    return text(wide[names].rename(columns=TITLES).reset_index())


def text(frame: Any) -> str:
    """A table as a block of Markdown, its numbers short."""
    cells = frame.map(lambda cell: number(cell) if isinstance(cell, float) else str(cell))
    return f"```\n{cells.to_string(index=False)}\n```"


def each_mean(frame: Any, by: str, column: str = "ratio") -> str:
    """The mean of each group, in words."""
    means = frame.groupby(by)[column].agg(mean)
    label = "" if by == "dtype" else f"{by}="
    return ", ".join(f"{label}{key}: {number(value)}" for key, value in means.items())


def mean(values: Any) -> float:
    """The geometric mean of what is there; NaN where nothing is."""
    logarithms = np.log(values.dropna())
    return float(np.exp(logarithms.mean())) if len(logarithms) else float("nan")


def number(value: float) -> str:
    """Three digits or so, never with an exponent; a dash for NaN."""
    if np.isnan(value):
        return "-"
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


if __name__ == "__main__":
    sys.exit(main())
