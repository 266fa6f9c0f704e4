"""Reports of real runs, and one whose every text is a stranger's trick."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import islice
from math import inf

import pytest
from markdown_it import MarkdownIt
from rnn_conformance import BASIC, Cause, Diagnosis, Record, Report, check
from rnn_conformance.bounds.judgement import Place
from rnn_conformance.checks.findings import Finding
from rnn_conformance.run.verdict import Interrupted
from rnn_conformance.variants.wrong.activation import HardTanh
from rnn_conformance.variants.wrong.cell import RecurrentWeightTransposed

SOME = ("output", "readout", "single_equals_column")
TRICKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></code></details></td></table><h1>",
    "a | b || c \\| d",
    "`` ` ``` ```` ~~~",
    "\n````\n# title\n\n| a |\n| --- |\n",
    "[x](javascript:alert(1)) <https://example.org> https://example.org @someone #1",
    "{{ 7 * 7 }} {% include 'style.css' %}",
    "\x1b[31m \x00 \u202e \ud800 &amp; &lt;",
    "$(touch x); `touch y` 'z",
    "|`\\",
    " ",
)


@cache
def right() -> Report:
    """The reference, which does not claim all layouts."""
    return check("rnn_reference.BatchRNN", checks=SOME)


@cache
def wrong() -> Report:
    """Diagnosed."""

    class Basic(RecurrentWeightTransposed):
        claims = BASIC - {"float64"} | {"single"}

    return check(Basic(), checks=SOME)


@cache
def bent() -> Report:
    """Another activation, diagnosed."""

    class Basic(HardTanh):
        claims = BASIC - {"float64"}

    return check(Basic(), checks=("output",))


@cache
def known() -> Report:
    """What fails is known to fail."""
    return check("torch.nn.RNN", checks=("lengths_refused",))


@cache
def interrupted() -> Report:
    """Of 40 checks."""

    def until(records: Iterable[Record], _: int) -> Iterator[Record]:
        yield from islice(records, 40)
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        check("rnn_reference.BatchRNN", progress=until)
    return stopped.value.report


def hostile(trick: str) -> Report:
    """One failing, one passing and one known record, in which every text is this."""
    failed = Record(
        trick, trick, (trick,), trick, trick, "failed", inf, trick, trick, trick,
        Place(0, 0, 0, 0.0, inf, 1.0),
    )  # fmt: skip
    passed = replace(failed, check="b", outcome="passed", worst_share=0.5, first_outside=None)
    cause = Cause((trick,), (trick, trick), (trick,))
    finding = Finding(trick, trick, trick, 1, 2, 0)
    return Report(
        trick,
        0,
        {trick: trick, "rnn-conformance": trick},
        (failed, passed, replace(failed, check="c", outcome="known_failure")),
        patterns={trick: (trick, trick)},
        diagnosis=Diagnosis((cause, cause), 1, 3, 0, (trick,), False, (finding,)),
        in_vain=(trick,),
        undiagnosed=trick,
        command=trick,
        notes=(trick,),
    )


SAMPLES = (right, wrong, known, interrupted)
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


def squeezed(text: str) -> str:
    return " ".join(text.split())


class Tags(HTMLParser):
    """The tags, attributes and text of a page; raises where one is not closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += " " if tag == "td" else ""

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.text += data
