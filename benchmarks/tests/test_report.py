"""The report of a run that was made by hand, and the one that is in the repository."""

import json
from pathlib import Path
from typing import Any

import pytest
from rnn_benchmarks.plots import PLOTS
from rnn_benchmarks.report import main, markdown, summary
from rnn_benchmarks.results import Results, compared, read, summarise, write

HOUSE = Path(__file__).parents[2]
KEPT = HOUSE / "benchmarks" / "report"
MACHINE = {"Processor": "Abacus", "Instruction set": "AVX2", "NumPy": "2"}


def entry(seconds: float, yardstick: float = 1.0, **extra: Any) -> dict[str, Any]:
    """Nine rounds."""
    info = {**extra, "dtype": "float64", "yardstick_seconds": [yardstick] * 9}
    return {"extra_info": info, "stats": {"data": [seconds] * 9}}


def line(name: str, seconds: float, H: int) -> dict[str, Any]:
    return entry(seconds, line=name, T=100, B=32, I=64, H=H)


def run_of(*entries: dict[str, Any]) -> str:
    options = {"grid": "default", "lines": "", "seconds": 0.4, "limit": None, "threads": 1}
    about = {"node": "a-host", "rnn_benchmarks": {"machine": MACHINE, "options": options}}
    return json.dumps({
        "benchmarks": [*entries, entry(1.6e-7, 8e-8, tanh=10)],
        "machine_info": about,
        "commit_info": {"id": "c0ffee", "dirty": False},
        "datetime": "2026-11-27T01:02:03",
    })  # fmt: skip


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """BatchRNN is twice as fast at H=4, half as fast at H=128; the floor four times at both."""
    entries = [
        line(name, seconds, H)
        for H, ours in ((4, 0.5), (128, 2.0))
        for name, seconds in (("batch-rnn", ours), ("torch-rnn", 1.0), ("floor", 0.25))
    ]
    path = tmp_path / "out.json"
    path.write_text(run_of(*entries), "utf-8")
    return read(path)


def test_ratios_are_taken_within_rounds() -> None:
    # The line takes half the time in each round, while the machine slows down and recovers.
    seconds = [1.0, 10.0, 3.0, 7.0, 5.0]
    found = summarise(seconds, [2 * second for second in seconds])
    ratios = {"ratio": 2, "low": 2, "high": 2}
    assert found == {**ratios, "rounds": 5, "seconds": 5, "yardstick_seconds": 10}


@pytest.mark.parametrize(
    ("count", "low", "high"), [(1, 0, 0), (5, 0, 4), (8, 0, 7), (9, 1, 7), (200, 85, 114)]
)
def test_an_interval_ends_at_the_tabled_order_statistics(count: int, low: int, high: int) -> None:
    found = summarise([1.0] * count, [float(value) for value in reversed(range(count))])
    assert (found["low"], found["high"]) == (low, high)


def test_ratio_verdict_and_distance_and_nothing_within_the_noise(results: Results) -> None:
    table = compared(results.table).set_index(["H", "line"])[["ratio", "shows", "distance"]]
    assert list(table.loc[(4, "batch-rnn")]) == [2, "faster", 2]
    assert list(table.loc[(128, "batch-rnn")]) == [0.5, "slower", 8]
    assert list(table.loc[(4, "torch-rnn")]) == [1, "-", 4]
    yardstick = results.table.line == "torch-rnn"
    results.table.loc[yardstick, ["low", "high"]] = [0.4, 2.5]
    shows = compared(results.table)[~yardstick & (results.table.line != "floor")].shows
    assert set(shows) == {"-"}


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


def test_a_cell_with_gates_is_compared_with_its_own_torch_layer(tmp_path: Path) -> None:
    """The LSTM's noise is its own, and the RNN's floor is none of it."""
    path, folder = tmp_path / "out.json", tmp_path / "report"
    ratios = {"batch-rnn": 0.5, "torch-rnn": 1.0, "floor": 0.25}
    ratios |= {"plain-lstm": 4.0, "batch-lstm": 0.8, "torch-lstm": 1.0}
    path.write_text(run_of(*(line(name, s, 128) for name, s in ratios.items())), "utf-8")
    results = read(path)
    noisy = results.table.line == "torch-rnn"
    results.table.loc[noisy, ["low", "high"]] = [0.1, 9]
    table = compared(results.table).set_index("line")
    assert list(table.shows[["batch-rnn", "plain-lstm", "batch-lstm"]]) == ["-", "slower", "faster"]
    assert table.distance[["plain-lstm", "batch-lstm", "torch-lstm"]].isna().all()
    text = summary(results)
    assert "BatchLSTM is faster than torch.nn.LSTM at 1 of 1 points" in text
    assert "as fast as torch.nn.LSTM: LSTM, plain 0.25 (points: 1)." in text
    assert "GRU" not in text
    assert main([str(path), "--folder", str(folder)]) == 0
    assert "## BatchLSTM at every point" in (folder / "report.md").read_text("utf-8")
    assert "BatchLSTM float64" in (folder / "ratio-by-size.svg").read_text("utf-8")


def test_the_small_file_gives_the_same_report(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path / "small.json")
    assert markdown(read(tmp_path / "small.json")) == markdown(results)
    assert "a-host" not in (tmp_path / "small.json").read_text("utf-8")


def test_another_file_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some.json"
    assert main([str(path)]) == 2
    assert "FileNotFoundError" in capsys.readouterr().err
    without = run_of(line("floor", 1.0, 4)), "ValueError('no measurement of torch-rnn')"
    rnn_alone = run_of(line("torch-rnn", 1.0, 4), line("batch-gru", 1.0, 4))
    for text, reason in (
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ("{}", "KeyError"),
        without,
        (rnn_alone, "ValueError('no measurement of torch-gru')"),
    ):
        path.write_text(text, "utf-8")
        assert main([str(path)]) == 2
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith(f"{path}: no results of bench_loops.py: {reason}")


def test_report_and_readme_say_what_the_kept_numbers_say() -> None:
    kept = read(KEPT / "results.json")
    assert (KEPT / "report.md").read_text("utf-8") == markdown(kept)
    names = {"results.json", "report.md", *(f"{name}.svg" for name in PLOTS)}
    assert {path.name for path in KEPT.iterdir()} == names
    readme = " ".join((HOUSE / "benchmarks/README.md").read_text("utf-8").split())
    assert summary(kept) in readme
