"""Which points and lines can be timed. Needs no torch, so that the options work without it."""

from dataclasses import dataclass, replace
from itertools import product

DTYPES = ("float32", "float64")
STEPS = (10, 100, 1000)
BATCH_SIZES = (1, 5, 32, 256)
INPUT_SIZES = (9, 64, 256)
HIDDEN_SIZES = (4, 32, 128, 512)
OUTPUT_SIZE = 16  # the readout is the smaller part of every line


@dataclass(frozen=True)
class Point:
    """T steps of a batch of B sequences, input size I, hidden size H; every number in `dtype`."""

    T: int
    B: int
    I: int
    H: int
    dtype: str

    def __str__(self) -> str:
        return f"{self.dtype}-T{self.T}-B{self.B}-I{self.I}-H{self.H}"


MIDDLE = Point(T=100, B=32, I=64, H=128, dtype="float32")
SMALLEST = Point(T=10, B=1, I=9, H=4, dtype="float32")  # where the cost is the loop itself


def default_grid() -> list[Point]:
    """The smallest point, and each axis walked through the middle one, in both dtypes."""
    chosen = {SMALLEST}
    chosen |= {replace(MIDDLE, T=T) for T in STEPS} | {replace(MIDDLE, B=B) for B in BATCH_SIZES}
    chosen |= {replace(MIDDLE, I=I) for I in INPUT_SIZES}
    chosen |= {replace(MIDDLE, H=H) for H in HIDDEN_SIZES}
    return [point for point in full_grid() if replace(point, dtype=MIDDLE.dtype) in chosen]


def full_grid() -> list[Point]:
    """Every combination of the axes."""
    axes = product(DTYPES, STEPS, BATCH_SIZES, INPUT_SIZES, HIDDEN_SIZES)
    return [Point(T, B, I, H, dtype) for dtype, T, B, I, H in axes]


GRIDS = {"default": default_grid, "full": full_grid}

YARDSTICK, OURS, LIMIT = "torch-rnn", "batch-rnn", "floor"
# Every line, by the name that an option takes and the title that a report shows.
TITLES = {
    "single": "SingleSequenceRNN",
    "blackboard": "blackboard loop",
    OURS: "BatchRNN",
    "rnn-cell": "torch.nn.RNNCell",
    YARDSTICK: "torch.nn.RNN",
    "torch-compile": "torch.compile",
    "onnxruntime": "ONNX Runtime",
    "jax-scan": "jax lax.scan",
    "numba": "numba",
    LIMIT: "C floor",
}


def chosen_lines(text: str) -> list[str]:
    """The names in a list with commas, in the order of TITLES, the yardstick always among them.

    An empty list means all. Raises ValueError for an unknown name.
    """
    wanted = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(wanted - set(TITLES))
    if unknown:
        raise ValueError(f"expected names of {', '.join(TITLES)}, got {', '.join(unknown)}")
    return [name for name in TITLES if not wanted or name in wanted | {YARDSTICK}]
