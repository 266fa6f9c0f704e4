"""A table of the report, and numbers as words."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import geometric_mean

from rnn_benchmarks.grid import Point
from rnn_benchmarks.ratios import Comparison

MICROSECONDS = 1e6


@dataclass(frozen=True)
class Table:
    """A heading, a remark, and rows of text; all columns but the first `text_columns` hold numbers.

    `long` is a table that a page may fold away.
    """

    heading: str
    remark: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1
    long: bool = False


def number(value: float) -> str:
    """Three digits or so, never with an exponent."""
    digits = 3 if value < 0.1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"


def percent(share: float, digits: int = 0) -> str:
    """A share of 1 as a percentage."""
    return f"{100 * share:.{digits}f} %"


def plural(count: int, noun: str) -> str:
    """The count and the noun, with an s unless there is one."""
    return f"{count} {noun}{'s' * (count != 1)}"


def label(point: Point) -> str:
    """The point in words: its dtype and sizes."""
    return f"{point.dtype} T={point.T} B={point.B} I={point.I} H={point.H}"


def by_title(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    """The comparisons of each line, in the order in which the lines first come."""
    groups: dict[str, list[Comparison]] = {}
    for each in comparisons:
        groups.setdefault(each.title, []).append(each)
    return groups


def mean(group: Iterable[Comparison]) -> float:
    """The geometric mean of the ratios."""
    return geometric_mean(each.ratio for each in group)


def cell(group: Iterable[Comparison], **wanted: object) -> str:
    """The mean over the points that have this dtype or these sizes."""
    members = [each for each in group if wanted.items() <= asdict(each.point).items()]
    return number(mean(members)) if members else "-"


def markdown_table(table: Table) -> str:
    """The rows padded, so that columns stand under each other."""
    columns = list(zip(table.columns, *table.rows, strict=True))
    widths = [max(2, *map(len, column)) for column in columns]  # a rule is a dash and a colon
    rule = [
        "-" * width if index < table.text_columns else "-" * (width - 1) + ":"
        for index, width in enumerate(widths)
    ]
    rows = [_row(cells, widths, table.text_columns) for cells in (table.columns, *table.rows)]
    return "\n".join([rows[0], f"| {' | '.join(rule)} |", *rows[1:]])


def _row(cells: Sequence[str], widths: Sequence[int], text_columns: int) -> str:
    padded = [
        cell.ljust(width) if index < text_columns else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
