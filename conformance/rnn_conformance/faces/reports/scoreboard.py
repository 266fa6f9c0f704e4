"""Several reports side by side, implementations x clauses, as Markdown and as one HTML page."""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_conformance.checks.records import NOTHING, Report, Tally, by_clause
from rnn_conformance.faces.reports import content
from rnn_conformance.faces.reports.html import page
from rnn_conformance.faces.reports.markdown import cell, code, details, fenced, table
from rnn_conformance.faces.reports.reading import read_report


@dataclass(frozen=True)
class Cell:
    """One clause of one implementation.

    Attributes:
        anchor: the id of the section that has the findings, such as "1-rnn-cell-1".
        findings: the checks that failed, or whose failures are known.
    """

    clause: str
    status: content.Status
    tally: Tally
    anchor: str
    findings: tuple[content.Finding, ...]


@dataclass(frozen=True)
class Column:
    """One implementation; columns are numbered from 1 on, as two reports may be of one name."""

    number: int
    report: Report
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Board:
    """All columns, and the names of everything that some environment tells."""

    columns: tuple[Column, ...]
    names: tuple[str, ...]

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """The cells of a clause: of every one in the specification, then those of reports alone."""
        return zip(*(column.cells for column in self.columns), strict=True)


def board(reports: Sequence[Report]) -> Board:
    """The reports side by side, in their order. Raises ValueError where there is none."""
    if not reports:
        raise ValueError("reports: expected at least one, got none")
    cited = {clause for report in reports for clause in by_clause(report.records)}
    rows = (*content.clauses(), *sorted(cited - {*content.clauses()}))
    names = dict.fromkeys(name for report in reports for name in report.environment)
    columns = (_column(number, report, rows) for number, report in enumerate(reports, start=1))
    return Board(tuple(columns), tuple(names))


def _column(number: int, report: Report, rows: Sequence[str]) -> Column:
    tallies = by_clause(report.records)
    cells = []
    for clause in rows:
        tally = tallies.get(clause, NOTHING)
        kind = content.status(tally)
        if not report.complete and kind in ("passed", "not claimed"):
            kind = "not judged"
        found = content.findings(report, "failed", clause) if tally.failed else []
        if kind == "known failure":
            found = content.findings(report, "known_failure", clause)
        # What GitHub makes of the heading "1 RNN-CELL-1".
        anchor = f"{number}-{re.sub('[^a-z0-9-]', '', clause.lower())}"
        cells.append(Cell(clause, kind, tally, anchor, tuple(found)))
    return Column(number, report, tuple(cells))


def scoreboard_html(found: Board) -> str:
    """One page that needs nothing but itself."""
    return page("scoreboard.html.jinja", board=found)


def scoreboard_markdown(found: Board) -> str:
    """The table, the versions, and under each implementation what its cells link to."""
    columns = [(f"{c.number}: {cell(c.report.implementation)}", c) for c in found.columns]
    names = [name for name, _ in columns]
    verdicts, environments = [], []
    for name, column in columns:
        report, seen = column.report, column.report.environment
        verdict = f"{content.SYMBOLS[content.overall(report)]} {content.headline(report)}"
        verdicts.append((name, verdict, cell(content.extent(report))))
        values = (cell(seen[key]) if key in seen else "" for key in found.names)
        environments.append((name, *values, str(report.seed)))
    blocks = [
        "# Conformance of RNN implementations",
        _words(("implementation", "verdict", "judged"), verdicts),
        "## Clauses",
        _words(("clause", *names), [(cell(r[0].clause), *map(_mark, r)) for r in found.rows()]),
        " · ".join(f"{symbol} {kind}" for kind, symbol in content.SYMBOLS.items()),
        "## Seen with",
        _words(("implementation", *map(cell, found.names), "seed"), environments),
    ]
    for name, column in columns:
        blocks += [f"## {name}", "To repeat it:", fenced(content.command(column.report))]
        for one in filter(lambda each: each.findings, column.cells):
            sentence = content.clauses().get(one.clause, "")
            blocks += [f"#### {column.number} {code(one.clause)}", sentence]
            blocks += [details(finding, one.status) for finding in one.findings]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _words(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return table(titles, rows, text_columns=len(titles))


def _mark(one: Cell) -> str:
    symbol = content.SYMBOLS[one.status]
    if not one.findings:
        return symbol
    count = one.tally.failed or one.tally.known_failure
    return f"[{symbol} {count} of {one.tally.run}](#{one.anchor})"


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
        found = board([read_report(path) for path in options.reports])
        if options.markdown is not None:
            Path(options.markdown).write_text(scoreboard_markdown(found), "utf-8")
        if options.html is not None:
            Path(options.html).write_text(scoreboard_html(found), "utf-8")
    except (ValueError, OSError) as error:
        sys.stderr.write(f"rnn-conformance scoreboard: {error}\n")
        return 2
    return 0
