"""A report as one HTML page that needs nothing but itself."""

from rnn_conformance.checks.records import Report
from rnn_conformance.faces.reports.content import (
    by_clause_in_order,
    command,
    extent,
    findings,
    headline,
    not_claimed,
    overall,
    status,
)
from rnn_conformance.faces.reports.page import page


def html(report: Report) -> str:
    """The whole page; whatever the report holds is shown as text."""
    return page(
        "report.html.jinja",
        report=report,
        overall=overall(report),
        headline=headline(report),
        extent=extent(report),
        not_claimed=not_claimed(report),
        rows=[(name, status(t), t) for name, t in by_clause_in_order(report).items()],
        failures=findings(report),
        known=findings(report, "known_failure"),
        command=command(report),
    )
