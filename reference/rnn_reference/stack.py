"""Options, weights and arguments of a stack of layers: what RNN, LSTM and GRU share.

The loops are those of `through_time`, round any step of `cells`: `BatchRNN`, `BatchLSTM` and
`BatchGRU` are the fast ones.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import product
from typing import Any, ClassVar, Final, Never, Self

import numpy as np
import numpy.typing as npt

from rnn_reference.adjoints import ADJOINTS
from rnn_reference.cells import CellWeights, State, Step
from rnn_reference.gradients import BackwardResult, Gradients
from rnn_reference.layout import Layout
from rnn_reference.through_time import (
    Lengths,
    Ran,
    back_through_layers,
    dropped,
    recording,
    run_direction,
    run_layers,
)
from rnn_reference.validation import (
    Array,
    expect,
    flag,
    generator_of,
    positive,
    probability,
    validate_array,
    validate_dtype,
    validate_inputs,
    validate_kind,
    validate_lengths,
)
from rnn_reference.weights import (
    PARTS,
    LayerSizes,
    fitting,
    layer_weight_shapes,
    validate_layer_weights,
)


class Stack:
    """L layers of D directions round the step of a cell: what RNN, LSTM and GRU have in common.

    Layer 0 reads the inputs, layer k > 0 the outputs of layer k-1, which are those of its forward
    direction and then of its reverse one, [h_t, g_t]; h_t has read x_0 … x_t, g_t x_{T-1} … x_t.
    The weights of layer k, by their names in `weights`, for a cell of G gates:

        W_ih, W_hh, b_ih, b_hh    weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k}
        of the reverse direction  the same with _reverse at the end
        shapes                    (G*H, I) in layer 0, (G*H, D*H) above, (G*H, H), (G*H,), (G*H,)

    Args:
        input_size, hidden_size, num_layers: positive integers I, H and L.
        bias: False leaves all b out.
        batch_first: inputs and output are (batch_size, T, …); states are as ever.
        dropout: what share p of a layer's outputs is zeroed in training on its way to the next, the
            rest being multiplied by 1/(1-p). What the last layer gives is left alone.
        bidirectional: D is 2, not 1.
        dtype: float64 or float32; inputs and states must have it too.
        rng: a `numpy.random.Generator` or an integer seed; the weights are drawn from it, uniform
            from -1/√H to 1/√H, in float64 and then rounded to `dtype`.

    Raises:
        TypeError: a size that is no integer, an option of another kind, another dtype, an option
            that there is not, as proj_size, peepholes, clip.
        ValueError: a size below 1, dropout outside [0, 1].
    """

    gates: ClassVar[int]  # G
    parts: ClassVar[tuple[str, ...]] = ("h",)  # of a state
    own: ClassVar[tuple[str, ...]] = ()  # the options that this class alone has
    _step: Step

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: npt.DTypeLike = np.float64,
        rng: np.random.Generator | int,
        **no_option: Never,
    ) -> None:
        wanted = f"no such option of {type(self).__name__}"
        expect(not no_option, TypeError, ", ".join(no_option), wanted, no_option)
        self.input_size: Final = positive("input_size", input_size)
        self.hidden_size: Final = positive("hidden_size", hidden_size)
        self.num_layers: Final = positive("num_layers", num_layers)
        self.bias: Final = flag("bias", bias)
        self.bidirectional: Final = flag("bidirectional", bidirectional)
        self.batch_first: Final = flag("batch_first", batch_first)
        self.dropout: Final = probability("dropout", dropout)
        self.dtype: Final = validate_dtype(dtype)
        self._sizes: Final = LayerSizes(
            self.input_size, self.hidden_size, self.num_layers, self.bias, self.bidirectional
        )
        self._shapes: Final = layer_weight_shapes(self._sizes, self.gates)
        generator, limit = generator_of(rng), self.hidden_size**-0.5
        self._weights = {
            name: generator.uniform(-limit, limit, shape).astype(self.dtype)
            for name, shape in self._shapes.items()
        }

    @classmethod
    def from_weights(cls, weights: Mapping[str, Array], **options: Any) -> Self:
        """A model of these weights, which are copied; names and shapes decide all sizes, bias too.

        `options` are the others, by name. Raises what `validate_layer_weights` and the constructor
        raise.
        """
        sizes, checked = validate_layer_weights(weights, cls.gates)
        dtype = checked["weight_ih_l0"].dtype
        model = cls(**sizes._asdict(), **options, dtype=dtype, rng=0)
        model.weights = checked
        return model

    @property
    def weights(self) -> dict[str, Array]:
        """Copies of the weights by name, in torch's order. Assign a mapping to replace them all."""
        return {name: value.copy() for name, value in self._weights.items()}

    @weights.setter
    def weights(self, weights: Mapping[str, Array]) -> None:
        checked = fitting(weights, self._shapes, self.dtype)
        self._weights = {name: array.copy() for name, array in checked.items()}

    def _layers(self) -> list[list[CellWeights]]:
        """The weights by layer and direction; biases are zeros where there are none."""
        none = np.zeros(self.gates * self.hidden_size, self.dtype)
        return [
            [
                CellWeights(*(self._weights.get(f"{part}_l{k}{end}", none) for part in PARTS))
                for end in self._sizes.directions
            ]
            for k in range(self.num_layers)
        ]

    def __repr__(self) -> str:
        names = (*self._sizes._fields, *self.own, "batch_first", "dropout")
        options = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({options}, dtype={self.dtype})"

    def _direction(
        self, weights: CellWeights, x: Array, state: State, lengths: Lengths, order: range
    ) -> tuple[Array, State]:
        """What one layer gives in one direction."""
        return run_direction(self._step, weights, x, state, lengths, order)

    def _run(
        self,
        inputs: Array,
        initial: State | None,
        lengths: Lengths | None,
        training: bool,
        rng: np.random.Generator | int | None,
    ) -> tuple[Array, State]:
        """The output and the parts of the last states: `RNN.forward` says of what."""
        layout, x, start, ends = self._batch(inputs, initial, lengths)
        generator = self._dropping(training, rng)

        def between(y: Array) -> Array:
            return self._drop(y, generator)

        output, last = run_layers(self._direction, self._layers(), x, start, ends, between)
        return layout.as_given(output), tuple(map(layout.state_as_given, last))

    def _backward(
        self,
        inputs: Array,
        initial: State | None,
        d_output: Array | None,
        d_last: Sequence[Array | None],
        lengths: Lengths | None,
        training: bool,
        rng: np.random.Generator | int | None,
    ) -> BackwardResult:
        """The results of the plain loops, and gradients: `RNN.backward` says of what."""
        layout, x, start, ends = self._batch(inputs, initial, lengths)
        shape = (*inputs.shape[:-1], len(self._sizes.directions) * self.hidden_size)
        d_y = np.zeros(shape, self.dtype) if d_output is None else d_output
        d_y = layout.read("d_output", validate_kind("d_output", d_y, shape, self.dtype), ends)
        zeros = layout.state_as_given(np.zeros_like(start[0]))
        d_given = [zeros if part is None else part for part in d_last]
        d_states = self._states("d_{}_n", d_given, zeros.shape)
        generator = self._dropping(training, rng)
        ran: list[Ran] = []
        replays: list[np.random.Generator | None] = []  # copies, each to drop the same once more

        def between(y: Array) -> Array:
            replays.append(deepcopy(generator))
            return self._drop(y, generator)

        def back_between(dy: Array) -> Array:
            return self._drop(dy, replays.pop())

        loop, adjoint = recording(self._step, ran), ADJOINTS[self._step]
        output, last = run_layers(loop, self._layers(), x, start, ends, between)
        d_weights, dx, d_start = back_through_layers(adjoint, ran, d_y, d_states, back_between)

        of_last, of_start = (
            dict(zip(self.parts, map(layout.state_as_given, state), strict=True))
            for state in (last, d_start)
        )
        of_weights, of_inputs = self._by_name(d_weights), layout.as_given(dx)
        gradients = Gradients(of_weights, of_start["h"], of_inputs, of_start.get("c"))
        return BackwardResult(layout.as_given(output), of_last["h"], of_last.get("c"), gradients)

    def _by_name(self, of_cells: Sequence[CellWeights]) -> dict[str, Array]:
        """What is by layer and direction, by the names of the weights, which may have no biases."""
        slots = product(range(self.num_layers), self._sizes.directions)
        by_name = {
            f"{part}_l{k}{end}": value
            for (k, end), of_parts in zip(slots, of_cells, strict=True)
            for part, value in zip(PARTS, of_parts, strict=True)
        }
        return {name: by_name[name] for name in self._shapes}

    def _dropping(
        self, training: bool, rng: np.random.Generator | int | None
    ) -> np.random.Generator | None:
        """What decides which outputs are dropped between layers; None where none are."""
        drops = flag("training", training) and self.dropout > 0 and self.num_layers > 1
        generator = generator_of(rng) if drops or rng is not None else None
        return generator if drops else None

    def _drop(self, y: Array, generator: np.random.Generator | None) -> Array:
        """Outputs as the next layer reads them; by a replay, what dL/d of these is of them."""
        return y if generator is None else dropped(y, self.dropout, generator)

    def _batch(
        self, inputs: Array, initial: State | None, lengths: Lengths | None
    ) -> tuple[Layout, Array, State, Lengths]:
        """The layout, and x (T, B, I), 0 in the padding, parts (L*D, B, H), lengths (B,)."""
        axes = {3: "batch_size, T" if self.batch_first else "T, batch_size", 2: "T"}
        validate_inputs(inputs, axes, self.input_size, self.dtype)
        layout = Layout(inputs.ndim == 2, self.batch_first)
        right = not layout.one_sequence or lengths is None
        wanted = f"None for one sequence (T, {self.input_size})"
        expect(right, ValueError, "lengths", wanted, lengths)
        T, B, _ = layout.time_first(inputs).shape
        ends = validate_lengths(lengths, B, T)
        x = layout.read("inputs", inputs, ends)
        slots = self.num_layers * len(self._sizes.directions)
        zeros = layout.state_as_given(np.zeros((slots, B, self.hidden_size), self.dtype))
        given = (zeros,) * len(self.parts) if initial is None else initial
        return layout, x, self._states("{}_0", given, zeros.shape), ends

    def _states(self, name: str, given: Sequence[Array], shape: tuple[int, ...]) -> State:
        """Parts (L*D, B, H) of states, once each that is given has this shape and is finite."""
        for part, value in zip(self.parts, given, strict=True):
            validate_array(name.format(part), value, shape, self.dtype)
        slots, *_, H = shape
        return tuple(np.ascontiguousarray(part.reshape(slots, -1, H)) for part in given)
