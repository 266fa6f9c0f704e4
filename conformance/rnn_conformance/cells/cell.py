"""What the suite asks of a cell: its equation in balls, and the little that depends on it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Ball, Float64, Matrix, Sum
from rnn_conformance.bounds.statistics import Statistic
from rnn_conformance.cells.adjoint import Adjoint
from rnn_conformance.contract.call import Array, Dtype

if TYPE_CHECKING:
    from rnn_conformance.cells.edits import Edit, Steps, Trials

Kind = Literal[
    "contractive", "normal", "initial", "silent", "moderate", "extreme", "special", "one_hot",
    "integers", "remembering", "marked", "passing", "transparent", "diagonal", "identity",
    "unconnected",
]  # fmt: skip
EVERYWHERE: tuple[Kind, ...] = (
    "contractive", "normal", "initial", "silent", "extreme", "special", "one_hot", "integers",
    "marked", "passing", "transparent", "diagonal", "identity", "unconnected",
)  # fmt: skip
HALF = 0.5  # of what it reads goes into a layer that hands it on
Row = list[Decimal]
Linear = Callable[[Row], Row]


class CellWeights(NamedTuple):
    """The weights of one layer and direction, or stacks of several directions.

    Attributes:
        W_ih, W_hh: (G·H, n) and (G·H, H).
        b_ih, b_hh: (G·H,), zeros where there are no biases.
    """

    W_ih: Array
    W_hh: Array
    b_ih: Array
    b_hh: Array

    @classmethod
    def of_seed_model(cls, weights: Mapping[str, Array]) -> "CellWeights":
        """From W_xh (H, I), W_hh (H, H), b_xh (H, 1) and b_hh (H, 1)."""
        W_xh, W_hh, b_xh, b_hh = (weights[name] for name in ("W_xh", "W_hh", "b_xh", "b_hh"))
        return cls(W_xh, W_hh, b_xh[:, 0], b_hh[:, 0])


class Trace(NamedTuple):
    """What the states of one layer came from: inputs (T, B, I), initial (B, S·H)."""

    weights: CellWeights
    inputs: Array
    initial: Array
    dtype: Dtype


@dataclass(frozen=True)
class Cell(ABC):
    """One step of a recurrence, and what is known of it.

    Attributes:
        name: in `Options.cell`, and as a claim.
        clause: that of its equation.
        formula: one unit of a step in NumPy, over what `operands` gives.
        kinds: of weights with which its cases are not vacuous.
        gates: G, the rows of a weight for one hidden unit.
        parts: of the state, S of them; the first shows at every step, the others at the end alone.
        odd: whether inputs, states and biases negated give states negated.
        can_rest: whether a unit can be 0 at every step, whatever it reads.
        pins: by gate, the bias that opens or shuts it so that the state is memoryless; None for the
            one gate that reads. Empty where the cell is not.
        remembers: by gate, what is added to its bias in cases of the kind "remembering".
        adjoint: a step of it backwards; None where its gradients are not judged.
    """

    name: str
    clause: str
    formula: str
    kinds: tuple[Kind, ...] = ("contractive", "one_hot", "integers", "marked", "passing")
    gates: int = 1
    parts: tuple[str, ...] = ("h",)
    odd: bool = False
    can_rest: bool = False
    pins: tuple[float | None, ...] = ()
    remembers: tuple[float, ...] = ()
    adjoint: Adjoint | None = None

    @property
    def memoryless(self) -> bool:
        """Whether without W_hh, and with its gates pinned, a state depends on the input of its own
        step alone, and is 0 where that and the bias of the gate that reads are.
        """
        return bool(self.pins)

    @property
    def loose(self) -> "Cell":
        """The same values, with bounds for any activation that is nowhere steeper than 1."""
        return self

    def step(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        """The state after a step from the whole state before it, as `after` gives it."""
        return self.after(self.read(x, W_hh, b_hh, h.split(len(self.parts))[0]), h)

    @abstractmethod
    def read(self, x: Sum, W_hh: Matrix, b_hh: Sum, h: Ball) -> Ball:
        """What a step makes of its input and of the state that shows: gates side by side, say.

        Args:
            x: W_ih x_t + b_ih, (..., rows, G·H).
            h: the part that shows of the state before it, (..., rows, H).
        """

    def after(self, read: Ball, _: Ball) -> Ball:
        """The state after a step, (..., rows, S·H): its parts side by side.

        What else `seen` needs may stand beyond them.

        Args:
            _: the whole state before it; what is read is the state where nothing is kept of that.
        """
        return read

    def seen(self, state: Ball, h: Ball) -> Ball:
        """What is known of the state after a step once the part that shows is seen, (..., rows, H).

        What does not show is as it was computed; a cell may know better from what shows.
        """
        units, radius = h.value.shape[-1], state.radius.copy()
        radius[..., :units] = h.radius
        shown = np.concatenate([h.value, state.value[..., units:]], axis=-1)
        return Ball(shown, radius, state.precision)

    def handed_on(self, h: Ball, initial: Ball) -> Ball:
        """What a layer with the weights of `handing_on` has read to give these states.

        Only of a memoryless cell.

        Args:
            h: what shows of its states, (..., T, B, H), in the order in which they are computed.
            initial: the whole state before the first, (..., B, S·H).
        """
        raise NotImplementedError(f"{self.name}: a cell without pins hands nothing on")

    @abstractmethod
    def exact(self, x: Row, of_state: Linear, before: Row) -> Row:
        """The same in decimal digits, of x = W_ih x_t + b_ih.

        Args:
            of_state: W_hh h + b_hh of any h.
            before: the whole state before the step.
        """

    @abstractmethod
    def reason(self, roundings: int) -> str:
        """Where the bound of a step comes from, without the precision."""

    def alive(self, states: Float64) -> npt.NDArray[np.bool_]:
        """The states in which an error before the activation shows."""
        return np.abs(states) < 0.99

    def statistics(self, _: Trace, __: Array) -> Iterator[Statistic]:
        """The means of the errors of states (T, B, H) that came from a trace; nothing if none is
        derived.
        """
        return iter(())

    def trials(self, _: "Sequence[Steps]", __: "Sequence[Edit] | None" = None) -> "Trials | None":
        """These steps with every edit that is known of the cell, or with some; None if none is."""
        return None

    def operands(self, w: CellWeights, unit: int, x: Array, h: Array) -> Mapping[str, Any]:
        """What the formula is of, for one unit of one layer and direction."""
        rows = np.s_[unit] if len(w.W_ih) == len(h) else np.s_[unit :: len(h)]
        return {**{name: value[rows] for name, value in w._asdict().items()}, "x": x, "h": h}


def one_earlier(states: Ball, initial: Ball) -> Ball:
    """States (..., T, B, n), each the one before: the initial one (..., B, n) first."""
    v, e = states.value, np.broadcast_to(states.radius, states.value.shape)
    first = initial.value, np.broadcast_to(initial.radius, initial.value.shape)
    value, radius = (
        np.concatenate([of[..., np.newaxis, :, :], part[..., :-1, :, :]], axis=-3)
        for of, part in zip(first, (v, e), strict=True)
    )
    return Ball(value, radius, states.precision)
