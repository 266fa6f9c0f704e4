"""A badge: JSON for the endpoint of shields.io."""

from typing import Any

from rnn_conformance.checks.records import Report, total
from rnn_conformance.faces.reports.content import Status, extent, overall

# Told apart without red and green.
COLOURS: dict[Status, str] = {"passed": "blue", "failed": "orange", "not judged": "lightgrey"}


def badge(report: Report) -> dict[str, Any]:
    """Such as "RNN conformance 0.2.0 | 38 of 38 checks: 5800 of 5816 passed".

    schemaVersion 1 of https://shields.io/badges/endpoint-badge: label, message and color.
    """
    version = report.environment.get("rnn-conformance", "")
    state, counts = overall(report), total(report.records)
    score = f"{counts.passed} of {counts.run} passed"
    if state == "not judged":
        score = "not judged"
    elif counts.known_failure:
        score += f", {counts.known_failure} known to fail"
    return {
        "schemaVersion": 1,
        "label": f"RNN conformance {version}".strip(),
        "message": f"{extent(report)}: {score}",
        "color": COLOURS[state],
    }
