"""Several reports side by side: every cell has its status, and opens what failed."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rnn_conformance import Report
from rnn_conformance.checks.records import by_clause
from rnn_conformance.faces.reports.content import SYMBOLS, clauses, overall
from rnn_conformance.faces.reports.scoreboard import (
    board,
    main,
    scoreboard_html,
    scoreboard_markdown,
)

from .miniatures import Command
from .report_samples import (
    MARKDOWN,
    SAMPLES,
    TRICKS,
    Tags,
    hostile,
    interrupted,
    known,
    right,
    squeezed,
    wrong,
)


def four() -> tuple[Report, ...]:
    return tuple(sample() for sample in SAMPLES)


def test_every_implementation_has_a_cell_for_every_clause() -> None:
    found = board(four())
    rows = {cells[0].clause: [cell.status for cell in cells] for cells in found.rows()}
    assert tuple(rows) == tuple(clauses())
    assert rows["RNN-CELL-1"] == ["passed", "failed", "not claimed", "not judged"]
    assert rows["RNN-READ-1"] == ["passed", "passed", "not claimed", "not judged"]
    assert rows["RNN-ERR-2"] == ["not claimed", "not claimed", "known failure", "not judged"]
    assert [overall(report) for report in four()] == ["passed", "failed", "passed", "not judged"]
    for column, report in zip(found.columns, four(), strict=True):
        for cell in column.cells:
            if cell.clause in by_clause(report.records):
                assert cell.tally == by_clause(report.records)[cell.clause]
            for finding in cell.findings:
                assert cell.clause in finding.record.clauses


def test_a_clause_that_only_a_report_knows_is_shown_last() -> None:
    (record, *_) = right().records
    unknown = replace(right(), records=(replace(record, clauses=("RNN-NEW-1",)),))
    assert [*board([wrong(), unknown]).rows()][-1][0].clause == "RNN-NEW-1"
    with pytest.raises(ValueError, match="reports: expected at least one, got none"):
        board([])


def test_a_cell_links_to_the_failing_check_with_its_diagnosis_and_reproduction() -> None:
    page = scoreboard_html(board(four()))
    found = Tags(page)
    ids = [value for name, value in found.attributes if name == "id"]
    links = [value[1:] for name, value in found.attributes if name == "href" and value != "#"]
    assert set(links) <= set(ids)
    assert len(set(ids)) == len(ids)
    assert "2-rnn-cell-1" in links
    start = page.index('<section id="2-rnn-cell-1">')
    section = squeezed(Tags(page[start : page.index("</section>", start) + 10]).text)
    first = wrong().failures[0]
    for text in (first.id, first.message, first.reproduction, str(wrong().diagnosis)):
        assert squeezed(text) in section
    assert squeezed(clauses()["RNN-CELL-1"].replace("`", "")) in section
    start = page.index('<section id="3-rnn-err-2">')
    reason = next(r.message for r in known().records if r.outcome == "known_failure")
    assert squeezed(reason) in squeezed(
        Tags(page[start : page.index("</section>", start) + 10]).text
    )


def test_markdown_has_the_same_table_and_its_links_lead_to_headings() -> None:
    content = board(four())
    text = scoreboard_markdown(content)
    for cells in content.rows():
        (line,) = [l for l in text.splitlines() if l.startswith(f"| `{cells[0].clause}`")]
        shown = [cell.strip() for cell in line.strip("| ").split("|")][1:]
        assert [re.sub(r"^\[|\]\(.+", "", cell) for cell in shown] == [
            re.sub(" ", "\N{NO-BREAK SPACE}", cell.text) for cell in cells
        ]
        assert [cell.text[0] for cell in cells] == [SYMBOLS[cell.status] for cell in cells]
    headings = {
        re.sub("[^a-z0-9 -]", "", line[5:].lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#### ")
    }
    links = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert links == headings
    assert "3-rnn-err-2" in links
    assert wrong().failures[0].message in text


def test_the_versions_of_each_report_are_shown() -> None:
    other = replace(right(), environment={"numpy": "1.99.0", "other": "7"}, seed=12)
    content = board([right(), other])
    assert content.names == (*right().environment, "other")
    lines = scoreboard_markdown(content).splitlines()
    assert "| `7` | 12 |" in lines[max(i for i, line in enumerate(lines) if "`1.99.0`" in line)]
    text = squeezed(Tags(scoreboard_html(content)).text)
    assert "1.99.0 7 12" in text
    assert f"{right().environment['python']} {right().environment['threads']} 0" in text


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_stays_text(trick: str) -> None:
    ours, theirs = board([right(), hostile("x")]), board([right(), hostile(trick)])
    page = scoreboard_html(theirs)
    page.encode()
    assert Tags(page).tags == Tags(scoreboard_html(ours)).tags
    text = scoreboard_markdown(theirs)
    text.encode()
    rendered = (Tags(MARKDOWN.render(one)) for one in (text, scoreboard_markdown(ours)))
    assert len({tuple(one.tags) for one in rendered}) == 1


def test_files_in_and_files_out(tmp_path: Path, command: Command) -> None:
    places = [tmp_path / f"{number}.json" for number in range(2)]
    for place, report in zip(places, (known(), interrupted()), strict=True):
        place.write_text(json.dumps(report.to_json()))
    out = tmp_path / "board.md", tmp_path / "board.html"
    options = ["--markdown", out[0], "--html", out[1]]
    assert command(main, *places, *options) == (0, "", "")
    expected = board([known(), interrupted()])
    assert out[0].read_text("utf-8") == scoreboard_markdown(expected)
    assert out[1].read_text("utf-8") == scoreboard_html(expected)
    places[1].write_text("{")
    status, _, err = command(main, *places, *options)
    assert (status, f"scoreboard: {places[1]}: Expecting property name" in err) == (2, True)
    assert command(main, tmp_path / "none.json", *options)[0] == 2
    assert "expected --markdown FILE or --html FILE" in command(main, places[0])[2]


def test_every_verdict_says_how_many_defects_are_known_and_how_much_is_claimed() -> None:
    content = board(four())
    text, page = scoreboard_markdown(content), squeezed(Tags(scoreboard_html(content)).text)
    lines = text.replace("\N{NO-BREAK SPACE}", " ").splitlines()
    verdicts = [line.split(" | ")[1:] for line in lines if re.match(r"\| \d: .*%", line)]
    counts = [[str(n) for n in (c.counts.passed, c.counts.failed, c.counts.known_failure)]
              for c in content.columns]  # fmt: skip
    assert [[line[2], line[3]] for line in verdicts] == [each[::2] for each in counts[:3]]
    failed = f"✗ does not conform: {counts[1][1]} of {wrong().executed} checks failed"
    with_defect = "✓ conforms, with 1 known defect"
    assert [line[0] for line in verdicts] == ["✓ conforms", failed, with_defect]
    of = len(clauses())
    assert [line[1] for line in verdicts] == [f"{n} of {of} ({n / of:.0%})" for n in (4, 5, 1)]
    assert "not judged" in next(line for line in lines if line.startswith("| 4: "))
    for line in verdicts:
        assert " ".join(line[:2]).replace("✓ ", "✓") in page.replace("✓ ", "✓")


def test_no_header_and_no_cell_of_the_clauses_breaks() -> None:
    name = "a-name with-hyphens"
    text = scoreboard_markdown(board([replace(right(), implementation=name), known()]))
    _, _, table = text.partition("## Clauses")
    head, _, *rows = [line for line in table.splitlines() if line.startswith("| ")][:9]
    for line in (head, *rows):
        for cell in line.strip("| ").split(" | ")[1:]:
            assert " " not in cell.replace("a‑name with‑hyphens", "")
            assert "-" not in cell.partition("](#")[0]
    assert "2:\N{NO-BREAK SPACE}`torch.nn.RNN`" in head


def test_defects_are_told_apart_by_their_links() -> None:
    (first, *_) = [r for r in known().records if r.outcome == "known_failure"]

    def defects(*reasons: str) -> int:
        records = tuple(replace(first, message=f"{reason} (x (y))") for reason in reasons)
        return replace(known(), records=records).known_defects

    assert defects("a; findings.md, 1", "b; findings.md, 1", "c; findings.md, 2") == 2
    assert defects("a", "a", "b") == 2
    assert right().known_defects == 0
