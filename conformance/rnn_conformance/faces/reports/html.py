"""Pages that need nothing but themselves; whatever a report holds is shown as text."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from rnn_conformance.checks.records import Report
from rnn_conformance.faces.reports import content, plots
from rnn_conformance.faces.terminal import doubt, share

TEMPLATES = Path(__file__).parent / "templates"


def html(report: Report) -> str:
    """The page of a report."""
    return page("report.html.jinja", report=report)


def page(template: str, **names: Any) -> str:
    """The template with these, and with what a report says to people, by its name in `content`."""
    return _environment().get_template(template).render(names)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (TEMPLATES / "page.js").read_text("utf-8")
    environment.filters |= {"share": share, "prose": prose, "level": plots.level}
    environment.globals |= {"plots": plots, "page_script": Markup(script)}
    environment.globals |= {"script_hash": b64encode(sha256(script.encode()).digest()).decode()}
    environment.globals |= {"content": content, "symbols": content.SYMBOLS, "doubt": doubt}
    environment.globals |= {"clauses": content.clauses()}
    return environment


def prose(text: str) -> Markup:
    """A sentence in which `code` is marked as Markdown does, everything else escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(content.plain(text)))))


def _printable(value: object) -> object:
    text = isinstance(value, str) and not isinstance(value, Markup)
    return content.plain(str(value)) if text else value
