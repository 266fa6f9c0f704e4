"""A scoreboard of several reports, as Markdown and as one HTML page."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rnn_conformance.faces.reports.board import Board, Cell, board
from rnn_conformance.faces.reports.content import SYMBOLS
from rnn_conformance.faces.reports.markdown import cell, code, details, fenced, table
from rnn_conformance.faces.reports.page import page
from rnn_conformance.faces.reports.reading import read_report
from rnn_conformance.faces.reports.specification import clauses


def scoreboard_html(content: Board) -> str:
    """One page that needs nothing but itself."""
    return page("scoreboard.html.jinja", board=content)


def scoreboard_markdown(content: Board) -> str:
    """The table, the versions, and under each implementation what its cells link to."""
    columns = content.columns
    names = [f"{c.number}: {cell(c.report.implementation)}" for c in columns]
    blocks = ["# Conformance of RNN implementations"]
    blocks.append(
        table(
            ("implementation", "verdict", "judged"),
            (
                (name, f"{SYMBOLS[c.overall]} {c.headline}", cell(c.extent))
                for name, c in zip(names, columns, strict=True)
            ),
            text_columns=3,
        )
    )
    rows = [(cell(clause), *map(_mark, cells)) for clause, cells in content.rows()]
    blocks += ["## Clauses", table(("clause", *names), rows, text_columns=len(names) + 1)]
    blocks.append(" · ".join(f"{symbol} {kind}" for kind, symbol in SYMBOLS.items()))
    blocks += ["## Seen with", _environments(content, names)]
    for name, column in zip(names, columns, strict=True):
        blocks += [f"## {name}", "To repeat it:", fenced(column.command)]
        for one in column.opened:
            blocks += [f"#### {column.number} {code(one.clause)}", clauses().get(one.clause, "")]
            blocks += [details(finding, one.status) for finding in one.findings]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _mark(one: Cell) -> str:
    symbol = SYMBOLS[one.status]
    if not one.findings:
        return symbol
    count = one.tally.failed or one.tally.known_failure
    return f"[{symbol} {count} of {one.tally.run}](#{one.anchor})"


def _environments(content: Board, names: Sequence[str]) -> str:
    rows = []
    for name, column in zip(names, content.columns, strict=True):
        environment = column.report.environment
        found = [cell(environment[key]) if key in environment else "" for key in content.names]
        rows.append((name, *found, str(column.report.seed)))
    titles = ("implementation", *map(cell, content.names), "seed")
    return table(titles, rows, text_columns=len(titles))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0, or 2 where a file cannot be read or written."""
    parser = argparse.ArgumentParser(
        prog="rnn-conformance scoreboard",
        description="Put reports, written by rnn-conformance check --json, side by side.",
    )
    parser.add_argument("reports", nargs="+", metavar="REPORT.json")
    parser.add_argument("--markdown", metavar="FILE")
    parser.add_argument("--html", metavar="FILE")
    options = parser.parse_args(arguments)
    if options.markdown is None and options.html is None:
        parser.error("expected --markdown FILE or --html FILE")
    try:
        content = board([read_report(path) for path in options.reports])
        if options.markdown is not None:
            Path(options.markdown).write_text(scoreboard_markdown(content), "utf-8")
        if options.html is not None:
            Path(options.html).write_text(scoreboard_html(content), "utf-8")
    except (ValueError, OSError) as error:
        sys.stderr.write(f"rnn-conformance scoreboard: {error}\n")
        return 2
    return 0
