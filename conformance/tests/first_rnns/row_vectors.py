"""RNN from scratch with row vectors: minibatches (T, B, I) and weights on the right."""

import numpy as np


class RNNScratch:
    def __init__(self, num_inputs, num_hiddens, num_outputs, sigma=0.01):
        self.num_hiddens = num_hiddens
        self.W_xh = np.random.normal(0, sigma, (num_inputs, num_hiddens))
        self.b_xh = np.zeros(num_hiddens)
        self.W_hh = np.random.normal(0, sigma, (num_hiddens, num_hiddens))
        self.b_hh = np.zeros(num_hiddens)
        self.W_hq = np.random.normal(0, sigma, (num_hiddens, num_outputs))
        self.b_q = np.zeros(num_outputs)

    def forward(self, X, H=None):
        T, B, _ = X.shape
        if H is None:
            H = np.zeros((B, self.num_hiddens))
        hs = np.empty((T, B, self.num_hiddens))
        for t in range(T):
            H = np.tanh(X[t] @ self.W_xh + self.b_xh + H @ self.W_hh + self.b_hh)
            hs[t] = H
        return hs @ self.W_hq + self.b_q, hs

    __call__ = forward
