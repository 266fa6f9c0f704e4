"""Twenty wrong LSTMs and twenty wrong GRUs, as ports and first implementations get them wrong."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rnn_conformance import claims

ROW = ("time_first", "float32", "float64", "h_0", "h_n", "readout")
lstm, gru, reset_before = (claims(*ROW, cell) for cell in ("lstm", "gru", "gru_reset_before"))


@dataclass(frozen=True)
class Bug:
    name: str
    make: Callable
    what: tuple[str, ...]
    where: tuple[str, ...]


BUGS = []


def bug(*parts):
    """Register what stands below; parts are (what, where)."""

    def register(make):
        BUGS.append(Bug(make.__name__, make, tuple(p[0] for p in parts), tuple(p[1] for p in parts)))
        return make

    return register


def sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))


def zeros(weights, inputs):
    return np.zeros((inputs.shape[1], weights["W_hh"].shape[1]), inputs.dtype)


def start(weights, inputs, h_0):
    return (zeros(weights, inputs), zeros(weights, inputs)) if h_0 is None else h_0


def answer(weights, hs, c=None):
    hs = np.stack(hs)
    found = {"hidden_states": hs, "h_n": hs[-1], "outputs": hs @ weights["W_ho"].T + weights["b_ho"]}
    return found if c is None else found | {"c_n": c}


# ------------------------------------------------------------------ LSTM


@bug(("W_hg and W_ho are exchanged", "everywhere, in W_hh alone"))
@lstm
def exchanged_recurrent_blocks(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    U = np.split(w["W_hh"], 4)
    U = np.concatenate([U[0], U[1], U[3], U[2]])
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ U.T + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("b_hf is missing", "everywhere"))
@lstm
def no_forget_bias(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    n = h.shape[1]
    bias = w["b_ih"] + w["b_hh"]
    bias[n : 2 * n] = w["b_ih"][n : 2 * n]
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + h @ w["W_hh"].T + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("c_0 is ignored: c starts at 0", "where an initial state is given, the first step"))
@lstm
def cell_starts_at_zero(w, inputs, h_0):
    h = start(w, inputs, h_0)[0]
    c = np.zeros_like(h)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("h_0 is used for c_0", "where an initial state is given, the first step"))
@lstm
def same_start(w, inputs, h_0):
    h = c = start(w, inputs, h_0)[0]
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("h_t = o c: the tanh of c is missing", "everywhere"))
@lstm
def linear_output(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * c
        hs.append(h)
    return answer(w, hs, c)


@bug(("the sigmoid of i, f and o is the hard one, clip(0.2 a + 0.5, 0, 1)", "everywhere"))
@lstm
def keras_1_gates(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        i, f, o = (np.clip(0.2 * a + 0.5, 0, 1) for a in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("1 is added to the bias of f", "everywhere"))
@lstm
def unit_forget_bias(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("c is clipped to -1 and 1", "everywhere, where c is larger"))
@lstm
def clipped_cell(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = np.clip(sigmoid(f) * c + sigmoid(i) * np.tanh(g), -1, 1)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("f sees c_{t-1}: a peephole of weight 1", "everywhere"))
@lstm
def peeping(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f + c) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("h_n is c_n, and c_n is h_n", "h_n and c_n, everywhere"))
@lstm
def tuple_turned(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs) | {"h_n": c, "c_n": h}


@bug(("(h_0, c_0) is read as (c_0, h_0)", "where an initial state is given, the first step"))
@lstm
def start_turned(w, inputs, h_0):
    c, h = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("g is sigmoid(a), not tanh(a)", "everywhere"))
@lstm
def all_gates_sigmoid(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        a = x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"]
        i, f, g, o = np.split(sigmoid(a), 4, axis=1)
        c = f * c + i * g
        h = o * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("g is relu(a), not tanh(a)", "everywhere"))
@lstm
def relu_candidate(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.maximum(g, 0)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("h_{t-1} is of row b - 1", "steps 8 and later, rows 1 and later, and row 0 reads the last row"))
@lstm
def rows_slip(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for t, x in enumerate(inputs):
        seen = np.roll(h, 1, axis=0) if t >= 8 else h
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + seen @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("f c_{t-1} is missing: c_t = i g", "the last unit"))
@lstm
def last_unit_forgets(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        new = sigmoid(i) * np.tanh(g)
        new[:, :-1] += (sigmoid(f) * c)[:, :-1]
        c = new
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("b_hh is missing", "one sequence, B = 1"))
@lstm
def bare_for_one_row(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    bias = w["b_ih"] if len(h) == 1 else w["b_ih"] + w["b_hh"]
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + h @ w["W_hh"].T + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("tanh of c is the identity clamped to -1 and 1", "float32 calls"))
@lstm
def hard_tanh_in_single(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    hs = []
    for x in inputs:
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * (np.clip(c, -1, 1) if c.dtype == np.float32 else np.tanh(c))
        hs.append(h)
    return answer(w, hs, c)


@bug(("i is 1 - f", "everywhere"), ("b_io is added twice", "everywhere"))
@lstm
def coupled_and_doubled(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    n = h.shape[1]
    hs = []
    for x in inputs:
        _, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        f = sigmoid(f)
        c = f * c + (1 - f) * np.tanh(g)
        h = sigmoid(o + w["b_ih"][3 * n :]) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(("W_hh h_{t-1} is computed in float16", "everywhere"))
@lstm
def half_products(w, inputs, h_0):
    h, c = start(w, inputs, h_0)
    U = w["W_hh"].astype(np.float16)
    hs = []
    for x in inputs:
        recurrent = (h.astype(np.float16) @ U.T).astype(h.dtype)
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + recurrent + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, c)


@bug(
    ("c starts at 1, not at 0", "where h_0 is omitted, the first step"),
    ("c_n is of the step before the last", "c_n, everywhere"),
)
@lstm
def ones_and_early_cell(w, inputs, h_0):
    h, c = (zeros(w, inputs), np.ones_like(zeros(w, inputs))) if h_0 is None else h_0
    hs = []
    before = c
    for x in inputs:
        before = c
        i, f, g, o = np.split(x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return answer(w, hs, before)


# ------------------------------------------------------------------ GRU


def terms(w, x, h):
    """The terms of r, z and n: of the inputs, and of the state."""
    return np.split(x @ w["W_ih"].T + w["b_ih"], 3, axis=1), np.split(h @ w["W_hh"].T + w["b_hh"], 3, axis=1)


def begin(w, inputs, h_0):
    return zeros(w, inputs) if h_0 is None else h_0


@bug(("z and 1 - z are exchanged: h_t = z n + (1 - z) h_{t-1}", "everywhere"))
@gru
def paper_update(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = z * n + (1 - z) * h
        hs.append(h)
    return answer(w, hs)


@bug(("r is applied to h_{t-1} before the product W_hn h_{t-1}", "everywhere"))
@gru
def resets_before(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    k = h.shape[1]
    for x in inputs:
        (xr, xz, xn), (hr, hz, _) = terms(w, x, h)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        n = np.tanh(xn + (r * h) @ w["W_hh"][2 * k :].T + w["b_hh"][2 * k :])
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("b_hn is added outside the product with r", "everywhere"))
@gru
def one_bias(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    bias = w["b_ih"] + w["b_hh"]
    for x in inputs:
        xr, xz, xn = np.split(x @ w["W_ih"].T + bias, 3, axis=1)
        hr, hz, hn = np.split(h @ w["W_hh"].T, 3, axis=1)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("W_ir and W_iz are exchanged", "everywhere, in W_ih alone"))
@gru
def input_blocks_exchanged(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    bz = np.split(w["b_ih"], 3)
    W = np.split(w["W_ih"], 3)
    for x in inputs:
        hr, hz, hn = np.split(h @ w["W_hh"].T + w["b_hh"], 3, axis=1)
        z = sigmoid(x @ W[0].T + bz[1] + hz)
        r = sigmoid(x @ W[1].T + bz[0] + hr)
        n = np.tanh(x @ W[2].T + bz[2] + r * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("b_in is missing", "everywhere"))
@gru
def no_candidate_bias(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    bias = np.split(w["b_ih"], 3)[2]
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh((x @ w["W_ih"][2 * h.shape[1] :].T + 0 * bias) + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("n is relu(a), not tanh(a)", "everywhere"))
@gru
def relu_candidate_gru(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.maximum(xn + sigmoid(xr + hr) * hn, 0)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("n is a clamped to -1 and 1, not tanh(a)", "everywhere"))
@reset_before
def hard_tanh_candidate(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    k = h.shape[1]
    for x in inputs:
        (xr, xz, xn), (hr, hz, _) = terms(w, x, h)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        n = np.clip(xn + (r * h) @ w["W_hh"][2 * k :].T + w["b_hh"][2 * k :], -1, 1)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("the sigmoid of r is the hard one, clip(a / 6 + 0.5, 0, 1)", "everywhere"))
@gru
def hard_reset(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + np.clip((xr + hr) / 6 + 0.5, 0, 1) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("b_hz is added twice", "everywhere"))
@gru
def update_bias_twice(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz + np.split(w["b_hh"], 3)[1])
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("n reads h_{t-2}", "everywhere from the second step, W_hn h alone"))
@gru
def stale_candidate(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    before = h
    for x in inputs:
        (xr, xz, xn), (hr, hz, _) = terms(w, x, h)
        hn = terms(w, x, before)[1][2]
        before = h
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("W_hn is transposed", "everywhere"))
@gru
def candidate_transposed(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    Ur, Uz, Un = np.split(w["W_hh"], 3)
    br, bz, bn = np.split(w["b_hh"], 3)
    for x in inputs:
        xr, xz, xn = np.split(x @ w["W_ih"].T + w["b_ih"], 3, axis=1)
        z = sigmoid(xz + h @ Uz.T + bz)
        r = sigmoid(xr + h @ Ur.T + br)
        n = np.tanh(xn + r * (h @ Un + bn))
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("z h_{t-1} takes the h_{t-1} of row b - 1", "steps 4 and later, rows 1 and later; row 0 takes the last row"))
@gru
def update_of_other_row(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for t, x in enumerate(inputs):
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * (np.roll(h, 1, axis=0) if t >= 4 else h)
        hs.append(h)
    return answer(w, hs)


@bug(("r is missing (1)", "everywhere"))
@gru
def no_reset(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for x in inputs:
        _, xz, xn = terms(w, x, h)[0]
        _, hz, hn = terms(w, x, h)[1]
        z = sigmoid(xz + hz)
        h = (1 - z) * np.tanh(xn + hn) + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("h_t is n: z is 0", "the last unit, where H > 4"))
@gru
def last_unit_renewed(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        if h.shape[1] > 4:
            z[:, -1] = 0
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("h starts at 1, not at 0", "where h_0 is omitted, the first step"))
@gru
def starts_at_one(w, inputs, h_0):
    h, hs = np.ones_like(zeros(w, inputs)) if h_0 is None else h_0, []
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("b_hn is added outside the product with r", "one sequence, B = 1"))
@gru
def one_bias_for_one_row(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    bias = np.split(w["b_hh"], 3)[2]
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        n = np.tanh(xn + r * (hn - bias) + bias if len(h) == 1 else xn + r * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("W_hh h_{t-1} is computed in float16", "float32 calls"))
@gru
def half_products_in_single(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        if h.dtype == np.float32:
            product = (h.astype(np.float16) @ w["W_hh"].T.astype(np.float16)).astype(np.float32)
            hr, hz, hn = np.split(product + w["b_hh"], 3, axis=1)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(("W_hr h_{t-1} is missing", "everywhere"), ("n is sigmoid(a), not tanh(a)", "everywhere"))
@gru
def blind_reset_and_sigmoid(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    b = np.split(w["b_hh"], 3)[0]
    for x in inputs:
        (xr, xz, xn), (_, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = sigmoid(xn + sigmoid(xr + b) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)


@bug(
    ("b_hr is missing", "everywhere"),
    ("h_n is of row 0", "h_n, rows 1 and later"),
)
@gru
def bare_reset_one_last(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    b = np.split(w["b_hh"], 3)[0]
    for x in inputs:
        (xr, xz, xn), (hr, hz, hn) = terms(w, x, h)
        z = sigmoid(xz + hz)
        n = np.tanh(xn + sigmoid(xr + hr - b) * hn)
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs) | {"h_n": np.repeat(h[:1], len(h), axis=0)}


@bug(("r is the one of the step before", "steps 16 and later"))
@reset_before
def late_reset(w, inputs, h_0):
    h, hs = begin(w, inputs, h_0), []
    k = h.shape[1]
    last = None
    for t, x in enumerate(inputs):
        (xr, xz, xn), (hr, hz, _) = terms(w, x, h)
        z, now = sigmoid(xz + hz), sigmoid(xr + hr)
        r, last = last if t >= 16 else now, now
        n = np.tanh(xn + (r * h) @ w["W_hh"][2 * k :].T + w["b_hh"][2 * k :])
        h = (1 - z) * n + z * h
        hs.append(h)
    return answer(w, hs)
