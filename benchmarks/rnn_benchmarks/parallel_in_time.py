"""`python -m rnn_benchmarks.parallel_in_time [--html FILE] [--json FILE] [--markdown FILE]`.

Times `rnn_conformance.run_in_chunks` against `torch.nn.RNN`, `BatchRNN` and the loop that it falls
back to, one sequence at a time, over spectral radius, T and H. Every round times all lines, one
after another, each as often as fills a few milliseconds; a gain is the median over rounds of the
ratio within a round.
"""

import argparse
import json
import math
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from statistics import median
from typing import get_args

import numpy as np
import torch
from rnn_conformance import certify, run_in_chunks
from rnn_conformance.chunks import Cell, all_states
from rnn_conformance.protocol import Array
from rnn_reference import BatchRNN, weight_shapes

from rnn_benchmarks import markdown, parallel_page
from rnn_benchmarks.lines import torch_weights
from rnn_benchmarks.machine import describe
from rnn_benchmarks.pairs import timed
from rnn_benchmarks.parallel_results import Dtype, Measured, Run
from rnn_benchmarks.threads import thread_limit
from rnn_benchmarks.workload import Workload

SEED = 20240229
INPUT_SIZE = 9
RADII = (0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.0)
STEPS = (100, 1000, 10000)
HIDDEN_SIZES = (4, 32, 128, 512)
ROUNDS = 7
FEWEST_SECONDS = 0.005  # of a line in a round
BAD_INPUT = 2


def draw(T: int, H: int, radius: float, dtype: str) -> Workload:
    """Inputs of unit size, and normal weights, W_hh scaled to the spectral radius."""
    rng = np.random.default_rng((SEED, T, H))
    weights = {
        name: rng.standard_normal(shape) / np.sqrt(shape[1])
        for name, shape in weight_shapes(INPUT_SIZE, H, 1).items()
    }
    weights["W_hh"] *= radius / np.abs(np.linalg.eigvals(weights["W_hh"])).max()
    inputs = rng.standard_normal((T, 1, INPUT_SIZE)).astype(dtype)
    return Workload({name: weight.astype(dtype) for name, weight in weights.items()}, inputs)


def torch_rnn(workload: Workload) -> Callable[[], Array]:
    """`torch.nn.RNN` over the whole sequence: states (T, 1, H)."""
    w = torch_weights(workload, suffix="_l0")
    W_hh = w["weight_hh_l0"]
    rnn = torch.nn.RNN(INPUT_SIZE, len(W_hh), dtype=W_hh.dtype).eval()
    rnn.load_state_dict(w)
    inputs = torch.from_numpy(workload.inputs)

    def forward() -> Array:
        with torch.inference_mode():
            states: Array = rnn(inputs)[0].numpy()
            return states

    return forward


def measure(T: int, H: int, radius: float, dtype: Dtype, rounds: int) -> Measured:
    """One point. ArithmeticError where the states of torch are not certified as ours always are."""
    workload = draw(T, H, radius, dtype)
    weights, inputs = workload.weights, workload.inputs
    h_0 = np.zeros((1, H), dtype)
    model, cell = BatchRNN.from_weights(weights), Cell.of(weights, "tanh")
    forward = torch_rnn(workload)
    found, judged = run_in_chunks(weights, inputs), certify(weights, inputs, forward())
    if not judged.conforms:
        raise ArithmeticError(f"states of torch.nn.RNN: {judged}; not timed")
    lines: dict[str, Callable[[], object]] = {
        "torch": forward,
        "batch_rnn": lambda: model.forward(inputs),
        "loop": lambda: cell.loop(inputs, h_0),
        "chunks": lambda: all_states(cell, inputs, h_0),
        "certified": lambda: run_in_chunks(weights, inputs),
    }
    calls = {name: math.ceil(FEWEST_SECONDS / timed(line)[0]) for name, line in lines.items()}
    seconds: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(rounds):
        for name, line in lines.items():
            seconds[name].append(_seconds_a_call(line, calls[name]))
    return Measured(
        T=T,
        H=H,
        radius=radius,
        dtype=dtype,
        chunks=found.chunks,
        extra_steps=found.extra_steps,
        fell_back=found.fell_back,
        share=found.certificate.worst_share,
        seconds={name: tuple(times) for name, times in seconds.items()},
    )


def _seconds_a_call(line: Callable[[], object], calls: int) -> float:
    """The mean, after one call more where calls are short: the line before left its own caches."""
    if calls > 1:
        line()
    return sum(timed(line)[0] for _ in range(calls)) / calls


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write; 0, or 2 with one line on standard error where that cannot be done."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    try:
        with thread_limit(options.threads) as threads:
            run = Run(
                measured=tuple(_all(options)),
                machine=describe(),
                threads=threads,
                input_size=INPUT_SIZE,
                command=shlex.join(("python", "-m", "rnn_benchmarks.parallel_in_time", *arguments)),
            )
        content = parallel_page.write(run)
        files = (
            (options.json, json.dumps(asdict(run), indent=1) + "\n"),
            (options.markdown, markdown.render(content)),
            (options.html, parallel_page.html(run, content)),
        )
        for path, text in files:
            if path:
                path.write_text(text, encoding="utf-8")
    except (OSError, ArithmeticError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT
    if not any(path for path, _ in files):
        sys.stdout.write(markdown.render(content))
    return 0


def _all(options: argparse.Namespace) -> Iterator[Measured]:
    """Every point that was asked for, each named on standard error once it is measured."""
    sizes = product(options.dtype, options.hidden_sizes, options.steps, options.radii)
    for dtype, H, T, radius in sizes:
        found = measure(T, H, radius, dtype, options.rounds)
        gain = median(found.gains("torch", "chunks"))
        sys.stderr.write(f"{dtype} T={T} H={H} radius {radius:g}: {gain:.2f}\n")
        yield found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rnn_benchmarks.parallel_in_time",
        description="Time recurrences computed in chunks of time at once. Without a file the "
        "report goes to the terminal, as Markdown.",
    )
    for name, what in (("json", "all times"), ("markdown", "a report"), ("html", "it with plots")):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"write {what}")
    for name, kind, default in (
        ("steps", _at_least_one, STEPS),
        ("hidden-sizes", _at_least_one, HIDDEN_SIZES),
        ("radii", _radius, RADII),
    ):
        parser.add_argument(f"--{name}", type=kind, nargs="+", default=default, metavar="N")
    dtypes = get_args(Dtype)
    parser.add_argument("--dtype", nargs="+", choices=dtypes, default=dtypes)
    parser.add_argument(
        "--rounds", type=_at_least_one, default=ROUNDS, metavar="N", help="default %(default)s"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="default %(default)s")
    return parser


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {text!r}")
    return int(text)


def _radius(text: str) -> float:
    try:
        radius = float(text)
    except ValueError:
        radius = math.nan
    if not 0 <= radius < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number from 0 on, got {text!r}")
    return radius


if __name__ == "__main__":
    sys.exit(main())
