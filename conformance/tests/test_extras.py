"""What only an extra installs is asked for by name, when it is needed and before anything runs."""

import subprocess
import sys
from pathlib import Path

import pytest

RIGHT = "rnn_reference.SingleSequenceRNN"
QUICK = ("check", RIGHT, "--check", "trajectory", "--processes", "0")
WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({missing!r}))
from rnn_conformance.faces.cli import main
sys.exit(main({arguments!r}))
"""
OPTIONAL = ("jinja2", "jsonschema", "pytest", "safetensors", "torch")


def without(
    missing: tuple[str, ...], *arguments: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """The command where importing these fails."""
    code = WITHOUT.format(missing=missing, arguments=arguments)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("missing", "extra", "arguments"),
    [
        ("jinja2", "reports", (*QUICK, "--html", "a.html")),
        ("jsonschema", "reports", (*QUICK, "--html", "a.html")),
        ("jinja2", "reports", ("scoreboard", "a.json", "--html", "a.html")),
        ("jsonschema", "reports", ("scoreboard", "a.json", "--markdown", "a.md")),
        ("safetensors", "files", ("check", "--exec", "./absent", "--processes", "0")),
        ("safetensors", "files", ("vectors", "export", "new")),
        ("jsonschema", "files", ("vectors", "verify", "new", "results")),
        ("onnx", "onnx", ("vectors", "export", "new", "--onnx")),
    ],
)
def test_a_missing_library_is_one_line_that_names_the_extra(
    missing: str, extra: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    found = without((missing,), *arguments, folder=tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    (line,) = found.stderr.splitlines()
    assert line.endswith(
        f'{missing} is missing; to install it: pip install "rnn-conformance[{extra}]"'
    )
    assert [*tmp_path.iterdir()] == []


def test_numpy_and_rich_are_enough_to_judge(tmp_path: Path) -> None:
    written = ("--json", "a.json", "--markdown", "a.md", "--badge", "b.json")
    found = without(OPTIONAL, *QUICK, *written, folder=tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert len([*tmp_path.iterdir()]) == 3
