"""The report as one HTML page that needs nothing but itself."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from rnn_benchmarks.content import Content
from rnn_benchmarks.plots import Plot, draw

TEMPLATES = Path(__file__).parent / "templates"


def render(content: Content) -> str:
    """The whole page, plots inside."""
    plots = groupby(draw(content), key=attrgetter("heading"))
    return page(content, [(heading, list(group)) for heading, group in plots])


def page(content: Content, sections: Sequence[tuple[str, Sequence[Plot]]]) -> str:
    """The whole page, with these plots, by their heading."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = _svg
    return environment.get_template("report.html.jinja").render(content=content, sections=sections)


def _svg(plot: Plot) -> Markup:
    return Markup(plot.svg)  # as it is: matplotlib escaped what it wrote
