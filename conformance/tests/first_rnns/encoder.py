"""RNN encoder that reads a batch of sequences and returns only the last hidden state."""

import numpy as np


class Encoder:
    def __init__(self, input_size, hidden_size, rng=None):
        rng = rng or np.random.default_rng()
        self.W_xh = rng.standard_normal((hidden_size, input_size)) * np.sqrt(1 / input_size)
        self.W_hh = np.linalg.qr(rng.standard_normal((hidden_size, hidden_size)))[0]
        self.b_xh = np.zeros((hidden_size, 1))
        self.b_hh = np.zeros((hidden_size, 1))

    def encode(self, batch):
        """batch: (batch_size, seq_len, input_size) -> (batch_size, hidden_size)"""
        batch_size, seq_len, _ = batch.shape
        h = np.zeros((self.W_hh.shape[0], batch_size))
        for t in range(seq_len):
            h = np.tanh(self.W_xh @ batch[:, t].T + self.b_xh + self.W_hh @ h + self.b_hh)
        return h.T
