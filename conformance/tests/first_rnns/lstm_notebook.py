"""LSTM from the textbook equations, one sequence of shape (T, I) at a time."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class LSTM:
    def __init__(self, input_dim, hidden_dim):
        self.hidden_dim = hidden_dim
        k = 1 / np.sqrt(hidden_dim)
        # forget gate
        self.W_f = np.random.uniform(-k, k, (hidden_dim, input_dim))
        self.U_f = np.random.uniform(-k, k, (hidden_dim, hidden_dim))
        self.b_f = np.ones(hidden_dim)
        # input gate
        self.W_i = np.random.uniform(-k, k, (hidden_dim, input_dim))
        self.U_i = np.random.uniform(-k, k, (hidden_dim, hidden_dim))
        self.b_i = np.zeros(hidden_dim)
        # output gate
        self.W_o = np.random.uniform(-k, k, (hidden_dim, input_dim))
        self.U_o = np.random.uniform(-k, k, (hidden_dim, hidden_dim))
        self.b_o = np.zeros(hidden_dim)
        # candidate
        self.W_c = np.random.uniform(-k, k, (hidden_dim, input_dim))
        self.U_c = np.random.uniform(-k, k, (hidden_dim, hidden_dim))
        self.b_c = np.zeros(hidden_dim)

    def forward(self, X, h0=None, c0=None):
        h = np.zeros(self.hidden_dim) if h0 is None else h0
        c = np.zeros(self.hidden_dim) if c0 is None else c0
        hs, cs = [], []
        for x in X:
            f = sigmoid(self.W_f @ x + self.U_f @ h + self.b_f)
            i = sigmoid(self.W_i @ x + self.U_i @ h + self.b_i)
            o = sigmoid(self.W_o @ x + self.U_o @ h + self.b_o)
            c_tilde = np.tanh(self.W_c @ x + self.U_c @ h + self.b_c)
            c = f * c + i * c_tilde
            h = o * np.tanh(c)
            hs.append(h)
            cs.append(c)
        return np.array(hs), np.array(cs)
