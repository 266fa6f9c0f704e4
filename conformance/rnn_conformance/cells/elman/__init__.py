"""The plain RNN: h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), f tanh or relu."""

from rnn_conformance.cells.elman.equation import RELU, TANH

__all__ = ["RELU", "TANH"]
