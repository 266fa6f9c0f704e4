"""What the README shows that one writes to be judged: at most ten lines, accepted as they are."""

import re
from pathlib import Path

import pytest
from rnn_conformance import check

ROOT = Path(__file__).parents[2]
MOST_LINES = 10


def shown() -> list[str]:
    """The blocks of Python in "Judge your own" that compute something."""
    _, _, section = (ROOT / "README.md").read_text("utf-8").partition("\n## Judge your own\n")
    section, _, _ = section.partition("\n## ")
    blocks: list[str] = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return [block for block in blocks if "np.tanh(" in block]


def written(block: str) -> list[str]:
    """The lines that one writes: no comment, nothing empty."""
    return re.findall(r"^(?! *(?:#|$)).+$", block, re.MULTILINE)


def test_the_first_example_is_ten_lines_and_prints_what_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    block, output = re.findall(r"^```(?:python)?\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)[:2]
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
