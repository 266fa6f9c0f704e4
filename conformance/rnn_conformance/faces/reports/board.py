"""Several reports side by side: implementations x clauses."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rnn_conformance.checks.records import NOTHING, Report, Tally, by_clause
from rnn_conformance.faces.reports.content import (
    Finding,
    Status,
    command,
    extent,
    findings,
    headline,
    overall,
    status,
)
from rnn_conformance.faces.reports.specification import clauses


@dataclass(frozen=True)
class Cell:
    """One clause of one implementation.

    Attributes:
        anchor: the id of the section that has the findings, such as "1-rnn-cell-1".
        findings: the checks that failed, or whose failures are known.
    """

    clause: str
    status: Status
    tally: Tally
    anchor: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Column:
    """One implementation.

    Attributes:
        number: from 1 on; two reports may be of one name.
        cells: one for each clause of the board.
    """

    number: int
    report: Report
    overall: Status
    headline: str
    extent: str
    command: str
    cells: tuple[Cell, ...]

    @property
    def opened(self) -> tuple[Cell, ...]:
        """The cells that have something to show."""
        return tuple(cell for cell in self.cells if cell.findings)


@dataclass(frozen=True)
class Board:
    """All columns.

    Attributes:
        clauses: every clause of the specification, then those that only a report knows.
        names: of everything that some environment tells.
    """

    columns: tuple[Column, ...]
    clauses: tuple[str, ...]
    names: tuple[str, ...]

    def rows(self) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """Each clause with its cell in every column."""
        for number, clause in enumerate(self.clauses):
            yield clause, tuple(column.cells[number] for column in self.columns)


def board(reports: Sequence[Report]) -> Board:
    """The reports side by side, in their order. Raises ValueError where there is none."""
    if not reports:
        raise ValueError("reports: expected at least one, got none")
    cited = {clause for report in reports for clause in by_clause(report.records)}
    rows = (*clauses(), *sorted(cited - {*clauses()}))
    names = dict.fromkeys(name for report in reports for name in report.environment)
    columns = (_column(number, report, rows) for number, report in enumerate(reports, start=1))
    return Board(tuple(columns), rows, tuple(names))


def _column(number: int, report: Report, rows: Sequence[str]) -> Column:
    tallies = by_clause(report.records)
    cells = []
    for clause in rows:
        tally = tallies.get(clause, NOTHING)
        kind = status(tally)
        if not report.complete and kind in ("passed", "not claimed"):
            kind = "not judged"
        found = findings(report, "failed", clause) if tally.failed else []
        if kind == "known failure":
            found = findings(report, "known_failure", clause)
        cells.append(Cell(clause, kind, tally, _anchor(number, clause), tuple(found)))
    return Column(
        number,
        report,
        overall(report),
        headline(report),
        extent(report),
        command(report),
        tuple(cells),
    )


def _anchor(number: int, clause: str) -> str:
    """What GitHub makes of the heading "1 RNN-CELL-1"."""
    return f"{number}-{re.sub('[^a-z0-9-]', '', clause.lower())}"
