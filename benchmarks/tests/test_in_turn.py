"""What is measured in turn, and laid out with its mean and its worst; no test looks at a time."""

import json
from pathlib import Path

import numpy as np
import pytest
from rnn_benchmarks import certificate_cost, in_turn, training
from rnn_benchmarks.agreement import DisagreementError
from rnn_benchmarks.grid import DTYPES, SMALLEST, Point
from rnn_benchmarks.in_turn import Question, Ratio, measure, table
from rnn_benchmarks.workload import draw

QUESTIONS = {"certificate": certificate_cost.QUESTION, "training": training.QUESTION}
MIXED = Point(T=7, B=5, I=9, H=32, dtype="float32")


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_point_is_measured(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_turn, "MOST_ROUNDS", 4)
    found = measure(QUESTIONS[name], SMALLEST)
    assert found.point == SMALLEST
    assert found.rounds == 4
    assert found.ratio > 0
    assert found.torch_seconds > 0


def test_table_names_mean_and_worst() -> None:
    ratios = [
        Ratio(Point(10, B, 9, 4, dtype), ratio, 0.001, 3)
        for dtype in DTYPES
        for B, ratio in ((1, 0.25), (5, 1.0))
    ]
    found = table(certificate_cost.QUESTION, ratios)
    assert "| 10 | 5 | 9 | 4 | float32 | 1 | 1.00 |" in found
    for dtype in DTYPES:
        assert f"{dtype}: geometric mean 0.50 of 2 points, worst 1.00 at {dtype}-T10-B5" in found
    assert "all: geometric mean 0.50 of 4 points, worst 0.25" in table(training.QUESTION, ratios)


def test_ratios_say_which_way() -> None:
    assert certificate_cost.QUESTION.ratio(2.0, 1.0) == 0.5
    assert training.QUESTION.ratio(2.0, 1.0) == 2.0


def test_a_grid_is_printed_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(in_turn, "GRIDS", {"default": lambda: (SMALLEST, MIXED)})
    monkeypatch.setattr(in_turn, "MOST_ROUNDS", 1)
    smallest_only = str(SMALLEST.T * SMALLEST.B * SMALLEST.H * 4)
    in_turn.main(
        Question(lambda _: (lambda: 1, lambda: 2), lambda a, b: 1.0, "ratio", "torch", max),
        "What it is.",
        ["--json", str(tmp_path / "out.json"), "--most-bytes", smallest_only],
    )
    (kept,) = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert (kept["ratio"], kept["point"]["H"]) == (1.0, SMALLEST.H)
    told = capsys.readouterr().out
    assert "geometric mean 1.00 of 1 points" in told
    assert "threads: {'torch': 1" in told


def test_states_that_do_not_conform_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong:
        conforms = False

    monkeypatch.setattr(certificate_cost, "certify", lambda *_: Wrong())
    with pytest.raises(ValueError, match=r"torch\.nn\.RNN at float32-T10-B1-I9-H4"):
        measure(certificate_cost.QUESTION, SMALLEST)


@pytest.mark.parametrize("name", ["W_xh", "b_xh", "W_hh", "b_hh", "W_ho", "b_ho"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_that_differ_are_not_timed(name: str, dtype: str) -> None:
    """A gradient with one entry off by a tenth of the largest is no right one."""
    workload = draw(Point(MIXED.T, MIXED.B, MIXED.I, MIXED.H, dtype))
    dy = np.random.default_rng(0).uniform(-1, 1, (MIXED.T, MIXED.B, 16)).astype(dtype)
    ours = training.batch_rnn_step(workload, dy)()
    most = training.allowed(workload)
    training.require_equal_gradients(ours, ours, most)
    wrong = {**ours, name: ours[name].copy()}
    wrong[name][0] += np.abs(wrong[name]).max() / 10
    with pytest.raises(DisagreementError, match=f"gradients of {name}: .* not timed"):
        training.require_equal_gradients(wrong, ours, most)
