"""The cases of the profile "layer": every combination of options, and every kind of size."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import Literal, get_args
from zlib import crc32

import numpy as np
import numpy.typing as npt

from rnn_conformance.formats import in_format
from rnn_conformance.layer.call import LayerCall, Lengths, Nonlinearity, Options
from rnn_conformance.layer.conventions import NAN_IGNORED
from rnn_conformance.protocol import DTYPES, HALF_DTYPES, LAYOUTS, Array, Dtype, Layout

H0 = Literal["none", "zeros", "nonzero"]
Bias = Literal["off", "zeros", "nonzero"]
LengthsKind = Literal["none", "unsorted", "sorted", "equal"]
PADDING = 9.75  # far from every input, so that a step that reads it shows


@dataclass(frozen=True)
class LayerCase:
    """One problem of the profile "layer", made anew from its id and the seed.

    Attributes:
        B: the batch size; 1 in the layout "single".
        L: num_layers.
        lengths: none, or one of every kind of lengths: all different, one of them 1 and one T.
        padding_nan: whether the padding is NaN rather than a number.
        chaotic: standard normal weights, judged step by step, which one layer alone shows; else
            contractive ones, whose whole result is judged.
    """

    T: int = 7
    B: int = 4
    I: int = 5
    H: int = 3
    L: int = 1
    nonlinearity: Nonlinearity = "tanh"
    bias: Bias = "nonzero"
    bidirectional: bool = False
    layout: Layout = "time_first"
    h_0: H0 = "nonzero"
    lengths: LengthsKind = "none"
    dtype: Dtype = "float32"
    padding_nan: bool = False
    chaotic: bool = False
    seed: int = 0

    @property
    def id(self) -> str:
        """Such as float32-T7-B4-I5-H3-L2-relu-bidirectional-unsorted-h0-batch_first."""
        parts = [self.dtype, f"T{self.T}"]
        parts += [f"B{self.B}"] * (self.layout != "single")
        parts += [f"I{self.I}", f"H{self.H}", f"L{self.L}", self.nonlinearity]
        parts += ["bidirectional"] * self.bidirectional
        parts += {"off": ["no_bias"], "zeros": ["zero_bias"], "nonzero": []}[self.bias]
        parts += [self.lengths] * (self.lengths != "none")
        parts += ["nan_padding"] * self.padding_nan
        parts += [{"none": "no_h0", "zeros": "zero_h0", "nonzero": "h0"}[self.h_0]]
        parts += [self.layout] * (self.layout == "batch_first")
        parts += ["chaotic"] * self.chaotic
        return "-".join(parts)

    @property
    def options(self) -> Options:
        return Options(
            self.I, self.H, self.L, self.nonlinearity, self.bias != "off", self.bidirectional
        )

    @property
    def features(self) -> frozenset[str]:
        """What an implementation must claim to be asked this."""
        found: set[str] = {self.dtype, self.layout, self.nonlinearity}
        found |= {"layers"} if self.L > 1 else set()
        found |= {"bidirectional"} if self.bidirectional else set()
        found |= {"no_bias"} if self.bias == "off" else set()
        found |= {"lengths"} if self.lengths != "none" else set()
        found |= {NAN_IGNORED} if self.padding_nan else set()
        return frozenset(found)

    def concerns(self, clause: str) -> bool:
        """Whether the case can show a breach of a clause that a check in it holds."""
        shows = {
            "RNN-CELL-1": self.nonlinearity == "tanh",
            "RNN-CELL-2": self.nonlinearity == "relu",
            "RNN-CELL-3": self.bias == "off",
            "RNN-STATE-1": self.h_0 == "none",
            "RNN-DIR": self.bidirectional,
            "RNN-LAYER": self.L > 1,
            "RNN-LAYOUT-1": self.layout == "batch_first",
            "RNN-LAYOUT-2": self.layout == "single",
            "RNN-LEN-5": True,
            "RNN-LEN": self.lengths != "none",
        }
        return next((shown for start, shown in shows.items() if clause.startswith(start)), True)

    @property
    def in_one_order(self) -> "LayerCase":
        """The case of which the same is expected, in whatever layout; an omitted h_0 is zeros."""
        return replace(self, layout="time_first", h_0="zeros" if self.h_0 == "none" else self.h_0)

    def data(self) -> "LayerData":
        return _data(self)

    def call(self) -> LayerCall:
        return self.data().call(self.layout)


OPTIONS = ("layers", "bidirectional", "no_bias", "lengths", "dropout")
FEATURES = frozenset((*DTYPES, *HALF_DTYPES, *LAYOUTS, *get_args(Nonlinearity), *OPTIONS))


@dataclass(frozen=True)
class LayerData:
    """The numbers of a case in one order, whatever the layout; read-only.

    Attributes:
        inputs: (T, B, I); beyond a row's length, padding.
        h_0: (L·D, B, H), or None where it is omitted.
        lengths: (B,), or None where every row has T steps.
        bfloat16: as in `LayerCall`.
    """

    options: Options
    weights: Mapping[str, Array]
    inputs: Array
    h_0: Array | None
    lengths: Lengths | None
    bfloat16: bool = False

    @property
    def initial(self) -> Array:
        """h_0 (L·D, B, H), zeros where it is omitted."""
        if self.h_0 is not None:
            return self.h_0
        o = self.options
        shape = (o.num_layers * o.directions, self.inputs.shape[1], o.hidden_size)
        return np.zeros(shape, self.inputs.dtype)

    @property
    def steps(self) -> Lengths:
        """How many steps each row has, (B,)."""
        T, B, _ = self.inputs.shape
        return np.full(B, T) if self.lengths is None else self.lengths

    @property
    def real(self) -> npt.NDArray[np.bool_]:
        """Which steps of which rows are no padding, (T, B, 1)."""
        steps = np.arange(len(self.inputs))[:, None, None]
        mask: npt.NDArray[np.bool_] = steps < self.steps[:, None]
        return mask

    def call(self, layout: Layout) -> LayerCall:
        """Copies of these numbers, laid out as asked; one sequence for "single"."""
        weights = {name: value.copy() for name, value in self.weights.items()}
        inputs, h_0 = self.inputs.copy(), None if self.h_0 is None else self.h_0.copy()
        lengths = None if self.lengths is None else self.lengths.copy()
        if layout == "single":
            inputs, h_0 = inputs[:, 0].copy(), None if h_0 is None else h_0[:, 0].copy()
        elif layout == "batch_first":
            inputs = inputs.swapaxes(0, 1).copy()
        return LayerCall(
            self.options, weights, inputs, h_0, lengths, layout, bfloat16=self.bfloat16
        )


@lru_cache(maxsize=2048)
def _data(case: LayerCase) -> LayerData:
    # What only changes the layout, the precision or what is left out changes none of the numbers.
    sizes = f"{case.T} {case.B} {case.I} {case.H} {case.L} {case.bidirectional} {case.chaotic}"
    rng = np.random.default_rng([case.seed, crc32(sizes.encode())])
    full = replace(case, bias="nonzero").options
    weights = {
        name: _weight(case, name, shape, rng) for name, shape in full.weight_shapes().items()
    }
    inputs = rng.standard_normal((case.T, case.B, case.I))
    h_0 = rng.standard_normal((case.L * full.directions, case.B, case.H))
    lengths = _lengths(case)
    if lengths is not None:
        beyond = np.arange(case.T)[:, None] >= lengths
        inputs[beyond] = np.nan if case.padding_nan else PADDING
    kept = case.options.weight_shapes()
    return LayerData(
        case.options,
        MappingProxyType({name: _frozen(weights[name], case.dtype) for name in kept}),
        _frozen(inputs, case.dtype),
        {
            "none": None,
            "zeros": _frozen(np.zeros_like(h_0), case.dtype),
            "nonzero": _frozen(h_0, case.dtype),
        }[case.h_0],
        lengths,
        case.dtype == "bfloat16",
    )


def _weight(case: LayerCase, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    values = rng.standard_normal(shape)
    if name.startswith("bias"):
        return values * (0 if case.bias == "zeros" else 1.0 if case.chaotic else 0.3)
    if case.chaotic:
        return values
    if name.startswith("weight_hh"):
        # Rows of absolute sum 0.6: the distance of two trajectories shrinks at every step.
        shrunk: Array = values * (0.6 / np.abs(values).sum(axis=1, keepdims=True))
        return shrunk
    narrowed: Array = values * (0.7 / np.sqrt(shape[1]))
    return narrowed


def _lengths(case: LayerCase) -> Lengths | None:
    """All different as far as T allows, the longest T and one of them 1."""
    if case.lengths == "none":
        return None
    if case.lengths == "equal":
        return np.full(case.B, max(case.T - 2, 1), np.int64)
    spread = np.linspace(case.T, 1, case.B).round().astype(np.int64)
    if case.lengths == "sorted":
        return spread
    # The longest neither first nor last, nor the shortest.
    return np.roll(spread, case.B // 2)


def _frozen(values: Array, dtype: Dtype) -> Array:
    array = in_format(values, dtype)
    array.flags.writeable = False
    return array


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
    LayerCase(B=1, layout="single", nonlinearity="relu", bias="zeros", h_0="none"),
    LayerCase(L=2, bias="zeros", h_0="zeros", lengths="unsorted", dtype="float64"),
    LayerCase(nonlinearity="relu", bias="zeros", h_0="none", lengths="sorted", dtype="float64"),
    LayerCase(nonlinearity="relu", bias="zeros", h_0="zeros", lengths="equal"),
    LayerCase(bias="off", h_0="zeros", lengths="sorted", bidirectional=True),
    LayerCase(bias="off", h_0="none", lengths="equal", bidirectional=True, dtype="float64"),
    LayerCase(I=2, L=2, bias="off", h_0="zeros", lengths="sorted", dtype="float16"),
    LayerCase(I=2, bias="zeros", h_0="none", lengths="equal", dtype="float16"),
    # Two layers on 8 bits: a bound is small for the shortest sums alone.
    LayerCase(3, 4, 1, 1, 2, bias="off", h_0="zeros", lengths="sorted", dtype="bfloat16"),
    LayerCase(I=2, bias="zeros", h_0="none", lengths="equal", dtype="bfloat16"),
)


def layer_catalogue(seed: int = 0) -> tuple[LayerCase, ...]:
    """Every case, in the order in which it is judged; no two have the same id."""
    return tuple(replace(case, seed=seed) for case in dict.fromkeys(_cases()))


def _cases() -> Iterator[LayerCase]:
    nonlinearities, H0s = get_args(Nonlinearity), get_args(H0)
    # All options with all others: one layer is judged step by step, more as a whole.
    for dtype, layout, L, nonlinearity, bias, two, h_0, lengths in product(
        DTYPES, LAYOUTS, (1, 3), nonlinearities, ("off", "nonzero"), (False, True), H0s,
        ("none", "unsorted"),
    ):  # fmt: skip
        case = LayerCase(
            L=L,
            nonlinearity=nonlinearity,
            bias=bias,  # type: ignore[arg-type]
            bidirectional=two,
            layout=layout,
            h_0=h_0,
            lengths=lengths,  # type: ignore[arg-type]
            dtype=dtype,
            chaotic=L == 1 and nonlinearity == "tanh",
        )
        yield from _laid_out(case)
    for dtype, sizes, two in product(DTYPES, SIZES, (False, True)):
        T, B, I, H, L = sizes
        case = LayerCase(T, B, I, H, L, bidirectional=two, dtype=dtype)
        yield case
        yield replace(case, layout="batch_first", lengths="unsorted")
    for dtype, two, layout in product(DTYPES, (False, True), LAYOUTS[1:]):
        case = LayerCase(L=2, bidirectional=two, layout=layout, dtype=dtype)
        yield replace(case, bias="zeros")
        yield replace(case, lengths="sorted")
        yield replace(case, lengths="equal")
        yield replace(case, lengths="unsorted", padding_nan=True)
        yield replace(case, L=1, lengths="unsorted", padding_nan=True, chaotic=True)
    # One contractive layer of tanh, for the relations between two runs.
    for dtype, two, layout, lengths in product(
        DTYPES, (False, True), LAYOUTS, ("none", "unsorted")
    ):
        case = LayerCase(bidirectional=two, layout=layout, dtype=dtype, lengths=lengths)  # type: ignore[arg-type]
        yield from _laid_out(case)
    # Few bits: the bound is small beside the signal where one layer is judged step by step.
    for dtype, layout, nonlinearity, two, lengths in product(
        HALF_DTYPES, LAYOUTS, nonlinearities, (False, True), ("none", "unsorted")
    ):
        case = LayerCase(
            I=2,
            nonlinearity=nonlinearity,
            bidirectional=two,
            layout=layout,
            lengths=lengths,  # type: ignore[arg-type]
            dtype=dtype,
        )
        yield from _laid_out(case)
    for dtype, two in product(DTYPES, (False, True)):
        yield LayerCase(T=400, B=2, H=8, bidirectional=two, dtype=dtype, chaotic=True)
        yield LayerCase(T=257, B=256, I=3, H=4, bidirectional=two, dtype=dtype)
    yield from PAIRS


def _laid_out(case: LayerCase) -> Iterator[LayerCase]:
    """The case, where its layout can have it: a sequence alone is one row, and has no lengths."""
    if case.layout != "single":
        yield case
    elif case.lengths == "none":
        yield replace(case, B=1)
