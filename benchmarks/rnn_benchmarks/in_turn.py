"""Two computations timed in turn at every point of a grid: the ratio of their times, as a table."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import geometric_mean, median

from rnn_benchmarks.grid import DTYPES, GRIDS, HIDDEN_SIZES, Point
from rnn_benchmarks.machine import describe
from rnn_benchmarks.pairs import SHORT_SECONDS, Call, settled, timed
from rnn_benchmarks.threads import thread_limit

TARGET_SECONDS = 0.5
FEWEST_ROUNDS, MOST_ROUNDS = 3, 50
MOST_SECONDS = 5.0  # then a round less is enough


@dataclass(frozen=True)
class Ratio:
    """Of one point: the median of the rounds' ratios, and of torch's times."""

    point: Point
    ratio: float
    torch_seconds: float
    rounds: int


@dataclass(frozen=True)
class Question:
    """What is measured.

    Attributes:
        prepare: for a point, torch's call and the other one, both of which it has compared.
        ratio: from the seconds of torch and of the other.
        title: what the ratio is, in a word or two.
        computed: what torch is timed at.
        worst: which ratio is the worst of several.
    """

    prepare: Callable[[Point], tuple[Call, Call]]
    ratio: Callable[[float, float], float]
    title: str
    computed: str
    worst: Callable[[Sequence[float]], float]


def measure(question: Question, point: Point) -> Ratio:
    """Both calls in turn, short ones each after one that is not timed."""
    torch, other = question.prepare(point)
    pairs = list(_pairs(torch, other))
    ratios = [question.ratio(*pair) for pair in pairs]
    return Ratio(point, median(ratios), median(pair[0] for pair in pairs), len(pairs))


def _pairs(torch: Call, other: Call) -> Iterator[tuple[float, float]]:
    """Seconds of both, in turn, until the time is used up."""
    used, rounds = 0.0, 0
    short = min(timed(torch)[0], timed(other)[0]) < SHORT_SECONDS
    while rounds < MOST_ROUNDS and used < (
        MOST_SECONDS if rounds < FEWEST_ROUNDS else TARGET_SECONDS
    ):
        pair = settled(torch, short)[0], settled(other, short)[0]
        used, rounds = used + sum(pair), rounds + 1
        yield pair


def table(question: Question, ratios: Sequence[Ratio]) -> str:
    """A row a point, then the geometric mean and the worst, by dtype and by hidden size."""
    lines = [f"| T | B | I | H | dtype | {question.computed}, ms | {question.title} |"]
    lines += ["| ---: | ---: | ---: | ---: | --- | ---: | ---: |"]
    for each in ratios:
        p = each.point
        sizes = f"{p.T} | {p.B} | {p.I} | {p.H} | {p.dtype}"
        lines.append(f"| {sizes} | {1e3 * each.torch_seconds:.3g} | {each.ratio:.2f} |")
    groups = {"all": list(ratios)}
    groups |= {dtype: [r for r in ratios if r.point.dtype == dtype] for dtype in DTYPES}
    groups |= {f"H={H}": [r for r in ratios if r.point.H == H] for H in HIDDEN_SIZES}
    for name, group in groups.items():
        if group:
            worst = question.worst([each.ratio for each in group])
            there = next(each.point for each in group if each.ratio == worst)
            lines.append(
                f"\n{name}: geometric mean {geometric_mean(r.ratio for r in group):.2f} of "
                f"{len(group)} points, worst {worst:.2f} at {there}"
            )
    return "\n".join(lines)


def main(question: Question, description: str | None, arguments: Sequence[str] | None) -> None:
    """Measure a grid and print the table, and the machine and threads that it was measured with."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--grid", choices=tuple(GRIDS), default="default")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--most-bytes", type=float, metavar="N", help="of states: leave out more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every point to it")
    options = parser.parse_args(arguments)
    points = [p for p in GRIDS[options.grid]() if _bytes(p) <= (options.most_bytes or float("inf"))]
    with thread_limit(options.threads) as threads:
        ratios = [measure(question, point) for point in points]
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(each) for each in ratios], indent=1))
    facts = {**describe(), "threads": threads}
    print(table(question, ratios))
    print("\n" + "; ".join(f"{name}: {value}" for name, value in facts.items()))


def _bytes(point: Point) -> int:
    return point.T * point.B * point.H * int(point.dtype.removeprefix("float")) // 8
