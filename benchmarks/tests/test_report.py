"""The report of a run that was made by hand, and the one that is in the repository."""

import json
from pathlib import Path
from typing import Any

import pytest
from rnn_benchmarks.plots import PLOTS
from rnn_benchmarks.report import main, markdown, summary
from rnn_benchmarks.results import Results, ResultsError, compared, read, write

HOUSE = Path(__file__).parents[2]
KEPT = HOUSE / "benchmarks" / "report"
MACHINE = {"Processor": "Abacus", "Instruction set": "AVX2", "NumPy": "2"}


def entry(dtype: str, H: int, line: str, seconds: float) -> dict[str, Any]:
    """Nine rounds in which the yardstick takes a second."""
    point = {"T": 100, "B": 32, "I": 64, "H": H, "dtype": dtype}
    extra = {**point, "line": line, "yardstick_seconds": [1.0] * 9}
    return {"extra_info": extra, "stats": {"data": [seconds] * 9}}


def run_of(*entries: dict[str, Any]) -> dict[str, Any]:
    options = {"grid": "default", "lines": "", "seconds": 0.4, "limit": None, "threads": 1}
    tanh = {"tanh": 10, "dtype": "float64", "yardstick_seconds": [8e-8] * 9}
    return {
        "benchmarks": [*entries, {"extra_info": tanh, "stats": {"data": [1.6e-7] * 9}}],
        "machine_info": {
            "node": "a-host",
            "rnn_benchmarks": {"machine": MACHINE, "options": options},
        },
        "commit_info": {"id": "c0ffee", "dirty": False},
        "datetime": "2026-11-27T01:02:03",
    }


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """BatchRNN is twice as fast at H=4, half as fast at H=128; the floor four times at both."""
    entries = [
        entry("float64", H, line, seconds)
        for H, ours in ((4, 0.5), (128, 2.0))
        for line, seconds in (("batch-rnn", ours), ("torch-rnn", 1.0), ("floor", 0.25))
    ]
    path = tmp_path / "out.json"
    path.write_text(json.dumps(run_of(*entries)), "utf-8")
    return read(path)


def test_ratio_verdict_and_distance(results: Results) -> None:
    table = compared(results).set_index(["H", "line"])
    assert list(table.loc[(4, "batch-rnn")][["ratio", "shows", "distance"]]) == [2, "faster", 2]
    assert list(table.loc[(128, "batch-rnn")][["ratio", "shows", "distance"]]) == [0.5, "slower", 8]
    assert list(table.loc[(4, "torch-rnn")][["ratio", "shows", "distance"]]) == [1, "-", 4]


def test_a_ratio_within_the_noise_shows_nothing(results: Results) -> None:
    yardstick = results.table.line == "torch-rnn"
    results.table.loc[yardstick, ["low", "high"]] = [0.4, 2.5]
    assert set(compared(results)[~yardstick & (results.table.line != "floor")].shows) == {"-"}


def test_the_summary_says_where_how_much_how_far_and_why(results: Results) -> None:
    text = summary(results)
    for part in (
        "On Abacus with AVX2, 1 thread: BatchRNN is faster than torch.nn.RNN at 1 of 2 points, "
        "slower at 1 and within noise at 0.",
        "1.00 times as fast (float64: 1.00; H=4: 2.00, H=128: 0.50), between 0.50 and 2.00.",
        "4.00 times as long as a C loop over the same BLAS and tanh (H=4: 2.00, H=128: 8.00)",
        "float64 with H>=128 it is 0.50 times as fast",
        "NumPy's float64 tanh takes 16.0 ns a number, 2.00 times as long as torch's",
    ):
        assert part in text


def test_the_small_file_gives_the_same_report(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path / "small.json")
    assert markdown(read(tmp_path / "small.json")) == markdown(results)
    assert "a-host" not in (tmp_path / "small.json").read_text("utf-8")


def test_avx_512_is_spoken_of_where_there_is_none(results: Results) -> None:
    assert "no AVX-512" in markdown(results)
    results.facts["machine"]["Instruction set"] = "AVX512"
    assert "no AVX-512" not in markdown(results)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read"),
        ("{", "not written by bench_loops.py"),
        ("[]", "not written by bench_loops.py"),
        (json.dumps(run_of(entry("float32", 4, "floor", 1.0))), "no measurement of torch-rnn"),
    ],
)
def test_another_file_is_refused_in_one_line(
    text: str | None, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some.json"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(ResultsError, match=reason):
        read(path)
    assert main([str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_report_and_readme_say_what_the_kept_numbers_say() -> None:
    kept = read(KEPT / "results.json")
    assert (KEPT / "report.md").read_text("utf-8") == markdown(kept)
    assert {path.name for path in KEPT.iterdir()} == {
        *(f"{name}.svg" for name in PLOTS),
        "results.json",
        "report.md",
    }
    readme = " ".join((HOUSE / "README.md").read_text("utf-8").split())
    assert summary(kept) in readme
