"""Tables of what `studies` wrote: tanh in two libraries, and peak memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_benchmarks.grid import OUTPUT_SIZE, Point
from rnn_benchmarks.growth import exponent
from rnn_benchmarks.results import ResultsError, read_document
from rnn_benchmarks.table import Table, number, percent

MEGABYTE = 1e6
ITEMSIZES = {"float32": 4, "float64": 8}


def read_tables(path: Path) -> tuple[Table, ...]:
    """The tables of a file of studies. ResultsError, in one line, where it is none."""
    document = read_document(path)
    try:
        tables = (tanh_table(document), memory_table(document))
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path}: not written by rnn_benchmarks.studies: {error!r}") from error
    return tuple(table for table in tables if table.rows)


def tanh_table(document: Mapping[str, Any]) -> Table:
    """How often the two differ, and how far each is off at worst."""
    found = document["tanh"]
    counts = " and ".join(sorted({f"{each['arguments']:,}" for each in found}))
    truths = " and ".join(sorted({each["truth"] for each in found}))
    return Table(
        heading="Why bitwise agreement is impossible",
        remark=f"NumPy's tanh and torch's, at {counts} arguments from the standard normal "
        "distribution. Both are right: each is off by about an ulp (a unit in the last place) at "
        f"most, but not by the same. Truth: {truths}. With other sums of the products on top, two "
        "right recurrences part company in the last bits from the first step on.",
        columns=("dtype", "Arguments that differ", "NumPy's worst ulps", "torch's worst ulps"),
        rows=tuple(
            (
                each["dtype"],
                percent(each["share"], 1),
                _ulps(each["numpy_ulps"]),
                _ulps(each["torch_ulps"]),
            )
            for each in found
        ),
    )


def memory_table(document: Mapping[str, Any]) -> Table:
    """Peak bytes over states plus outputs at each length, and the exponent in T."""
    found = document["memory"]
    steps = sorted({T for each in found for T in each["steps"]})
    absent = [f"{name} ({why})" for name, why in document["no_memory"].items()]
    point = Point(**found[0]["point"]) if found else None
    rows = []
    for each in found:
        sizes = Point(**each["point"])
        row = sizes.B * (sizes.H + OUTPUT_SIZE) * ITEMSIZES[sizes.dtype]
        peaks = dict(zip(each["steps"], each["peaks"], strict=True))
        times = [(_with_steps(sizes, T), float(peak)) for T, peak in peaks.items() if peak > 0]
        slope = exponent(times, "T")
        rows.append(
            (
                each["title"],
                *(f"{peaks[T] / MEGABYTE:.1f}" if T in peaks else "-" for T in steps),
                *(number(peaks[T] / (T * row)) if T in peaks else "-" for T in steps),
                "-" if slope is None else number(slope),
            )
        )
    return Table(
        heading="Peak memory",
        remark=f"What one call adds to the process at its peak ({_held(point)}), in megabytes and "
        "as a multiple of states plus outputs, which no line can do without; p is the exponent of "
        "memory ∝ T^p, 1 being linear."
        + (f" Not measured: {'; '.join(absent)}." if absent else ""),
        columns=(
            "Line",
            *(f"T={T} MB" for T in steps),
            *(f"T={T} ×" for T in steps),
            "p",
        ),
        rows=tuple(rows),
    )


def _with_steps(point: Point, T: int) -> Point:
    return Point(T=T, B=point.B, I=point.I, H=point.H, dtype=point.dtype)


def _held(point: Point | None) -> str:
    return f"{point.dtype}, B={point.B}, I={point.I}, H={point.H}" if point else ""


def _ulps(value: float | None) -> str:
    return "no wider format" if value is None else number(value)
