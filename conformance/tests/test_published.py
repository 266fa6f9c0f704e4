"""What others read: no path of a machine, links that lead somewhere, examples that are accepted."""

import re
from pathlib import Path

import pytest
from rnn_conformance import check

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("conformance/**/*.md")]
OF_A_MACHINE = re.compile(r"(?<![\w.~/-])/(?:home|root|tmp|Users|usr|opt|mnt)/|\b[A-Z]:\\")
LINK = re.compile(r"\]\(([^)#\s]+)")
README = (ROOT / "README.md").read_text("utf-8")
MOST_LINES = 10  # of an example


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_a_page_of_this_repository(page: Path) -> None:
    text = page.read_text("utf-8")
    assert OF_A_MACHINE.findall(text) == []
    places = [link for link in LINK.findall(text) if "://" not in link]
    assert [place for place in places if not (page.parent / place).exists()] == []


def shown() -> list[str]:
    """The blocks of Python in "Judge your own" that compute something."""
    _, _, section = README.partition("\n## Judge your own\n")
    section, _, _ = section.partition("\n## ")
    blocks: list[str] = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
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
def test_what_the_readme_shows_is_short_and_accepted(block: str, tmp_path: Path) -> None:
    name = name_of(block)
    assert len(written(block)) <= MOST_LINES
    (tmp_path / "mine.py").write_text(block, "utf-8")
    report = check(f"{tmp_path}/mine.py:{name}", diagnosed=False)
    assert report.conforms
    executed = {r.check for r in report.records if r.outcome == "passed"}
    assert executed >= {"output", "readout", "trajectory"}


def test_the_readme_shows_a_function_and_a_class() -> None:
    assert [name_of(block) for block in shown()] == ["my_rnn", "MyRNN"]
