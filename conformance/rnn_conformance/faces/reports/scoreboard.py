"""Several reports side by side, implementations x clauses, as Markdown and as one HTML page."""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnn_conformance.checks.records import NOTHING, Report, Tally, by_clause, total
from rnn_conformance.faces.reports import content
from rnn_conformance.faces.reports.html import page
from rnn_conformance.faces.reports.markdown import cell, code, details, entities, fenced, table
from rnn_conformance.faces.reports.reading import read_report
from rnn_conformance.faces.terminal import share

REMARK = (
    "A pass says that the cases found nothing: it is evidence, not proof. What is not claimed is "
    "not judged. Worst share: the worst error of a check that passed, as a share of its bound. A "
    "cell with numbers leads to what failed."
)
HYPHEN, SPACE = "\N{NON-BREAKING HYPHEN}", "\N{NO-BREAK SPACE}"
MARKUP = r"[][<>&|*~\\]"  # in the words of a clause, where _ stands inside of names alone
VERDICT = (
    "implementation", "verdict", "clauses claimed and asked", "passed", "known to fail",
    "worst share",
)  # fmt: skip


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

    @property
    def text(self) -> str:
        """Such as "△ 5 of 558 known to fail"."""
        symbol, t = content.SYMBOLS[self.status], self.tally
        if self.status == "failed":
            return f"{symbol} {t.failed} of {t.run} failed"
        if self.status == "known failure":
            return f"{symbol} {t.known_failure} of {t.run} known to fail"
        return f"{symbol} {self.status}"


@dataclass(frozen=True)
class Column:
    """One implementation; columns are numbered from 1 on, as two reports may be of one name."""

    number: int
    report: Report
    cells: tuple[Cell, ...]

    @property
    def counts(self) -> Tally:
        """Of all checks, with the worst share of those that passed."""
        passed = [record for record in self.report.records if record.outcome == "passed"]
        return replace(total(self.report.records), worst_share=total(passed).worst_share)


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
    return page("scoreboard.html.jinja", board=found, remark=REMARK, titles=VERDICT)


def scoreboard_markdown(found: Board) -> str:
    """The table, the versions, and under each implementation what its cells link to."""
    columns = [(f"{c.number}: {cell(c.report.implementation)}", c) for c in found.columns]
    verdicts, environments = [], []
    for name, column in columns:
        report, seen = column.report, column.report.environment
        said = f"{content.SYMBOLS[content.overall(report)]} {content.in_short(report)}"
        said = _unbroken(said) if report.conforms else said
        t = column.counts
        numbers = (str(t.passed), str(t.known_failure), share(t.worst_share))
        verdicts.append((name, said, _unbroken(content.claimed(report)), *numbers))
        values = (cell(seen[key]) if key in seen else "" for key in found.names)
        environments.append((name, *values, str(report.seed)))
    heads = [
        f"{c.number}:{SPACE}{cell(c.report.implementation.replace('-', HYPHEN))}"
        for c in found.columns
    ]
    blocks = [
        "# Conformance of RNN implementations",
        REMARK,
        table(VERDICT, verdicts, text_columns=3),
        "## Clauses",
        _words(("clause", *heads), [(_clause(r[0].clause), *map(_mark, r)) for r in found.rows()]),
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


def _clause(name: str) -> str:
    return f"{cell(name)}<br>{_unbroken(entities(content.brief(name), MARKUP))}"


def _mark(one: Cell) -> str:
    text = _unbroken(one.text)
    return f"[{text}](#{one.anchor})" if one.findings else text


def _unbroken(text: str) -> str:
    """Text that stays in one line, however narrow its column is."""
    return text.replace(" ", SPACE).replace("-", HYPHEN)


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
