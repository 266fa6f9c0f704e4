"""RNN cell with one weight matrix for [h, x] and one bias, and a loop over time around it."""

import numpy as np


class RNNCell:
    def __init__(self, input_dim, hidden_dim):
        scale = np.sqrt(1.0 / (hidden_dim + input_dim))
        self.hidden_dim = hidden_dim
        self.W = np.random.uniform(-scale, scale, (hidden_dim, hidden_dim + input_dim))
        self.b = np.zeros(hidden_dim)

    def __call__(self, x, h):
        hx = np.concatenate([h, x], axis=-1)
        return np.tanh(hx @ self.W.T + self.b)


class RNN:
    def __init__(self, input_dim, hidden_dim, output_dim):
        scale = np.sqrt(1.0 / hidden_dim)
        self.cell = RNNCell(input_dim, hidden_dim)
        self.V = np.random.uniform(-scale, scale, (output_dim, hidden_dim))
        self.c = np.zeros(output_dim)

    def forward(self, x):
        """x: (batch, time, input_dim)"""
        batch, time, _ = x.shape
        h = np.zeros((batch, self.cell.hidden_dim))
        hs = []
        for t in range(time):
            h = self.cell(x[:, t, :], h)
            hs.append(h)
        hs = np.stack(hs, axis=1)
        return hs @ self.V.T + self.c, hs
