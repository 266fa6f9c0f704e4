"""The report as Markdown that also reads well in a terminal."""

from collections.abc import Iterable

from rnn_benchmarks.content import Content
from rnn_benchmarks.table import markdown_table


def render(content: Content) -> str:
    """The whole report; tables are padded, so that columns stand under each other."""
    blocks = [f"# {content.title}", *content.findings, *content.remarks]
    blocks += [f"> **Warning.** {warning}" for warning in content.warnings]
    for table in content.tables:
        blocks += [f"## {table.heading}", table.remark, markdown_table(table)]
    blocks += ["## How to read it", _list(content.notes)]
    blocks += ["## Machine", _list(f"{name}: {value}" for name, value in content.facts)]
    blocks += ["To repeat it:", f"```\n{content.command}\n```"]
    return "\n\n".join(blocks) + "\n"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
