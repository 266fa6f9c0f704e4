"""Markdown, page and badge say what the report says, and a stranger's text stays text."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from math import inf
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from rnn_conformance import Record, Report
from rnn_conformance.checks.records import by_clause
from rnn_conformance.faces.reports.content import (
    by_clause_in_order,
    clauses,
    command,
    findings,
    headline,
    overall,
    plain,
)
from rnn_conformance.faces.reports.files import badge
from rnn_conformance.faces.reports.html import html
from rnn_conformance.faces.reports.markdown import MOST_LENGTH, code, fenced, markdown
from rnn_conformance.faces.reports.picture import svg
from rnn_conformance.faces.reports.plots import level
from rnn_conformance.faces.reports.reading import read_report
from rnn_conformance.faces.reports.scoreboard import board, scoreboard_html
from rnn_conformance.faces.terminal import share

from .report_samples import (
    MARKDOWN,
    SAMPLES,
    SOME,
    TRICKS,
    Tags,
    bent,
    hostile,
    interrupted,
    known,
    right,
    squeezed,
    wrong,
)

OURS = {
    "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "code", "pre",
}  # fmt: skip


@pytest.mark.parametrize(
    ("sample", "sentence", "message", "color"),
    [
        (right, r"conforms: \d+ checks passed", r"^2 of \d+ checks: \d+ of \d+ passed$", "blue"),
        (wrong, r"not conform: \d+ of \d+ checks failed\.$", r"^failing, .* \d+ passed$", "red"),
        (
            known,
            r"with 1 known defect: 0 .*, \d+ failed as",
            r"0 of (\d+) passed, \1 known",
            "blue",
        ),
        (interrupted, r"could not be judged: interrupted", r"not judged$", "lightgrey"),
    ],
)
def test_the_verdict_comes_first(
    sample: Callable[[], Report], sentence: str, message: str, color: str
) -> None:
    report = sample()
    assert re.search(sentence, headline(report))
    title = markdown(report).splitlines()[0]
    assert title.startswith("## ")
    assert f"`{report.implementation}` {headline(report)}" in title
    assert squeezed(headline(report))[1:] in squeezed(Tags(html(report)).text)[:400]
    shown = badge(report)
    assert re.search(message, shown.pop("message"))
    version = report.environment["rnn-conformance"]
    assert shown == {"schemaVersion": 1, "label": f"RNN conformance {version}", "color": color}


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_clause_has_its_row(sample: Callable[[], Report]) -> None:
    report = sample()
    page, lines = Tags(html(report)), markdown(report).splitlines()
    for name, t in by_clause(report.records).items():
        (line,) = [line for line in lines if line.startswith(f"| `{name}`")]
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        counts = [t.run, t.passed, t.failed, t.known_failure]
        assert cells[2:6] == list(map(str, counts))
        assert clauses()[name].replace("`", "") in squeezed(page.text)
    assert page.tags.count("tr") == len(by_clause_in_order(report)) + 1
    for check, count in report.not_claimed.items():
        assert f"{count} of {check}" in squeezed(page.text)
        assert f"{count} of {check}" in squeezed("".join(lines))


def test_a_failure_is_shown_with_diagnosis_and_reproduction() -> None:
    report = wrong()
    (text, page) = (markdown(report), squeezed(Tags(html(report)).text))
    record = report.failures[0]
    assert fenced(record.reproduction, "python") in text
    assert code(record.message) in text
    assert squeezed(record.message) in page
    assert squeezed(record.reproduction) in page
    assert text.count("<details>") == 1
    for shown in (squeezed(text), page):
        assert squeezed(str(report.diagnosis)) in shown
        assert "W_hh is used transposed. [RecurrentWeightTransposed]" in shown
        assert command(report).splitlines()[-1] in shown
    assert "<details>" not in markdown(right())
    assert re.search(r"known failure in \d+ of", squeezed(Tags(html(known())).text))


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_stays_text(trick: str) -> None:
    page, text = html(hostile(trick)), markdown(hostile(trick))
    assert (page + text).encode()
    found = Tags(page)
    assert found.tags == Tags(html(hostile("x"))).tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert squeezed(plain(trick)) in squeezed(found.text)
    assert "\x1b" not in page
    found, plain_one = (Tags(MARKDOWN.render(each)) for each in (text, markdown(hostile("x"))))
    assert found.tags == plain_one.tags
    assert set(found.tags) <= OURS
    assert squeezed(plain(trick)) in squeezed(found.text)
    assert found.tags.count("td") == 7


def test_the_picture_shows_what_failed_why_and_the_verdict() -> None:
    for sample in SAMPLES:
        report = sample()
        found = ElementTree.fromstring(svg(report))
        lines = [text.text or "" for text in found.iter("{http://www.w3.org/2000/svg}text")]
        shown = squeezed(" ".join(lines))
        assert squeezed(headline(report)) in shown
        assert ("FAILED" in shown) == bool(report.failures)
        for record in report.failures[:1]:
            assert f"FAILED {record.id}" in shown
            assert squeezed(record.message)[:100] in shown
        if report.diagnosis is not None:
            assert squeezed(str(report.diagnosis))[:60] in shown
        assert "@font-face" not in svg(report)


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_text_in_the_picture(trick: str) -> None:
    picture = ElementTree.fromstring(svg(hostile(trick)))
    tags = {each.tag.partition("}")[2] for each in picture.iter()}
    assert tags == {"svg", "style", "defs", "clipPath", "rect", "text", "g", "circle"}


def test_a_page_needs_nothing_but_itself() -> None:
    for sample in SAMPLES:
        found = Tags(html(sample()))
        assert not {"link", "img", "iframe"} & set(found.tags)
        assert not [value for _, value in found.attributes if "//" in value]
        assert ("http-equiv", "Content-Security-Policy") in found.attributes


def test_the_only_script_that_a_page_may_run_is_its_own() -> None:
    for text in (html(wrong()), scoreboard_html(board([wrong()]))):
        (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
        allowed = b64encode(sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{allowed}'" in text


def test_the_page_maps_the_errors_of_the_first_failing_case() -> None:
    page = html(wrong())
    (record,) = [record for record in wrong().records if record.error_map]
    errors, place = record.error_map, record.first_outside
    assert record is wrong().failures[0]
    assert errors is not None
    assert place is not None
    shown = re.findall(r'class="level-(\d)".*?<title>step (\d+), unit (\d+): (\S+) of', page)
    assert len(shown) == len(errors.steps) * len(errors.units)
    for colour, step, unit, value in shown:
        found = errors.shares[int(step)][int(unit)]
        assert value == share(found)
        assert (int(colour) > 0) == (found > 1)
    first = min((step for colour, step, *_ in shown if colour != "0"), key=int)
    assert int(first) == place.step
    assert 'class="map"' not in html(right())


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (1, 0), (1.1, 1), (11, 2), (1e6, 3), (1.1e6, 4), (inf, 4)]
)
def test_the_colour_of_an_error_says_how_large_it_is(value: float, expected: int) -> None:
    assert level(value) == expected


def test_another_activation_is_plotted_beside_the_right_one(tmp_path: Path) -> None:
    diagnosis, other = bent().diagnosis, wrong().diagnosis
    assert diagnosis is not None
    assert other is not None
    (finding,) = diagnosis.findings
    a, found, expected = np.array(finding.points).T
    assert len(a) > 50
    assert np.allclose(expected, np.tanh(a), atol=1e-3)
    assert np.allclose(found, np.clip(a, -1, 1), atol=1e-3)
    plots = ElementTree.fromstring(re.findall(r"<svg.*?</svg>", html(bent()), re.DOTALL)[0])
    circles = {
        kind: [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in plots.iter("circle")
               if c.attrib["class"] == kind]
        for kind in ("found", "right")
    }  # fmt: skip
    for kind, states in (("found", found), ("right", expected)):
        x, y = np.array(circles[kind]).T
        assert (x.min(), x.max()) == (0, 420)
        assert (y >= 0).all()
        assert (y <= 260).all()
        assert np.corrcoef(y, states)[0, 1] == pytest.approx(-1, abs=1e-4)
    assert [each.points for each in other.findings] == [()]
    assert 'class="found"' not in html(wrong())
    (tmp_path / "report.json").write_text(json.dumps(bent().to_json()))
    assert read_report(tmp_path / "report.json") == bent()


def test_failures_can_be_filtered_by_clause() -> None:
    page = html(wrong())
    sections = re.findall(r'<section data-clauses="([^"]+)">', page)
    assert len(sections) == len(findings(wrong()))
    options = re.findall(r"<option>(RNN-[A-Z]+-\d+)</option>", page)
    assert {*options} == {name for each in sections for name in each.split()}
    assert options == [name for name in clauses() if name in options]


def test_markdown_is_no_longer_than_a_comment() -> None:
    long = Record("a", "a", ("RNN-A-1",), "c", "n", "failed", inf, "b", "m " * 2000, "r\n" * 1900)
    records = [replace(long, check=f"a{number}") for number in range(60)]
    text = markdown(replace(right(), records=tuple(records), command="x"))
    assert len(text) < MOST_LENGTH + 200
    assert 1 < text.count("<details>") < 60
    assert "The rest is left out here" in text
    assert "To repeat it:" in text[-600:]
    huge = {f"{number}" * 90: "`" * 1000 for number in range(100)}
    assert len(markdown(replace(right(), environment=huge))) < MOST_LENGTH + 200
    too_long = replace(long, reproduction="r" * 5000)
    assert "too long to stand here" in markdown(replace(right(), records=(too_long,)))


def test_the_command_repeats_the_run() -> None:
    named = command(right())
    assert named == (
        "rnn-conformance check rnn_reference.BatchRNN --seed 0 --check output "
        "--check readout --check single_equals_column"
    )
    assert command(replace(right(), implementation="a b;c.py:f", records=(), not_claimed={})) == (
        "rnn-conformance check 'a b;c.py:f' --seed 0"
    )
    asked = list(dict.fromkeys(record.check for record in wrong().records))
    assert {*asked} == {*SOME}
    assert command(wrong()).splitlines()[1:] == [
        "implementation = ...  # what was judged as RecurrentWeightTransposed",
        f"rnn_conformance.check(implementation, seed=0, checks={asked})",
    ]
    assert command(replace(right(), command="rnn-conformance check x")) == "rnn-conformance check x"


def test_what_was_never_asked_for_leaves_no_verdict() -> None:
    report = replace(right(), in_vain=("bidirectional",))
    assert overall(report) == "not judged"
    assert (
        headline(report) == "could not be judged: something is declared that was never asked for."
    )
