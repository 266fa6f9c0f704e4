"""Stacks of layers, in one direction or both: the semantics of `torch.nn.RNN`, `LSTM` and `GRU`."""

from typing import Final, Never

import numpy as np
import numpy.typing as npt

from rnn_reference.cells import ELMAN, gru_reset_before_step, gru_step, lstm_step
from rnn_reference.gradients import BackwardResult
from rnn_reference.stack import Stack
from rnn_reference.through_time import Lengths
from rnn_reference.validation import Array, expect, flag, one_of


class OneState(Stack):
    """A stack of cells whose whole state is h, which the output shows."""

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
        initial = None if h_0 is None else (h_0,)
        output, (h_n,) = self._run(inputs, initial, lengths, training, rng)
        return output, h_n

    def backward(
        self,
        inputs: Array,
        h_0: Array | None = None,
        *,
        d_output: Array | None = None,
        d_h_n: Array | None = None,
        lengths: Lengths | None = None,
        training: bool = False,
        rng: np.random.Generator | int | None = None,
    ) -> BackwardResult:
        """Run all layers, and backpropagate a loss L through time; `adjoints` has the equations.

        Args:
            inputs, h_0, lengths, training, rng: as for `forward`.
            d_output: dL/d(output), shaped as it is; zeros where omitted. What it is in the padding,
                where the output is 0 whatever is given, is not looked at.
            d_h_n: dL/dh_n, shaped as it is; zeros where omitted.
            None of these is written to.

        Returns:
            `output` and `h_n`, bit for bit what `forward` of `RNN`, `LSTM` or `GRU` returns, with
            the same rng too; and `gradients` of L, which is summed over the batch, or whatever else
            d_output and d_h_n say: of the weights, the inputs and h_0. All memory of their own.

        Raises:
            ValueError, TypeError: as `forward`; and likewise for d_output and d_h_n.
        """
        initial = None if h_0 is None else (h_0,)
        return self._backward(inputs, initial, d_output, (d_h_n,), lengths, training, rng)


class RNN(OneState):
    """A stack of Elman layers, as `torch.nn.RNN`.

        forward    h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)    t = 0 … T-1
        reverse    g_t = f(V_ih x_t + c_ih + V_hh g_{t+1} + c_hh)    t = T-1 … 0
        output     y_t = [h_t, g_t], or h_t alone in one direction

    h_{-1} and g_T are the initial states; V and c are the weights of the reverse direction. There
    is one gate: weight_ih_l0 is (H, I).

    Args:
        nonlinearity: f, "tanh" or "relu"; a ValueError for an unknown one, TypeError for no word.
        The others are those of `Stack`.
    """

    gates = 1
    own = ("nonlinearity",)

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
        **no_option: Never,
    ) -> None:
        options = (num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(input_size, hidden_size, *options, dtype=dtype, rng=rng, **no_option)
        self.nonlinearity: Final = one_of("nonlinearity", nonlinearity, ELMAN)
        self._step = ELMAN[self.nonlinearity]


class LSTM(Stack):
    """A stack of LSTM layers, as `torch.nn.LSTM`; `lstm_step` has the equations.

    Of the state (h, c) the output shows h. Four gates i, f, g, o: weight_ih_l0 is (4*H, I), the
    first H rows for i. The arguments are those of `Stack`.
    """

    gates = 4
    parts = ("h", "c")
    _step = staticmethod(lstm_step)

    def forward(
        self,
        inputs: Array,
        hx: tuple[Array, Array] | None = None,
        *,
        lengths: Lengths | None = None,
        training: bool = False,
        rng: np.random.Generator | int | None = None,
    ) -> tuple[Array, tuple[Array, Array]]:
        """Run all layers over a batch, or over one sequence: as `RNN.forward` but for the states.

        Args:
            hx: both initial states (h_0, c_0), a tuple, each shaped and ordered as the RNN's h_0;
                zeros where omitted. A TypeError for one without the other.
            inputs, lengths, training, rng: as the RNN's.

        Returns:
            output and (h_n, c_n), each of these shaped and ordered as h_0.
        """
        output, (h_n, c_n) = self._run(inputs, _pair(hx), lengths, training, rng)
        return output, (h_n, c_n)

    def backward(
        self,
        inputs: Array,
        hx: tuple[Array, Array] | None = None,
        *,
        d_output: Array | None = None,
        d_h_n: Array | None = None,
        d_c_n: Array | None = None,
        lengths: Lengths | None = None,
        training: bool = False,
        rng: np.random.Generator | int | None = None,
    ) -> BackwardResult:
        """Run all layers, and backpropagate through time: as `RNN.backward` but for the states.

        Args:
            d_c_n: dL/dc_n, shaped as it is; zeros where omitted.
            The others are those of `forward` and the RNN's.

        Returns:
            As the RNN's, with `c_n` and the gradient of c_0 too.
        """
        d_last = d_h_n, d_c_n
        return self._backward(inputs, _pair(hx), d_output, d_last, lengths, training, rng)


def _pair(hx: tuple[Array, Array] | None) -> tuple[Array, Array] | None:
    """`hx` itself, once it is a tuple of two or None."""
    right = hx is None or (isinstance(hx, tuple) and len(hx) == 2)
    expect(right, TypeError, "hx", "a tuple (h_0, c_0) or None", hx)
    return hx


class GRU(OneState):
    """A stack of GRU layers, as `torch.nn.GRU`; `gru_step` has the equations.

    Three gates r, z, n: weight_ih_l0 is (3*H, I), the first H rows for r.

    Args:
        reset_after: whether r multiplies W_hn h_{t-1} + b_hn, as in torch, or where False h_{t-1}
            itself: see `gru_reset_before_step`.
        The others are those of `Stack`.
    """

    gates = 3
    own = ("reset_after",)

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
        reset_after: bool = True,
        dtype: npt.DTypeLike = np.float64,
        rng: np.random.Generator | int,
        **no_option: Never,
    ) -> None:
        options = (num_layers, bias, batch_first, dropout, bidirectional)
        super().__init__(input_size, hidden_size, *options, dtype=dtype, rng=rng, **no_option)
        self.reset_after: Final = flag("reset_after", reset_after)
        self._step = gru_step if self.reset_after else gru_reset_before_step
