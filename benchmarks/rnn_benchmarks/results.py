"""From what `--benchmark-json` wrote to one table, which is kept as a small JSON file.

A ratio is the time of torch's layer of the same cell, the yardstick, over that of the line, within
a round: 2 is twice as fast.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd  # type: ignore[import-untyped]

from rnn_benchmarks.workload import CELL_OF, LIMIT, TITLES, YARDSTICKS

POINT = ["dtype", "T", "B", "I", "H"]


class Results(NamedTuple):
    """A run: a row for each line and point, a row for the tanh of each dtype, where and how.

    Columns: POINT, `line` and those of `summarise`; tanh has `dtype`, and nanoseconds a number
    `numpy`, `torch`.
    """

    table: Any
    tanh: Any
    facts: dict[str, Any]


def read(path: Path) -> Results:
    """The results in a file that pytest-benchmark or `write` wrote.

    Raises OSError, or ValueError, KeyError or TypeError for another file.
    """
    document = json.loads(path.read_text("utf-8"))
    if "facts" not in document:
        return _measured(document)
    table, tanh = (pd.DataFrame(**document[name]) for name in ("table", "tanh"))
    return Results(table, tanh, document["facts"])


def write(results: Results, path: Path) -> None:
    """Keep what a report needs, a row on a line."""
    tanh, table = (each.to_dict("split", index=False) for each in (results.tanh, results.table))
    text = json.dumps({"facts": results.facts, "tanh": tanh, "table": table})
    path.write_text(text.replace("], [", "],\n["), "utf-8")


def compared(table: Any) -> Any:
    """The table with what follows from it, as further columns.

    cell: whose line it is.
    shows: "faster" or "slower" where the interval of the ratio lies outside the noise, that is the
    interval of the yardstick's ratio to itself, widened to 1; else "-".
    distance: the line's time over the floor's, NaN where that was not measured.
    """
    table = table.assign(cell=table.line.map(CELL_OF))
    yardsticks = table.line.isin(YARDSTICKS.values())
    of_cell = [*POINT, "cell"]
    noise = table[yardsticks].set_index(of_cell)
    noise = pd.DataFrame({"lowest": noise.low.clip(upper=1), "highest": noise.high.clip(lower=1)})
    floor = table[table.line == LIMIT].set_index(of_cell).ratio.rename("limit")
    table = table.join(noise, on=of_cell).join(floor, on=of_cell)
    table["shows"] = "-"
    table.loc[table.low > table.highest, "shows"] = "faster"
    table.loc[table.high < table.lowest, "shows"] = "slower"
    table["distance"] = table.limit / table.ratio.where(~yardsticks, 1)
    return table


def summarise(seconds: Sequence[float], yardstick: Sequence[float]) -> dict[str, float]:
    """The n-th entries being a pair: median ratio, its interval, rounds, and both median times.

    The interval of 95 % is that of a sign test turned round: two order statistics, the same number
    of places from both ends, by the normal approximation, which is exact here or one place wider.
    """
    ratios = np.sort(np.divide(yardstick, seconds))
    rounds = len(ratios)
    end = max(0, int(rounds / 2 - 0.98 * rounds**0.5 - 0.5))
    found = {
        "ratio": np.median(ratios),
        "low": ratios[end],
        "high": ratios[-1 - end],
        "rounds": rounds,
        "seconds": np.median(seconds),
        "yardstick_seconds": np.median(yardstick),
    }
    return {name: short(value) for name, value in found.items()}


def mean(values: Any) -> float:
    """The geometric mean of what is there; NaN where nothing is."""
    return float(np.exp(np.log(values).mean()))


def short(value: float) -> float:
    """Four digits, which are more than the noise leaves."""
    return value if isinstance(value, int) else float(f"{value:.4g}")


def _measured(document: Mapping[str, Any]) -> Results:
    rows, tanh = [], []
    for entry in document["benchmarks"]:
        extra = entry["extra_info"]
        found = summarise(entry["stats"]["data"], extra["yardstick_seconds"])
        if "tanh" in extra:
            times = {"numpy": found["seconds"], "torch": found["yardstick_seconds"]}
            per_number = {name: short(1e9 * t / extra["tanh"]) for name, t in times.items()}
            tanh.append({"dtype": extra["dtype"], **per_number})
        else:
            rows.append({name: extra[name] for name in (*POINT, "line")} | found)
    lines = {row["line"] for row in rows}
    for yardstick in {YARDSTICKS[CELL_OF[line]] for line in lines} or YARDSTICKS.values():
        if yardstick not in lines:
            raise ValueError(f"no measurement of {yardstick}")
    rows.sort(key=lambda row: (*(row[name] for name in POINT), [*TITLES].index(row["line"])))
    commit = document["commit_info"]
    facts = document["machine_info"]["rnn_benchmarks"] | {
        "date": document["datetime"][:10],
        "commit": f"{commit.get('id')}{' with changes' * bool(commit.get('dirty'))}",
    }
    return Results(pd.DataFrame(rows), pd.DataFrame(tanh), facts)
