"""GRU in NumPy: the update gate z says how much of the state is new, as in Wikipedia and Chung et al."""

import numpy as np


class GRUNetwork:
    def __init__(self, n_x, n_h, n_y):
        self.n_h = n_h
        self.params = {}
        for gate in "zrh":
            self.params["W" + gate] = np.random.randn(n_h, n_x) * np.sqrt(1 / n_x)
            self.params["U" + gate] = np.random.randn(n_h, n_h) * np.sqrt(1 / n_h)
            self.params["b" + gate] = np.zeros((n_h, 1))
        self.params["V"] = np.random.randn(n_y, n_h) * np.sqrt(1 / n_h)
        self.params["c"] = np.zeros((n_y, 1))

    def forward(self, X, h=None):
        # X: (n_x, T), one column for each time step
        p = self.params
        sigmoid = lambda a: 1 / (1 + np.exp(-a))
        h = np.zeros((self.n_h, 1)) if h is None else h
        states, outputs = [], []
        for t in range(X.shape[1]):
            x = X[:, t : t + 1]
            z = sigmoid(p["Wz"] @ x + p["Uz"] @ h + p["bz"])
            r = sigmoid(p["Wr"] @ x + p["Ur"] @ h + p["br"])
            h_hat = np.tanh(p["Wh"] @ x + p["Uh"] @ (r * h) + p["bh"])
            h = (1 - z) * h + z * h_hat
            states.append(h)
            outputs.append(p["V"] @ h + p["c"])
        return outputs, states
