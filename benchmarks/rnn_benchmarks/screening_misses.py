"""How often the screening misses an error in one row, measured on injected ones, beside the bound.

The errors: one unit off by some times its bound; every unit, by some times its own, with random
signs; the pre-activation of every unit, by multiples of one vector (rank one); W_hh transposed.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rnn_conformance.certificate import Float64, Precision, preactivation, tanh_bound
from rnn_conformance.screening import Projections

from rnn_benchmarks.grid import Point
from rnn_benchmarks.workload import Workload, draw

VECTORS = (1, 4, 16)
DRAWS = 2000
SIZES = {
    "one unit": (1, 10, 30, 100, 300),
    "every unit": (0.3, 1, 3, 10),
    "rank one": (1, 3, 10),
    "W_hh transposed": (1,),
}


@dataclass(frozen=True)
class Missed:
    """An error in one row.

    Attributes:
        size: how many times its bound the error of a unit is, for "rank one" the root mean square.
        strength: |r| / theta, what the screening sees of it.
        rates, bounds: for each of VECTORS, the share of draws that missed, and the most it can be.
    """

    kind: str
    size: float
    strength: float
    rates: tuple[float, ...]
    bounds: tuple[float, ...]


def measure(point: Point, rng: np.random.Generator, draws: int = DRAWS) -> Iterator[Missed]:
    """Every kind and size of error, in a row that is right but for it."""
    workload, precision = draw(point), Precision.of(point.dtype)
    x = workload.inputs[0, :1].astype(np.float64)
    h = np.tanh(rng.standard_normal((1, point.H))).astype(point.dtype).astype(np.float64)
    a, row = preactivation(workload.weights, x, h), np.hstack([x, h, np.ones((1, 2))])
    right = np.tanh(a.value).astype(point.dtype).astype(np.float64)
    bound = tanh_bound(a, precision)
    for kind, sizes in SIZES.items():
        for size in sizes:
            wrong = _wrong(kind, size, right, bound, (workload, x, h), rng)
            r = (np.arctanh(wrong) - a.value)[0]
            signs = rng.choice((-1.0, 1.0), size=(point.H, max(VECTORS) * draws))
            look = Projections(workload.weights, signs, precision)
            apart, thetas = look.residuals(row, wrong)
            theta = float(thetas[0])
            missed = (apart[0] <= theta).reshape(draws, max(VECTORS))
            yield Missed(
                kind,
                size,
                float(np.linalg.norm(r)) / theta,
                tuple(float(missed[:, :J].all(axis=1).mean()) for J in VECTORS),
                tuple(most_missed(r, theta) ** J for J in VECTORS),
            )


def most_missed(r: Float64, theta: float) -> float:
    """The most that the chance of one vector to miss residuals r (H,) can be: `screening`."""
    size = np.abs(r)
    unit = int(np.argmax(size))
    norm = float(np.linalg.norm(r))
    rest = float(np.linalg.norm(np.delete(r, unit)))
    most = 1.0
    if norm > theta:
        most = min(most, 1 - (1 - (theta / norm) ** 2) ** 2 / 3)
    if size[unit] > theta:
        most = min(most, float(np.exp(-((size[unit] - theta) ** 2) / (2 * rest**2))))
    return most


def _wrong(
    kind: str,
    size: float,
    right: Float64,
    bound: Float64,
    step: tuple[Workload, Float64, Float64],
    rng: np.random.Generator,
) -> Float64:
    H = right.shape[1]
    if kind == "one unit":
        unit = int(np.argmin(np.abs(right)))  # where atanh is no steeper than it must be
        one: Float64 = (np.arange(H) == unit) * -np.sign(right)
        return right + size * bound * one
    if kind == "every unit":
        signs: Float64 = rng.choice((-1.0, 1.0), H) * (np.abs(right) < 0.99)
        return right + size * bound * signs
    if kind == "rank one":
        d = rng.standard_normal(H)
        return np.tanh(np.arctanh(right) + size * np.median(bound) * d)
    workload, x, h = step
    transposed = {**workload.weights, "W_hh": workload.weights["W_hh"].T}
    wrong: Float64 = np.tanh(preactivation(transposed, x, h).value)
    return wrong


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden-size", type=int, default=512, metavar="H")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    heads = [f"J = {J}, missed | at most" for J in VECTORS]
    print(f"| error | times its bound | r / theta | {' | '.join(heads)} |")
    print("| --- " + "| ---: " * (2 + 2 * len(VECTORS)) + "|")
    for found in measure(Point(1, 1, 64, options.hidden_size, "float32"), rng):
        pairs = zip(found.rates, found.bounds, strict=True)
        rates = " | ".join(f"{rate:.3g} | {bound:.3g}" for rate, bound in pairs)
        print(f"| {found.kind} | {found.size:g} | {found.strength:.3g} | {rates} |")


if __name__ == "__main__":
    main()
