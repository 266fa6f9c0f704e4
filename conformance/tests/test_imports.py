"""Imports run one way: between the three packages, and between the folders of the suite."""

import ast
import re
from pathlib import Path

import pytest
import rnn_conformance

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "reference/rnn_reference": {"rnn_reference"},
    "conformance/rnn_conformance": {"rnn_reference", "rnn_conformance"},
    "benchmarks/rnn_benchmarks": {"rnn_reference", "rnn_conformance", "rnn_benchmarks"},
}
OURS = {"rnn_reference", "rnn_conformance", "rnn_benchmarks"}
SUITE = ROOT / "conformance/rnn_conformance"
ORDER = (
    "contract", "sources", "bounds", "cells", "cases", "checks", "variants", "explain", "run",
    "faces",
)  # fmt: skip
ALSO = {"trace": ("contract", "sources", "bounds", "cells"), "vectors": (*ORDER[:-1], "vectors")}
FACES = ("__init__", "__main__", "plugin", "test_conformance", "faces")


def _imported(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    names += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    return set(names)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_run_one_way(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for file in files:
        ours = {name.split(".")[0] for name in _imported(file)} & OURS
        assert ours <= MAY_IMPORT[package], file


def test_frameworks_are_imported_in_adapters_alone() -> None:
    for file in SUITE.rglob("*.py"):
        if file.parent.name != "adapters":
            assert not any(name.split(".")[0] == "torch" for name in _imported(file)), file


def test_the_judge_shares_no_code_with_what_it_judges() -> None:
    for part in ("contract", "bounds", "cells", "cases", "checks"):
        for file in (SUITE / part).rglob("*.py"):
            assert not any(name.startswith("rnn_reference") for name in _imported(file)), file


OF_A_CELL = re.compile(r"weight_[ih]h|bias_[ih]h|\b[Wb]_(?:ih|hh|xh|ho)\b|tanh|relu|sigmoid")


@pytest.mark.parametrize("part", ["bounds", "cases", "checks", "explain", "run", "faces"])
def test_only_cells_know_what_a_cell_is_made_of(part: str) -> None:
    files = list((SUITE / part).rglob("*.py"))
    assert files
    found = {(file.name, word) for file in files for word in OF_A_CELL.findall(_code(file))}
    assert not found


def _code(file: Path) -> str:
    """A file without its docstrings and comments."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def test_the_folders_of_the_suite_import_one_way() -> None:
    against = {
        (file.relative_to(SUITE).as_posix(), name)
        for file in SUITE.rglob("*.py")
        for name in _imported(file)
        if name.startswith("rnn_conformance.") and name.split(".")[1] not in _sees(file)
    }
    assert not against


def _sees(file: Path) -> tuple[str, ...]:
    """The folders from which a file may import."""
    part = file.relative_to(SUITE).parts[0].removesuffix(".py")
    if part in FACES or file.name == "cli.py":
        return (*ORDER, *FACES, "vectors", "trace")
    return ALSO[part] if part in ALSO else ORDER[: ORDER.index(part) + 1]


def test_the_names_of_the_package_are_where_type_checkers_look_for_them() -> None:
    tree = ast.parse(Path(rnn_conformance.__file__).read_text())
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for_checkers = {
        alias.asname: (node.module or "").removeprefix("rnn_conformance.")
        for node in imported
        for alias in node.names
        if alias.asname
    }
    assert for_checkers == rnn_conformance.MODULES
    assert set(rnn_conformance.__all__) <= set(dir(rnn_conformance))
    for name in rnn_conformance.__all__:
        assert getattr(rnn_conformance, name) is not None
    with pytest.raises(AttributeError, match="module 'rnn_conformance' has no attribute 'nothing'"):
        _ = rnn_conformance.nothing  # type: ignore[attr-defined]
