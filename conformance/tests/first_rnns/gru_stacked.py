"""GRU in NumPy with weights that can be copied from torch.nn.GRU, batch first."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class GRU:
    def __init__(self, input_size, hidden_size):
        self.hidden_size = hidden_size
        std = 1 / np.sqrt(hidden_size)
        self.weight_ih = np.random.uniform(-std, std, (3 * hidden_size, input_size))
        self.weight_hh = np.random.uniform(-std, std, (3 * hidden_size, hidden_size))
        self.bias_ih = np.random.uniform(-std, std, 3 * hidden_size)
        self.bias_hh = np.random.uniform(-std, std, 3 * hidden_size)

    def __call__(self, x, h=None):
        batch, steps, _ = x.shape
        if h is None:
            h = np.zeros((batch, self.hidden_size))
        out = np.zeros((batch, steps, self.hidden_size))
        for t in range(steps):
            gi = x[:, t] @ self.weight_ih.T + self.bias_ih
            gh = h @ self.weight_hh.T + self.bias_hh
            i_r, i_z, i_n = np.split(gi, 3, axis=1)
            h_r, h_z, h_n = np.split(gh, 3, axis=1)
            r = sigmoid(i_r + h_r)
            z = sigmoid(i_z + h_z)
            n = np.tanh(i_n + r * h_n)
            h = (1 - z) * n + z * h
            out[:, t] = h
        return out, h
