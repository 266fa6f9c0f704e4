"""A report as files of several kinds."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rnn_conformance.checks.records import Report, total
from rnn_conformance.contract.refusal import need
from rnn_conformance.faces.reports.content import Status, extent, overall
from rnn_conformance.faces.reports.markdown import markdown
from rnn_conformance.faces.reports.picture import svg

Text = Callable[[Report], str]
# Told apart without green, and by the word.
COLOURS: dict[Status, str] = {"passed": "blue", "failed": "red", "not judged": "lightgrey"}


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
    failing = "failing, " * (state == "failed")
    return {
        "schemaVersion": 1,
        "label": f"RNN conformance {version}".strip(),
        "message": f"{failing}{extent(report)}: {score}",
        "color": COLOURS[state],
    }


def _html(report: Report) -> str:
    from rnn_conformance.faces.reports.html import html  # it imports jinja2

    return html(report)


KINDS: Mapping[str, tuple[Text, str]] = {
    "json": (lambda r: json.dumps(r.to_json(), indent=1, allow_nan=False) + "\n", "all records"),
    "markdown": (markdown, "for a pull request"),
    "html": (_html, "one page for people"),
    "svg": (svg, "a picture of the terminal"),
    "badge": (lambda r: json.dumps(badge(r)) + "\n", "for an endpoint of shields.io"),
}


def refuse(places: Mapping[str, str]) -> None:
    """Raises OSError where one of the files cannot be written, CannotBeJudged without the extra.

    No file is left that was not there.
    """
    if "html" in places:
        need("reports", "--html")
    for place in map(Path, places.values()):
        new = not place.exists()
        place.open("a").close()
        if new:
            place.unlink()


def write(report: Report, places: Mapping[str, str]) -> None:
    """Write the report to a file for each kind. Raises OSError."""
    for kind, place in places.items():
        Path(place).write_text(KINDS[kind][0](report), "utf-8")
