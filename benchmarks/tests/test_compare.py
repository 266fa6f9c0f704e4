import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rnn_benchmarks import compact
from rnn_benchmarks.compare import changes, main, write
from rnn_benchmarks.content import write as write_content
from rnn_benchmarks.markdown import render
from rnn_benchmarks.results import ResultsError, read_results

RESULTS = Path(__file__).parent / "results.json"
DOCUMENT = json.loads(RESULTS.read_text("utf-8"))


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def slower(document: dict[str, Any]) -> None:
    """The second measurement, BatchRNN at the first point, takes three times as long."""
    data = document["benchmarks"][1]["stats"]["data"]
    data[:] = [3 * seconds for seconds in data]


def test_a_run_against_itself_shows_no_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(RESULTS), str(RESULTS)]) == 0
    printed = capsys.readouterr().out
    assert "Of 12 ratios" in printed
    assert "0 changed beyond both intervals" in printed
    assert "|" not in printed


def test_what_changed_beyond_both_intervals_is_listed_and_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(RESULTS), str(changed(tmp_path, slower))]) == 0
    printed = capsys.readouterr().out
    assert "1 changed beyond both intervals: 0 up (faster), 1 down" in printed
    rows = [line for line in printed.splitlines() if line.startswith("| float")]
    assert len(rows) == 1
    assert "BatchRNN" in rows[0]
    assert rows[0].rstrip("| ").endswith("0.33")


def test_only_what_both_runs_have_is_compared(tmp_path: Path) -> None:
    fewer = read_results(changed(tmp_path, lambda document: document["benchmarks"].pop(0)))
    both = changes(read_results(RESULTS), fewer)
    assert len(both) == 11
    assert all(each.factor == 1 for each in both)


def test_another_machine_is_told(tmp_path: Path) -> None:
    def move(document: dict[str, Any]) -> None:
        document["machine_info"]["rnn_benchmarks"]["machine"]["Processor"] = "another one"

    text = write(read_results(RESULTS), read_results(changed(tmp_path, move)))
    assert "now another one" in text


def test_a_file_that_is_none_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(RESULTS), str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert compact.main([str(tmp_path / "none.json"), str(tmp_path / "out.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_compact_file_gives_the_same_report_and_no_rounds(tmp_path: Path) -> None:
    small = tmp_path / "small.json"
    assert compact.main([str(RESULTS), str(small)]) == 0
    text = small.read_text("utf-8")
    assert 'yardstick_seconds": [' not in text
    assert len(text.splitlines()) < 60
    assert render(write_content(read_results(small))) == render(
        write_content(read_results(RESULTS))
    )
    again = tmp_path / "again.json"
    assert compact.main([str(small), str(again)]) == 0
    assert again.read_text("utf-8") == text


def test_an_incomplete_summary_is_refused(tmp_path: Path) -> None:
    small = tmp_path / "small.json"
    compact.main([str(RESULTS), str(small)])
    document = json.loads(small.read_text("utf-8"))
    del document["benchmarks"][0]["summary"]["interval"]["low"]
    small.write_text(json.dumps(document), "utf-8")
    with pytest.raises(ResultsError, match="its summary is incomplete"):
        read_results(small)
