"""Old names, until all is renamed."""

from rnn_conformance.protocol import Answer as LayerAnswer
from rnn_conformance.protocol import Call as LayerCall
from rnn_conformance.protocol import Implementation as LayerImplementation
from rnn_conformance.protocol import Lengths, Nonlinearity, Options

__all__ = ["LayerAnswer", "LayerCall", "LayerImplementation", "Lengths", "Nonlinearity", "Options"]
