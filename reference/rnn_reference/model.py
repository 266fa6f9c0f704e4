"""What both reference classes share: sizes, weights, and what they refuse."""

from collections.abc import Mapping
from typing import Final, Self, overload

import numpy as np
import numpy.typing as npt

from rnn_reference.recurrence import StepWeights, side_by_side
from rnn_reference.validation import Array, generator_of, positive, validate_array, validate_dtype
from rnn_reference.weights import fitting, validate_weights, weight_shapes


class Weight:
    """A weight as an attribute: assigned, a wrong shape or dtype is refused, a right one copied.

    What is read is the model's own array: what is written to it, the next call computes with.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, model: None, owner: type) -> Self: ...
    @overload
    def __get__(self, model: "Model", owner: type) -> Array: ...
    def __get__(self, model: "Model | None", owner: type) -> Self | Array:
        return self if model is None else model._weights[self.name]

    def __set__(self, model: "Model", value: Array) -> None:
        checked = validate_array(self.name, value, model._shapes[self.name], model.dtype)
        held = np.empty_like(model._weights[self.name])
        held[:] = checked
        model._weights[self.name] = held


class Model:
    """Sizes, dtype and the six weights of an Elman RNN with a linear readout.

    Args:
        input_size, hidden_size, output_size: positive integers I, H and O.
        dtype: float64 or float32; inputs and states must have it too.
        rng: a `numpy.random.Generator` or an integer seed; the weights are drawn from it, standard
            normal, in float64 and then rounded to `dtype`. Biases start at zero.

    Attributes:
        W_xh (H, I), b_xh (H, 1), W_hh (H, H), b_hh (H, 1), W_ho (O, H), b_ho (O, 1): the weights.
            Assign an array of the same shape and dtype to change one.

    Raises:
        TypeError: a size that is no integer, another dtype, an `rng` of another kind.
        ValueError: a size below 1, a negative seed.
    """

    W_xh = Weight()
    b_xh = Weight()
    W_hh = Weight()
    b_hh = Weight()
    W_ho = Weight()
    b_ho = Weight()

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        *,
        dtype: npt.DTypeLike = np.float64,
        rng: np.random.Generator | int,
    ) -> None:
        self.input_size: Final = positive("input_size", input_size)
        self.hidden_size: Final = positive("hidden_size", hidden_size)
        self.output_size: Final = positive("output_size", output_size)
        self.dtype: Final = validate_dtype(dtype)
        self._shapes: Final = weight_shapes(self.input_size, self.hidden_size, self.output_size)
        generator, drawn = generator_of(rng), {}
        for name, shape in self._shapes.items():
            values = generator.standard_normal(shape) if name.startswith("W") else np.zeros(shape)
            drawn[name] = values.astype(self.dtype)
        self._hold(drawn)

    @classmethod
    def from_weights(cls, weights: Mapping[str, Array]) -> Self:
        """A model of the sizes and dtype of these six weights, which are copied.

        Raises what `validate_weights` raises.
        """
        checked = validate_weights(weights)
        hidden_size, input_size = checked["W_xh"].shape
        output_size, dtype = checked["W_ho"].shape[0], checked["W_xh"].dtype
        model = cls(input_size, hidden_size, output_size, dtype=dtype, rng=0)
        model.weights = checked
        return model

    @property
    def weights(self) -> dict[str, Array]:
        """Copies of the six weights by name. Assign such a mapping to replace all of them."""
        return {name: array.copy() for name, array in self._weights.items()}

    @weights.setter
    def weights(self, weights: Mapping[str, Array]) -> None:
        self._hold(fitting(weights, self._shapes, self.dtype))

    def _hold(self, weights: Mapping[str, Array]) -> None:
        """Copy these; the four that a step reads stand side by side until one is assigned alone."""
        self._weights = {name: array.copy(order="F") for name, array in weights.items()}
        self._weights |= side_by_side(*(weights[name] for name in StepWeights._fields))._asdict()

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(input_size={self.input_size}, hidden_size={self.hidden_size}, "
            f"output_size={self.output_size}, dtype={self.dtype})"
        )

    def _initial_state(self, h_0: Array | None, columns: int) -> Array:
        """`h_0` itself, (hidden_size, columns), or zeros where it is None."""
        shape = (self.hidden_size, columns)
        if h_0 is None:
            return np.zeros(shape, self.dtype)
        return validate_array("h_0", h_0, shape, self.dtype)
