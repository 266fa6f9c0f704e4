"""Where steps and sequences stand in what a stack is given and gives; its loops have (T, B, …)."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rnn_reference.validation import Array, validate_finite


class Layout(NamedTuple):
    """One sequence (T, …) with states (L*D, H), or a batch with states (L*D, batch_size, H).

    A batch is (T, batch_size, …), or (batch_size, T, …) where batch_first.
    """

    one_sequence: bool
    batch_first: bool

    def time_first(self, given: Array) -> Array:
        """A view (T, B, …)."""
        if self.one_sequence:
            return given[:, np.newaxis]
        return given.swapaxes(0, 1) if self.batch_first else given

    def as_given(self, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A view of x (T, B, …) in this layout."""
        if self.one_sequence:
            return x[:, 0]
        return x.swapaxes(0, 1) if self.batch_first else x

    def state_as_given(self, part: Array) -> Array:
        """A view of a part of states (L*D, B, H)."""
        return part[:, 0] if self.one_sequence else part

    def read(self, name: str, given: Array, lengths: npt.NDArray[np.integer]) -> Array:
        """A copy (T, B, …), 0 in the padding, once all other numbers are finite."""
        x = self.time_first(given).copy(order="C")  # BLAS sums in another order in other strides
        padding = np.arange(len(x))[:, np.newaxis] >= lengths
        validate_finite(name, given, self.as_given(padding))
        x[padding] = 0
        return x
