"""The files to start from conform as they stand, and not once they are wrong."""

from pathlib import Path

import pytest
from rnn_conformance import check
from rnn_conformance.faces.cli import main
from rnn_conformance.sources.starters import STARTERS

CHECKS = [
    "output", "final_state", "readout", "shape_and_dtype", "inputs_unchanged",
    "earlier_results_kept", "calls_are_independent",
]  # fmt: skip
pytestmark = pytest.mark.usefixtures("few_cases")


@pytest.mark.parametrize("kind", STARTERS)
def test_a_file_to_start_from_is_right_as_it_stands(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"my_{kind}.py"
    assert main(["new", kind, str(file)]) == 0
    report = check(str(file), checks=CHECKS, diagnosed=False)
    assert report.conforms
    assert {"output", "shape_and_dtype"} <= {record.check for record in report.records}
    text = file.read_text()
    assert text.count("np.tanh(") == 1
    (wrong := tmp_path / f"wrong_{kind}.py").write_text(text.replace("np.tanh(", "np.sin("))
    assert not check(str(wrong), checks=["output"], diagnosed=False).conforms
    assert main(["new", kind, str(file)]) == 2
    assert file.read_text() == text
