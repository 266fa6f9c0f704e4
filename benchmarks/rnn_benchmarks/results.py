"""Reading what `--benchmark-json` or `compact` wrote, and refusing what is something else."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from pathlib import Path
from typing import Any

from rnn_benchmarks.grid import Point
from rnn_benchmarks.summary import Interval, Spread, Summary, summarise


class ResultsError(ValueError):
    """The file cannot be reported on; one line says why."""


@dataclass(frozen=True)
class Measurement:
    """One line at one point, its rounds paired with the yardstick's."""

    point: Point
    line: str
    title: str
    summary: Summary


@dataclass(frozen=True)
class LeftOut:
    """A point that was not timed, as one call of the yardstick took so many seconds there."""

    point: Point
    seconds: float


@dataclass(frozen=True)
class Results:
    """A run: what was measured, and where and how. `absent`: why lines were not, by name."""

    measurements: tuple[Measurement, ...]
    yardstick: str
    yardstick_title: str
    output_size: int
    threads: Mapping[str, int]
    machine: Mapping[str, str]
    arguments: tuple[str, ...]
    date: str
    commit: str
    absent: Mapping[str, str]
    left_out: tuple[LeftOut, ...]


def read_results(path: Path) -> Results:
    """The results in a file. ResultsError, in one line, where there are none to report on."""
    document = read_document(path)
    try:
        return _results(document)
    except ResultsError as error:
        raise ResultsError(f"{path}: {error}") from error


def read_document(path: Path) -> Any:
    """What JSON the file holds. ResultsError, in one line, where it holds none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # neither UTF-8 nor JSON
        raise ResultsError(f"{path}: not JSON: {error}") from error


def _results(document: object) -> Results:
    if not isinstance(document, dict) or "benchmarks" not in document:
        raise ResultsError("not written by pytest-benchmark: no list of benchmarks")
    entries = _field(document, "benchmarks", list, "the file")
    if not entries:
        raise ResultsError("no benchmarks in it")
    measurements = tuple(_measurement(entry) for entry in entries)
    machine_info = _field(document, "machine_info", dict, "the file")
    ours = _field(machine_info, "rnn_benchmarks", dict, "machine_info")
    extra = [entry["extra_info"] for entry in entries]
    results = Results(
        measurements=measurements,
        yardstick=_common(extra, "yardstick", str),
        yardstick_title=_common(extra, "yardstick_title", str),
        output_size=_common(extra, "output_size", int),
        threads=_common(extra, "threads", dict),
        machine=_field(ours, "machine", dict, "machine_info"),
        arguments=tuple(_field(ours, "arguments", list, "machine_info")),
        date=_field(document, "datetime", str, "the file"),
        commit=_commit(document.get("commit_info")),
        absent=ours.get("absent", {}),
        left_out=tuple(
            LeftOut(_point(each["point"], "left_out"), each["seconds"])
            for each in ours.get("left_out", ())
        ),
    )
    _require_one_yardstick_a_point(results)
    return results


def _measurement(entry: object) -> Measurement:
    name = entry.get("name", "a benchmark") if isinstance(entry, dict) else "a benchmark"
    extra = _field(entry, "extra_info", dict, name)
    return Measurement(
        point=_point(_field(extra, "point", dict, name), name),
        line=_field(extra, "line", str, name),
        title=_field(extra, "title", str, name),
        summary=_summary(entry, extra, name),
    )


def _summary(entry: Any, extra: dict[str, Any], name: str) -> Summary:
    """As it stands in the file, or else from the rounds."""
    if "summary" in entry:
        kept = dict(_field(entry, "summary", dict, name))
        try:
            for key, kind in (
                ("interval", Interval),
                ("seconds", Spread),
                ("yardstick_seconds", Spread),
            ):
                kept[key] = kind(**kept[key])
            return Summary(**kept)
        except (KeyError, TypeError) as error:
            raise ResultsError(f"{name}: its summary is incomplete: {error}") from error
    if "yardstick_seconds" not in extra:
        raise ResultsError(f"{name}: no yardstick's times; was it made by bench_loops.py?")
    stats = _field(entry, "stats", dict, name)
    seconds = _seconds(_field(stats, "data", list, name), name)
    yardstick_seconds = _seconds(_field(extra, "yardstick_seconds", list, name), name)
    if len(seconds) != len(yardstick_seconds):
        raise ResultsError(
            f"{name}: {len(seconds)} rounds, but {len(yardstick_seconds)} times of the yardstick"
        )
    return summarise(seconds, yardstick_seconds)


def _point(values: Mapping[str, Any], name: str) -> Point:
    sizes = {field.name for field in fields(Point)} - {"dtype"}
    for size in sizes:
        if _field(values, size, int, name) < 1:
            raise ResultsError(f"{name}: {size} is {values[size]}")
    return Point(dtype=_field(values, "dtype", str, name), **{size: values[size] for size in sizes})


def _seconds(values: list[object], name: str) -> tuple[float, ...]:
    seconds = tuple(value for value in values if isinstance(value, float) and 0 < value < inf)
    if not values or len(seconds) != len(values):
        raise ResultsError(f"{name}: its times are not all positive numbers")
    return seconds


def _field(mapping: object, key: str, kind: type, where: str) -> Any:
    value = mapping.get(key) if isinstance(mapping, dict) else None
    if not isinstance(value, kind):
        raise ResultsError(f"{where}: no {key}; was it made by bench_loops.py?")
    return value


def _common(extra: list[dict[str, object]], key: str, kind: type) -> Any:
    """What all benchmarks of the run must have in common."""
    values = [_field(info, key, kind, "a benchmark") for info in extra]
    if any(value != values[0] for value in values):
        raise ResultsError(f"the benchmarks differ in {key}: they are not from one run")
    return values[0]


def _commit(info: object) -> str:
    if not isinstance(info, dict) or not info.get("time"):
        return "none"
    return f"{info.get('id')}{', with changes not committed' * bool(info.get('dirty'))}"


def _require_one_yardstick_a_point(results: Results) -> None:
    counts = Counter((each.point, each.line) for each in results.measurements)
    for (point, line), count in counts.items():
        if count > 1:
            raise ResultsError(f"{point}: {count} measurements of {line}")
        if (point, results.yardstick) not in counts:
            raise ResultsError(
                f"{point}: no measurement of {results.yardstick_title} against itself, "
                "without which noise cannot be told from speed"
            )
