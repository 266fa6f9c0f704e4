"""What others read: no path of a machine, links that lead somewhere, examples that are accepted."""

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest
from rnn_conformance import check
from rnn_conformance.variants.every import HEALTHY, MUTANTS

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "conformance/rnn_conformance"
PAGES = [
    page
    for place in ("", "conformance/**/", "benchmarks/**/")
    for page in ROOT.glob(f"{place}*.md")
]
OURS = re.compile(
    r"https://(?:github\.com|raw\.githubusercontent\.com)/rnn-conformance/rnn-conformance/(?:blob/)?main/"
)
OF_A_MACHINE = re.compile(r"(?<![\w.~/-])/(?:home|root|tmp|Users|usr|opt|mnt)/|\b[A-Z]:\\")
LINK = re.compile(r"\]\(([^)#\s]+)")
README = (ROOT / "README.md").read_text("utf-8")
WAYS_IN = (SUITE / "sources/ways-in.md").read_text("utf-8")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
LONGEST_README = 150  # lines
MOST_LINES = 10  # of an example


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_a_page_of_this_repository(page: Path) -> None:
    text = page.read_text("utf-8")
    assert OF_A_MACHINE.findall(text) == []
    links = LINK.findall(text)
    places = [page.parent / link for link in links if "://" not in link]
    places += [ROOT / OURS.sub("", link) for link in links if OURS.match(link)]
    assert [place for place in places if not place.exists()] == []


def test_the_readme_is_short_and_its_links_work_on_a_package_index() -> None:
    assert len(README.splitlines()) <= LONGEST_README
    assert [link for link in LINK.findall(README) if "://" not in link] == []


def shown() -> list[str]:
    """The blocks of Python that compute the recurrence: a function, and a class."""
    blocks: list[str] = re.findall(
        r"^```python\n(.*?)^```$", README + WAYS_IN, re.DOTALL | re.MULTILINE
    )
    return [block for block in blocks if "np.tanh(" in block]


def written(block: str) -> list[str]:
    """The lines that one writes: no comment, nothing empty."""
    return re.findall(r"^(?! *(?:#|$)).+$", block, re.MULTILINE)


def test_the_first_example_is_ten_lines_and_prints_what_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    block, output = re.findall(r"^```(?:python)?\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)[:2]
    assert len(written(block)) == MOST_LINES
    exec(compile(block, "README.md", "exec"), {})
    difference, verdict = capsys.readouterr().out.splitlines()
    assert float(difference) < 1e-14
    assert verdict.partition(" the worst")[0] == output.splitlines()[1].partition(" the worst")[0]


def name_of(block: str) -> str:
    (name,) = re.findall(r"^(?:def|class) (\w+)", block, re.MULTILINE)
    return str(name)


@pytest.mark.parametrize("block", shown(), ids=name_of)
def test_an_example_is_short_and_accepted(block: str, tmp_path: Path) -> None:
    name = name_of(block)
    assert len(written(block)) <= MOST_LINES
    (tmp_path / "mine.py").write_text(block, "utf-8")
    report = check(f"{tmp_path}/mine.py:{name}", diagnosed=False)
    assert report.conforms
    executed = {r.check for r in report.records if r.outcome == "passed"}
    assert executed >= {"output", "readout", "trajectory"}


def test_the_pages_show_a_function_and_a_class() -> None:
    assert [name_of(block) for block in shown()] == ["my_rnn", "MyRNN"]


@pytest.mark.slow
def test_the_failing_run_is_what_the_command_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown()[0].replace('h @ w["W_hh"].T', 'h @ w["W_hh"]')
    (tmp_path / "my_rnn.py").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    report = check("my_rnn.py:my_rnn")
    first = report.failures[0]
    counts = f"{len(report.failures)} of {report.executed} checks failed"
    assert report.diagnosis is not None
    said = [first.id, str(report.diagnosis.findings[0]), counts]
    assert_said(said, README)
    said = [first.id, first.message, first.bound, *str(report.diagnosis).splitlines()]
    assert_said(said, (SUITE / "faces/reports/reports-and-ci.md").read_text("utf-8"))
    picture = unescape((SUITE / "faces/reports/failing-run.svg").read_text("utf-8"))
    said = [first.id, counts, *str(report.diagnosis).splitlines()]
    assert_said(said, picture.replace("\N{NO-BREAK SPACE}", " "))


def assert_said(lines: Sequence[str], text: str) -> None:
    """Each line stands in the text, whatever its numbers: another processor rounds otherwise."""
    for line in lines:
        assert NUMBER.sub("#", line) in NUMBER.sub("#", text)


def number(pattern: str, text: str) -> int:
    (found,) = {*re.findall(pattern, text)}
    return int(found)


def test_the_readme_says_what_scoreboard_and_findings_say() -> None:
    board = (ROOT / "conformance/scoreboard/scoreboard.md").read_text("utf-8")
    findings = (SUITE / "findings.md").read_text("utf-8")
    implementations = re.findall(r"^## \d+: ", board, re.MULTILINE)
    assert number(r"compares (\d+) implementations", README) == len(implementations)
    defects = re.findall(r"^## O?\d+\. ", findings, re.MULTILINE)
    assert number(r"found (\d+) defects", README) == len(defects)
    row, *_ = re.findall(r"^\| \d+: `torch.nn.RNN` \| .\s(.+) \|$", board, re.MULTILINE)
    verdict, _, passed, known, worst = row.replace("\N{NO-BREAK SPACE}", " ").split(" | ")
    assert (
        f"torch.nn.RNN {verdict}: {passed} checks passed, {known} failed as they are known to, "
        f"the worst error is {worst} of its bound.\n"
    ) in README


def test_the_page_counts_all_variants() -> None:
    page = (SUITE / "bounds/verdict.md").read_text("utf-8")
    assert number(r"(\d+) deliberately wrong", page) == len(MUTANTS)
    assert number(r"(\d+) right implementations", page) == len(HEALTHY)
