import copy
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rnn_benchmarks import html, markdown
from rnn_benchmarks.content import Content, write
from rnn_benchmarks.grid import Point
from rnn_benchmarks.panels import spaced
from rnn_benchmarks.report import main
from rnn_benchmarks.results import read_results
from rnn_benchmarks.table import label, number

# A real run, cut to four points and nine rounds.
RESULTS = Path(__file__).parent / "results.json"
DOCUMENT = json.loads(RESULTS.read_text("utf-8"))


@pytest.fixture(scope="module")
def content() -> Content:
    return write(read_results(RESULTS))


@pytest.fixture(scope="module")
def page(content: Content) -> str:
    return html.render(content)


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A file that holds the document after this change."""
    document = copy.deepcopy(DOCUMENT)
    change(document)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def row(text: str, *cells: str) -> list[str]:
    """The cells of the only row of a Markdown table that starts with these."""
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.splitlines()]
    (found,) = [found for found in rows if tuple(found[: len(cells)]) == cells]
    return found


def test_every_number_of_a_row_follows_from_the_file(content: Content) -> None:
    text = markdown.render(content)
    for entry in DOCUMENT["benchmarks"]:
        extra, seconds = entry["extra_info"], entry["stats"]["data"]
        point = Point(**extra["point"])
        pairs = zip(extra["yardstick_seconds"], seconds, strict=True)
        ratios = sorted(yardstick / line for yardstick, line in pairs)
        micro = 1e6 / point.T
        assert row(text, label(point), extra["title"])[3:] == [
            number(statistics.median(ratios)),
            f"{number(ratios[1])} to {number(ratios[7])}",
            number(statistics.median(seconds) * micro),
            number(statistics.median(extra["yardstick_seconds"]) * micro),
            "9",
        ]


def test_means_are_geometric_by_line_and_by_hidden_size(content: Content) -> None:
    text = markdown.render(content)
    ratios: dict[int, list[float]] = {4: [], 32: []}
    for each in content.comparisons:
        if each.line == "batch-rnn":
            ratios[each.point.H].append(each.ratio)
    overall = number(statistics.geometric_mean(ratios[4] + ratios[32]))
    by_size = [number(statistics.geometric_mean(ratios[size])) for size in (4, 32)]
    tables = re.split("^## ", text, flags=re.MULTILINE)
    assert row(tables[1], "BatchRNN")[1] == overall
    assert row(tables[2], "BatchRNN")[1:] == by_size
    assert f"BatchRNN {overall}" in tables[0]


def test_ratios_come_first_and_machine_versions_threads_and_spread_are_stated(
    content: Content,
) -> None:
    text = markdown.render(content)
    headings = re.findall("^## (.+)$", text, flags=re.MULTILINE)
    assert headings[0] == "Ratio by line"
    assert headings[-1] == "Machine"
    machine = DOCUMENT["machine_info"]["rnn_benchmarks"]["machine"]
    for name, value in machine.items():
        assert f"- {name}: {value}" in text
    assert "with 1 thread for each line" in text
    assert "Threads, as read back: torch 1" in text
    assert "Spread: " in text
    assert "\npython -m pytest benchmarks/bench_loops.py --benchmark-only" in text


def test_columns_of_markdown_tables_stand_under_each_other(content: Content) -> None:
    lines = markdown.render(content).splitlines()
    for above, below in pairwise(lines):
        if above.startswith("|") and below.startswith("|"):
            assert len(above) == len(below)


class Reader(HTMLParser):
    """Every opening tag with its attributes; what is left open at the end; the text."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def test_page_is_whole_and_needs_nothing_but_itself(page: str) -> None:
    reader = read(page)
    assert reader.open == []
    assert not {tag for tag, _ in reader.tags} & {"script", "link", "img", "iframe", "object"}
    for _, attributes in reader.tags:
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not re.search(r"url\((?!#)|@import", page)


def test_ids_on_the_page_are_unique_and_references_find_them(page: str) -> None:
    ids = [attributes["id"] for _, attributes in read(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_page_has_a_plot_of_ratio_and_of_time_for_the_axis_with_points(page: str) -> None:
    reader = read(page)
    shown = [attributes["aria-label"] or "" for tag, attributes in reader.tags if tag == "svg"]
    assert len(shown) == 7  # all ratios; for each dtype a map, and a ratio and a time against H
    for dtype in ("float32", "float64"):
        assert sum(label.startswith(f"{dtype}: how many times") for label in shown) == 1
        assert sum(dtype in label and "against hidden size H" in label for label in shown) == 2
    for title in ("blackboard loop", "BatchRNN", "nn.RNNCell"):
        assert f">{title}</text>" in page


def test_plots_take_their_colours_from_the_page(page: str) -> None:
    assert "#0102" not in page
    assert "var(--line-3)" in page
    assert "prefers-color-scheme: dark" in page


def test_the_same_results_give_the_same_page(content: Content, page: str) -> None:
    assert html.render(content) == page


def test_text_from_the_file_is_escaped(tmp_path: Path) -> None:
    def mark(document: dict[str, Any]) -> None:
        document["machine_info"]["rnn_benchmarks"]["machine"]["Processor"] = "<b>&x"
        for entry in document["benchmarks"]:
            if entry["extra_info"]["line"] == "batch-rnn":
                entry["extra_info"]["title"] = "<i>&y"

    page = html.render(write(read_results(changed(tmp_path, mark))))
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;b&gt;&amp;x" in page


def test_labels_keep_their_order_and_distance() -> None:
    placed = spaced({"a": 0.5, "b": 0.5, "c": 0.51, "d": 0.1, "e": 1.0})
    heights = [placed[title] for title in ("d", "a", "b", "c", "e")]
    assert heights == sorted(heights)
    assert min(b - a for a, b in pairwise(heights)) > 0.07
    assert heights[-1] <= 1


def test_as_many_labels_as_there_are_lines_stay_beside_the_panel() -> None:
    placed = spaced(dict.fromkeys("abcdefghi", 0.97))
    heights = sorted(placed.values())
    assert min(b - a for a, b in pairwise(heights)) > 0.07
    assert heights[0] >= 0
    assert heights[-1] <= 1.0001


def quiet(document: dict[str, Any]) -> None:
    """The yardstick against itself always takes the same time."""
    for entry in document["benchmarks"]:
        if entry["extra_info"]["line"] == "torch-rnn":
            entry["stats"]["data"] = list(entry["extra_info"]["yardstick_seconds"])


def noisy(document: dict[str, Any]) -> None:
    """All points are quiet but the first, where it takes half as long, then twice."""
    quiet(document)
    seconds = document["benchmarks"][3]["stats"]["data"]
    seconds[::2] = [second / 2 for second in seconds[::2]]
    seconds[1::2] = [second * 2 for second in seconds[1::2]]


def test_a_noisy_machine_is_warned_of(tmp_path: Path) -> None:
    content = write(read_results(changed(tmp_path, noisy)))
    noisy_points = "Machine too noisy to say at 1 of 4 points"
    assert noisy_points in content.warnings[0]
    assert "float32 T=100 B=32 I=64 H=4" in content.warnings[0]
    text = markdown.render(content)
    assert f"> **Warning.** {noisy_points}" in text
    assert row(text, "float32 T=100 B=32 I=64 H=4", "BatchRNN")[2] == "noisy"
    assert noisy_points in html.render(content)


def test_a_quiet_machine_is_not_warned_of(tmp_path: Path) -> None:
    assert write(read_results(changed(tmp_path, quiet))).warnings == ()


def test_a_missing_result_is_told(tmp_path: Path) -> None:
    content = write(read_results(changed(tmp_path, lambda document: document["benchmarks"].pop(0))))
    assert any(warning.startswith("1 result missing") for warning in content.warnings)
    assert "blackboard loop" in html.render(content)


def test_one_point_makes_a_page_without_axes(tmp_path: Path) -> None:
    def cut(document: dict[str, Any]) -> None:
        del document["benchmarks"][4:]

    page = html.render(write(read_results(changed(tmp_path, cut))))
    assert page.count("<svg") == 1


def test_the_yardstick_alone_makes_a_report(tmp_path: Path) -> None:
    def cut(document: dict[str, Any]) -> None:
        document["benchmarks"] = document["benchmarks"][3:4]

    content = write(read_results(changed(tmp_path, cut)))
    assert content.findings == ("Only torch.nn.RNN itself was measured.",)
    assert "noise floor" in markdown.render(content)
    assert "<svg" not in html.render(content)


def first(document: dict[str, Any]) -> Any:
    return document["benchmarks"][0]


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another file": (lambda d: d.clear(), "not written by pytest-benchmark"),
    "empty": (lambda d: d["benchmarks"].clear(), "no benchmarks in it"),
    "benchmarks no list": (lambda d: d.update(benchmarks=3), "the file: no benchmarks"),
    "another benchmark": (lambda d: first(d)["extra_info"].clear(), "no point"),
    "no pairs": (lambda d: first(d)["extra_info"].pop("yardstick_seconds"), "no yardstick's times"),
    "no object": (lambda d: d["benchmarks"].insert(0, 3), "a benchmark: no extra_info"),
    "no machine": (lambda d: d["machine_info"].clear(), "machine_info: no rnn_benchmarks"),
    "no rounds kept": (lambda d: first(d)["stats"].pop("data"), "no data"),
    "a round lost": (lambda d: first(d)["stats"]["data"].pop(), "8 rounds, but 9 times"),
    "a time of 0": (lambda d: first(d)["stats"]["data"].append(0.0), "not all positive numbers"),
    "a time no number": (
        lambda d: first(d)["stats"]["data"].append("1"),
        "not all positive numbers",
    ),
    "an infinite time": (
        lambda d: first(d)["stats"]["data"].append(float("inf")),
        "not all positive numbers",
    ),
    "no steps": (lambda d: first(d)["extra_info"]["point"].update(T=0), "T is 0"),
    "threads mixed": (lambda d: first(d)["extra_info"].update(threads={"torch": 2}), "in threads"),
    "the same twice": (lambda d: d["benchmarks"].append(first(d)), "2 measurements of blackboard"),
    "no yardstick": (
        lambda d: d["benchmarks"].pop(3),
        "no measurement of torch.nn.RNN against itself",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_results_are_refused_in_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, reason = REFUSED[name]
    path = changed(tmp_path, change)
    assert main([str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"{path}: ")
    assert reason in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (None, "cannot be read"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
    ],
)
def test_what_is_no_json_file_is_refused_in_one_line(
    written: bytes | None, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some.json"
    if written is not None:
        path.write_bytes(written)
    assert main([str(path)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"{path}: {reason}")
    assert printed.count("\n") == 1


def test_a_file_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "missing" / "report.md"
    assert main([str(RESULTS), "--markdown", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"{path}: cannot be written")


def test_files_are_written_and_nothing_is_printed(
    tmp_path: Path, content: Content, page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = tmp_path / "report.md", tmp_path / "report.html"
    assert main([str(RESULTS), "--markdown", str(files[0]), "--html", str(files[1])]) == 0
    assert [path.read_text("utf-8") for path in files] == [markdown.render(content), page]
    assert capsys.readouterr().out == ""


def test_command_line_prints_markdown() -> None:
    command = [sys.executable, "-W", "error", "-m", "rnn_benchmarks.report", str(RESULTS)]
    done = subprocess.run(
        command, capture_output=True, check=True, text=True, cwd=Path(__file__).parents[1]
    )
    assert done.stdout.startswith("# RNN loops: speed against torch.nn.RNN\n")
    assert done.stderr == ""
