"""What passes between the suite and an implementation: a call, an answer, what is claimed."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, get_args, runtime_checkable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
Lengths = npt.NDArray[np.int64]
Layout = Literal["single", "time_first", "batch_first"]
Dtype = Literal["float32", "float64", "float16", "bfloat16"]
Nonlinearity = Literal["tanh", "relu"]

LAYOUTS: tuple[Layout, ...] = get_args(Layout)
DTYPES: tuple[Dtype, ...] = ("float32", "float64")
HALF_DTYPES: tuple[Dtype, ...] = ("float16", "bfloat16")
NONLINEARITIES: tuple[Nonlinearity, ...] = get_args(Nonlinearity)
# Of each cell: the rows of a weight for one hidden unit.
# The gates of a weight in the order of its rows, as torch has them.
GATED = {"lstm": "ifgo", "gru": "rzn", "gru_reset_before": "rzn"}
GATES: dict[str, int] = dict.fromkeys(NONLINEARITIES, 1) | {c: len(g) for c, g in GATED.items()}
# Of each cell: the parts of its state. The first shows at every step, the others at the end alone.
PARTS: dict[str, tuple[str, ...]] = dict.fromkeys(GATES, ("h",)) | {"lstm": ("h", "c")}
OPTIONS = (
    "layers", "bidirectional", "reverse", "no_bias", "lengths", "dropout", "h_0", "h_n",
    "readout",
)  # fmt: skip

# What can be claimed, and what a plain function or class is taken to claim.
FEATURES = frozenset((*DTYPES, *HALF_DTYPES, *LAYOUTS, *NONLINEARITIES, *OPTIONS))
# What is claimed beside them, as a gated cell is: those who subtract from FEATURES lack it.
GRADIENTS = "gradients"
BASIC = frozenset((*DTYPES, "time_first", "tanh", "h_0", "h_n", "readout"))
ONE_OF: Mapping[str, Collection[str]] = {"layout": LAYOUTS, "dtype": get_args(Dtype), "cell": GATES}


@dataclass(frozen=True)
class Options:
    """The constructor's arguments, under the names of `torch.nn.RNN`.

    Attributes:
        cell: one of `GATES`; that of a plain RNN has the name of its nonlinearity.
        output_size: of the readout y_t = W_ho h_t + b_ho of the last layer; 0 for no readout.
        reverse: whether the only direction reads from the last step to the first, which torch
            lacks; never beside `bidirectional`, and only asked of those who claim it.
    """

    input_size: int
    hidden_size: int
    num_layers: int = 1
    cell: str = "tanh"
    bias: bool = True
    bidirectional: bool = False
    dropout: float = 0.0
    output_size: int = 0
    reverse: bool = False

    @property
    def nonlinearity(self) -> str:
        """That of a plain RNN: "tanh" or "relu"."""
        return self.cell

    @property
    def arguments(self) -> dict[str, Any]:
        """All by their names in torch: that of a plain RNN's cell is `nonlinearity`.

        `reverse`, which torch lacks, is there only where it is asked for.
        """
        name = "nonlinearity" if self.cell in NONLINEARITIES else "cell"
        given = {name if field == "cell" else field: value for field, value in vars(self).items()}
        return given if self.reverse else {n: v for n, v in given.items() if n != "reverse"}

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def ways(self) -> tuple[int, ...]:
        """How each direction reads: 0 from the first step on, 1 from the last real step back."""
        return (0, 1) if self.bidirectional else (int(self.reverse),)

    @property
    def parts(self) -> tuple[str, ...]:
        """Those of the state, such as ("h", "c")."""
        return PARTS[self.cell]

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every weight by name, such as weight_ih_l0, bias_hh_l1_reverse and W_ho.

        The names of an only direction are the same, whichever way it reads.
        """
        H, D, G = self.hidden_size, self.directions, GATES[self.cell]
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(self.num_layers):
            for suffix in ("", "_reverse")[:D]:
                end = f"l{layer}{suffix}"
                shapes[f"weight_ih_{end}"] = (G * H, self.input_size if layer == 0 else D * H)
                shapes[f"weight_hh_{end}"] = (G * H, H)
                if self.bias:
                    shapes[f"bias_ih_{end}"] = shapes[f"bias_hh_{end}"] = (G * H,)
        if self.output_size:
            shapes["W_ho"], shapes["b_ho"] = (self.output_size, D * H), (self.output_size,)
        return shapes


@dataclass(frozen=True)
class Upstream:
    """How a loss changes with each result, dL/d of it; None where the loss does not see it.

    Attributes:
        output, h_n, c_n: shaped as these of an `Answer`. What stands in the padding of `output`
            counts for nothing, as the output is 0 there whatever goes in.
    """

    output: Array | None = None
    h_n: Array | None = None
    c_n: Array | None = None

    def each(self, change: Callable[[Array], Array]) -> "Upstream":
        """Each part that is given, changed."""
        return Upstream(*(None if part is None else change(part) for part in vars(self).values()))


@dataclass(frozen=True)
class Call:
    """What an implementation is given. Every array is a copy of its own.

    Attributes:
        weights: by name, in the shapes of `Options.weight_shapes`.
        inputs: (T, I) in the layout "single", (T, B, I) in "time_first", (B, T, I) in
            "batch_first".
        h_0: None where it is omitted, else (L·D, B, H), or (L·D, H) in "single": for each layer the
            forward direction, then the reverse.
        c_0: likewise, of a cell whose state has this part; given where h_0 is.
        lengths: (B,), how many steps of each row are real; None where all are. What stands beyond
            is padding.
        training: whether dropout is on; it is off in evaluation.
        bfloat16: whether the arrays hold numbers of bfloat16, which NumPy lacks, as float32, and
            the answer is to hold such numbers too.
        upstream: where gradients are asked for, those of the results; else None.
        of_weights: whether the gradients of the weights alone are asked for, as of the first layer
            of a model: inputs and states want none. An answer may hold theirs all the same.
    """

    options: Options
    weights: Mapping[str, Array]
    inputs: Array
    h_0: Array | None
    lengths: Lengths | None
    layout: Layout
    training: bool = False
    bfloat16: bool = False
    c_0: Array | None = None
    upstream: Upstream | None = None
    of_weights: bool = False

    @property
    def state(self) -> dict[str, Array]:
        """The parts of the initial state that are given: h_0, and c_0."""
        given = {"h_0": self.h_0, "c_0": self.c_0}
        return {name: part for name, part in given.items() if part is not None}

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of every array, and of the answer's."""
        return self.inputs.dtype


@dataclass(frozen=True)
class Answer:
    """What an implementation gives back, in the dtype of the call.

    Attributes:
        output: the states of the last layer, forward beside reverse: (T, D·H), (T, B, D·H) or
            (B, T, D·H), by layout; zero in the padding.
        h_n: the state of each layer and direction after its last real step: (L·D, B, H) or
            (L·D, H). Only those who claim "h_n" must give it, and c_n if the state has it.
        y: the readout of every step: (T, O), (T, B, O) or (B, T, O), by layout; None if there is no
            readout. Only those who claim "readout" are asked for one.
    """

    output: Array
    h_n: Array | None = None
    y: Array | None = None
    c_n: Array | None = None
    gradients: Mapping[str, Array] | None = None

    @classmethod
    def of(cls, results: Mapping[str, Array]) -> "Answer":
        """Of results by name, without gradients."""
        return cls(**results)  # type: ignore[arg-type]


@runtime_checkable
class Implementation(Protocol):
    """An RNN under test.

    Attributes:
        claims: what it does, a selection of `FEATURES`. Nothing beyond it is asked of it.
    """

    @property
    def name(self) -> str: ...

    @property
    def claims(self) -> frozenset[str]: ...

    def run(self, call: Call) -> Answer: ...


def claimed(features: Iterable[str]) -> frozenset[str]:
    """A selection of `FEATURES`, with a layout, a dtype and a cell at the least.

    Raises ValueError for anything else.
    """
    features_known = FEATURES | GATES.keys() | {GRADIENTS}
    known = ", ".join(sorted(features_known))
    if isinstance(features, str) or not all(isinstance(one, str) for one in features):
        raise ValueError(f"claims: expected a selection of {known}, got {features!r}")
    chosen = frozenset(features)
    if unknown := sorted(chosen - features_known):
        raise ValueError(f"claims: expected a selection of {known}, got {', '.join(unknown)}")
    for what, values in ONE_OF.items():
        if not chosen & {*values}:
            some = ", ".join(sorted(chosen)) or "nothing"
            raise ValueError(f"claims: expected a {what}, of {', '.join(values)}, got {some}")
    return chosen


F = TypeVar("F", bound=Callable[..., Any])


def claims(*features: str, **renamed: object) -> Callable[[F], F]:
    """Decorate a function or a class with what it does, a selection of `FEATURES`.

    Raises ValueError as `claimed` does, and TypeError for what was a claim in version 0.1.
    """
    if renamed:
        raise TypeError(
            f"claims: {', '.join(renamed)}: since 0.2.0 all claims are one list, such as "
            'claims("time_first", "float32", "tanh", "h_0", "h_n", "readout")'
        )
    chosen = claimed(features)

    def decorate(implementation: F) -> F:
        implementation.claims = chosen  # type: ignore[attr-defined]
        return implementation

    return decorate
