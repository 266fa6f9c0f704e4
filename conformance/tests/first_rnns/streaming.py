"""A streaming RNN: a generator that takes inputs one at a time and yields the hidden state after each."""

import numpy as np


def rnn_states(stream, W_xh, W_hh, b_xh, b_hh, h=None):
    if h is None:
        h = np.zeros(W_hh.shape[0])
    for x in stream:
        h = np.tanh(W_xh @ x + b_xh + W_hh @ h + b_hh)
        yield h


def rnn_outputs(states, W_ho, b_ho):
    for h in states:
        yield W_ho @ h + b_ho


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    W_xh, W_hh, W_ho = rng.normal(size=(8, 3)), rng.normal(size=(8, 8)) / 3, rng.normal(size=(2, 8))
    stream = (rng.normal(size=3) for _ in range(5))
    for y in rnn_outputs(rnn_states(stream, W_xh, W_hh, np.zeros(8), np.zeros(8)), W_ho, np.zeros(2)):
        print(y)
