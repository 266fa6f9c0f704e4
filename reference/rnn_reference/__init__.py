"""The definition of an Elman RNN in plain NumPy: what every implementation must compute.

h_t = tanh(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh)        y_t = W_ho h_t + b_ho
"""

from rnn_reference.batch import BatchRNN
from rnn_reference.files import load_weights, save_weights
from rnn_reference.single import SingleSequenceRNN
from rnn_reference.weights import WEIGHT_NAMES, validate_weights, weight_shapes

__all__ = [
    "WEIGHT_NAMES",
    "BatchRNN",
    "SingleSequenceRNN",
    "load_weights",
    "save_weights",
    "validate_weights",
    "weight_shapes",
]
