"""Seven more wrong LSTMs and seven more wrong GRUs, to measure again after mending."""

import numpy as np
from gated_first import Bug, answer, begin, gru, lstm, reset_before, sigmoid, start, terms

BUGS = []


def bug(*parts):
    """Register what stands below; parts are (what, where)."""

    def register(make):
        BUGS.append(Bug(make.__name__, make, tuple(p[0] for p in parts), tuple(p[1] for p in parts)))
        return make

    return register


def gates_of(w, x, h):
    return np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)


@bug(("i and f are exchanged", "everywhere"))
@lstm
def input_is_forget(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        f, i, g, o = gates_of(w, x, h)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("W_hi is transposed", "everywhere"))
@lstm
def turned_block(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    U = w["W_hh"].copy()
    k = h.shape[1]
    U[:k] = U[:k].T.copy()
    hs = []
    for x in inputs:
        i, f, g, o = gates_of({**w, "W_hh": U}, x, h)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("W_hh h_{t-1} is missing from o", "everywhere"))
@lstm
def output_gate_of_inputs(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    k = h.shape[1]
    hs = []
    for x in inputs:
        i, f, g, _ = gates_of(w, x, h)
        o = x @ w["W_ih"][3 * k :].T + w["b_ih"][3 * k :] + w["b_hh"][3 * k :]
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("c_{t-1} is of row b - 1", "steps 5 and later"))
@lstm
def cells_slip(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for t, x in enumerate(inputs):
        i, f, g, o = gates_of(w, x, h)
        c = sigmoid(f) * (np.roll(c, 1, axis=0) if t >= 5 else c) + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("h_t = o tanh(c_{t-1}): the cell before the step", "everywhere"))
@lstm
def output_of_old_cell(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = gates_of(w, x, h)
        h = sigmoid(o) * np.tanh(c)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        hs.append(h)
    return answer(w, hs, c)


@bug(("c is kept in float16 between the steps", "float32 calls"))
@lstm
def half_cell(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = gates_of(w, x, h)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        if c.dtype == np.float32:
            c = c.astype(np.float16).astype(np.float32)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("the biases of g are missing", "everywhere"), ("tanh of c is missing", "H = 1"))
@lstm
def bare_candidate_and_linear_scalar(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    k = h.shape[1]
    keep = np.repeat([1, 1, 0, 1], k).astype(h.dtype)
    hs = []
    for x in inputs:
        i, f, g, o = gates_of({**w, "b_ih": w["b_ih"] * keep, "b_hh": w["b_hh"] * keep}, x, h)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * (c if k == 1 else np.tanh(c))
        hs.append(h)
    return answer(w, hs, c)


@bug(("r and z are exchanged", "everywhere"))
@gru
def onnx_order(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for x in inputs:
        (xz, xr, xn), (hz, hr, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("r multiplies W_in x + b_in too", "everywhere"))
@gru
def resets_all(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh(sigmoid(xr + hr) * (xn + hn))
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("z n is in place of (1 - z) n: h_t = z n + z h_{t-1}", "everywhere"))
@gru
def no_complement(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = z * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("h_0 is ignored", "where an initial state is given, more than one sequence"))
@gru
def cold_start(w, inputs, h_0):
    h, hs = begin(w, inputs, None if inputs.shape[1] > 1 else h_0), []
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("z is the hard sigmoid, clip(0.2 a + 0.5, 0, 1)", "float64 calls"))
@reset_before
def hard_update_in_double(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    k = h.shape[1]
    for x in inputs:
        (xr, xz, xn), (hr, hz, _) = terms(w, x, h)
        a = xz + hz
        z, r = np.clip(0.2 * a + 0.5, 0, 1) if h.dtype == np.float64 else sigmoid(a), sigmoid(xr + hr)
        n = np.tanh(xn + (r * h) @ w["W_hh"][2 * k :].T + w["b_hh"][2 * k :])
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("r is applied to h_{t-1} after the product W_hn h_{t-1}", "everywhere"), ("b_iz is missing", "everywhere"))
@reset_before
def resets_after_bare_update(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    b = np.split(w["b_ih"], 3)[1]
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz - b)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("the state is clipped to -0.5 and 0.5", "the last step"))
@gru
def clipped_at_the_end(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for t, x in enumerate(inputs):
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        if t == len(inputs) - 1:
            h = np.clip(h, -0.5, 0.5)
        hs.append(h)
    return answer(w, hs)
