"""The definition of RNN, LSTM and GRU in plain NumPy: what every implementation must compute.

h_t = tanh(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh)        y_t = W_ho h_t + b_ho

`SingleSequenceRNN` is the definition, `BatchRNN` the same over a batch, `RNN` a stack of such
layers, without the readout, that has all the options of `torch.nn.RNN`. `LSTM` and `GRU` are stacks
of cells with gates, as `torch.nn.LSTM` and `torch.nn.GRU`; `cells` has their equations. `BatchLSTM`
and `BatchGRU` are the same, organised for speed. All but `SingleSequenceRNN` have `backward`, which
backpropagates a loss through time; `adjoints` has its equations.
"""

from rnn_reference.batch import BatchRNN
from rnn_reference.files import load_weights, save_weights
from rnn_reference.gated import BatchGRU, BatchLSTM
from rnn_reference.layer import GRU, LSTM, RNN
from rnn_reference.single import SingleSequenceRNN
from rnn_reference.weights import WEIGHT_NAMES, validate_weights, weight_shapes

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "WEIGHT_NAMES",
    "BatchGRU",
    "BatchLSTM",
    "BatchRNN",
    "SingleSequenceRNN",
    "load_weights",
    "save_weights",
    "validate_weights",
    "weight_shapes",
]
