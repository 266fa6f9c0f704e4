"""`python -m rnn_benchmarks.report results.json --folder DIR`: where NumPy is faster, and why.

`results.json` is what `--benchmark-json` wrote, or the small `results.json` of an earlier report.
The folder gets that small file, `report.md` and three plots. Without one, the summary is printed.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from math import isnan
from pathlib import Path
from typing import Any

from rnn_benchmarks.plots import PLOTS
from rnn_benchmarks.results import POINT, Results, compared, mean, read, write
from rnn_benchmarks.workload import MIDDLE, OURS, TITLES, YARDSTICKS

HOW_TO_READ = """\
- A ratio is the time of torch's layer of the same cell over that of the line: 2 is twice as fast.
  The readout is included for the RNN; there is none for the LSTM and the GRU. Each round of a line
  comes just after a round of torch's layer; a call under 2 ms is timed after one that is not timed.
  The ratio of a point is the median over its pairs, with a 95 % interval from order statistics.
  Means over points are geometric.
- torch's layer is paired with itself too. "faster" and "slower" mean that the interval lies outside
  the interval of that; "-" that it does not.
- A distance is the time of the line over that of the C floor: a compiled loop that calls the same
  BLAS and the same tanh as NumPy. 1 is level with it.
- Before a line is timed, all its outputs and states are compared with the equations in float64,
  within the bounds of the suite, and so are those of torch's layer."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report; 0, or 2 with one line on standard error where that cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m rnn_benchmarks.report", description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        results = read(options.results)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"{options.results}: no results of bench_loops.py: {error!r}\n")
        return 2
    folder = options.folder
    if folder is None:
        print(summary(results))
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    write(results, folder / "results.json")
    for name, draw in PLOTS.items():
        draw(compared(results.table), where(results), folder / f"{name}.svg")
    (folder / "report.md").write_text(markdown(results), "utf-8")
    return 0


def where(results: Results) -> str:
    """Processor, instruction set and threads, which stand beside every figure."""
    machine, threads = results.facts["machine"], results.facts["options"]["threads"]
    many = "s" * (threads != 1)
    return f"{machine['Processor']} with {machine['Instruction set']}, {threads} thread{many}"


def summary(results: Results) -> str:
    """Where BatchRNN is faster than torch.nn.RNN, by how much, how far from the floor, and why.

    Then the same of cells with gates.
    """
    return f"On {where(results)}: " + " ".join(_sentences(results))


def _sentences(results: Results) -> Iterator[str]:
    table = compared(results.table)
    for cell, name in OURS.items():
        of_cell = table[table.cell == cell]
        ours = of_cell[of_cell.line == name]
        if of_cell.empty:
            continue
        if ours.empty:
            yield f"{TITLES[name]} was not measured."
            continue
        yield _beside_torch(ours, cell)
        if cell == "rnn":
            yield from _floor_and_tanh(ours, results)
        others = of_cell[~of_cell.line.isin([name, YARDSTICKS[cell]])]
        by_name = others.groupby("line", sort=False).ratio
        means = ", ".join(f"{TITLES[n]} {number(mean(r))} (points: {len(r)})" for n, r in by_name)
        if means:
            yield f"Other lines, times as fast as {TITLES[YARDSTICKS[cell]]}: {means}."


def _beside_torch(ours: Any, cell: str) -> str:
    counts = ours.shows.value_counts()
    return (
        f"{TITLES[OURS[cell]]} is faster than {TITLES[YARDSTICKS[cell]]} at "
        f"{counts.get('faster', 0)} of {len(ours)} points, slower at {counts.get('slower', 0)} and "
        f"within noise at {counts.get('-', 0)}. In geometric mean it is "
        f"{number(mean(ours.ratio))} times as fast ({each_mean(ours, 'dtype')}; "
        f"{each_mean(ours, 'H')}), between {number(ours.ratio.min())} and "
        f"{number(ours.ratio.max())}."
    )


def _floor_and_tanh(ours: Any, results: Results) -> Iterator[str]:
    if ours.distance.notna().any():
        yield (
            f"It takes {number(mean(ours.distance))} times as long as a C loop over the same BLAS "
            f"and tanh ({each_mean(ours, 'H', 'distance')})."
        )
    wide = ours[(ours.dtype == "float64") & (ours.H >= MIDDLE.H)]
    tanh = "; ".join(
        f"NumPy's {row.dtype} tanh takes {number(row.numpy)} ns a number, "
        f"{number(row.numpy / row.torch)} times as long as torch's"
        for row in results.tanh.itertuples()
    )
    if len(wide) and tanh:
        yield (
            f"In float64 with H>={MIDDLE.H} it is {number(mean(wide.ratio))} times as fast, "
            f"between {number(wide.ratio.min())} and {number(wide.ratio.max())}: {tanh}."
        )


def markdown(results: Results) -> str:
    """The report."""
    table = compared(results.table)
    cells = [table[table.cell == cell] for cell in OURS if cell in set(table.cell)]
    all_ours = [of_cell[of_cell.line.isin(OURS.values())] for of_cell in cells]
    options = {name: value for name, value in results.facts["options"].items() if value}
    command = " ".join(f"--rnn-{name} {value}" for name, value in options.items())
    facts = results.facts["machine"] | {n: results.facts[n] for n in ("date", "commit")}
    blocks = [
        *("# NumPy beside torch.nn.RNN, LSTM and GRU", summary(results)),
        *(f"![{name}]({name}.svg)" for name in PLOTS),
        *("## By line", by_line(table)),
        *("## tanh, ns a number", text(results.tanh)) * (not results.tanh.empty),
        *(
            block
            for ours in all_ours
            if not ours.empty
            for block in (f"## {TITLES[ours.line.iloc[0]]} at every point", every_point(ours))
        ),
        "## Ratio of every line at every point",
        *map(every_ratio, cells),
        *("## How to read it", HOW_TO_READ),
        *("## Machine", "\n".join(f"- {name}: {value}" for name, value in facts.items())),
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
    found = found.join(table.pivot_table("ratio", "line", "dtype", aggfunc=mean))
    for shown in ("faster", "slower"):
        found[shown] = groups.shows.agg(lambda column, shown=shown: (column == shown).sum())
    found["distance"] = groups.distance.agg(mean)
    return text(found.rename(index=TITLES).reset_index())


def every_point(ours: Any) -> str:
    """A row a point: ratio, interval, what it shows, distance, and microseconds a step."""
    shown = ours[[*POINT, "ratio", "low", "high", "shows", "distance"]].copy()
    shown["µs a step"] = 1e6 * ours.seconds / ours["T"]
    shown["torch µs"] = 1e6 * ours.yardstick_seconds / ours["T"]
    return text(shown.assign(rounds=ours.rounds))


def every_ratio(table: Any) -> str:
    """A row a point, a column a line."""
    wide = table.pivot_table("ratio", POINT, "line")
    names = [name for name in TITLES if name in wide]
    return text(wide[names].rename(columns=TITLES).reset_index())


def text(frame: Any) -> str:
    """A table as a block of Markdown, its numbers short."""
    shown = frame.to_string(index=False, float_format=number, na_rep="-")
    return f"```\n{shown}\n```"


def each_mean(frame: Any, by: str, column: str = "ratio") -> str:
    """The mean of each group, in words."""
    means = frame.groupby(by)[column].agg(mean)
    label = "" if by == "dtype" else f"{by}="
    return ", ".join(f"{label}{key}: {number(value)}" for key, value in means.items())


def number(value: float) -> str:
    """Three digits or so, never with an exponent; a dash for NaN."""
    if isnan(value):
        return "-"
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


if __name__ == "__main__":
    sys.exit(main())
