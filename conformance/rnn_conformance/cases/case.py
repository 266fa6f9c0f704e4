"""A case, named by its id, and the numbers that are made from it and the seed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Literal
from zlib import crc32

import numpy as np
import numpy.typing as npt

from rnn_conformance.cells import CELLS, Cell, alike
from rnn_conformance.cells.cell import Kind
from rnn_conformance.cells.drawing import PLAIN_FEEDBACK, drawn_readout, drawn_weights
from rnn_conformance.cells.weights import handing_on
from rnn_conformance.contract.call import (
    GRADIENTS,
    Array,
    Call,
    Dtype,
    Layout,
    Lengths,
    Options,
    Upstream,
)
from rnn_conformance.contract.conventions import NAN_IGNORED
from rnn_conformance.contract.dtypes import in_format

H0 = Literal["none", "zeros", "nonzero"]
Bias = Literal["off", "zeros", "nonzero", "ih_alone", "hh_alone"]
LengthsKind = Literal["none", "unsorted", "sorted", "equal"]
Loss = Literal["none", "all", "output", "output_zeros", "h_n", "c_n"]
PADDING = 9.75  # far from every input, so that a step that reads it shows
PLAIN, OTHER, *_ = CELLS  # what is asked where nothing else is, and another one


@dataclass(frozen=True)
class Case:
    """One problem, made anew from its id and the seed.

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
            "one_hot" and "integers" (weights as small, inputs as characters and counts give them),
            "remembering" (as contractive, with gates that keep .999 of a state),
            "marked" (an input that is 1 at one step of one row alone, for each of them, the first
            T·B, so each step's part of the gradient of weight_ih shows; of the first, nothing is
            added), "passing" (the first
            inputs are added to one pre-activation each, so that their gradients show its),
            "transparent" (one layer is as in "normal", and all others hand on what they read, so
            that each of its steps shows),
            "extreme" (a pre-activation of every magnitude from 1e-8 to 1e10, of both signs) or
            "special" (small weights; a step of zeros, inputs of 1000 and states of 500, which a
            mask or a clip would change; two equal steps, two rows that read the same; h_0 is zeros
            where c_0 goes in too), "diagonal", "identity" or "unconnected" (W_hh is a negative
            diagonal, 1 or 0; the first number of each bias is 0, and so are the inputs of the last
            step; h_0 adds up to 0, and its first row is zeros; of "unconnected" c_0 is large). All
            but contractive ones are judged step by step, so they are for one layer, but for
            transparent ones.
        O: output_size; 0 for no readout.
        drawn: whether the case is a random one.
        reverse: whether the only direction reads from the last step to the first.
        loss: which results the loss sees whose gradients are asked for: none (no gradients are),
            all, the output or a part of the final state alone; "output_zeros": the gradient of the
            final state is given, as zeros.
        dense: the layer that is not transparent, where the others are.
    """

    T: int = 7
    B: int = 4
    I: int = 5
    H: int = 3
    L: int = 1
    cell: str = PLAIN
    bias: Bias = "nonzero"
    bidirectional: bool = False
    layout: Layout = "time_first"
    h_0: H0 = "nonzero"
    lengths: LengthsKind = "none"
    dtype: Dtype = "float32"
    padding_nan: bool = False
    weights: Kind = "contractive"
    O: int = 0
    seed: int = 0
    drawn: bool = False
    reverse: bool = False
    loss: Loss = "none"
    dense: int = 0

    @cached_property
    def id(self) -> str:
        """Such as float32-T7-B4-I5-H3-L2-relu-bidirectional-unsorted-h0-batch_first."""
        parts = [self.dtype, f"T{self.T}"]
        parts += [f"B{self.B}"] * (self.layout != "single")
        parts += [f"I{self.I}", f"H{self.H}"] + [f"O{self.O}"] * (self.O > 0)
        parts += [f"L{self.L}", self.cell]
        parts += ["bidirectional"] * self.bidirectional + ["reverse"] * self.reverse
        parts += [{"off": "no_bias", "zeros": "zero_bias"}.get(self.bias, self.bias)] * (
            self.bias != "nonzero"
        )
        parts += [self.lengths] * (self.lengths != "none")
        parts += ["nan_padding"] * self.padding_nan
        parts += [{"none": "no_h0", "zeros": "zero_h0", "nonzero": "h0"}[self.h_0]]
        parts += [self.layout] * (self.layout == "batch_first")
        parts += [self.weights] * (self.weights != "contractive")
        parts += [f"dense_l{self.dense}"] * self.transparent
        parts += ["drawn"] * self.drawn
        parts += [f"loss_of_{self.loss}"] * (self.loss != "none")
        return "-".join(parts)

    @cached_property
    def options(self) -> Options:
        bias, two, back = self.bias != "off", self.bidirectional, self.reverse
        return Options(
            self.I, self.H, self.L, self.cell, bias, two, output_size=self.O, reverse=back
        )

    @property
    def transparent(self) -> bool:
        """Whether all layers but one hand on what they read."""
        return self.weights == "transparent"

    @property
    def by_step(self) -> bool:
        """Whether each step is judged from the state before it."""
        return self.L == 1 or self.transparent

    @property
    def equation(self) -> Cell:
        """What is known of the cell."""
        return CELLS[self.cell]

    @cached_property
    def features(self) -> frozenset[str]:
        """What an implementation must claim to be asked this."""
        found: set[str] = {self.dtype, self.layout, self.cell}
        found |= {"layers"} if self.L > 1 else set()
        found |= {"bidirectional"} if self.bidirectional else set()
        found |= {"reverse"} if self.reverse else set()
        found |= {"no_bias"} if self.bias == "off" else set()
        found |= {"lengths"} if self.lengths != "none" else set()
        found |= {NAN_IGNORED} if self.padding_nan else set()
        found |= {"h_0"} if self.h_0 != "none" else set()
        found |= {"readout"} if self.O else set()
        found |= {GRADIENTS} if self.loss != "none" else set()
        return frozenset(found)

    def concerns(self, clause: str) -> bool:
        """Whether the case can show a breach of a clause that a check in it holds."""
        return clause == "RNN-LEN-5" or not clause.startswith(self._not_shown)

    @cached_property
    def _not_shown(self) -> tuple[str, ...]:
        """How the clauses begin of which it cannot."""
        shows = {
            "RNN-CELL-3": self.bias == "off",
            "RNN-STATE-1": self.h_0 == "none",
            "RNN-READ": self.O > 0,
            "RNN-DIR-1": self.bidirectional,
            "RNN-DIR-2": self.bidirectional,
            "RNN-DIR-3": self.reverse,
            "RNN-LAYER": self.L > 1,
            "RNN-LAYOUT-1": self.layout == "batch_first",
            "RNN-LAYOUT-2": self.layout == "single",
            "RNN-LEN": self.lengths != "none",
        }
        return tuple(start for start, shown in shows.items() if not shown)

    @cached_property
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
        inputs: (T, B, I); beyond a row's length, padding.
        h_0: (L·D, B, S·H), the parts of the state side by side, or None where it is omitted.
        lengths: (B,), or None where every row has T steps.
        bfloat16: as in `Call`.
        upstream: as in `Call`, in the order of `inputs` and `h_0`.
    """

    options: Options
    weights: Mapping[str, Array]
    inputs: Array
    h_0: Array | None
    lengths: Lengths | None
    bfloat16: bool = False
    upstream: Upstream | None = None

    @cached_property
    def initial(self) -> Array:
        """h_0 (L·D, B, S·H), zeros where it is omitted."""
        if self.h_0 is not None:
            return self.h_0
        o = self.options
        units = len(o.parts) * o.hidden_size
        shape = (o.num_layers * o.directions, self.inputs.shape[1], units)
        return np.zeros(shape, self.inputs.dtype)

    @cached_property
    def steps(self) -> Lengths:
        """How many steps each row has, (B,)."""
        T, B, _ = self.inputs.shape
        return np.full(B, T) if self.lengths is None else self.lengths

    @cached_property
    def real(self) -> npt.NDArray[np.bool_]:
        """Which steps of which rows are no padding, (T, B, 1)."""
        steps = np.arange(len(self.inputs))[:, None, None]
        mask: npt.NDArray[np.bool_] = steps < self.steps[:, None]
        return mask

    def call(self, layout: Layout) -> Call:
        """Copies of these numbers, laid out as asked; one sequence for "single"."""
        seen = self.view(layout)
        return Call(
            seen.options,
            {name: value.copy() for name, value in seen.weights.items()},
            seen.inputs.copy(),
            None if seen.h_0 is None else seen.h_0.copy(),
            None if seen.lengths is None else seen.lengths.copy(),
            layout,
            bfloat16=seen.bfloat16,
            c_0=None if seen.c_0 is None else seen.c_0.copy(),
            upstream=None if seen.upstream is None else seen.upstream.each(np.copy),
        )

    def view(self, layout: Layout) -> Call:
        """The same, of these very numbers."""
        inputs, h_0, loss = self.inputs, self.h_0, self.upstream
        if layout == "single":
            inputs, h_0 = inputs[:, 0], None if h_0 is None else h_0[:, 0]
            loss = None if loss is None else loss.each(lambda part: part[:, 0])
        elif layout == "batch_first":
            inputs = inputs.swapaxes(0, 1)
            if loss is not None and loss.output is not None:
                loss = replace(loss, output=loss.output.swapaxes(0, 1))
        options, weights, lengths = self.options, self.weights, self.lengths
        state = [] if h_0 is None else np.split(h_0, len(options.parts), -1)
        h, c, *_ = (*state, None, None)
        return Call(
            options, weights, inputs, h, lengths, layout,
            bfloat16=self.bfloat16, c_0=c, upstream=loss,
        )  # fmt: skip


@lru_cache(maxsize=2048)
def _data(case: Case) -> Data:
    # What only changes the layout, the precision or what is left out changes none of the numbers.
    if case.layout != "time_first":
        return _data(replace(case, layout="time_first"))
    drawn = _drawn(
        replace(
            case,
            cell=alike(case.cell)[0],
            bias="nonzero" if case.bias == "off" else case.bias,
            h_0="nonzero",
            lengths="none",
            dtype="float64",
            padding_nan=False,
            drawn=False,
            reverse=False,
            loss="none",
        )
    )
    inputs, lengths = drawn.inputs.copy(), _lengths(case)
    if lengths is not None:
        beyond = np.arange(case.T)[:, None] >= lengths
        inputs[beyond] = np.nan if case.padding_nan else PADDING
    kept = case.options.weight_shapes()
    h_0 = {"none": None, "zeros": np.zeros_like(drawn.initial), "nonzero": drawn.initial}[case.h_0]
    return Data(
        case.options,
        MappingProxyType({name: _frozen(drawn.weights[name], case.dtype) for name in kept}),
        _frozen(inputs, case.dtype),
        None if h_0 is None else _frozen(h_0, case.dtype),
        lengths,
        case.dtype == "bfloat16",
        _upstream(case),
    )


def _upstream(case: Case) -> Upstream | None:
    """Of the results that the loss sees; those of a sequence's padding are PADDING."""
    if case.loss == "none":
        return None
    rng, o = np.random.default_rng([case.seed, crc32(b"upstream")]), case.options
    output = rng.standard_normal((case.T, case.B, o.directions * case.H))
    h_n, c_n = rng.standard_normal((2, case.L * o.directions, case.B, case.H))
    lengths = _lengths(case)
    if lengths is not None:
        output[np.arange(case.T)[:, None] >= lengths] = PADDING
    if case.loss == "output_zeros":
        h_n, c_n = np.zeros((2, *h_n.shape))
    with_output = case.loss in ("all", "output", "output_zeros")
    of_state = {"all": ("h_n", "c_n"), "output_zeros": ("h_n", "c_n"), "output": ()}
    states = of_state.get(case.loss, (case.loss,))
    return Upstream(
        _frozen(output, case.dtype) if with_output else None,
        _frozen(h_n, case.dtype) if "h_n" in states else None,
        _frozen(c_n, case.dtype) if "c_n" in states and "c" in o.parts else None,
    )


@lru_cache(maxsize=256)
def _drawn(case: Case) -> Data:
    """The numbers, whatever they are rounded to, and whatever of them is left out."""
    kind = {"contractive": False, "normal": True}.get(case.weights, case.weights)
    sizes = f"{case.T} {case.B} {case.I} {case.H} {case.L} {case.bidirectional} {kind}"
    rng = np.random.default_rng([case.seed, crc32(sizes.encode())])
    options = case.options
    weights = drawn_weights(options, case.weights, case.bias, rng, case.equation.remembers)
    if case.transparent:
        own = tuple(f"_l{case.dense}{way}" for way in ("", "_reverse"))
        through = handing_on(options, np.float64, case.equation.pins)
        weights |= {name: w for name, w in through.items() if not name.endswith((*own, "_ho"))}
    inputs = rng.standard_normal((case.T, case.B, case.I))
    h_0 = rng.standard_normal((case.L * options.directions, case.B, case.H * len(options.parts)))
    weights |= drawn_readout(options, case.weights, rng)
    if case.weights == "special":
        inputs[case.T // 2] = 0
        inputs[0, :, 0], inputs[-1, :, -1] = 1000, -1000
        inputs[-2], inputs[:, -1] = inputs[-1], inputs[:, 0]
        h_0[..., 0], h_0[..., -1] = 500, -500
        h_0[..., : -case.H] = 0  # where there are others, the part that shows
    if case.weights in PLAIN_FEEDBACK:
        if case.T > 1:
            inputs[-1] *= 0  # of both signs
        h_0[...] = _adding_up_to_0(h_0, len(options.parts))
        if case.weights == "unconnected":
            h_0[..., case.H :] *= 1e5
    if case.weights == "one_hot":
        inputs = np.eye(case.I)[np.abs(inputs).argmax(axis=2)]
    if case.weights == "integers":
        inputs = np.round(3 * inputs)
    if case.weights == "silent":
        inputs[: case.T // 2] = 0
        inputs[0] = -0.0
    if case.weights == "marked":
        marks = np.eye(case.T * case.B).reshape(case.T, case.B, -1)
        inputs[..., : case.T * case.B] = marks
        inputs[0, 0, case.T * case.B :] = 0
    return Data(options, weights, inputs, h_0, None)


def _adding_up_to_0(h_0: Array, parts: int) -> Array:
    """Exactly, in whatever order, and zeros in the first row of several."""
    state = np.round(64 * h_0) / 64
    state = state.reshape(*h_0.shape[:-1], parts, -1)
    found = state - state[..., ::-1]
    if h_0.shape[1] > 1:
        found[:, 0] = 0
    return found.reshape(h_0.shape)


def _lengths(case: Case) -> Lengths | None:
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
