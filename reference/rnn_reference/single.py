"""The definition: one sequence, one loop, one line an equation."""

from collections.abc import Sequence

import numpy as np

from rnn_reference.model import Model
from rnn_reference.validation import Array, expect, validate_array


class SingleSequenceRNN(Model):
    """An Elman RNN over one sequence, written as on a blackboard. See `Model` for the weights."""

    def forward(
        self, inputs: Sequence[Array] | Array, h_0: Array | None = None
    ) -> tuple[dict[int, Array], dict[int, Array]]:
        """Run the recurrence over a sequence.

        Args:
            inputs: T vectors of length input_size: an array (T, input_size), or a list of vectors
                (input_size,) or columns (input_size, 1), or of plain numbers. Never written to.
            h_0: the initial state (hidden_size, 1); zeros where omitted. Never written to.

        Returns:
            step_output: time step 0 … T-1 to y_t (output_size, 1).
            hidden_states: time step -1 … T-1 to h_t (hidden_size, 1); -1 is the initial state.
            Every array is memory of its own.

        Raises:
            ValueError: T is 0, a wrong length or shape, NaN or infinity.
            TypeError: another dtype than the model's, or no array at all.
        """
        columns = self._columns(inputs)
        hidden_states = {-1: self._initial_state(h_0, columns=1).copy()}
        step_output: dict[int, Array] = {}
        for t, x in enumerate(columns):
            h = hidden_states[t - 1]
            hidden_states[t] = np.tanh(self.W_xh @ x + self.b_xh + self.W_hh @ h + self.b_hh)
            step_output[t] = self.W_ho @ hidden_states[t] + self.b_ho
        return step_output, hidden_states

    def _columns(self, inputs: Sequence[Array] | Array) -> list[Array]:
        """The vectors of `inputs` as columns (input_size, 1)."""
        if isinstance(inputs, np.ndarray) and inputs.ndim != 2:
            raise ValueError(f"inputs: expected shape (T, {self.input_size}), got {inputs.shape}")
        if not isinstance(inputs, np.ndarray | Sequence) or isinstance(inputs, str | bytes):
            wanted = f"an array (T, {self.input_size}) or a list of T vectors"
            raise TypeError(f"inputs: expected {wanted}, got {type(inputs).__name__}")
        if len(inputs) == 0:
            raise ValueError("inputs: expected at least one time step, got none")
        return [self._column(f"inputs[{t}]", vector) for t, vector in enumerate(inputs)]

    def _column(self, name: str, vector: object) -> Array:
        if not isinstance(vector, np.ndarray):
            vector = self._numbers(name, vector)
        if vector.shape == (self.input_size, 1):
            vector = vector[:, 0]
        return validate_array(name, vector, (self.input_size,), self.dtype)[:, np.newaxis]

    def _numbers(self, name: str, vector: object) -> Array:
        """A list of plain numbers as an array of the model's dtype."""
        try:
            numbers = np.array(vector)
        except ValueError:  # lists of unequal length
            numbers = np.array(None)
        wanted = f"a vector of {self.input_size} numbers"
        expect(numbers.dtype.kind in "iuf", TypeError, name, wanted, vector)
        with np.errstate(over="ignore"):  # what is too large becomes infinity, and is refused
            return numbers.astype(self.dtype)
