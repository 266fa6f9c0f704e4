"""The same recurrence over a batch of sequences, organised for speed."""

import numpy as np

from rnn_reference.model import Model
from rnn_reference.recurrence import recurrence
from rnn_reference.weights import Array, surely_finite, validate_finite, validate_kind


class BatchRNN(Model):
    """An Elman RNN over a batch of sequences of equal length. See `Model` for the weights."""

    def forward(
        self, inputs: Array, h_0: Array | None = None
    ) -> tuple[dict[int, Array], dict[int, Array]]:
        """Run the recurrence over T steps of a batch.

        Args:
            inputs: array (T, batch_size, input_size). Never written to.
            h_0: the initial states (hidden_size, batch_size), a column each; zeros where omitted.
                Never written to.

        Returns:
            step_output: time step 0 … T-1 to y_t (output_size, batch_size).
            hidden_states: time step -1 … T-1 to h_t (hidden_size, batch_size); -1 is the initial
                state.
            No two arrays overlap, but all outputs, and all states, are views of one block of
            memory each: to keep one and free the rest, copy it.

        Raises:
            ValueError: T or batch_size is 0, a wrong shape or rank, NaN or infinity.
            TypeError: another dtype than the model's, or no array at all.
        """
        _, batch_size = self._steps_and_batch_size(inputs)

        def look_over(part: Array) -> None:
            if not surely_finite(part):
                validate_finite("inputs", inputs)

        h_0_rows = self._initial_state(h_0, batch_size).T
        bias = (self.b_xh + self.b_hh)[:, 0]
        states = recurrence(inputs, h_0_rows, self.W_xh, self.W_hh, bias, "tanh", look_over)
        states = states.transpose(0, 2, 1)  # a column a sequence
        return dict(enumerate(self._outputs(states[1:]))), dict(enumerate(states, start=-1))

    def _outputs(self, states: Array) -> Array:
        """y_t (T, output_size, batch_size) of states (T, hidden_size, batch_size)."""
        outputs: Array
        if states.shape[2] == 1:  # the steps of one sequence are a batch themselves
            outputs = np.matmul(states[..., 0], self.W_ho.T)[..., np.newaxis]
        else:
            outputs = np.matmul(self.W_ho, states)
        outputs += self.b_ho
        return outputs

    def _steps_and_batch_size(self, inputs: Array) -> tuple[int, int]:
        wanted = f"an array (T, batch_size, {self.input_size})"
        if not isinstance(inputs, np.ndarray):
            raise TypeError(f"inputs: expected {wanted}, got {type(inputs).__name__}")
        if inputs.ndim != 3:
            raise ValueError(f"inputs: expected {wanted}, got shape {inputs.shape}")
        steps, batch_size, _ = inputs.shape
        if steps == 0 or batch_size == 0:
            raise ValueError(
                f"inputs: expected at least one step and one sequence, got shape {inputs.shape}"
            )
        validate_kind("inputs", inputs, (steps, batch_size, self.input_size), self.dtype)
        return steps, batch_size
