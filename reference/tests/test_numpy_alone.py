"""What the reference is built from."""

import ast
import sys
from pathlib import Path

import pytest
import rnn_reference

FILES = sorted(Path(rnn_reference.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_numpy_alone(file: Path) -> None:
    """Beside the standard library and itself, the reference imports NumPy and nothing else."""
    imported = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported.append("." * node.level + (node.module or ""))
    allowed = {"numpy", "rnn_reference", *sys.stdlib_module_names}
    assert [name for name in imported if name.split(".")[0] not in allowed] == []
