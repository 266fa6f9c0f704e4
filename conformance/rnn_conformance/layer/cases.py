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
from rnn_conformance.protocol import (
    DTYPES,
    FEATURES as FEATURES,
    HALF_DTYPES,
    LAYOUTS,
    Array,
    Dtype,
    Layout,
)

H0 = Literal["none", "zeros", "nonzero"]
Bias = Literal["off", "zeros", "nonzero", "ih_alone", "hh_alone"]
LengthsKind = Literal["none", "unsorted", "sorted", "equal"]
Weights = Literal["contractive", "normal", "initial", "silent", "moderate", "extreme", "special"]
PADDING = 9.75  # far from every input, so that a step that reads it shows
EXTREMES = (1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 0.5, 3.0, 5.0, 9.0, 20.0, 45.0, 100.0, 1e4, 1e10)


@dataclass(frozen=True)
class LayerCase:
    """One problem of the profile "layer", made anew from its id and the seed.

    Attributes:
        B: the batch size; 1 in the layout "single".
        bias: "ih_alone": bias_hh is zeros, bias_ih is not; "hh_alone": the reverse.
        L: num_layers.
        lengths: none, or one of every kind of lengths: all different, one of them 1 and one T.
        padding_nan: whether the padding is NaN rather than a number.
        weights: "contractive" (as a trained network is: whole results can be compared), "normal"
            (weights and both biases standard normal: chaotic), "initial" (as normal, but biases
            zero), "silent" (as initial, and the first half of the inputs is zeros of both signs, so
            that pre-activations are exactly 0 if h_0 is), "moderate" (most states between 0.1 and
            0.9, neither tiny nor saturated),
            "extreme" (a pre-activation of every magnitude from 1e-8 to 1e10, of both signs) or
            "special" (small weights; a step of zeros, inputs of 1000 and states of 500, which a
            mask or a clip would change). All but contractive ones are judged step by step, so they
            are for one layer.
        O: output_size; 0 for no readout.
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
    weights: Weights = "contractive"
    O: int = 0
    seed: int = 0

    @property
    def id(self) -> str:
        """Such as float32-T7-B4-I5-H3-L2-relu-bidirectional-unsorted-h0-batch_first."""
        parts = [self.dtype, f"T{self.T}"]
        parts += [f"B{self.B}"] * (self.layout != "single")
        parts += [f"I{self.I}", f"H{self.H}"] + [f"O{self.O}"] * (self.O > 0)
        parts += [f"L{self.L}", self.nonlinearity]
        parts += ["bidirectional"] * self.bidirectional
        parts += [{"off": "no_bias", "zeros": "zero_bias"}.get(self.bias, self.bias)] * (
            self.bias != "nonzero"
        )
        parts += [self.lengths] * (self.lengths != "none")
        parts += ["nan_padding"] * self.padding_nan
        parts += [{"none": "no_h0", "zeros": "zero_h0", "nonzero": "h0"}[self.h_0]]
        parts += [self.layout] * (self.layout == "batch_first")
        parts += [self.weights] * (self.weights != "contractive")
        return "-".join(parts)

    @property
    def options(self) -> Options:
        bias, two = self.bias != "off", self.bidirectional
        return Options(self.I, self.H, self.L, self.nonlinearity, bias, two, output_size=self.O)

    @property
    def features(self) -> frozenset[str]:
        """What an implementation must claim to be asked this."""
        found: set[str] = {self.dtype, self.layout, self.nonlinearity}
        found |= {"layers"} if self.L > 1 else set()
        found |= {"bidirectional"} if self.bidirectional else set()
        found |= {"no_bias"} if self.bias == "off" else set()
        found |= {"lengths"} if self.lengths != "none" else set()
        found |= {NAN_IGNORED} if self.padding_nan else set()
        found |= {"h_0"} if self.h_0 != "none" else set()
        found |= {"readout"} if self.O else set()
        return frozenset(found)

    def concerns(self, clause: str) -> bool:
        """Whether the case can show a breach of a clause that a check in it holds."""
        shows = {
            "RNN-CELL-1": self.nonlinearity == "tanh",
            "RNN-CELL-2": self.nonlinearity == "relu",
            "RNN-CELL-3": self.bias == "off",
            "RNN-STATE-1": self.h_0 == "none",
            "RNN-READ": self.O > 0,
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
    kind = {"contractive": False, "normal": True}.get(case.weights, case.weights)
    sizes = f"{case.T} {case.B} {case.I} {case.H} {case.L} {case.bidirectional} {kind}"
    rng = np.random.default_rng([case.seed, crc32(sizes.encode())])
    full = replace(case, bias="nonzero", O=0).options
    weights = {
        name: _weight(case, name, shape, rng) for name, shape in full.weight_shapes().items()
    }
    inputs = rng.standard_normal((case.T, case.B, case.I))
    h_0 = rng.standard_normal((case.L * full.directions, case.B, case.H))
    if case.O:
        weights["W_ho"] = rng.standard_normal((case.O, full.directions * case.H))
        weights["b_ho"] = rng.standard_normal(case.O) * (case.weights not in ("initial", "silent"))
    if case.weights == "special":
        inputs[case.T // 2] = 0
        inputs[0, :, 0], inputs[-1, :, -1] = 1000, -1000
        h_0[..., 0], h_0[..., -1] = 500, -500
    if case.weights == "silent":
        inputs[: case.T // 2] = 0
        inputs[0] = -0.0
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
    kind = case.weights
    if name.startswith("bias"):
        if kind == "extreme":
            sign = np.resize([1.0, -1.0], case.H)
            return (0.6 if name.startswith("bias_ih") else 0.4) * sign * _magnitudes(case)
        zero = case.bias == "zeros" or kind in ("initial", "silent")
        zero |= case.bias == ("hh_alone" if name.startswith("bias_ih") else "ih_alone")
        return values * (0 if zero else 0.3 if kind in ("contractive", "moderate") else 1.0)
    if kind == "silent":  # the first unit's products at step 0 are all -0.0
        values[0] = np.abs(values[0]) if name.startswith("weight_ih") else -np.abs(values[0])
    if kind == "contractive" and name.startswith("weight_hh"):
        # Rows of absolute sum 0.6: the distance of two trajectories shrinks at every step.
        shrunk: Array = values * (0.6 / np.abs(values).sum(axis=1, keepdims=True))
        return shrunk
    width = np.sqrt(shape[1])
    scales: Mapping[Weights, Array | float] = {
        "contractive": 0.7 / width,
        "moderate": 0.5 / width,
        "extreme": 0.05 * _magnitudes(case)[:, np.newaxis] / width,
        "special": 0.02,
    }
    scaled: Array = values * scales.get(kind, 1.0)
    return scaled


def _magnitudes(case: LayerCase) -> Array:
    """The magnitude of the pre-activation of each unit of an extreme case, two units each."""
    return np.resize(np.repeat(EXTREMES, 2), case.H)


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


# One layer of tanh, judged step by step: T, B, I, H. The first has every size different.
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
HALF = ((7, 3, 3, 2), (6, 4, 3, 3))  # few bits: bounds are small for short sums alone
UNSET = (3, 64, 3, 33)  # a state large enough for memory that nobody cleared
OUTPUTS = (1, 2, 4, 10, 33)  # one, as many as units, beyond a block


# Past the sizes at which kernels switch, and past what 16 bits hold: T, B, I, H, O.
LARGE = ((4, 2, 3, 50, 2), (3, 2, 3, 200, 50), (2100, 1, 2, 3, 1), (100, 1024, 2, 3, 1))
# An option beside each size of one.
ONES = tuple(
    replace(LayerCase(5, 3, 4, 3, O=2), **{size: 1}, **option)  # type: ignore[arg-type]
    for size, option in product(
        ("T", "B", "I", "H"),
        (
            {"h_0": "none"},
            {"h_0": "zeros"},
            {"bias": "off"},
            {"bias": "zeros"},
            {"nonlinearity": "relu"},
            {"bidirectional": True},
            {"L": 2},
            {"layout": "batch_first"},
            {"lengths": "unsorted"},
        ),
    )
)


def layer_catalogue(seed: int = 0, claimed: frozenset[str] | None = None) -> tuple[LayerCase, ...]:
    """Every case, in the order in which it is judged; no two have the same id.

    Args:
        claimed: what an implementation does. A case that asks for more is asked with what is
            claimed in its place, so that narrow claims are asked as much as wide ones. None for
            everything.
    """
    cases = (*layer_cases(), *one_layer_cases(), *further_cases())
    if claimed is not None:
        cases = tuple(fitted for case in cases if (fitted := _fitted(case, claimed)) is not None)
    return tuple(replace(case, seed=seed) for case in dict.fromkeys(cases))


def _fitted(case: LayerCase, claimed: frozenset[str]) -> LayerCase | None:
    """The case with what is claimed in the place of what is not; None if that cannot be judged."""
    dtypes = [d for d in (case.dtype, *DTYPES) if d in claimed]
    batched_first = (case.layout, "time_first", "batch_first", "single")
    layouts = [one for one in batched_first if one in claimed]
    functions = [f for f in (case.nonlinearity, *get_args(Nonlinearity)) if f in claimed]
    if case.dtype in HALF_DTYPES and case.dtype not in claimed:
        return None
    if not (dtypes and layouts and functions):
        return None
    relu = functions[0] == "relu"
    single = layouts[0] == "single"
    lengths: LengthsKind = "none" if single or "lengths" not in claimed else case.lengths
    changes: dict[str, object] = {
        "dtype": dtypes[0],
        "layout": layouts[0],
        "nonlinearity": functions[0],
        "B": 1 if single else case.B if case.layout != "single" else max(case.B, 3),
        "h_0": case.h_0 if "h_0" in claimed else "none",
        "L": case.L if "layers" in claimed else 1,
        "bidirectional": case.bidirectional and "bidirectional" in claimed,
        "bias": "nonzero" if case.bias == "off" and "no_bias" not in claimed else case.bias,
        "lengths": lengths,
        "padding_nan": case.padding_nan and lengths != "none" and NAN_IGNORED in claimed,
        "weights": "contractive" if relu and case.weights == "normal" else case.weights,
        "O": case.O if "readout" in claimed else 0,
    }
    if relu and case.weights in ("moderate", "extreme", "special", "initial", "silent"):
        return None
    return replace(case, **changes)  # type: ignore[arg-type]


def one_layer_cases() -> Iterator[LayerCase]:
    """One layer of tanh in one direction with a readout: every size and kind of weights."""
    for dtype, layout in product(DTYPES, LAYOUTS):

        def case(
            sizes: tuple[int, int, int, int],
            weights: Weights,
            O: int = 2,
            h_0: H0 = "nonzero",
            dtype: Dtype = dtype,
            layout: Layout = layout,
        ) -> LayerCase:
            T, B, I, H = sizes
            return LayerCase(
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
            yield LayerCase(B=rows, L=L, bidirectional=two, O=2, dtype=dtype, layout=layout)
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
        for (T, B, I, H), O in zip(HALF, (2, 1), strict=True):
            rows = 1 if layout == "single" else B
            yield LayerCase(
                T, rows, I, H, O=O, weights="moderate", h_0=h_0, dtype=half, layout=layout
            )


def further_cases() -> Iterator[LayerCase]:
    """One bias alone, exact zeros, options beside sizes of one, and large sizes."""
    for dtype in DTYPES:
        case = LayerCase(dtype=dtype, O=2)
        for bias, layout in product(("ih_alone", "hh_alone"), LAYOUTS):
            rows = 1 if layout == "single" else case.B
            yield replace(case, B=rows, bias=bias, layout=layout, weights="normal")  # type: ignore[arg-type]
        for h_0, two, bias in product(("none", "zeros"), (False, True), ("off", "nonzero")):
            silent = replace(case, weights="silent", bidirectional=two)
            yield replace(silent, h_0=h_0, bias=bias)  # type: ignore[arg-type]
        for one in ONES:
            yield replace(one, dtype=dtype)
        for T, B, I, H, O in LARGE:
            yield LayerCase(T, B, I, H, O=O, dtype=dtype)


def layer_cases() -> Iterator[LayerCase]:
    """Every option with every other, and sizes, without a readout: the cases of the vectors."""
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
            weights="normal" if L == 1 and nonlinearity == "tanh" else "contractive",
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
        yield replace(case, L=1, lengths="unsorted", padding_nan=True, weights="normal")
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
        yield LayerCase(T=400, B=2, H=8, bidirectional=two, dtype=dtype, weights="normal")
        yield LayerCase(T=257, B=256, I=3, H=4, bidirectional=two, dtype=dtype)
    yield from PAIRS


def _laid_out(case: LayerCase) -> Iterator[LayerCase]:
    """The case, where its layout can have it: a sequence alone is one row, and has no lengths."""
    if case.layout != "single":
        yield case
    elif case.lengths == "none":
        yield replace(case, B=1)
