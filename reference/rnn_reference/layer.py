"""A stack of Elman layers, in one direction or both: the semantics of `torch.nn.RNN`."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from rnn_reference.recurrence import NONLINEARITIES, recurrence, side_by_side
from rnn_reference.validation import (
    Array,
    Mask,
    brief,
    finite_blocks,
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
from rnn_reference.weights import LayerSizes, fitting, layer_weight_shapes, validate_layer_weights

Indices = npt.NDArray[np.integer]


class Batch(NamedTuple):
    """Sequences in time-major layout, all of them with a length."""

    inputs: Array  # (T, B, I), 0 in the padding; the caller's memory, or a copy
    h_0: Array  # (L*D, B, H), likewise
    lengths: npt.NDArray[np.intp]  # (B,)
    padding: Mask | None  # (T, B), True where a sequence has ended; None: nowhere
    check_block: Callable[[Array], None] | None  # refuses inputs not yet known to be finite


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
        self.nonlinearity: Final = one_of("nonlinearity", nonlinearity, NONLINEARITIES)
        self.batch_first: Final = flag("batch_first", batch_first)
        self.dropout: Final = probability("dropout", dropout)
        self.dtype: Final = validate_dtype(dtype)
        self._sizes: Final = LayerSizes(
            self.input_size, self.hidden_size, self.num_layers, self.bias, self.bidirectional
        )
        self._shapes: Final = layer_weight_shapes(self._sizes)
        generator, limit = generator_of(rng), self.hidden_size**-0.5
        self._hold(
            {
                name: generator.uniform(-limit, limit, shape).astype(self.dtype)
                for name, shape in self._shapes.items()
            }
        )

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
        self._hold(fitting(weights, self._shapes, self.dtype))

    def _hold(self, weights: Mapping[str, Array]) -> None:
        """Copy these, and side by side those that a step of a layer and direction reads."""
        self._weights = {name: array.copy() for name, array in weights.items()}
        self._cells, none = {}, np.zeros(self.hidden_size, self.dtype)
        for k, direction in product(range(self.num_layers), self._sizes.directions):
            suffix = f"l{k}{direction}"
            self._cells[k, direction] = side_by_side(
                weights[f"weight_hh_{suffix}"],
                weights[f"weight_ih_{suffix}"],
                weights.get(f"bias_ih_{suffix}", none)[:, np.newaxis],
                weights.get(f"bias_hh_{suffix}", none)[:, np.newaxis],
            )

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
        lengths: Indices | None = None,
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
        directions = self._sizes.directions
        given = self._batch(inputs, h_0, lengths)
        generator = self._dropout_generator(training, rng)
        x, rows = given.inputs, np.arange(len(given.lengths))
        h_n = np.empty(given.h_0.shape, self.dtype)
        for k in range(self.num_layers):
            if k > 0 and generator is not None:
                x = dropped(x, self.dropout, generator)
            y = []
            for slot, direction in enumerate(directions, start=k * len(directions)):
                read = turned(x, given.lengths) if direction else x
                check_block = None if slot else given.check_block
                start, cell = given.h_0[slot], self._cells[k, direction]
                states, _ = recurrence(read, start, cell, self.nonlinearity, check_block)
                h_n[slot] = states[given.lengths, rows]
                y.append(turned(states[1:], given.lengths) if direction else states[1:])
            x = np.concatenate(y, axis=2) if len(y) > 1 else y[0]
            if given.padding is not None:
                x[given.padding] = 0
        if inputs.ndim == 2:
            return x[:, 0], h_n[:, 0]
        return (np.ascontiguousarray(x.swapaxes(0, 1)) if self.batch_first else x), h_n

    def _batch(self, inputs: Array, h_0: Array | None, lengths: Indices | None) -> Batch:
        """The arguments of `forward` as a batch; raises what it documents."""
        I = self.input_size
        axes = {3: "batch_size, T" if self.batch_first else "T, batch_size", 2: "T"}
        validate_inputs(inputs, axes, I, self.dtype)
        one_sequence = inputs.ndim == 2
        if one_sequence and lengths is not None:
            raise ValueError(
                f"lengths: expected None for one sequence (T, {I}), got {brief(lengths)}"
            )
        batch_major = self.batch_first and not one_sequence
        x = inputs[:, np.newaxis] if one_sequence else inputs
        x = x.swapaxes(0, 1) if batch_major else x
        steps, batch_size, _ = x.shape
        ends = validate_lengths(lengths, batch_size, steps)
        padding: Mask | None = None
        check_block: Callable[[Array], None] | None = finite_blocks("inputs", inputs)
        if (ends < steps).any():
            padding = np.arange(steps)[:, np.newaxis] >= ends
            validate_finite("inputs", inputs, padding.T if batch_major else padding)
            x = x.copy()
            x[padding] = 0
            check_block = None

        slots, H = self.num_layers * len(self._sizes.directions), self.hidden_size
        shape = (slots, H) if one_sequence else (slots, batch_size, H)
        h = np.zeros(shape, self.dtype)
        if h_0 is not None:
            h = validate_array("h_0", h_0, shape, self.dtype)
        return Batch(x, h.reshape(slots, batch_size, H), ends, padding, check_block)

    def _dropout_generator(
        self, training: bool, rng: np.random.Generator | int | None
    ) -> np.random.Generator | None:
        """What decides which outputs are dropped; None where none can be."""
        needed = flag("training", training) and self.dropout > 0 and self.num_layers > 1
        if rng is None and not needed:
            return None
        generator = generator_of(rng)  # refuses None
        return generator if needed else None


def turned(x: Array, lengths: npt.NDArray[np.intp]) -> Array:
    """Every sequence of x (T, B, …) from its own last step to its first, then the padding."""
    t, rows = np.arange(len(x))[:, np.newaxis], np.arange(len(lengths))
    step: npt.NDArray[np.intp] = lengths - 1 - t  # below 0 it counts from the end: the padding
    return x[step, rows]


def dropped(x: Array, share: float, generator: np.random.Generator) -> Array:
    """x, each entry either 0, with probability `share`, or multiplied by 1 / (1 - share)."""
    kept = generator.random(x.shape) >= share
    return np.where(kept, x / (1 - share), 0) if share < 1 else np.zeros_like(x)
