"""Every case: options with options, sizes, kinds of weights; fitted to what is claimed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, product
from typing import get_args

from rnn_conformance.cases.case import H0, OTHER, PLAIN, Case, LengthsKind, Loss
from rnn_conformance.cases.drawn import drawn_backwards, drawn_cases
from rnn_conformance.cases.showing import gradient_cases, transparent_cases
from rnn_conformance.cases.vacuity import why_vacuous
from rnn_conformance.cells import CELLS, alike
from rnn_conformance.cells.cell import Kind
from rnn_conformance.cells.drawing import PLAIN_FEEDBACK
from rnn_conformance.contract.call import DTYPES, GRADIENTS, HALF_DTYPES, LAYOUTS, Dtype, Layout
from rnn_conformance.contract.conventions import (
    FEW_SHAPES,
    LAST_ALONE,
    NAN_IGNORED,
    OF_WEIGHTS,
    OWN_PASS,
)

# T, B, I, H, L: coinciding sizes, ones, and sizes past a vector or an unrolled loop.
SIZES = (
    (4, 4, 4, 4, 2),  # every axis alike
    (6, 3, 5, 5, 2),  # I = H: an offset computed with one of them passes for the other
    (6, 3, 8, 4, 3),  # I = D·H where there are two directions
    (5, 5, 3, 2, 2),  # T = B
    (5, 3, 4, 3, 2),  # B = H
    (1, 3, 5, 4, 2),
    (5, 1, 4, 3, 2),
    (5, 3, 1, 4, 2),
    (5, 3, 4, 1, 2),
    (1, 1, 1, 1, 1),
    (33, 17, 9, 13, 1),
    (3, 515, 3, 4, 2),
)

# The pairs of options that the products below leave out, in as few cases as can have them; those
# that need no half precision without it, since few claim it.
PAIRS = (
    Case(B=1, layout="single", cell=OTHER, bias="zeros", h_0="none"),
    Case(L=2, bias="zeros", h_0="zeros", lengths="unsorted", dtype="float64"),
    Case(cell=OTHER, bias="zeros", h_0="none", lengths="sorted", dtype="float64"),
    Case(cell=OTHER, bias="zeros", h_0="zeros", lengths="equal"),
    Case(bias="off", h_0="zeros", lengths="sorted", bidirectional=True),
    Case(bias="off", h_0="none", lengths="equal", bidirectional=True, dtype="float64"),
    Case(I=2, L=2, bias="off", h_0="zeros", lengths="sorted", dtype="float16"),
    Case(I=2, bias="zeros", h_0="none", lengths="equal", dtype="float16"),
    # Two layers on 8 bits: a bound is small for the shortest sums alone.
    Case(3, 4, 1, 1, 2, bias="off", h_0="zeros", lengths="sorted", dtype="bfloat16"),
    Case(I=2, bias="zeros", h_0="none", lengths="equal", dtype="bfloat16"),
)


# One layer, judged step by step: T, B, I, H. The first has every size different.
MAIN = (7, 3, 5, 4)
ONE_LAYER = (
    (6, 6, 3, 5),  # T = B
    (6, 4, 5, 5),  # I = H: a transposed weight_ih keeps its shape
    (6, 5, 3, 5),  # B = H
    (5, 3, 5, 4),  # T = I
    (4, 4, 4, 4),
    (1, 3, 5, 4),
    (7, 1, 5, 4),
    (7, 3, 1, 4),
    (7, 3, 5, 1),
    (1, 1, 1, 1),
    (2, 3, 5, 4),
    (33, 17, 9, 13),  # no multiple of a vector width or of an unrolled loop
    (10, 5, 64, 33),
    (5, 2, 3, 65),
    (3, 515, 3, 4),  # a batch beyond 512
    (3, 1027, 2, 3),
    # One beyond a block of 16, 32 or 128, in each size; and whole blocks.
    (3, 2, 17, 4),
    (3, 2, 33, 17),
    (3, 2, 131, 4),
    (3, 2, 3, 131),
    (4, 32, 16, 16),
    (130, 2, 3, 4),
    (6, 3, 5, 4),  # H = O
)
CONTRACTIVE = ((50, 3, 5, 16), (20, 4, 4, 4), (1, 3, 5, 4))  # with every kind of h_0
LONG = ((1000, 2, 3, 8), (1030, 2, 5, 32))
EXTREME = (5, 3, 4, 28)
SPECIAL = (5, 3, 4, 6)
MODERATE = (3, 2048, 16, 16)  # some 1e5 states, for their statistics
MODERATE_SINGLE = (1024, 1, 16, 16)  # fewer, since they come one by one
FIRST_STEPS = (1, 4000, 4, 8)  # for the mean errors of activations
# Few bits: bounds are small for short sums alone.
HALF = ((7, 3, 3, 2), (6, 4, 3, 3), (5, 9, 2, 10))
UNSET = (3, 64, 3, 33)  # a state large enough for memory that nobody cleared
OUTPUTS = (1, 2, 4, 10, 33)  # one, as many as units, beyond a block


# Past the sizes at which kernels switch, and past what 16 bits hold: T, B, I, H, O.
LARGE = (
    (4, 2, 300, 5, 1),
    (4, 2, 3, 50, 2),
    (3, 2, 3, 200, 50),
    (3, 2, 3, 515, 131),
    (3, 2, 1030, 3, 1),
    (2100, 1, 2, 3, 1),
    (100, 1024, 2, 3, 1),
)
TAME = (8, 16)  # the most T and H of which two right forward passes stay near each other
FEW_NUMBERS = 1000  # rows times steps of a case that is asked in the reverse direction too
FEW_STEPS = 40  # where each of them takes a call
RANDOM = 24  # cases drawn from the seed
RANDOM_BACKWARDS = 12  # with gradients, of each cell
DEFAULT_SEED = 0
# An option beside each size of one.
ONES = tuple(
    replace(Case(5, 3, 4, 3, O=2), **{size: 1}, **option)  # type: ignore[arg-type]
    for size, option in product(
        ("T", "B", "I", "H"),
        (
            {"h_0": "none"},
            {"h_0": "zeros"},
            {"bias": "off"},
            {"bias": "zeros"},
            {"cell": OTHER},
            {"bidirectional": True},
            {"L": 2},
            {"layout": "batch_first"},
            {"lengths": "unsorted"},
        ),
    )
)
# Sizes that coincide, are 1 or are large together, and rows that end early alone.
TOGETHER = tuple(
    replace(case, O=case.O or 2)
    for case in (
        Case(1, 1, 4, 3, h_0="none"),
        Case(1, 1, 4, 3, h_0="none", weights="normal"),
        Case(1, 1, 4, 3, 2, bidirectional=True),
        Case(7, 1, 5, 4, lengths="equal"),
        Case(7, 1, 5, 4, lengths="equal", bidirectional=True),
        Case(2, 3, 5, 4, lengths="unsorted"),
        Case(3, 5, 5, 4),
        Case(3, 5, 4, 5),
        Case(3, 4, 4, 4, O=4),
        Case(6, 3, 4, 4, O=4),
        Case(2, 67, 37, 69, O=35),
        Case(2, 64, 64, 128, O=64),
        Case(2, 3, 3, 4, 12),
        Case(2, 3, 3, 4, 6, bidirectional=True),
    )
)


def catalogue(seed: int = 0, claimed: frozenset[str] | None = None) -> tuple[Case, ...]:
    """Every case, in the order in which it is judged; no two have the same id.

    Args:
        claimed: what an implementation does. A case that asks for more is asked with what is
            claimed in its place, so that narrow claims are asked as much as wide ones. None for
            everything.
    """
    cases = dict[Case, None]()
    for family in dict.fromkeys(map(alike, CELLS)):
        if claimed is None or claimed & {*family}:
            cases |= dict.fromkeys(replace(case, seed=seed) for case in of_family(family, seed))
    if claimed is not None:
        fit = (fitted(case, claimed) for case in cases)
        cases = dict.fromkeys(case for case in fit if case is not None)
    return tuple(cases)


def of_family(family: Sequence[str], seed: int) -> Iterator[Case]:
    """Those of cells whose weights and states have the same shapes."""
    found = (
        every_option(family),
        one_layer_cases(),
        further_cases(),
        reverse_cases(),
        transparent_cases(),
        random_cases(seed),
    )
    theirs = dict(zip((PLAIN, OTHER), (*family, family[0]), strict=False))
    for case in chain.from_iterable(found):
        cell = CELLS[theirs.get(case.cell, case.cell)]
        if case.transparent and case.bias == "off" and any(cell.pins):
            continue  # without biases no gate is pinned
        if cell.remembers and case.dtype in HALF_DTYPES:
            yield from in_half(replace(case, cell=cell.name, seed=seed))
        elif case.weights in cell.kinds and not (cell.remembers and case.weights == "moderate"):
            yield replace(case, cell=cell.name)
    if CELLS[family[0]].remembers:
        yield from gated_cases(family[0])
    for name in family:
        if CELLS[name].adjoint is not None:
            yield from with_gradients(name, seed)


def in_half(case: Case) -> Iterator[Case]:
    """Of gates in few bits, one layer: as it is, or two steps that remember the first state."""
    either = (case, replace(case, T=2, weights="remembering")) if case.L == 1 else ()
    for one in either:
        if why_vacuous(one.in_one_order) is None:
            yield one
            return


def gated_cases(cell: str) -> Iterator[Case]:
    """Where products in few bits show most, gates that keep .999 of a state, many first steps."""
    for dtype in DTYPES:
        yield Case(*FIRST_STEPS, cell=cell, dtype=dtype, weights="moderate")
        for sizes in ((1, 512, 4, 16), (50, 3, 5, 128)):
            yield Case(*sizes, cell=cell, O=2, dtype=dtype, weights="normal")
        for sizes in ((1000, 2, 3, 16), (7, 3, 5, 3)):
            yield Case(*sizes, cell=cell, O=2, dtype=dtype, weights="remembering")


def with_gradients(cell: str, seed: int) -> Iterator[Case]:
    """The fixed cases whose gradients are asked for, then the first random ones."""
    fixed = (replace(case, seed=seed) for case in gradient_cases(cell))
    yield from not_vacuous(fixed, seed)
    yield from islice(not_vacuous(drawn_backwards(cell, seed), seed), RANDOM_BACKWARDS)


def random_cases(seed: int) -> tuple[Case, ...]:
    """The first random cases of a seed that are not vacuous."""
    return tuple(islice(not_vacuous(drawn_cases(seed), seed), RANDOM))


def not_vacuous(cases: Iterator[Case], seed: int) -> Iterator[Case]:
    """Those of a seed that a wrong implementation could not pass; a test shows all of the default
    seed to be such.
    """
    some = (case for case in cases if why_vacuous(case.in_one_order) is None)
    return cases if seed == DEFAULT_SEED else some


def fitted(case: Case, claimed: frozenset[str]) -> Case | None:
    """The case with what is claimed in the place of what is not; None if that shows too little."""
    dtypes = [d for d in (case.dtype, *DTYPES) if d in claimed]
    batched_first = (case.layout, "time_first", "batch_first", "single")
    layouts = [one for one in batched_first if one in claimed]
    cells = [CELLS[n] for n in (case.cell, *alike(case.cell), *CELLS) if n in claimed]
    if case.dtype in HALF_DTYPES and case.dtype not in claimed:
        return None
    if not (dtypes and layouts and cells):
        return None
    if FEW_SHAPES in claimed and case.layout == "single" != layouts[0]:
        return None  # a batch of its steps and units is another case
    kinds: tuple[Kind, ...] = ("contractive",) if case.weights == "normal" else ()
    weights = next((k for k in (case.weights, *kinds) if k in cells[0].kinds), None)
    if weights is None or (case.transparent and "layers" not in claimed):
        return None
    single = layouts[0] == "single"
    if single and case.layout != "single" and (case.T, case.weights) == (1, "moderate"):
        return None  # one row, of which no mean can be taken
    lengths: LengthsKind = "none" if single or "lengths" not in claimed else case.lengths
    last: Loss = "h_n" if LAST_ALONE in claimed else "output"  # in one backward pass, not in many
    changes: dict[str, object] = {
        "T": min(case.T, FEW_STEPS) if LAST_ALONE in claimed else case.T,
        "dtype": dtypes[0],
        "layout": layouts[0],
        "cell": cells[0].name,
        "B": 1 if single else case.B if case.layout != "single" else max(case.B, 3),
        "h_0": case.h_0 if "h_0" in claimed else "none",
        "L": case.L if "layers" in claimed else 1,
        "bidirectional": case.bidirectional and "bidirectional" in claimed,
        "reverse": case.reverse and "reverse" in claimed,
        "bias": "nonzero" if case.bias == "off" and "no_bias" not in claimed else case.bias,
        "lengths": lengths,
        "padding_nan": case.padding_nan and lengths != "none" and NAN_IGNORED in claimed,
        "weights": weights,
        "O": case.O if "readout" in claimed else 0,
        "loss": case.loss if case.loss == "none" or "h_n" in claimed else last,
    }
    if case.loss != "none":
        tame = TAME[0] >= case.T and TAME[1] >= case.H
        unseen = case.weights == "passing" and OF_WEIGHTS in claimed
        if GRADIENTS not in claimed or unseen or (OWN_PASS in claimed and not tame):
            return None
    found = replace(case, **changes)  # type: ignore[arg-type]
    if weights == "marked":
        found = replace(found, I=max(found.I, found.T * found.B))
    new = found != case and cells[0].can_rest  # a catalogue of other cases holds no vacuous one
    return None if new and why_vacuous(found.in_one_order) else found


def one_layer_cases() -> Iterator[Case]:
    """One layer in one direction with a readout: every size and kind of weights."""
    for dtype, layout in product(DTYPES, LAYOUTS):

        def case(
            sizes: tuple[int, int, int, int],
            weights: Kind,
            O: int = 2,
            h_0: H0 = "nonzero",
            dtype: Dtype = dtype,
            layout: Layout = layout,
        ) -> Case:
            T, B, I, H = sizes
            return Case(
                T, 1 if layout == "single" else B, I, H,
                O=O, weights=weights, h_0=h_0, dtype=dtype, layout=layout,
            )  # fmt: skip

        for h_0 in get_args(H0):
            for weights in ("normal", "initial", "contractive"):
                yield case(MAIN, weights, h_0=h_0)
            for sizes in CONTRACTIVE:
                yield case(sizes, "contractive", h_0=h_0)
        # Of the sizes of the relations, with a readout of one layer and of several.
        for L, two in ((1, False), (2, True)):
            rows = 1 if layout == "single" else 4
            yield Case(B=rows, L=L, bidirectional=two, O=2, dtype=dtype, layout=layout)
        for number, sizes in enumerate(ONE_LAYER):
            # Many inputs of normal weights would saturate every state; a single state may be by
            # chance.
            mild = max(sizes[2:]) > 100 or max(sizes) == 1
            O = OUTPUTS[number % len(OUTPUTS)]
            yield case(sizes, "contractive" if mild else "normal", O)
        yield case(EXTREME, "extreme")
        yield case(SPECIAL, "special")
        yield case(UNSET, "normal", h_0="none")
        yield case(MODERATE_SINGLE if layout == "single" else MODERATE, "moderate")
        if layout == "time_first":
            for sizes in LONG:
                yield case(sizes, "normal")
        if layout == "single":
            for sizes in LONG:
                yield case(sizes, "initial", h_0="none")
    for half, layout, h_0 in product(HALF_DTYPES, LAYOUTS, get_args(H0)):
        for (T, B, I, H), O in zip(HALF, (2, 1, 2), strict=True):
            rows = 1 if layout == "single" else B
            yield Case(T, rows, I, H, O=O, weights="moderate", h_0=h_0, dtype=half, layout=layout)


def further_cases() -> Iterator[Case]:
    """One bias alone, exact zeros, options beside sizes of one, sizes together, and large ones."""
    for dtype in DTYPES:
        case = Case(dtype=dtype, O=2)
        for bias, layout in product(("ih_alone", "hh_alone"), LAYOUTS):
            rows = 1 if layout == "single" else case.B
            yield replace(case, B=rows, bias=bias, layout=layout, weights="normal")  # type: ignore[arg-type]
        for h_0, two, bias in product(("none", "zeros"), (False, True), ("off", "nonzero")):
            silent = replace(case, weights="silent", bidirectional=two)
            yield replace(silent, h_0=h_0, bias=bias)  # type: ignore[arg-type]
        for one in (*ONES, *TOGETHER):
            yield replace(one, dtype=dtype)
        for kind, h_0, layout in product(("one_hot", "integers"), ("none", "nonzero"), LAYOUTS):
            rows = 1 if layout == "single" else case.B
            yield replace(case, B=rows, weights=kind, h_0=h_0, layout=layout)  # type: ignore[arg-type]
        for plain, h_0 in product(PLAIN_FEEDBACK, ("none", "nonzero")):
            yield replace(case, weights=plain, h_0=h_0)  # type: ignore[arg-type]
        for T, B, I, H, O in LARGE:
            yield Case(T, B, I, H, O=O, dtype=dtype)


def reverse_cases() -> Iterator[Case]:
    """One layer in the reverse direction alone: every option, and a size of one, with a readout.

    Whoever does not claim it is asked nothing new: these cases in the forward direction are others.
    """
    for case in (*every_option(), *ONES, *TOGETHER):
        small = case.T * case.B <= FEW_NUMBERS and (case.bias != "off" or case.h_0 == "nonzero")
        if small and case.L == 1 and not case.bidirectional:
            yield replace(case, reverse=True)
    for layout in LAYOUTS:
        yield replace(Case(O=2, layout=layout, reverse=True), B=1 if layout == "single" else 4)
    for half in HALF_DTYPES:
        case = Case(*HALF[-1], O=2, weights="moderate", dtype=half, lengths="unsorted")
        yield replace(case, reverse=True)


def every_option(cells: Sequence[str] = (PLAIN, OTHER)) -> Iterator[Case]:
    """Every option with every other, and sizes, without a readout: the cases of the vectors."""
    # All options with all others: one layer is judged step by step, more as a whole.
    for dtype, layout, L, cell, bias, two, h_0, lengths in product(
        DTYPES, LAYOUTS, (1, 3), cells, ("off", "nonzero"), (False, True), get_args(H0),
        ("none", "unsorted"),
    ):  # fmt: skip
        case = Case(
            L=L,
            cell=cell,
            bias=bias,  # type: ignore[arg-type]
            bidirectional=two,
            layout=layout,
            h_0=h_0,
            lengths=lengths,  # type: ignore[arg-type]
            dtype=dtype,
            weights="normal" if L == 1 and "normal" in CELLS[cell].kinds else "contractive",
        )
        yield from _laid_out(case)
    for dtype, sizes, two in product(DTYPES, SIZES, (False, True)):
        T, B, I, H, L = sizes
        case = Case(T, B, I, H, L, bidirectional=two, dtype=dtype)
        yield case
        yield replace(case, layout="batch_first", lengths="unsorted")
    for dtype, two, layout in product(DTYPES, (False, True), LAYOUTS[1:]):
        case = Case(L=2, bidirectional=two, layout=layout, dtype=dtype)
        yield replace(case, bias="zeros")
        yield replace(case, lengths="sorted")
        yield replace(case, lengths="equal")
        yield replace(case, lengths="unsorted", padding_nan=True)
        yield replace(case, L=1, lengths="unsorted", padding_nan=True, weights="normal")
    # One contractive layer, for the relations between two runs.
    for dtype, two, layout, lengths in product(
        DTYPES, (False, True), LAYOUTS, ("none", "unsorted")
    ):
        case = Case(bidirectional=two, layout=layout, dtype=dtype, lengths=lengths)  # type: ignore[arg-type]
        yield from _laid_out(case)
    # Few bits: the bound is small beside the signal where one layer is judged step by step.
    for dtype, layout, cell, two, lengths in product(
        HALF_DTYPES, LAYOUTS, cells, (False, True), ("none", "unsorted")
    ):
        case = Case(
            I=2,
            cell=cell,
            bidirectional=two,
            layout=layout,
            lengths=lengths,  # type: ignore[arg-type]
            dtype=dtype,
        )
        yield from _laid_out(case)
    for dtype, two in product(DTYPES, (False, True)):
        yield Case(T=400, B=2, H=8, bidirectional=two, dtype=dtype, weights="normal")
        yield Case(T=257, B=256, I=3, H=4, bidirectional=two, dtype=dtype)
    yield from PAIRS


def _laid_out(case: Case) -> Iterator[Case]:
    """The case, where its layout can have it: a sequence alone is one row, and has no lengths."""
    if case.layout != "single":
        yield case
    elif case.lengths == "none":
        yield replace(case, B=1)
