"""Forward pass of an RNN over a time series of shape (T, I), as one function with a named tuple for a result."""

from typing import NamedTuple

import numpy as np


class RNNResult(NamedTuple):
    outputs: np.ndarray  # (T, O)
    hidden: np.ndarray  # (T, H)
    last: np.ndarray  # (H,)


def init_params(n_in, n_hidden, n_out, seed=42):
    rng = np.random.default_rng(seed)
    return {
        "W_in": rng.normal(0, 1 / np.sqrt(n_in), (n_hidden, n_in)),
        "b_in": np.zeros(n_hidden),
        "W_rec": rng.normal(0, 1 / np.sqrt(n_hidden), (n_hidden, n_hidden)),
        "b_rec": np.zeros(n_hidden),
        "W_out": rng.normal(0, 1 / np.sqrt(n_hidden), (n_out, n_hidden)),
        "b_out": np.zeros(n_out),
    }


def rnn_forward(series, params, h0=None):
    n_steps = series.shape[0]
    n_hidden = params["W_rec"].shape[0]
    hidden = np.zeros((n_steps, n_hidden))
    outputs = np.zeros((n_steps, params["W_out"].shape[0]))
    h = np.zeros(n_hidden) if h0 is None else h0
    for t in range(n_steps):
        from_input = params["W_in"].dot(series[t]) + params["b_in"]
        from_past = params["W_rec"].dot(h) + params["b_rec"]
        h = np.tanh(from_input + from_past)
        hidden[t] = h
        outputs[t] = params["W_out"].dot(h) + params["b_out"]
    return RNNResult(outputs, hidden, h)
