"""Programs that share no code with the suite check the vectors, and see a bug put into them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from rnn_conformance import Case
from rnn_conformance.vectors import export
from rnn_conformance.vectors.export import vector_cases

from .programs import command_of

EXAMPLES = Path(__file__).parents[1] / "examples" / "vectors"
CHOSEN = [case for case in vector_cases() if case.T * case.B < 50][::6]

Bug = dict[str, tuple[str, str]]
Run = Callable[[Bug], subprocess.CompletedProcess[str]]

# For each example the text that a bug replaces, and by what.
NONE: Bug = {}
OF_STATE = {
    "verify.c": "affine(of_h, rows, H, W_hh, b_hh, h);",
    "verify.mjs": "row(W_hh, b_hh, k * H + u, other)",
}
TURNED = {  # of each gate
    "verify.c": """for (int i = 0; i < rows; i++) {
        of_h[i] = b_hh ? b_hh[i] : 0;
        for (int j = 0; j < H; j++) of_h[i] += W_hh[(i / H * H + j) * H + i % H] * h[j];
    }""",
    "verify.mjs": """other.reduce((a, n, j) => a + W_hh[(k * H + j) * H + u] * n,
        b_hh ? b_hh[k * H + u] : 0)""",
}
TRANSPOSED = {name: (text, TURNED[name]) for name, text in OF_STATE.items()}
ONE_BIAS = {name: (text, text.replace("b_hh", "0")) for name, text in OF_STATE.items()}
LENGTHS_IGNORED = {
    "verify.c": ("lengths ? (int)lengths[b] : T", "T"),
    "verify.mjs": ("given.lengths ? given.lengths.values[b] : T", "T"),
}
FORGET_AND_INPUT_EXCHANGED = {
    "verify.c": ("f * s[u] + i * g", "i * s[u] + f * g"),
    "verify.mjs": ("f * c[u] + i * tanh", "i * c[u] + f * tanh"),
}
HIDDEN_STATE_FOR_BOTH = {
    "verify.c": ("memcpy(s, c_0 + at", "memcpy(s, h_0 + at"),
    "verify.mjs": ("given[`${part}_0`]", "given.h_0"),
}
NEVER_RESET = {
    "verify.c": ('is(c, "gru") ? sigmoid(x[u] + a[u]) : 1', "1"),
    "verify.mjs": ("r * a(2)", "a(2)"),
}
NEVER_RESET_BEFORE = {
    "verify.c": ("= sigmoid(x[u] + a[u]) * h[u]", "= h[u]"),
    "verify.mjs": ("a(2, reset)", "a(2)"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vectors")
    export(folder, only=[case.id for case in CHOSEN])
    return folder


@pytest.fixture(params=["verify.c", "verify.mjs"])
def run(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Run:
    """Runs an example on the vectors, with a bug in it."""
    name = request.param

    def run(bug: Bug) -> subprocess.CompletedProcess[str]:
        text = (EXAMPLES / name).read_text()
        old, new = bug.get(name, ("", ""))
        assert not old or text.count(old) == 1
        source = tmp_path / name
        source.write_text(text.replace(old, new) if old else text)
        command = [*command_of(source), str(folder)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def failed(done: subprocess.CompletedProcess[str]) -> set[str]:
    lines = (line.split() for line in done.stdout.splitlines())
    return {words[1].rstrip(":") for words in lines if words[0] == "FAILED"}


def test_every_number_of_a_right_one_is_within_its_bound(run: Run) -> None:
    done = run(NONE)
    assert done.stdout.splitlines()[-1] == f"{len(CHOSEN)} cases, 0 failed"
    assert done.stdout.count("ok ") == len(CHOSEN) > 90
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("bug", "shows"),
    [
        (TRANSPOSED, lambda case: case.H > 1),
        (ONE_BIAS, lambda case: case.bias == "nonzero"),
        (LENGTHS_IGNORED, lambda case: case.data().steps.min() < case.T),
        (FORGET_AND_INPUT_EXCHANGED, lambda case: case.cell == "lstm"),
        (HIDDEN_STATE_FOR_BOTH, lambda case: case.cell == "lstm" and case.h_0 == "nonzero"),
        (NEVER_RESET, lambda case: case.cell == "gru"),
        (NEVER_RESET_BEFORE, lambda case: case.cell == "gru_reset_before"),
    ],
    ids=[
        "transposed",
        "one_bias",
        "lengths_ignored",
        "forget_and_input_exchanged",
        "hidden_state_for_both",
        "never_reset",
        "never_reset_before",
    ],
)
def test_a_bug_fails_in_just_the_cases_that_can_show_it(
    bug: Bug, shows: Callable[[Case], bool], run: Run
) -> None:
    done = run(bug)
    expected = {case.id for case in CHOSEN if shows(case)}
    assert 0 < len(expected) < len(CHOSEN)
    assert failed(done) == expected
    assert done.returncode == 1
