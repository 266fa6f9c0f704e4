"""What the pages share: one environment of jinja2, in which all text is taken for a stranger's."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from rnn_conformance.faces.reports.content import SYMBOLS, plain
from rnn_conformance.faces.reports.specification import clauses
from rnn_conformance.faces.terminal import share

TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, **content: Any) -> str:
    """The template with this content; a page that needs nothing but itself."""
    return _environment().get_template(template).render(content)


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
    environment.filters |= {"share": share, "prose": prose}
    environment.globals |= {"clauses": clauses(), "symbols": SYMBOLS}
    return environment


def prose(text: str) -> Markup:
    """A sentence in which `code` is marked as Markdown does, everything else escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(plain(text)))))


def _printable(value: object) -> object:
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value
