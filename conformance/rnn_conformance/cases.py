"""The cases: sizes, layouts, kinds of weights and states, and the numbers made from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import Literal
from zlib import crc32

import numpy as np

from rnn_conformance.formats import in_format
from rnn_conformance.protocol import DTYPES, HALF_DTYPES, LAYOUTS, Array, Call, Dtype, Layout

H0 = Literal["none", "zeros", "nonzero"]
Weights = Literal["normal", "initial", "contractive", "moderate", "extreme", "special"]

DEFAULT_OUTPUT_SIZE = 2
EXTREMES = (1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 0.5, 3.0, 5.0, 9.0, 20.0, 45.0, 100.0, 1e4, 1e10)


@dataclass(frozen=True)
class Case:
    """One problem, named by its id and made anew from it and the seed.

    Attributes:
        weights: "normal" (weights and both biases standard normal: chaotic), "initial" (the
            reference's initialisation: as normal, but biases zero), "contractive" (as a trained
            network is: whole trajectories can be compared), "moderate" (most states between 0.1
            and 0.9, neither tiny nor saturated), "extreme" (a pre-activation of every
            magnitude from 1e-8 to 1e10, of both signs) or "special" (small weights; a step of
            zeros, inputs of 1000 and states of 500, which a mask or a clip would change).
        h_0: omitted, zeros or standard normal values.
    """

    T: int
    B: int
    I: int
    H: int
    O: int = DEFAULT_OUTPUT_SIZE
    dtype: Dtype = "float32"
    layout: Layout = "time_first"
    h_0: H0 = "nonzero"
    weights: Weights = "normal"
    seed: int = 0

    @property
    def id(self) -> str:
        """Such as float32-T7-B3-I5-H4-h0: what is usual (two outputs, "normal") is left out."""
        parts = [self.dtype, f"T{self.T}"]
        parts += [f"B{self.B}"] * (self.layout != "single")
        parts += [f"I{self.I}", f"H{self.H}"]
        parts += [f"O{self.O}"] * (self.O != DEFAULT_OUTPUT_SIZE)
        parts += [{"none": "no_h0", "zeros": "zero_h0", "nonzero": "h0"}[self.h_0]]
        parts += [self.layout] * (self.layout == "batch_first")
        parts += [self.weights] * (self.weights != "normal")
        return "-".join(parts)

    @property
    def features(self) -> frozenset[str]:
        """What an implementation must claim to be asked this."""
        return frozenset((self.layout, self.dtype, *["h_0"] * (self.h_0 != "none")))

    def concerns(self, clause: str) -> bool:
        """Whether the case can show a breach of a clause that a check in it holds."""
        return clause != "RNN-STATE-1" or self.h_0 == "none"

    @property
    def in_one_order(self) -> "Case":
        """The case of which the same is expected, in whatever layout; an omitted h_0 is zeros."""
        return replace(self, layout="time_first", h_0="zeros" if self.h_0 == "none" else self.h_0)

    def data(self) -> "Data":
        return _data(self)

    def call(self) -> Call:
        return self.data().call(self.layout)


@dataclass(frozen=True)
class Data:
    """The numbers of a case in one order, whatever the layout; read-only.

    Attributes:
        weights: as in `Call`.
        inputs: (T, B, I).
        h_0: (B, H), or None where it is omitted.
        bfloat16: as in `Call`.
    """

    weights: Mapping[str, Array]
    inputs: Array
    h_0: Array | None
    bfloat16: bool = False

    @property
    def initial(self) -> Array:
        """h_0 (B, H), zeros where it is omitted."""
        if self.h_0 is not None:
            return self.h_0
        shape = (self.inputs.shape[1], self.weights["W_hh"].shape[0])
        return np.zeros(shape, self.inputs.dtype)

    def row(self, row: int) -> "Data":
        """One sequence of the batch."""
        rows = slice(row, row + 1)
        return replace(
            self,
            inputs=self.inputs[:, rows],
            h_0=None if self.h_0 is None else self.h_0[rows],
        )

    def call(self, layout: Layout) -> Call:
        """Copies of these numbers, laid out as asked; one sequence for "single"."""
        weights = {name: value.copy() for name, value in self.weights.items()}
        h_0 = None if self.h_0 is None else self.h_0.copy()
        inputs = self.inputs
        if layout == "single":
            inputs, h_0 = inputs[:, 0], None if h_0 is None else h_0[0]
        elif layout == "batch_first":
            inputs = inputs.swapaxes(0, 1)
        return Call(weights, inputs.copy(), h_0, layout, self.bfloat16)


@lru_cache(maxsize=2048)
def _data(case: Case) -> Data:
    # Neither dtype nor layout nor h_0 changes the numbers: relations compare like with like.
    sizes = f"{case.T} {case.B} {case.I} {case.H} {case.O} {case.weights}"
    rng = np.random.default_rng([case.seed, crc32(sizes.encode())])
    weights = _weights(case, rng)
    inputs = rng.standard_normal((case.T, case.B, case.I))
    h_0 = rng.standard_normal((case.B, case.H))
    if case.weights == "special":
        inputs[case.T // 2] = 0
        inputs[0, :, 0], inputs[-1, :, -1] = 1000, -1000
        h_0[:, 0], h_0[:, -1] = 500, -500
    return Data(
        MappingProxyType({name: _frozen(value, case.dtype) for name, value in weights.items()}),
        _frozen(inputs, case.dtype),
        {
            "none": None,
            "zeros": _frozen(np.zeros_like(h_0), case.dtype),
            "nonzero": _frozen(h_0, case.dtype),
        }[case.h_0],
        case.dtype == "bfloat16",
    )


def _weights(case: Case, rng: np.random.Generator) -> dict[str, Array]:
    H, I, O = case.H, case.I, case.O
    W: dict[str, Array] = {
        "W_xh": rng.standard_normal((H, I)),
        "b_xh": rng.standard_normal((H, 1)),
        "W_hh": rng.standard_normal((H, H)),
        "b_hh": rng.standard_normal((H, 1)),
        "W_ho": rng.standard_normal((O, H)),
        "b_ho": rng.standard_normal((O, 1)),
    }
    if case.weights == "initial":
        W["b_xh"] = W["b_hh"] = np.zeros((H, 1))
        W["b_ho"] = np.zeros((O, 1))
    elif case.weights == "contractive":
        # Rows of absolute sum 0.6: the distance of two trajectories shrinks at every step.
        W["W_hh"] *= 0.6 / np.abs(W["W_hh"]).sum(axis=1, keepdims=True)
        W["W_xh"] *= 0.7 / np.sqrt(I)
        W["b_xh"] *= 0.3
        W["b_hh"] *= 0.3
    elif case.weights == "moderate":
        W["W_hh"] *= 0.5 / np.sqrt(H)
        W["W_xh"] *= 0.5 / np.sqrt(I)
        W["b_xh"] *= 0.3
        W["b_hh"] *= 0.3
    elif case.weights == "extreme":
        size = np.resize(np.repeat(EXTREMES, 2), H)[:, np.newaxis]
        sign = np.resize([1.0, -1.0], H)[:, np.newaxis]
        W["W_xh"] *= 0.05 * size / np.sqrt(I)
        W["W_hh"] *= 0.05 * size / np.sqrt(H)
        W["b_xh"] = 0.6 * sign * size
        W["b_hh"] = 0.4 * sign * size
    elif case.weights == "special":
        W["W_xh"] *= 0.02
        W["W_hh"] *= 0.02
    return W


def _frozen(values: Array, dtype: Dtype) -> Array:
    array = in_format(values, dtype)
    array.flags.writeable = False
    return array


# T, B, I, H, O. The first has every size different; in the others sizes coincide, or are one.
MAIN = (7, 3, 5, 4, 2)
SIZES = (
    (6, 6, 3, 5, 2),  # T = B
    (6, 4, 5, 5, 2),  # I = H: a transposed W_xh keeps its shape
    (6, 5, 3, 5, 2),  # B = H
    (5, 3, 5, 4, 2),  # T = I
    (6, 3, 5, 4, 4),  # H = O
    (4, 4, 4, 4, 4),
    (1, 3, 5, 4, 2),
    (7, 1, 5, 4, 2),
    (7, 3, 1, 4, 2),
    (7, 3, 5, 1, 2),
    (7, 3, 5, 4, 1),
    (1, 1, 1, 1, 1),
    (2, 3, 5, 4, 2),
    (33, 17, 9, 13, 3),  # no multiple of a vector width or of an unrolled loop
    (10, 5, 64, 33, 10),
    (5, 2, 3, 65, 2),
    (3, 515, 3, 4, 2),  # a batch beyond 512
    (3, 1027, 2, 3, 2),
    # One beyond a block of 16, 32 or 128, in each size; and whole blocks.
    (3, 2, 17, 4, 33),
    (3, 2, 33, 17, 2),
    (3, 2, 131, 4, 2),
    (3, 2, 3, 131, 2),
    (4, 32, 16, 16, 16),
    (130, 2, 3, 4, 2),
)
BEYOND_65536 = Case(257, 256, 3, 4, weights="contractive")  # B·T does not fit 16 bits
LONG = ((1000, 2, 3, 8, 2), (1030, 2, 5, 32, 2))
CONTRACTIVE = ((7, 3, 5, 4, 2), (50, 3, 5, 16, 2), (20, 4, 4, 4, 4), (1, 3, 5, 4, 2))
EXTREME = (5, 3, 4, 28, 2)
SPECIAL = (5, 3, 4, 6, 2)
MODERATE = (3, 2048, 16, 16, 2)  # some 1e5 states, for their statistics
MODERATE_SINGLE = (1024, 1, 16, 16, 2)  # fewer, since they come one by one
HALF = ((7, 3, 3, 2, 2), (6, 4, 3, 3, 1))  # few bits: bounds are small for short sums alone
UNSET = (3, 64, 3, 33, 2)  # a state large enough for memory that nobody cleared

H0S: tuple[H0, ...] = ("none", "zeros", "nonzero")


def catalogue(seed: int = 0, *, h_0: bool = True) -> tuple[Case, ...]:
    """Every case, in the order in which it is judged; no two have the same id.

    Args:
        h_0: whether an initial state can be given. If not, every case omits it.
    """
    cases = _cases() if h_0 else (replace(case, h_0="none") for case in _cases())
    return tuple(replace(case, seed=seed) for case in dict.fromkeys(cases))


def _cases() -> Iterator[Case]:
    for dtype, layout, h_0 in product(DTYPES, LAYOUTS, H0S):
        for weights in ("normal", "initial"):
            yield _case(MAIN, dtype, layout, h_0, weights)
        for sizes in CONTRACTIVE:
            yield _case(sizes, dtype, layout, h_0, "contractive")
    for dtype, layout, sizes in product(DTYPES, LAYOUTS, SIZES):
        # Many inputs of normal weights would saturate every state; a single state may be by chance.
        mild = max(sizes[2:]) > 100 or max(sizes) == 1
        yield _case(sizes, dtype, layout, "nonzero", "contractive" if mild else "normal")
    for dtype, layout in product(DTYPES, LAYOUTS):
        yield _case(EXTREME, dtype, layout, "nonzero", "extreme")
        yield _case(SPECIAL, dtype, layout, "nonzero", "special")
        yield _case(UNSET, dtype, layout, "none", "normal")
        many = MODERATE_SINGLE if layout == "single" else MODERATE
        yield _case(many, dtype, layout, "nonzero", "moderate")
    for dtype, sizes in product(DTYPES, LONG):
        yield _case(sizes, dtype, "time_first", "nonzero", "normal")
        yield _case(sizes, dtype, "single", "none", "initial")
    for dtype, layout, h_0 in product(HALF_DTYPES, LAYOUTS, H0S):
        for sizes in HALF:
            yield _case(sizes, dtype, layout, h_0, "moderate")
    for dtype in DTYPES:
        yield replace(BEYOND_65536, dtype=dtype)


def _case(
    sizes: tuple[int, int, int, int, int], dtype: Dtype, layout: Layout, h_0: H0, weights: Weights
) -> Case:
    T, B, I, H, O = sizes
    return Case(T, 1 if layout == "single" else B, I, H, O, dtype, layout, h_0, weights)
