"""What others read: links lead somewhere, and no path of the machine that made it is left."""

import re
from pathlib import Path

import pytest
from rnn_conformance.faces import cli

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("conformance/**/*.md")]
OF_A_MACHINE = re.compile(r"(?<![\w.~/-])/(?:home|root|tmp|Users|usr|opt|mnt)/|\b[A-Z]:\\")
LINK = re.compile(r"\]\(([^)#\s]+)")
MINE = """
def rnn(weights, inputs, h_0):
    return {"hidden_states": inputs[..., :1] * weights["W_hh"][:, 0]}
"""


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_a_page_of_this_repository(page: Path) -> None:
    assert OF_A_MACHINE.findall(page.read_text("utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    places = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [place for place in places if not (page.parent / place).exists()] == []


def test_a_report_on_a_file_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mine, claims = tmp_path / "mine.py", tmp_path / "claims.toml"
    mine.write_text(MINE)
    claims.write_text("claims = ['float32', 'time_first', 'tanh']")
    kinds = ("json", "markdown", "html", "badge")
    places = [word for kind in kinds for word in (f"--{kind}", f"report.{kind}")]
    asked = ["--check", "output", "--check", "shape_and_dtype", "--processes", "0"]
    judged = [f"{mine}:rnn", "--claims", str(claims)]
    assert cli.main(["check", *judged, *asked, *places]) == 1
    texts = [capsys.readouterr().out, *(Path(f"report.{kind}").read_text() for kind in kinds)]
    for text in texts:
        assert str(tmp_path) not in text
