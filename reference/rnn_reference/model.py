"""What both reference classes share: sizes, weights, and what they refuse.

A model's weights are arrays that anybody who was handed one can write to. What is made of them is
kept only while nobody was: see `Model._of_a_step`.
"""

from collections.abc import Mapping
from typing import Self, overload

import numpy as np
import numpy.typing as npt

from rnn_reference.arguments import generator_of, positive
from rnn_reference.recurrence import side_by_side
from rnn_reference.weights import (
    Array,
    validate_array,
    validate_dtype,
    validate_names,
    validate_weights,
    weight_shapes,
)

WEIGHTS_OF_A_STEP = ("W_hh", "W_xh", "b_xh", "b_hh")


class Weights:
    """Arrays by name, which of them were handed out, and what was made of them."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        # By columns, a product with one vector or a few is faster.
        self.arrays = {name: array.copy(order="F") for name, array in arrays.items()}
        self.handed_out: set[str] = set()
        self.of_a_step: Array | None = None


class Weight:
    """A weight as an attribute: assigned, a wrong shape or dtype is refused, a right one copied.

    The copy keeps the model independent of what the caller does to its array afterwards.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, model: None, owner: type) -> Self: ...
    @overload
    def __get__(self, model: "Model", owner: type) -> Array: ...
    def __get__(self, model: "Model | None", owner: type) -> Self | Array:
        if model is None:
            return self
        model._weights.handed_out.add(self.name)
        return model._weights.arrays[self.name]

    def __set__(self, model: "Model", value: Array) -> None:
        shape = weight_shapes(model.input_size, model.hidden_size, model.output_size)[self.name]
        checked = validate_array(self.name, value, shape, model.dtype)
        model._weights.arrays[self.name] = checked.copy(order="F")
        model._weights.handed_out.discard(self.name)
        model._weights.of_a_step = None


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
        self._input_size = positive("input_size", input_size)
        self._hidden_size = positive("hidden_size", hidden_size)
        self._output_size = positive("output_size", output_size)
        self._dtype = validate_dtype(dtype)
        generator, drawn = generator_of(rng), {}
        for name, shape in weight_shapes(input_size, hidden_size, output_size).items():
            values = generator.standard_normal(shape) if name.startswith("W") else np.zeros(shape)
            drawn[name] = values.astype(self._dtype)
        self._weights = Weights(drawn)

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
        return {name: array.copy() for name, array in self._weights.arrays.items()}

    @weights.setter
    def weights(self, weights: Mapping[str, Array]) -> None:
        shapes = weight_shapes(self.input_size, self.hidden_size, self.output_size)
        validate_names(weights)
        self._weights = Weights(
            {
                name: validate_array(name, weights[name], shape, self.dtype)
                for name, shape in shapes.items()
            }
        )

    @property
    def input_size(self) -> int:
        return self._input_size

    @property
    def hidden_size(self) -> int:
        return self._hidden_size

    @property
    def output_size(self) -> int:
        return self._output_size

    @property
    def dtype(self) -> np.dtype[np.floating]:
        return self._dtype

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(input_size={self.input_size}, hidden_size={self.hidden_size}, "
            f"output_size={self.output_size}, dtype={self.dtype})"
        )

    def _of_a_step(self) -> Array:
        """[W_hh  W_xh  b_xh  b_hh] as `recurrence` takes it."""
        kept = self._weights
        if kept.of_a_step is None or not kept.handed_out.isdisjoint(WEIGHTS_OF_A_STEP):
            kept.of_a_step = side_by_side(*(kept.arrays[name] for name in WEIGHTS_OF_A_STEP))
        return kept.of_a_step

    def _initial_state(self, h_0: Array | None, columns: int) -> Array:
        """A copy of `h_0`, (hidden_size, columns), or zeros where it is None."""
        shape = (self.hidden_size, columns)
        if h_0 is None:
            return np.zeros(shape, self.dtype)
        return validate_array("h_0", h_0, shape, self.dtype).copy()
