"""Cases in which what is hidden shows: steps of a backward pass, and layers inside a stack."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from rnn_conformance.cases.case import OTHER, PLAIN, Case, LengthsKind, Loss
from rnn_conformance.cells import CELLS
from rnn_conformance.contract.call import DTYPES, Layout

# Each step of each row has an input of its own: T, B, I, H, with I at least T·B; once I = H.
MARKED = (
    (8, 3, 27, 5),
    (2, 3, 8, 16),
    (1, 3, 5, 5),
    (20, 3, 63, 64),
    (6, 1, 7, 1),
    (3, 33, 101, 4),  # one row beyond a block of 32
    (2, 3, 7, 131),  # three units beyond one of 128
)
WHOLE = ((2, 131, 5, 6), (3, 2, 131, 17), (24, 3, 5, 33))  # judged as a whole, the same way
# Stacks of which one layer shows through the others: T, H, L, directions, layout and lengths.
TRANSPARENT: tuple[tuple[int, int, int, bool, Layout, LengthsKind], ...] = (
    (9, 4, 2, False, "time_first", "none"),
    (9, 4, 2, True, "time_first", "unsorted"),
    (9, 4, 3, False, "batch_first", "unsorted"),
    (50, 16, 3, True, "batch_first", "none"),
)


def gradient_cases(cell: str) -> Iterator[Case]:
    """Each step of the backward pass where it shows, and both passes as a whole with every option.

    They differ in sizes from those in which relations are asked.
    """
    hidden: tuple[Loss, ...] = ("c_n",) if len(CELLS[cell].parts) > 1 else ()
    losses: tuple[Loss, ...] = ("all", "output", "output_zeros", "h_n", *hidden)
    read = CELLS[cell].gates * 4
    for dtype in DTYPES:
        given = Case(cell=cell, dtype=dtype, loss="all")
        yield replace(given, T=200, B=2, I=read + 2, H=4, weights="passing")
        for T, B, I, H in MARKED:
            yield replace(given, T=T, B=B, I=I, H=H, weights="marked")
        for T, B, I, H in WHOLE:
            yield replace(given, T=T, B=B, I=I, H=H)
        marked = replace(given, T=5, B=3, I=17, H=4, weights="marked")
        whole = replace(given, T=4, B=3, I=5, H=3, L=2)
        for case, loss in product((marked, whole), losses):
            yield replace(case, loss=loss, lengths="unsorted")
        for case, two, lengths in product((marked, whole), (False, True), ("none", "unsorted")):
            yield replace(case, bidirectional=two, lengths=lengths)  # type: ignore[arg-type]
            yield replace(case, L=1, layout="batch_first", bidirectional=two, lengths=lengths)  # type: ignore[arg-type]
        for bias, h_0 in (
            ("off", "none"),
            ("nonzero", "none"),
            ("off", "nonzero"),
            ("zeros", "zeros"),
        ):
            yield replace(marked, bias=bias, h_0=h_0)  # type: ignore[arg-type]
            if not (bias == "zeros" and CELLS[cell].can_rest):  # two layers at rest show nothing
                yield replace(whole, bias=bias, h_0=h_0)  # type: ignore[arg-type]
        yield replace(marked, lengths="unsorted", padding_nan=True)
        yield replace(marked, B=1, layout="single")
        yield replace(whole, B=1, layout="single")
        yield replace(whole, T=2, L=3, bidirectional=True, layout="batch_first", B=6)
        yield replace(whole, L=1, reverse=True)


def transparent_cases() -> Iterator[Case]:
    """Every layer of a stack in turn, with all others transparent; B = L·D where it is first."""
    for dtype, cell, (T, H, L, two, layout, lengths) in product(
        DTYPES, (PLAIN, OTHER), TRANSPARENT
    ):
        rows = L * (2 if two else 1) if layout == "batch_first" else 4
        for dense in range(L):
            case = Case(
                T, rows, 5, H, L, cell, bidirectional=two, layout=layout, lengths=lengths,
                dtype=dtype, weights="transparent", dense=dense,
            )  # fmt: skip
            yield case
            if layout == "time_first":
                yield replace(case, bias="off", h_0="none")
