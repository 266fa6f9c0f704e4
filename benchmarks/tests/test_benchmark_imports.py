import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PACKAGE = HOUSE / "benchmarks" / "rnn_benchmarks"


def imported(path: Path) -> set[str]:
    """The modules that a file names in its import statements, wherever these stand."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def reached(module: str) -> set[str]:
    """All modules that one of this package imports, directly or through another of it."""
    names: set[str] = set()
    left = [module]
    while left:
        for name in imported(PACKAGE / f"{left.pop()}.py") - names:
            names.add(name)
            inner = name.removeprefix("rnn_benchmarks.")
            if inner != name and (PACKAGE / f"{inner}.py").exists():
                left.append(inner)
    return names


@pytest.mark.parametrize("folder", ["reference", "conformance"])
def test_nothing_imports_the_benchmarks(folder: str) -> None:
    files = list((HOUSE / folder).rglob("*.py"))
    assert files
    found = {path for path in files for name in imported(path) if name.startswith("rnn_benchmarks")}
    assert not found


def test_the_report_needs_neither_torch_nor_the_reference() -> None:
    roots = {name.split(".")[0] for name in reached("report")}
    assert "matplotlib" in roots
    assert not roots & {"torch", "numpy", "threadpoolctl", "rnn_reference", "rnn_conformance"}


def test_the_options_need_no_torch() -> None:
    for module in ("names", "pairs", "grid", "remarks"):
        assert not {name.split(".")[0] for name in reached(module)} & {"torch", "numpy"}


def test_the_lines_need_no_report() -> None:
    assert "rnn_reference" in reached("lines")
    assert not {name for name in reached("lines") if "report" in name or "matplotlib" in name}
