"""A stack of Elman layers, in one direction or both: the semantics of `torch.nn.RNN`.

The loops go round any step of `cells`, and are written to be read: `BatchRNN` is the fast one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from rnn_reference.cells import ELMAN, CellWeights, State, Step
from rnn_reference.validation import (
    Array,
    expect,
    flag,
    generator_of,
    one_of,
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


def run_direction(
    step: Step, weights: CellWeights, x: Array, state: State, lengths: Lengths, order: Iterable[int]
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
    step: Step,
    layers: Sequence[Sequence[CellWeights]],
    x: Array,
    initial: State,
    lengths: Lengths,
    between: Callable[[Array], Array],
) -> tuple[Array, State]:
    """The last layer's outputs (T, B, D*H), and the last states in parts as those of `initial`.

    Args:
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
        for weights, order in zip(directions, (forward, reversed(forward)), strict=False):
            output, state = run_direction(step, weights, x, next(starts), lengths, order)
            outputs.append(output)
            last.append(state)
        x = np.concatenate(outputs, axis=2)
    return x, tuple(np.stack(part) for part in zip(*last, strict=True))


def dropped(x: Array, share: float, generator: np.random.Generator) -> Array:
    """x, each entry either 0, with probability `share`, or multiplied by 1 / (1 - share)."""
    kept = generator.random(x.shape) >= share
    return np.where(kept, x / (1 - share), 0) if share < 1 else np.zeros_like(x)


class RNN:
    """L layers of D directions: layer k reads x_0 … x_{T-1} and gives y_0 … y_{T-1}.

        forward    h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)    t = 0 … T-1
        reverse    g_t = f(V_ih x_t + c_ih + V_hh g_{t+1} + c_hh)    t = T-1 … 0
        output     y_t = [h_t, g_t], or h_t alone in one direction

    Layer 0 reads the inputs, layer k > 0 the outputs of layer k-1. h_{-1} and g_T are the initial
    states. g_t has read x_{T-1} … x_t. The weights of layer k, by their names in `weights`:

        W_ih, W_hh, b_ih, b_hh    weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k}
        V_ih, V_hh, c_ih, c_hh    the same with _reverse at the end
        shapes                    (H, I) in layer 0 and (H, D*H) above, (H, H), (H,), (H,)

    Args:
        input_size, hidden_size, num_layers: positive integers I, H and L.
        nonlinearity: f, "tanh" or "relu".
        bias: False leaves all b and c out.
        batch_first: inputs and output are (batch_size, T, …); states are as ever.
        dropout: what share p of y is zeroed in training on its way from a layer to the next, the
            rest being multiplied by 1/(1-p). What the last layer gives is left alone.
        bidirectional: D is 2, not 1.
        dtype: float64 or float32; inputs and states must have it too.
        rng: a `numpy.random.Generator` or an integer seed; the weights are drawn from it, uniform
            from -1/√H to 1/√H, in float64 and then rounded to `dtype`.

    Raises:
        TypeError: a size that is no integer, an option of another kind, another dtype.
        ValueError: a size below 1, an unknown nonlinearity, dropout outside [0, 1].
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: npt.DTypeLike = np.float64,
        rng: np.random.Generator | int,
    ) -> None:
        self.input_size: Final = positive("input_size", input_size)
        self.hidden_size: Final = positive("hidden_size", hidden_size)
        self.num_layers: Final = positive("num_layers", num_layers)
        self.bias: Final = flag("bias", bias)
        self.bidirectional: Final = flag("bidirectional", bidirectional)
        self.nonlinearity: Final = one_of("nonlinearity", nonlinearity, ELMAN)
        self.batch_first: Final = flag("batch_first", batch_first)
        self.dropout: Final = probability("dropout", dropout)
        self.dtype: Final = validate_dtype(dtype)
        self._sizes: Final = LayerSizes(
            self.input_size, self.hidden_size, self.num_layers, self.bias, self.bidirectional
        )
        self._shapes: Final = layer_weight_shapes(self._sizes)
        generator, limit = generator_of(rng), self.hidden_size**-0.5
        self._weights = {
            name: generator.uniform(-limit, limit, shape).astype(self.dtype)
            for name, shape in self._shapes.items()
        }

    @classmethod
    def from_weights(
        cls,
        weights: Mapping[str, Array],
        *,
        nonlinearity: str = "tanh",
        batch_first: bool = False,
        dropout: float = 0.0,
    ) -> Self:
        """A model of these weights, which are copied; names and shapes decide all other options.

        Raises what `validate_layer_weights` and the constructor raise.
        """
        (I, H, L, bias, bidirectional), checked = validate_layer_weights(weights)
        dtype = checked["weight_ih_l0"].dtype
        options = (nonlinearity, bias, batch_first, dropout, bidirectional)
        model = cls(I, H, L, *options, dtype=dtype, rng=0)
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
        none = np.zeros(self.hidden_size, self.dtype)
        return [
            [
                CellWeights(*(self._weights.get(f"{part}_l{k}{end}", none) for part in PARTS))
                for end in self._sizes.directions
            ]
            for k in range(self.num_layers)
        ]

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self._sizes._asdict().items())
        return (
            f"{type(self).__name__}({options}, nonlinearity={self.nonlinearity!r}, "
            f"batch_first={self.batch_first}, dropout={self.dropout}, dtype={self.dtype})"
        )

    def forward(
        self,
        inputs: Array,
        h_0: Array | None = None,
        *,
        lengths: Lengths | None = None,
        training: bool = False,
        rng: np.random.Generator | int | None = None,
    ) -> tuple[Array, Array]:
        """Run all layers over a batch, or over one sequence.

        Args:
            inputs: array (T, batch_size, I), or (batch_size, T, I) where batch_first; or one
                sequence (T, I).
            h_0: the initial states (L*D, batch_size, H), for one sequence (L*D, H), in the order
                layer 0 forward, layer 0 reverse, layer 1 forward, …; zeros where omitted.
            lengths: integers (batch_size,) from 1 to T, in any order: sequence b is its first
                lengths[b] steps. It comes out as it would alone, whatever stands in its other
                steps, where its output is 0; its reverse direction starts at its own last step.
            training: whether outputs are dropped between layers.
            rng: the generator or seed that decides what is dropped; needed where something can be.
            None of these is written to.

        Returns:
            output: what the last layer gives, (T, batch_size, D*H) in the layout of the inputs, the
                forward half first.
            h_n: the state of each layer and direction once it has read its whole sequence, shaped
                and ordered as h_0.
            Both are memory of their own, which need not be contiguous.

        Raises:
            ValueError: T or batch_size is 0, a wrong shape or rank, NaN or infinity within a
                sequence, a length outside 1 … T, or any where there is one sequence.
            TypeError: another dtype than the model's, no array at all, no rng where one is needed.
        """
        x, h, ends = self._batch(inputs, h_0, lengths)
        drops = flag("training", training) and self.dropout > 0 and self.num_layers > 1
        generator = generator_of(rng) if drops or rng is not None else None

        def between(y: Array) -> Array:
            return dropped(y, self.dropout, generator) if drops and generator else y

        step = ELMAN[self.nonlinearity]
        output, (h_n,) = run_layers(step, self._layers(), x, (h,), ends, between)
        if inputs.ndim == 2:
            return output[:, 0], h_n[:, 0]
        return (output.swapaxes(0, 1) if self.batch_first else output), h_n

    def _batch(
        self, inputs: Array, h_0: Array | None, lengths: Lengths | None
    ) -> tuple[Array, Array, Lengths]:
        """What `forward` is given as x (T, B, I), 0 in the padding, h (L*D, B, H), lengths (B,)."""
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
        h = np.zeros(shape, self.dtype) if h_0 is None else h_0
        validate_array("h_0", h, shape, self.dtype)
        x = x.copy(order="C")  # BLAS sums in another order where strides are others
        x[padding] = 0
        return x, np.ascontiguousarray(h.reshape(slots, B, H)), ends
