"""From what `--benchmark-json` wrote to one table, which is kept as a small JSON file."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd  # type: ignore[import-untyped]

from rnn_benchmarks.choices import LIMIT, TITLES, YARDSTICK
from rnn_benchmarks.measure import summarise

POINT = ["dtype", "T", "B", "I", "H"]
TIMES = ["ratio", "low", "high", "rounds", "seconds", "yardstick_seconds"]


class ResultsError(ValueError):
    """The file cannot be reported on; one line says why."""


class Results(NamedTuple):
    """A run: a row for each line and point, a row for the tanh of each dtype, where and how.

    Columns: POINT, `line` and TIMES; tanh has `dtype`, and nanoseconds a number `numpy`, `torch`.
    """

    table: Any
    tanh: Any
    facts: dict[str, Any]


def read(path: Path) -> Results:
    """The results in a file that pytest-benchmark or `write` wrote. Raises ResultsError."""
    try:
        document = json.loads(path.read_text("utf-8"))
        if "facts" in document:
            table, tanh = (pd.DataFrame(**document[name]) for name in ("table", "tanh"))
            return Results(table, tanh, document["facts"])
        return _measured(document)
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ResultsError(f"{path}: not written by bench_loops.py ({reason})") from error


def write(results: Results, path: Path) -> None:
    """Keep what a report needs, a row on a line."""
    kept = {
        "facts": results.facts,
        "tanh": results.tanh.to_dict("split", index=False),
        "table": results.table.to_dict("split", index=False),
    }
    path.write_text(json.dumps(kept, indent=None).replace("], [", "],\n["), "utf-8")


def compared(results: Results) -> Any:
    """The table with what follows from it, as further columns.

    shows: "faster" or "slower" where the interval of the ratio lies outside the noise, that is the
    interval of the yardstick's ratio to itself, widened to 1; else "-".
    distance: the line's time over the floor's, NaN where that was not measured.
    """
    table = results.table
    noise = table[table.line == YARDSTICK].set_index(POINT)
    noise = pd.DataFrame({"lowest": noise.low.clip(upper=1), "highest": noise.high.clip(lower=1)})
    floor = table[table.line == LIMIT].set_index(POINT).ratio.rename("limit")
    table = table.join(noise, on=POINT).join(floor, on=POINT)
    table["shows"] = "-"
    table.loc[table.low > table.highest, "shows"] = "faster"
    table.loc[table.high < table.lowest, "shows"] = "slower"
    table["distance"] = table.limit / table.ratio.where(table.line != YARDSTICK, 1)
    return table


def _measured(document: dict[str, Any]) -> Results:
    rows, tanh = [], []
    for entry in document["benchmarks"]:
        extra = entry["extra_info"]
        found = summarise(entry["stats"]["data"], extra["yardstick_seconds"])
        if "tanh" in extra:
            times = {"numpy": found["seconds"], "torch": found["yardstick_seconds"]}
            per_number = {name: short(1e9 * t / extra["tanh"]) for name, t in times.items()}
            tanh.append({"dtype": extra["dtype"], **per_number})
        else:
            head = {name: extra[name] for name in (*POINT, "line")}
            rows.append(head | {name: short(found[name]) for name in TIMES})
    if YARDSTICK not in {row["line"] for row in rows}:
        raise ValueError(f"no measurement of {YARDSTICK}")
    rows.sort(key=lambda row: (*(row[name] for name in POINT), [*TITLES].index(row["line"])))
    ours, commit = document["machine_info"]["rnn_benchmarks"], document["commit_info"]
    facts = {
        "machine": ours["machine"],
        "options": ours["options"],
        "date": document["datetime"][:10],
        "commit": f"{commit.get('id')}{' with changes' * bool(commit.get('dirty'))}",
    }
    return Results(pd.DataFrame(rows), pd.DataFrame(tanh), facts)


def short(value: float) -> float:
    """Four digits, which are more than the noise leaves."""
    return float(f"{value:.4g}") if isinstance(value, float) else value
