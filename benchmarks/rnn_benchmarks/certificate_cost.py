"""What the verdict costs beside the computation: all steps judged, over torch.nn.RNN's own forward.

Both are called in turn, on the same numbers; a ratio is the median of those of the rounds.
"""

from collections.abc import Sequence

from rnn_conformance import certify

from rnn_benchmarks import in_turn
from rnn_benchmarks.grid import Point
from rnn_benchmarks.lines import YARDSTICK
from rnn_benchmarks.pairs import Call
from rnn_benchmarks.workload import draw


def prepare(point: Point) -> tuple[Call, Call]:
    """torch's forward, and the verdict on it. Raises ValueError where they do not conform."""
    workload = draw(point)
    forward = YARDSTICK.prepare(workload)
    states = YARDSTICK.collect(forward()).states
    found = certify(workload.weights, workload.inputs, states)
    if not found.conforms:
        raise ValueError(f"{YARDSTICK.title} at {point} {found}")
    return forward, lambda: certify(workload.weights, workload.inputs, states)


QUESTION = in_turn.Question(
    prepare,
    ratio=lambda torch, certificate: certificate / torch,
    title="certificate over it",
    computed="torch.nn.RNN",
    worst=max,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a grid and print the table."""
    in_turn.main(QUESTION, __doc__, arguments)


if __name__ == "__main__":
    main()
