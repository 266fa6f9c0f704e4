"""Figures as SVG elements that take their ink, rules and font from the page around them."""

import io
import re
from html import escape
from typing import Any

from matplotlib.figure import Figure

# Stand-ins, unlike any colour that a plot would use on purpose; the page has two sets of colours,
# for light and for dark.
INK, RULE, BAND, *LINES = (f"#0102{number:02x}" for number in range(12))
PAGE_COLOURS = {
    INK: "currentColor",
    RULE: "var(--rule)",
    BAND: "var(--band)",
    **{line: f"var(--line-{number})" for number, line in enumerate(LINES, start=1)},
}

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "rnn-benchmarks",  # the same results give the same page
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "figure.facecolor": "none",
}


def element(figure: Figure, identifier: str, description: str) -> str:
    """The figure as an `<svg>` whose ids start with `identifier`, so that plots share a page."""
    file = io.StringIO()
    no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=no_metadata)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{identifier}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{identifier}-", text)
    # Without a size of its own it fills the width that the page gives it.
    text = re.sub(
        r'^<svg ([^>]*?)width="[^"]*" height="[^"]*"',
        rf'<svg role="img" aria-label="{escape(description)}" \1',
        text,
    )
    for stand_in, colour in PAGE_COLOURS.items():
        text = text.replace(stand_in, colour)
    return text
