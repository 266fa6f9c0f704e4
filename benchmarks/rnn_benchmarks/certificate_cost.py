"""What the verdict costs beside the computation: all steps judged, over torch.nn.RNN's own forward.

Both are called in turn, on the same numbers; a ratio is the median of those of the rounds.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import geometric_mean, median

from rnn_conformance import certify

from rnn_benchmarks.grid import DTYPES, GRIDS, Point
from rnn_benchmarks.lines import YARDSTICK
from rnn_benchmarks.pairs import timed
from rnn_benchmarks.threads import thread_limit
from rnn_benchmarks.workload import draw

TARGET_SECONDS = 0.5
FEWEST_ROUNDS, MOST_ROUNDS = 3, 50
MOST_SECONDS = 5.0  # then a round less is enough


@dataclass(frozen=True)
class Cost:
    """Of one point: the certificate's time over the forward's, and the median of the latter."""

    point: Point
    ratio: float
    forward_seconds: float
    rounds: int


def measure(point: Point) -> Cost:
    """Judge the states that torch gives. Raises ValueError where they do not conform."""
    workload = draw(point)
    forward = YARDSTICK.prepare(workload)
    states = YARDSTICK.collect(forward()).states

    def judge() -> object:
        return certify(workload.weights, workload.inputs, states)

    found = certify(workload.weights, workload.inputs, states)
    if not found.conforms:
        raise ValueError(f"{YARDSTICK.title} at {point} {found}")
    pairs = list(_pairs(forward, judge))
    ratios = [certificate / computation for computation, certificate in pairs]
    return Cost(point, median(ratios), median(pair[0] for pair in pairs), len(pairs))


def _pairs(forward: Callable[[], object], judge: Callable[[], object]) -> Iterator[list[float]]:
    """Seconds of both, in turn, until the time is used up."""
    used, rounds = 0.0, 0
    while rounds < MOST_ROUNDS and used < (
        MOST_SECONDS if rounds < FEWEST_ROUNDS else TARGET_SECONDS
    ):
        pair = [timed(call)[0] for call in (forward, judge)]
        used, rounds = used + sum(pair), rounds + 1
        yield pair


def table(costs: list[Cost]) -> str:
    """A row a point, and the geometric mean and the worst of each dtype."""
    lines = ["| T | B | I | H | dtype | torch.nn.RNN, ms | certificate over it |"]
    lines += ["| ---: | ---: | ---: | ---: | --- | ---: | ---: |"]
    for cost in costs:
        p = cost.point
        sizes = f"{p.T} | {p.B} | {p.I} | {p.H} | {p.dtype}"
        lines.append(f"| {sizes} | {1e3 * cost.forward_seconds:.3g} | {cost.ratio:.2f} |")
    for dtype in DTYPES:
        own = [cost for cost in costs if cost.point.dtype == dtype]
        mean = geometric_mean(cost.ratio for cost in own)
        worst = max(own, key=lambda cost: cost.ratio)
        lines.append(
            f"\n{dtype}: geometric mean {mean:.2f} of {len(own)} points, "
            f"worst {worst.ratio:.2f} at {worst.point}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure a grid and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grid", choices=tuple(GRIDS), default="default")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every point to it")
    options = parser.parse_args()
    with thread_limit(options.threads):
        costs = [measure(point) for point in GRIDS[options.grid]()]
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=1))
    print(table(costs))


if __name__ == "__main__":
    main()
