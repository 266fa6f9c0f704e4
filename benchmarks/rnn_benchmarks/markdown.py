"""The report as Markdown that also reads well in a terminal."""

from collections.abc import Iterable, Sequence

from rnn_benchmarks.content import Content, Table


def render(content: Content) -> str:
    """The whole report; tables are padded, so that columns stand under each other."""
    blocks = [f"# {content.title}", *content.findings]
    blocks += [f"> **Warning.** {warning}" for warning in content.warnings]
    for table in content.tables:
        blocks += [f"## {table.heading}", table.remark, _table(table)]
    blocks += ["## How to read it", _list(content.notes)]
    blocks += ["## Machine", _list(f"{name}: {value}" for name, value in content.facts)]
    blocks += ["To repeat it:", f"```\n{content.command}\n```"]
    return "\n\n".join(blocks) + "\n"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _table(table: Table) -> str:
    columns = list(zip(table.columns, *table.rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
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
