"""Imports run one way: rnn_reference, then rnn_conformance, then rnn_benchmarks."""

import ast
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
    package = ROOT / "conformance/rnn_conformance"
    for file in package.rglob("*.py"):
        if file.parent.name != "implementations":
            assert not any(name.split(".")[0] == "torch" for name in _imported(file)), file


def test_the_judge_shares_no_code_with_what_it_judges() -> None:
    """The certificate and what it needs know neither the reference nor a wrong implementation."""
    for name in ("certificate", "judgement", "protocol", "reproduction"):
        imported = _imported(ROOT / f"conformance/rnn_conformance/{name}.py")
        forbidden = ("rnn_reference", "rnn_conformance.recurrence", "rnn_conformance.mutants")
        assert not any(module.startswith(forbidden) for module in imported), name


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
