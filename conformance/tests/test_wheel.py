"""The built wheel in another project, which has folders of the same names and tests of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HOST = {
    "conftest.py": "",
    "reference/__init__.py": "",
    "conformance/__init__.py": "raise ImportError('the host has one of its own')",
    "benchmarks/conftest.py": "",
    "test_own.py": """
        import rnn_conformance
        from my_rnn import my_rnn

        test_my_rnn = rnn_conformance.pytest_checks(my_rnn)

        def test_where_it_comes_from():
            assert "installed" in rnn_conformance.__file__
        """,
    "my_rnn.py": """
        import numpy as np

        def my_rnn(weights, inputs, h_0):
            w, states = weights, []
            h = np.zeros((inputs.shape[1], len(w["W_hh"])), inputs.dtype) if h_0 is None else h_0
            for x in inputs:
                h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
                states.append(h)
            return {"hidden_states": np.stack(states), "h_n": h}

        def wrong(weights, inputs, h_0):
            return my_rnn({**weights, "W_hh": weights["W_hh"].T}, inputs, h_0)
        """,
}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a module of the installed wheel in the host project."""
    folder = tmp_path_factory.mktemp("wheel")
    host, installed = folder / "host", folder / "installed"
    for name, text in HOST.items():
        (host / name).parent.mkdir(parents=True, exist_ok=True)
        (host / name).write_text(dedent(text))
    python = (sys.executable, "-m")
    build = ("hatchling", "build", "-t", "wheel", "-d", str(folder))
    subprocess.run([*python, *build], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as packed:  # what is missing there would be taken from the sources
        names = {place.partition("/")[0] for place in packed.namelist()}
    assert {"rnn_reference", "rnn_conformance"} <= names
    target = ("--no-deps", "--no-index", "--quiet", "--target", str(installed))
    subprocess.run([*python, "pip", "install", *target, str(wheel)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*python, *arguments], cwd=host, env=environment, text=True, capture_output=True,
            check=False, timeout=300,
        )  # fmt: skip

    return run


PYTEST = ("pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--rnn-no-diagnosis", "-q")


def test_the_plugin_judges_by_name_and_by_one_line_in_a_test_file(run: Run) -> None:
    asked = ("--pyargs", "rnn_conformance", "--rnn-implementation", "my_rnn.py:wrong", ".")
    found = run(*PYTEST, *asked, "-k", "where or (output and T7-B3)")
    assert found.returncode == 1, found.stdout + found.stderr
    assert "FAILED output[my_rnn.py:wrong-" in found.stdout
    assert "FAILED output[my_rnn-" not in found.stdout
    assert "test_where_it_comes_from" not in found.stdout  # it passes
    for told in ("rnn-conformance: my_rnn =", "note: outputs is not given, so not judged"):
        assert told in found.stdout


def test_the_command_judges_and_writes_every_report(run: Run) -> None:
    places = ("--json", "a.json", "--html", "a.html", "--markdown", "a.md", "--badge", "b.json")
    asked = ("check", "my_rnn.py:wrong", "--check", "trajectory", *places)
    found = run("rnn_conformance", *asked)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "[RecurrentWeightTransposed]" in found.stdout
    board = run("rnn_conformance", "scoreboard", "a.json", "--html", "board.html")
    assert (board.returncode, board.stderr) == (0, "")


def test_the_vectors_are_in_it(run: Run) -> None:
    found = run("rnn_conformance", "vectors", "export", "vectors", "--only", "nothing")
    assert found.returncode == 2
    assert "only: " in found.stderr
