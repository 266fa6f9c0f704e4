"""The benchmark of chunks of time: what it times, what it says, and how it is called."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_benchmarks import markdown, parallel_page
from rnn_benchmarks.parallel_in_time import draw, main, measure, torch_rnn
from rnn_benchmarks.parallel_results import Dtype, Measured, Run
from rnn_conformance import certify

LINES = ("torch", "batch_rnn", "loop", "chunks", "certified")


def made_up(radius: float, *, T: int = 1000, H: int = 4, dtype: Dtype = "float32") -> Measured:
    """A point at which chunks settle up to radius 1, and each line takes times of its own."""
    seconds = {name: (0.01 * rank, 0.02 * rank, 0.04 * rank) for rank, name in enumerate(LINES, 1)}
    seconds["chunks"] = (0.001, 0.001, 0.004)
    return Measured(
        T=T,
        H=H,
        radius=radius,
        dtype=dtype,
        chunks=31 if T > 100 else 1,
        extra_steps=16 if T > 100 else 0,
        fell_back=radius > 1 and T > 100,
        share=0.11,
        seconds=seconds,
    )


def run(**changes: Any) -> Run:
    measured = tuple(made_up(radius, T=T) for T in (100, 1000) for radius in (0.5, 0.9, 1.5))
    made = Run(measured, {"Processor": "<b>&x"}, {"torch": 1}, 9, "python -m something")
    return replace(made, **changes)


def test_a_point_is_measured_and_both_are_certified() -> None:
    found = measure(600, 4, 0.5, "float32", rounds=2)
    assert found.chunks > 1
    assert not found.fell_back
    assert 0 < found.share <= 1
    assert set(found.seconds) == set(LINES)
    assert all(len(times) == 2 and min(times) > 0 for times in found.seconds.values())


def test_states_of_torch_that_are_wrong_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = lambda workload: lambda: np.zeros((600, 1, 4), np.float32)  # noqa: E731
    monkeypatch.setattr("rnn_benchmarks.parallel_in_time.torch_rnn", wrong)
    with pytest.raises(
        ArithmeticError, match=r"states of torch.nn.RNN: does not conform.*not timed"
    ):
        measure(600, 4, 0.5, "float32", rounds=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_have_the_radius_and_torch_gets_all_of_them(dtype: str) -> None:
    workload = draw(20, 8, 0.7, dtype)
    radius = np.abs(np.linalg.eigvals(workload.weights["W_hh"])).max()
    assert radius == pytest.approx(0.7, rel=1e-5)
    states = torch_rnn(workload)()
    assert states.dtype == dtype
    assert certify(workload.weights, workload.inputs, states).conforms


def test_a_gain_is_the_median_of_the_ratios_of_rounds() -> None:
    assert made_up(0.5).gains("torch", "chunks") == pytest.approx([10, 20, 10])
    assert made_up(0.5).gain("torch") == pytest.approx(10)
    assert made_up(0.5).gain("torch", "certified") == pytest.approx(0.2)


def test_the_report_tells_gain_steps_fallback_and_its_cost() -> None:
    content = parallel_page.write(run())
    text = markdown.render(content)
    assert "All 6 results certified; the worst error is 0.11 of its bound." in text
    assert "settled (2 of 6 points), they were 10.0 times as fast as torch.nn.RNN" in text
    # The loop took 0.03 s where chunks and the loop took 0.001 s: 97 % less.
    assert "(1 point), the attempt cost -97 % of the loop in the median" in text
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    cells = {row[0]: row[1:] for row in rows if row}
    expected = ["10.0", "0.20", "20.0", "0.40", "16 to 16", "1.5"]
    assert cells["float32 H=4 T=1000"] == expected
    assert cells["float32 H=4 T=100"][-2:] == ["-", "not cut"]
    assert cells["float32 T=1000 H=4 radius 1.5"][:3] == ["fell back", "31", "16"]
    assert cells["float32 T=100 H=4 radius 0.5"][0] == "not cut"


def test_a_noisy_machine_is_warned_of_and_a_quiet_one_is_not() -> None:
    assert parallel_page.write(run()).warnings[0].startswith("The machine was noisy at 6 of 6")
    still = dict.fromkeys(LINES, (0.01, 0.01, 0.01))
    quiet = tuple(replace(each, seconds=still) for each in run().measured)
    assert parallel_page.write(run(measured=quiet)).warnings == ()


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "svg":
            self.labels.append(attributes["aria-label"] or "")
        if attributes.get("id"):
            self.ids.append(attributes["id"] or "")


def test_the_page_has_a_plot_of_each_kind_for_each_dtype_and_size() -> None:
    both = run().measured + tuple(made_up(radius, dtype="float64") for radius in (0.5, 1.5))
    whole = run(measured=both)
    page = parallel_page.html(whole, parallel_page.write(whole))
    reader = Reader()
    reader.feed(page)
    for dtype in ("float32", "float64"):
        assert sum(f"{dtype}, H=4" in label for label in reader.labels) == 3
    assert len(reader.ids) == len(set(reader.ids))
    assert "&lt;b&gt;&amp;x" in page
    assert "<b>" not in page
    assert "#0102" not in page
    assert not re.search(r"url\((?!#)|@import|<script", page)
    assert parallel_page.html(whole, parallel_page.write(whole)) == page


def test_one_point_makes_a_page() -> None:
    alone = run(measured=(made_up(1.5),))
    page = parallel_page.html(alone, parallel_page.write(alone))
    assert page.count("<svg") == 3


SMALL = ["--hidden-sizes", "4", "--steps", "600", "--radii", "0.5", "--rounds", "1"]


def test_files_are_written_and_the_times_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: tmp_path / f"report.{name}" for name in ("json", "markdown", "html")}
    named = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    assert main([*SMALL, *named]) == 0
    assert capsys.readouterr().out == ""
    document = json.loads(files["json"].read_text("utf-8"))
    assert [each["dtype"] for each in document["measured"]] == ["float32", "float64"]
    assert set(document["measured"][0]["seconds"]) == set(LINES)
    assert set(document["threads"].values()) == {1}
    assert files["markdown"].read_text("utf-8").startswith(f"# {parallel_page.TITLE}\n")
    assert files["html"].read_text("utf-8").startswith("<!doctype html>")


def test_without_a_file_it_prints_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--dtype", "float32"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"# {parallel_page.TITLE}\n")
    assert printed.err.startswith("float32 T=600 H=4 radius 0.5: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*SMALL, "--threads", "0"], "threads: expected at least 1, got 0"),
        (["--rounds", "0"], "expected a number from 1 on, got '0'"),
        (["--steps", "0"], "expected a number from 1 on, got '0'"),
        (["--radii", "nan"], "expected a number from 0 on, got 'nan'"),
    ],
)
def test_wrong_options_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(arguments)
    except SystemExit as left:
        code = int(left.code or 0)
    assert code == 2
    assert message in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "missing" / "report.md"
    assert main([*SMALL, "--dtype", "float32", "--markdown", str(path)]) == 2
    assert f"{path}" in capsys.readouterr().err.splitlines()[-1]
