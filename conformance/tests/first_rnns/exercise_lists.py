"""Course exercise: a vanilla RNN whose forward pass returns lists of outputs and hidden states."""

import math

import numpy as np


class VanillaRNN:
    """h_t = tanh(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh), y_t = W_ho h_t + b_ho"""

    def __init__(self, input_size, hidden_size, output_size, seed=0):
        rng = np.random.default_rng(seed)
        k = 1 / math.sqrt(hidden_size)
        self.hidden_size = hidden_size
        self.W_xh = rng.uniform(-k, k, (hidden_size, input_size))
        self.b_xh = rng.uniform(-k, k, hidden_size)
        self.W_hh = rng.uniform(-k, k, (hidden_size, hidden_size))
        self.b_hh = rng.uniform(-k, k, hidden_size)
        self.W_ho = rng.uniform(-k, k, (output_size, hidden_size))
        self.b_ho = rng.uniform(-k, k, output_size)

    def step(self, x, h):
        return np.tanh(self.W_xh @ x + self.b_xh + self.W_hh @ h + self.b_hh)

    def forward(self, inputs, h=None):
        if h is None:
            h = np.zeros(self.hidden_size)
        outputs, hidden_states = [], []
        for x in inputs:
            h = self.step(x, h)
            hidden_states.append(h)
            outputs.append(self.W_ho @ h + self.b_ho)
        return outputs, hidden_states
