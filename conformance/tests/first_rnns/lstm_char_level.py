"""Character-level LSTM after the well-known gist: [h, x] in one matrix per gate, column vectors."""

import numpy as np


class CharLSTM:
    def __init__(self, vocab_size, hidden_size, output_size):
        z = hidden_size + vocab_size
        self.hidden_size = hidden_size
        self.Wf = np.random.randn(hidden_size, z) * 0.1
        self.bf = np.zeros((hidden_size, 1))
        self.Wi = np.random.randn(hidden_size, z) * 0.1
        self.bi = np.zeros((hidden_size, 1))
        self.Wc = np.random.randn(hidden_size, z) * 0.1
        self.bc = np.zeros((hidden_size, 1))
        self.Wo = np.random.randn(hidden_size, z) * 0.1
        self.bo = np.zeros((hidden_size, 1))
        self.Wy = np.random.randn(output_size, hidden_size) * 0.1
        self.by = np.zeros((output_size, 1))

    @staticmethod
    def sigmoid(z):
        return 1.0 / (1.0 + np.exp(-z))

    def forward(self, inputs, h_prev, c_prev):
        """inputs is a list of column vectors; returns the logits, the states and the cell states."""
        ys, hs, cs = {}, {-1: np.copy(h_prev)}, {-1: np.copy(c_prev)}
        for t in range(len(inputs)):
            z = np.vstack((hs[t - 1], inputs[t]))
            f = self.sigmoid(np.dot(self.Wf, z) + self.bf)
            i = self.sigmoid(np.dot(self.Wi, z) + self.bi)
            c_bar = np.tanh(np.dot(self.Wc, z) + self.bc)
            cs[t] = f * cs[t - 1] + i * c_bar
            o = self.sigmoid(np.dot(self.Wo, z) + self.bo)
            hs[t] = o * np.tanh(cs[t])
            ys[t] = np.dot(self.Wy, hs[t]) + self.by
        return ys, hs, cs
