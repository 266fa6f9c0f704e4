"""Files to start from, by what a user has; each is right as it stands."""

FUNCTION = '''"""Judge it: rnn-conformance check {file}"""

import numpy as np


def my_rnn(weights, inputs, h_0):
    """Inputs (T, B, I), h_0 (B, H) or None. Call your own RNN here."""
    W_xh, W_hh, W_ho = weights["W_xh"], weights["W_hh"], weights["W_ho"]  # (H, I), (H, H), (O, H)
    b_xh, b_hh, b_ho = weights["b_xh"], weights["b_hh"], weights["b_ho"]  # columns (H, 1), (O, 1)
    h = np.zeros((inputs.shape[1], len(W_hh)), inputs.dtype) if h_0 is None else h_0
    states = []
    for x in inputs:
        h = np.tanh(x @ W_xh.T + b_xh.T + h @ W_hh.T + b_hh.T)
        states.append(h)
    states = np.stack(states)
    return {{"hidden_states": states, "h_n": h, "outputs": states @ W_ho.T + b_ho.T}}
'''
CLASS = '''"""Judge it: rnn-conformance check {file}"""

import numpy as np


class MyRNN:
    """Any names of the weights will do: they are told by their shapes."""

    def __init__(self, input_size, hidden_size, output_size):
        self.W_xh = np.random.randn(hidden_size, input_size)
        self.b_xh = np.random.randn(hidden_size)
        self.W_hh = np.random.randn(hidden_size, hidden_size)
        self.b_hh = np.random.randn(hidden_size)
        self.W_ho = np.random.randn(output_size, hidden_size)
        self.b_ho = np.random.randn(output_size)

    def forward(self, inputs, h=None):
        """Inputs (T, B, I), h (B, H) or None; outputs (T, B, O) and states (T, B, H)."""
        h = np.zeros((inputs.shape[1], len(self.W_hh)), inputs.dtype) if h is None else h
        states = []
        for x in inputs:
            h = np.tanh(x @ self.W_xh.T + self.b_xh + h @ self.W_hh.T + self.b_hh)
            states.append(h)
        states = np.stack(states)
        return states @ self.W_ho.T + self.b_ho, states
'''
LAYER = '''"""Judge it: rnn-conformance check {file}"""

import numpy as np
from rnn_conformance import Answer, Call


class MyLayer:
    """Add to the claims what yours does: relu, layers, bidirectional, lengths, dropout, ..."""

    name = "my layer"
    claims = frozenset(("time_first", "float32", "float64", "tanh", "h_0", "h_n"))

    def run(self, call: Call) -> Answer:
        """See help(Call) for all that is given, by the names of torch.nn.RNN."""
        w, x = call.weights, call.inputs  # x (T, B, I)
        if x.ndim != 3 or any(w[n].shape != s for n, s in call.options.weight_shapes().items()):
            raise ValueError("wrong sizes are to be refused")
        zeros = np.zeros((1, x.shape[1], call.options.hidden_size), x.dtype)
        h_0 = zeros if call.h_0 is None else call.h_0
        if h_0.shape != zeros.shape or x.shape[2] != call.options.input_size or not len(x):
            raise ValueError("and so are no steps")
        h, states = h_0[0], []
        for x_t in x:
            a = x_t @ w["weight_ih_l0"].T + w["bias_ih_l0"]
            h = np.tanh(a + h @ w["weight_hh_l0"].T + w["bias_hh_l0"])
            states.append(h)
        return Answer(output=np.stack(states), h_n=h[np.newaxis].copy())
'''
STARTERS = {"function": FUNCTION, "class": CLASS, "layer": LAYER}
