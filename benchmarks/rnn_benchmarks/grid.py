"""The points at which the lines are compared."""

from dataclasses import dataclass, replace
from itertools import product

DTYPES = ("float32", "float64")
STEPS = (10, 100, 1000)
BATCH_SIZES = (1, 5, 32, 256)
INPUT_SIZES = (9, 64, 256)
HIDDEN_SIZES = (4, 32, 128, 512)

# The readout is the smaller part of every line and no axis of the comparison.
OUTPUT_SIZE = 16


@dataclass(frozen=True)
class Point:
    """T steps of a batch of B sequences, input size I, hidden size H; every number in `dtype`."""

    T: int
    B: int
    I: int
    H: int
    dtype: str

    def __str__(self) -> str:
        """A short name, fit for the id of a test."""
        return f"{self.dtype}-T{self.T}-B{self.B}-I{self.I}-H{self.H}"


# Every axis of the default selection is walked through this point; `dtype` is walked everywhere.
MIDDLE = Point(T=100, B=32, I=64, H=128, dtype=DTYPES[0])

# The far corner, where next to nothing is computed and the cost is the loop itself.
SMALLEST = Point(T=STEPS[0], B=BATCH_SIZES[0], I=INPUT_SIZES[0], H=HIDDEN_SIZES[0], dtype=DTYPES[0])


def default_selection() -> tuple[Point, ...]:
    """Each axis walked through the middle point, and the smallest point, in both dtypes."""
    chosen = {SMALLEST, MIDDLE}
    chosen |= {replace(MIDDLE, T=steps) for steps in STEPS}
    chosen |= {replace(MIDDLE, B=batch_size) for batch_size in BATCH_SIZES}
    chosen |= {replace(MIDDLE, I=input_size) for input_size in INPUT_SIZES}
    chosen |= {replace(MIDDLE, H=hidden_size) for hidden_size in HIDDEN_SIZES}
    return tuple(point for point in full_grid() if replace(point, dtype=MIDDLE.dtype) in chosen)


def full_grid() -> tuple[Point, ...]:
    """Every combination of the axes."""
    return tuple(
        Point(steps, batch_size, input_size, hidden_size, dtype)
        for dtype, steps, batch_size, input_size, hidden_size in product(
            DTYPES, STEPS, BATCH_SIZES, INPUT_SIZES, HIDDEN_SIZES
        )
    )


GRIDS = {"default": default_selection, "full": full_grid}
