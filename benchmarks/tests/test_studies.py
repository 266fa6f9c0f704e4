import json
from pathlib import Path

import numpy as np
import pytest
from rnn_benchmarks import studies
from rnn_benchmarks.evidence import memory_table, read_tables, tanh_table
from rnn_benchmarks.grid import MIDDLE
from rnn_benchmarks.memory_study import CLEAR, main, measure, returned_bytes
from rnn_benchmarks.results import ResultsError
from rnn_benchmarks.tanh_study import compare_tanh, worst_ulps

POINT = {"T": 1, "B": 2, "I": 3, "H": 4, "dtype": "float32"}
DOCUMENT = {
    "tanh": [
        {
            "dtype": "float32",
            "arguments": 1000,
            "share": 0.125,
            "numpy_ulps": 1.25,
            "torch_ulps": None,
            "truth": "pen and paper",
        }
    ],
    "memory": [
        # B·(H + O)·4 = 160 bytes a step
        {"line": "a", "title": "A", "point": POINT, "steps": [10, 40], "peaks": [3200, 25600]}
    ],
    "no_memory": {"b": "not here"},
}


def test_ulps_are_counted_in_units_of_the_exact_value() -> None:
    x = np.array([0.25, 0.5, 1.5])
    exact = np.tanh(x)
    exact[1] = np.nextafter(np.nextafter(exact[1], 1), 1)
    if np.finfo(np.longdouble).nmant > np.finfo(np.float64).nmant:
        assert worst_ulps(exact, x) == pytest.approx(2.0, abs=1.5)
    off = np.float32(np.tanh(0.5)) + np.array([8 * 2.0**-25], np.float32)  # 8 ulps in [1/4, 1/2)
    assert worst_ulps(off, np.array([0.5], np.float32)) == pytest.approx(8.0, abs=0.6)


def test_both_libraries_are_within_a_few_ulps_and_differ_at_some_arguments() -> None:
    for found in compare_tanh(20_000):
        assert 0 < found.share < 1
        for ulps in (found.numpy_ulps, found.torch_ulps):
            assert ulps is None or 0 < ulps < 4


def test_tables_show_shares_multiples_and_the_exponent() -> None:
    assert tanh_table(DOCUMENT).rows == (("float32", "12.5 %", "1.25", "no wider format"),)
    table = memory_table(DOCUMENT)
    # 3200 and 25600 bytes are 2 and 4 times 1600 and 6400; 8 times the memory at 4 times T.
    assert table.rows == (("A", "0.0", "0.0", "2.00", "4.00", "1.50"),)
    assert "b (not here)" in table.remark


def test_a_file_that_holds_no_studies_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "studies.json"
    wrong: list[object] = [{}, [], {"tanh": [], "memory": 3, "no_memory": {}}]
    for document in wrong:
        path.write_text(json.dumps(document), "utf-8")
        with pytest.raises(ResultsError, match=r"not written by rnn_benchmarks\.studies"):
            read_tables(path)
    path.write_text(json.dumps(DOCUMENT), "utf-8")
    assert len(read_tables(path)) == 2


def test_a_file_that_holds_something_else_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.json"
    path.write_text('{"benchmarks": []}', "utf-8")
    assert studies.main([str(path)]) == 2
    assert "not written by rnn_benchmarks.studies" in capsys.readouterr().err
    assert path.read_text("utf-8") == '{"benchmarks": []}'


@pytest.mark.skipif(not CLEAR.exists(), reason="only Linux tells a peak")
def test_a_line_needs_at_least_what_it_returns() -> None:
    found, absent = measure(["batch-rnn"], steps=[1000])
    assert not absent
    (peak,) = found[0].peaks
    least = returned_bytes(MIDDLE) * 10
    assert 0.95 * least < peak < 8 * least


def test_a_line_that_is_absent_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("rnn_benchmarks.names").names.RIVALS, "numba", "no_such_module")
    assert main(["numba", "10"]) == 2
    assert capsys.readouterr().err == "rnn_benchmarks.rivals.no_such_module is not installed\n"
