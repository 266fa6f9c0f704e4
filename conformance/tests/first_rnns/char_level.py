"""Character-level vanilla RNN in plain NumPy, after Karpathy's min-char-rnn."""

import numpy as np


class RNN:
    def __init__(self, input_size, hidden_size, output_size):
        self.hidden_size = hidden_size
        self.Wxh = np.random.randn(hidden_size, input_size) * 0.01  # input to hidden
        self.Whh = np.random.randn(hidden_size, hidden_size) * 0.01  # hidden to hidden
        self.Why = np.random.randn(output_size, hidden_size) * 0.01  # hidden to output
        self.bh = np.zeros((hidden_size, 1))
        self.by = np.zeros((output_size, 1))

    def forward(self, inputs):
        xs, hs, ys = {}, {}, {}
        hs[-1] = np.zeros((self.hidden_size, 1))
        for t in range(len(inputs)):
            xs[t] = np.asarray(inputs[t]).reshape(-1, 1)
            hs[t] = np.tanh(np.dot(self.Wxh, xs[t]) + np.dot(self.Whh, hs[t - 1]) + self.bh)
            ys[t] = np.dot(self.Why, hs[t]) + self.by
        return ys, hs


if __name__ == "__main__":
    text = "hello world"
    chars = sorted(set(text))
    rnn = RNN(len(chars), 16, len(chars))
    one_hot = np.eye(len(chars))
    ys, hs = rnn.forward([one_hot[chars.index(c)] for c in text])
    print(chars[int(np.argmax(ys[len(text) - 1]))])
