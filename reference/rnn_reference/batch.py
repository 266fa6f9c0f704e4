"""The same recurrence over a batch of sequences, organised for speed."""

from collections.abc import Mapping

import numpy as np

from rnn_reference.gradients import Gradients, backpropagation
from rnn_reference.model import Model
from rnn_reference.recurrence import StepWeights, affine, recurrence, spread
from rnn_reference.validation import (
    Array,
    all_finite,
    flag,
    validate_finite,
    validate_inputs,
    validate_steps,
)

AXES = {3: "T, batch_size"}  # of inputs, before the last


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
        validate_inputs(inputs, AXES, self.input_size, self.dtype)
        start = self._initial_state(h_0, inputs.shape[1]).T
        w = self._weights
        step_weights = StepWeights(w["W_hh"], w["W_xh"], w["b_xh"], w["b_hh"])

        def check_block(block: Array) -> None:
            if not all_finite(block):
                validate_finite("inputs", inputs)

        states, each = recurrence(inputs, start, step_weights, check_block)
        return dict(enumerate(self._outputs(states[1:]))), dict(enumerate(each, start=-1))

    def backward(
        self,
        inputs: Array,
        hidden_states: Mapping[int, Array],
        output_gradients: Mapping[int, Array],
        state_gradients: Mapping[int, Array] | None = None,
        *,
        of_inputs: bool = False,
    ) -> Gradients:
        """Backpropagate a loss L through time.

        Args:
            inputs: array (T, batch_size, input_size), those that `forward` was given.
            hidden_states: time step -1 … T-1 to h_t, as `forward` returned them.
            output_gradients: time step to dL/dy_t (output_size, batch_size); a step that is left
                out counts as zeros.
            state_gradients: time step 0 … T-1 to dL/dh_t (hidden_size, batch_size), where the loss
                sees states other than through the outputs, as with T-1 for a loss on h_n; likewise.
            of_inputs: whether to compute dL/dx too.
            None of these is written to.

        Returns:
            The gradients of L in the six weights, h_0 and, if asked for, the inputs: memory of
            their own. L is summed over the batch, or whatever else `output_gradients` say.

        Raises:
            ValueError: a wrong shape or rank, an unknown or missing step, NaN or infinity.
            TypeError: another dtype than the model's, no array or no mapping at all.
        """
        validate_inputs(inputs, AXES, self.input_size, self.dtype)
        T, batch_size, _ = inputs.shape
        validate_finite("inputs", inputs)
        flag("of_inputs", of_inputs)
        state, output = (self.hidden_size, batch_size), (self.output_size, batch_size)
        validate_steps("hidden_states", hidden_states, range(-1, T), state, self.dtype, every=True)
        validate_steps("output_gradients", output_gradients, range(T), output, self.dtype)
        state_gradients = {} if state_gradients is None else state_gradients
        validate_steps("state_gradients", state_gradients, range(T), state, self.dtype)
        given = hidden_states, output_gradients, state_gradients
        with np.errstate(invalid="ignore"):  # of infinity, which is refused below
            gradients = backpropagation(self._weights, inputs, *given, of_inputs)
        # What is not finite reaches one of these, as 0 times it is NaN; or a sum has overflowed.
        if not all(all_finite(gradients.weights[name]) for name in ("W_hh", "b_xh", "b_ho")):
            names = "hidden_states", "output_gradients", "state_gradients"
            for name, arrays in zip(names, given, strict=True):
                for t, array in arrays.items():
                    validate_finite(f"{name}[{t}]", array)
        return gradients

    def _outputs(self, states: Array) -> Array:
        """y_t (T, output_size, batch_size) of states (T, batch_size, hidden_size)."""
        W_ho, b_ho = self.W_ho, self.b_ho
        if states.strides[2] == states.itemsize:  # rows
            return affine(states, W_ho.T, b_ho[:, 0]).transpose(0, 2, 1)
        outputs: Array = np.matmul(W_ho, states.transpose(0, 2, 1))
        outputs += spread(b_ho, outputs.shape[1:])
        return outputs
