"""Next-word model: an RNN that returns the softmax probabilities at each step and keeps its states to itself."""

import numpy as np


def softmax(z):
    z = z - np.max(z, axis=-1, keepdims=True)
    e = np.exp(z)
    return e / np.sum(e, axis=-1, keepdims=True)


class NextWordRNN:
    def __init__(self, vocab_size, hidden_size):
        self.U = np.random.randn(hidden_size, vocab_size) * 0.1
        self.W = np.random.randn(hidden_size, hidden_size) * 0.1
        self.V = np.random.randn(vocab_size, hidden_size) * 0.1
        self.b_u = np.zeros(hidden_size)
        self.b_w = np.zeros(hidden_size)
        self.c = np.zeros(vocab_size)

    def predict(self, x):
        """x: (T, vocab_size), one-hot or any other vectors"""
        T = len(x)
        probs = np.zeros((T, len(self.c)))
        s = np.zeros(len(self.W))
        for t in range(T):
            s = np.tanh(self.U @ x[t] + self.b_u + self.W @ s + self.b_w)
            probs[t] = softmax(self.V @ s + self.c)
        return probs
