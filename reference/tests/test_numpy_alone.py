"""The reference needs NumPy and nothing else: as its source says, as a wheel, and once imported."""

import ast
import os
import subprocess
import sys
import tomllib
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest

REFERENCE = Path(__file__).parents[1]
FILES = sorted((REFERENCE / "rnn_reference").rglob("*.py"))
ALLOWED = {"numpy", "rnn_reference", *sys.stdlib_module_names}
IMPORTED = """
import sys
import numpy.random
before = set(sys.modules)
import rnn_reference
print(rnn_reference.__file__)
print(*{name.partition(".")[0] for name in set(sys.modules) - before})
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_source(file: Path) -> None:
    """No line imports anything else, not even late."""
    imported = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported.append("." * node.level + (node.module or ""))
    assert [name for name in imported if name.split(".")[0] not in ALLOWED] == []


def test_wheel(tmp_path: Path) -> None:
    """Of the main version, it has this package alone, requires NumPy, and imports nothing else."""
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    subprocess.run(build, cwd=REFERENCE, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        about = message_from_bytes(archive.read(metadata))
    main = tomllib.loads((REFERENCE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    assert (about["Name"], about["Version"]) == ("rnn-reference", main["project"]["version"])
    assert about.get_all("Requires-Dist") == ["numpy>=2.0"]
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"rnn_reference"}
    assert "rnn_reference/py.typed" in names

    found = subprocess.run(
        [sys.executable, "-c", IMPORTED], cwd=tmp_path, check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(wheel)},
    )  # fmt: skip
    where, imported = found.stdout.splitlines()
    assert Path(where).is_relative_to(wheel)
    assert set(imported.split()) - ALLOWED == set()
