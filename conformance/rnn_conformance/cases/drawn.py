"""Random cases: sizes and options that nobody has listed, so that no size is safe."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar, get_args

import numpy as np

from rnn_conformance.cases.case import H0, PLAIN, Bias, Case, LengthsKind
from rnn_conformance.cells import CELLS, alike
from rnn_conformance.cells.cell import Kind
from rnn_conformance.contract.call import DTYPES, HALF_DTYPES, LAYOUTS

V = TypeVar("V")

MOST_STEPS, MOST_ROWS, MOST_UNITS, MOST_OUTPUTS = 3000, 1000, 300, 64
PRODUCTS = 1_000_000  # of a layer and direction: some milliseconds
STREAM = 20261127  # of random numbers, apart from those of the cases
STREAM_BACKWARDS = 67  # the same of those with gradients
BACKWARDS = 100_000  # products of those
MOST_STEPS_BACKWARDS = 64  # of both passes as a whole, as their bounds grow
MOST_MARKED = 256  # steps of rows that have an input of their own
FEW = 3  # inputs and units of 8 or 11 bits: the bound is small for short sums alone


def drawn_cases(seed: int) -> Iterator[Case]:
    """The random cases of a seed, without end."""
    rng = np.random.default_rng([seed, STREAM])
    while True:
        yield drawn_case(rng, seed)


def drawn_backwards(cell: str, seed: int) -> Iterator[Case]:
    """The random cases of a seed whose gradients are asked for, without end.

    One layer of few steps and rows is "marked" in every other one, so that its steps show.
    """
    rng = np.random.default_rng([seed, STREAM_BACKWARDS])
    while True:
        case = drawn_case(rng, seed, BACKWARDS)
        marked, few = rng.random() < 0.5, 1 < case.T <= MOST_STEPS_BACKWARDS
        if case.dtype in HALF_DTYPES or not few:
            continue
        given = replace(case, cell=cell, weights="contractive", O=0, loss="all")
        if marked and case.L == 1 and case.T * case.B <= MOST_MARKED and not case.reverse:
            given = replace(given, I=case.T * case.B + 2, weights="marked")
        yield given


def drawn_case(rng: np.random.Generator, seed: int, products: int = PRODUCTS) -> Case:
    """One case, any combination of options; sizes are log-uniform within a budget.

    Args:
        seed: what its numbers are made from.
        products: the most of them in one layer and direction, T·B·H·(I + H).

    Only one layer with few inputs is drawn chaotic, if its cell allows it: of several, too little
    shows to judge step by step, and many inputs saturate every state.
    """

    def one_of(values: tuple[V, ...]) -> V:
        return values[rng.integers(len(values))]

    def size(most: int) -> int:
        return int(np.exp(rng.uniform(0, np.log(most + 1))))

    half = rng.random() < 0.1
    layout, cell = one_of(LAYOUTS), CELLS[one_of(alike(PLAIN))]
    L = 1 if half else one_of((1, 1, 1, 2, 3, 4))
    T, B, I, H = 0, 0, 0, 0
    while not 0 < T * B * H * (I + H) <= products or products / 4 < T * B * (I + H):
        T, B = size(10 if half else MOST_STEPS), 1 if layout == "single" else size(MOST_ROWS)
        I, H = (size(FEW if half else MOST_UNITS) for _ in range(2))
    lengths: LengthsKind = "none" if layout == "single" else one_of(get_args(LengthsKind))
    chaotic = L == 1 and "normal" in cell.kinds and I <= 16 and H <= 64 and not half
    kinds: tuple[Kind, ...] = ("contractive", "normal" if chaotic else "contractive")
    if half and "moderate" in cell.kinds:
        kinds = ("moderate",)
    found = Case(
        T,
        B,
        I,
        H,
        L,
        cell.name,
        one_of(get_args(Bias)),
        one_of((False, True)),
        layout,
        one_of(get_args(H0)),
        lengths,
        one_of(HALF_DTYPES) if half else one_of(DTYPES),
        lengths != "none" and one_of((False, True)),
        one_of(kinds),
        one_of((0, 0, size(MOST_OUTPUTS))),
        seed,
        drawn=True,
    )
    # From a stream of its own, so that all else is drawn as for those who do not claim it.
    turned = L == 1 and not found.bidirectional and rng.spawn(1)[0].random() < 0.5
    return replace(found, reverse=turned)
