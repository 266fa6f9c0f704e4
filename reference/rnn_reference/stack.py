"""Layers, directions, lengths and dropout round the step of a cell: what RNN, LSTM and GRU share.

The loops go round any step of `cells`, and are written to be read: `BatchRNN`, `BatchLSTM` and
`BatchGRU` are the fast ones.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, Never, Self

import numpy as np
import numpy.typing as npt

from rnn_reference.cells import CellWeights, State, Step
from rnn_reference.validation import (
    Array,
    expect,
    flag,
    generator_of,
    positive,
    probability,
    validate_array,
    validate_dtype,
    validate_finite,
    validate_inputs,
    validate_lengths,
)
from rnn_reference.weights import (
    PARTS,
    LayerSizes,
    fitting,
    layer_weight_shapes,
    validate_layer_weights,
)

Lengths = npt.NDArray[np.integer]
Direction = Callable[[CellWeights, Array, State, Lengths, range], tuple[Array, State]]


def run_direction(
    step: Step, weights: CellWeights, x: Array, state: State, lengths: Lengths, order: range
) -> tuple[Array, State]:
    """The outputs (T, B, H) of one layer in one direction, 0 in the padding, and its last state.

    Args:
        x: the layer's inputs (T, B, I), finite in the padding too.
        state: the parts of the initial state, (B, H) each.
        lengths: how many steps each sequence has, (B,). At the others its state stays as it is.
        order: the time steps, 0 … T-1 or T-1 … 0.
    """
    outputs = np.empty((*x.shape[:2], state[0].shape[1]), x.dtype)
    for t in order:
        inside = (t < lengths)[:, np.newaxis]
        output, after = step(weights, x[t], state)
        outputs[t] = np.where(inside, output, 0)
        state = tuple(np.where(inside, a, b) for a, b in zip(after, state, strict=True))
    return outputs, state


def run_layers(
    run: Direction,
    layers: Sequence[Sequence[CellWeights]],
    x: Array,
    initial: State,
    lengths: Lengths,
    between: Callable[[Array], Array],
) -> tuple[Array, State]:
    """The last layer's outputs (T, B, D*H), and the last states in parts as those of `initial`.

    Args:
        run: what runs one layer in one direction, as `run_direction` does with a step.
        layers: each layer's weights in D directions, 1 or 2, the forward one first.
        x, lengths: as for one direction.
        initial: the parts of the initial states, (L*D, B, H) each.
        between: what happens to outputs on their way to the next layer.
    """
    forward = range(len(x))
    starts, last = zip(*initial, strict=True), []
    for k, directions in enumerate(layers):
        if k > 0:
            x = between(x)
        outputs = []
        for weights, order in zip(directions, (forward, forward[::-1]), strict=False):
            output, state = run(weights, x, next(starts), lengths, order)
            outputs.append(output)
            last.append(state)
        x = np.concatenate(outputs, axis=2) if len(outputs) > 1 else outputs[0]
    return x, tuple(np.stack(part) for part in zip(*last, strict=True))


def dropped(x: Array, share: float, generator: np.random.Generator) -> Array:
    """x, each entry either 0, with probability `share`, or multiplied by 1 / (1 - share)."""
    kept = generator.random(x.shape) >= share
    return np.where(kept, x / (1 - share), 0) if share < 1 else np.zeros_like(x)


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
        x, state, ends = self._batch(inputs, initial, lengths)
        drops = flag("training", training) and self.dropout > 0 and self.num_layers > 1
        generator = generator_of(rng) if drops or rng is not None else None

        def between(y: Array) -> Array:
            return dropped(y, self.dropout, generator) if drops and generator else y

        output, last = run_layers(self._direction, self._layers(), x, state, ends, between)
        if inputs.ndim == 2:
            return output[:, 0], tuple(part[:, 0] for part in last)
        return (output.swapaxes(0, 1) if self.batch_first else output), last

    def _batch(
        self, inputs: Array, initial: State | None, lengths: Lengths | None
    ) -> tuple[Array, State, Lengths]:
        """What `_run` is given: x (T, B, I), 0 in the padding, parts (L*D, B, H), lengths (B,)."""
        I, H = self.input_size, self.hidden_size
        axes = {3: "batch_size, T" if self.batch_first else "T, batch_size", 2: "T"}
        validate_inputs(inputs, axes, I, self.dtype)
        one_sequence = inputs.ndim == 2
        wanted = f"None for one sequence (T, {I})"
        expect(not one_sequence or lengths is None, ValueError, "lengths", wanted, lengths)
        batch_major = self.batch_first and not one_sequence
        x = inputs[:, np.newaxis] if one_sequence else inputs
        x = x.swapaxes(0, 1) if batch_major else x
        T, B, _ = x.shape
        ends = validate_lengths(lengths, B, T)
        padding = np.arange(T)[:, np.newaxis] >= ends
        as_given = padding[:, 0] if one_sequence else padding.T if batch_major else padding
        validate_finite("inputs", inputs, as_given)

        slots = self.num_layers * len(self._sizes.directions)
        shape = (slots, H) if one_sequence else (slots, B, H)
        given = (np.zeros(shape, self.dtype),) * len(self.parts) if initial is None else initial
        for part, value in zip(self.parts, given, strict=True):
            validate_array(f"{part}_0", value, shape, self.dtype)
        x = x.copy(order="C")  # BLAS sums in another order where strides are others
        x[padding] = 0
        return x, tuple(np.ascontiguousarray(part.reshape(slots, B, H)) for part in given), ends
