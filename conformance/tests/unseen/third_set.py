"""Forty wrong plain RNNs, as ports, kernels, exports, refactorings and first implementations get them wrong."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rnn_conformance import FEATURES, Answer, Call

@dataclass(frozen=True)
class Bug:
    name: str
    make: Callable
    what: tuple[str, ...]
    where: tuple[str, ...]

_LIST = []

def bug(*parts):
    """Register what stands below; parts are (what, where)."""

    def register(make):
        _LIST.append(Bug(make.__name__, make, tuple(p[0] for p in parts), tuple(p[1] for p in parts)))
        return make

    return register

# ------------------------------------------------------------------ functions: single bugs

@bug(("tanh is a rational approximation, x (27 + x^2) / (27 + 9 x^2), clipped to -1 and 1", "everywhere"))
def pade_tanh(weights, inputs, h_0):
    w = weights
    h = np.zeros((inputs.shape[1], w["W_hh"].shape[0]), inputs.dtype) if h_0 is None else h_0
    hs = np.empty((*inputs.shape[:2], w["W_hh"].shape[0]), inputs.dtype)
    for t in range(len(inputs)):
        a = inputs[t] @ w["W_xh"].T + w["b_xh"][:, 0] + h @ w["W_hh"].T + w["b_hh"][:, 0]
        a = np.clip(a, -3, 3)
        h = a * (27 + a * a) / (27 + 9 * a * a)
        hs[t] = h
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ w["W_ho"].T + w["b_ho"][:, 0]}

@bug((
    "tanh is (e^2x - 1) / (e^2x + 1), which is NaN where the exponential overflows",
    "where a preactivation is large and positive (over about 44 in float32, 355 in float64), and the steps after it",
))
def exp_tanh(weights, inputs, h_0):
    w = weights
    T, B, _ = inputs.shape
    h = np.zeros((B, len(w["W_hh"])), inputs.dtype) if h_0 is None else h_0.copy()
    states, outputs = [], []
    with np.errstate(all="ignore"):
        for t in range(T):
            a = inputs[t] @ w["W_xh"].T + h @ w["W_hh"].T + (w["b_xh"] + w["b_hh"]).ravel()
            # expm1 keeps the small arguments right
            h = np.expm1(2 * a) / (np.exp(2 * a) + 1)
            states.append(h)
            outputs.append(h @ w["W_ho"].T + w["b_ho"].ravel())
    return {"hidden_states": np.array(states), "h_n": h, "outputs": np.array(outputs)}

@bug(("W_hh is rounded to 8-bit integers with one scale", "everywhere, in the recurrent term"))
def int8_recurrent(weights, inputs, h_0):
    w = weights
    W = w["W_hh"]
    scale = np.abs(W).max() / 127 if W.size else 1
    q = np.rint(W / (scale if scale > 0 else 1)).astype(np.int8)
    W = (q * scale).astype(inputs.dtype)
    h = np.zeros((inputs.shape[1], len(W)), inputs.dtype) if h_0 is None else h_0
    states = []
    for x in inputs:
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ W.T + w["b_hh"].T)
        states.append(h)
    states = np.stack(states)
    return {"hidden_states": states, "h_n": h, "outputs": states @ w["W_ho"].T + w["b_ho"].T}

@bug(("everything is computed in float32, and the results are cast to float64", "float64 calls"))
def single_inside(weights, inputs, h_0):
    dtype = inputs.dtype
    w = {k: np.asarray(v, np.float32) for k, v in weights.items()}
    x = np.asarray(inputs, np.float32)
    h = np.zeros((x.shape[1], len(w["W_hh"])), np.float32) if h_0 is None else np.asarray(h_0, np.float32)
    hs = []
    for xt in x:
        h = np.tanh(xt @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        hs.append(h)
    hs = np.stack(hs)
    y = hs @ w["W_ho"].T + w["b_ho"].T
    return {"hidden_states": hs.astype(dtype), "h_n": h.astype(dtype), "outputs": y.astype(dtype)}

@bug((
    "the last input features are not projected: a kernel four features wide has no loop for the tail",
    "everywhere, where the input size is not a multiple of 4; the last I % 4 columns of W_xh",
))
def no_tail(weights, inputs, h_0):
    w = weights
    T, B, I = inputs.shape
    H = len(w["W_hh"])
    h = np.zeros((B, H), inputs.dtype) if h_0 is None else h_0
    hs = np.zeros((T, B, H), inputs.dtype)
    for t in range(T):
        acc = np.zeros((B, H), inputs.dtype) + w["b_xh"].T + w["b_hh"].T
        for i in range(0, I - 3, 4):
            acc += inputs[t][:, i : i + 4] @ w["W_xh"][:, i : i + 4].T
        acc += h @ w["W_hh"].T
        h = hs[t] = np.tanh(acc)
    return {"hidden_states": hs, "h_n": hs[-1] if T else h, "outputs": hs @ w["W_ho"].T + w["b_ho"].T}

@bug((
    "the state is updated in place, unit by unit, so a unit reads the new states of the units before it",
    "everywhere, units 1 and later",
))
def in_place(weights, inputs, h_0):
    w = weights
    T, B, _ = inputs.shape
    H = len(w["W_hh"])
    h = np.zeros((B, H), inputs.dtype) if h_0 is None else h_0.copy()
    hs = np.empty((T, B, H), inputs.dtype)
    bias = (w["b_xh"] + w["b_hh"])[:, 0]
    for t in range(T):
        for j in range(H):
            h[:, j] = np.tanh(inputs[t] @ w["W_xh"][j] + h @ w["W_hh"][j] + bias[j])
        hs[t] = h
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ w["W_ho"].T + w["b_ho"][:, 0]}

@bug(("the readout reads the state before the step, h_{t-1}", "the outputs of every step"))
def early_readout(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = (weights[k] for k in ("W_xh", "b_xh", "W_hh", "b_hh", "W_ho", "b_ho"))
    h = np.zeros((inputs.shape[1], len(Wh)), inputs.dtype) if h_0 is None else h_0
    hs, ys = [], []
    for x in inputs:
        h, y = np.tanh(x @ Wx.T + bx.T + h @ Wh.T + bh.T), h @ Wo.T + bo.T
        hs.append(h)
        ys.append(y)
    return {"hidden_states": np.stack(hs), "h_n": h, "outputs": np.stack(ys)}

@bug((
    "the initial state of the first row is used for every row",
    "calls with an initial state, step 0 (and through it the later ones), rows 1 and later",
))
def first_row_start(weights, inputs, h_0):
    w = weights
    B, H = inputs.shape[1], w["W_hh"].shape[0]
    start = np.zeros(H, inputs.dtype) if h_0 is None else h_0.reshape(-1)[:H]
    h = np.broadcast_to(start, (B, H))
    hs = []
    for x in inputs:
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": np.einsum("tbh,oh->tbo", hs, w["W_ho"]) + w["b_ho"].T}

_PACKED = {}

@bug((
    "the packed W_xh is cached by its shape and dtype, so later weights of the same shape are not seen",
    "calls after the first one of the same sizes and dtype with other weights",
))
def stale_pack(weights, inputs, h_0):
    w = weights
    key = w["W_xh"].shape, inputs.dtype.str
    if key not in _PACKED:
        _PACKED[key] = np.ascontiguousarray(w["W_xh"].T)
    packed = _PACKED[key]
    h = np.zeros((inputs.shape[1], len(w["W_hh"])), inputs.dtype) if h_0 is None else h_0
    hs = []
    for x in inputs:
        h = np.tanh(x @ packed + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ w["W_ho"].T + w["b_ho"].T}

@bug((
    "NaN in a preactivation becomes 0, so a NaN in the inputs, the state or the weights is hidden",
    "steps whose preactivation is NaN, and what follows from them",
))
def nan_scrubbed(weights, inputs, h_0):
    w = weights
    h = np.zeros((inputs.shape[1], len(w["W_hh"])), inputs.dtype) if h_0 is None else h_0
    hs = []
    for x in inputs:
        z = x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T
        h = np.tanh(np.where(np.isnan(z), 0, z).astype(z.dtype))
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ w["W_ho"].T + w["b_ho"].T}

@bug((
    "without an initial state the first step skips the recurrent part together with b_hh",
    "step 0 of calls without an initial state",
))
def first_step_no_b_hh(weights, inputs, h_0):
    w = weights
    h, hs = h_0, []
    for x in inputs:
        z = x @ w["W_xh"].T + w["b_xh"].T
        if h is not None:
            z = z + h @ w["W_hh"].T + w["b_hh"].T
        h = np.tanh(z)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ w["W_ho"].T + w["b_ho"].T}

@bug((
    "the recurrent product is blocked by 8 units and only the diagonal blocks are summed",
    "where the hidden size is over 8: each unit misses the units of the other blocks",
))
def diagonal_blocks(weights, inputs, h_0):
    w = weights
    W = w["W_hh"]
    H = len(W)
    h = np.zeros((inputs.shape[1], H), inputs.dtype) if h_0 is None else h_0
    hs = []
    for x in inputs:
        rec = np.empty_like(h)
        for j in range(0, H, 8):
            rec[:, j : j + 8] = h[:, j : j + 8] @ W[j : j + 8, j : j + 8].T
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + rec + w["b_hh"].T)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ w["W_ho"].T + w["b_ho"].T}

# ------------------------------------------------------------------ functions: pairs and triples

@bug(
    ("b_xh is added a second time in place of b_hh", "everywhere"),
    ("h_n is the state of the first step", "h_n, of calls of more than one step"),
)
def same_bias_first_h_n(weights, inputs, h_0):
    w = weights
    wx, bx = w["W_xh"].T, w["b_xh"].T
    wh, bh = w["W_hh"].T, w["b_xh"].T
    h = np.zeros((inputs.shape[1], len(wh)), inputs.dtype) if h_0 is None else h_0
    hs = []
    for x in inputs:
        h = np.tanh((x @ wx + bx) + (h @ wh + bh))
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": hs[0], "outputs": hs @ w["W_ho"].T + w["b_ho"].T}

@bug(
    ("the state is set to zero at the start of every chunk of 4 steps after the first", "steps 4, 8, 12, ..."),
    ("the readout passes through tanh", "the outputs, everywhere"),
)
def chunks_of_four(weights, inputs, h_0):
    w = weights
    B, H = inputs.shape[1], len(w["W_hh"])

    def chunk(xs, h):
        out = []
        for x in xs:
            h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
            out.append(h)
        return out

    hs = []
    for s in range(0, len(inputs), 4):
        start = h_0 if s == 0 and h_0 is not None else np.zeros((B, H), inputs.dtype)
        hs += chunk(inputs[s : s + 4], start)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": hs[-1], "outputs": np.tanh(hs @ w["W_ho"].T + w["b_ho"].T)}

@bug(
    ("W_xh is reshaped to (I, H) where it should be transposed", "everywhere, where I > 1 and H > 1"),
    ("b_hh is left out", "everywhere"),
)
def reshaped_kernel(weights, inputs, h_0):
    w = weights
    H, I = w["W_xh"].shape
    kernel = w["W_xh"].reshape(I, H)
    recurrent = w["W_hh"].T
    bias = w["b_xh"].reshape(H)
    h = np.zeros((inputs.shape[1], H), inputs.dtype) if h_0 is None else h_0
    hs = []
    for x in inputs:
        h = np.tanh(x @ kernel + h @ recurrent + bias)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ w["W_ho"].T + w["b_ho"].T}

@bug(
    ("the state is rounded to a multiple of 2^-11, a fixed point", "everywhere"),
    ("the inputs are clipped to -2 and 2", "steps and rows with an input beyond 2 in size"),
)
def fixed_point(weights, inputs, h_0):
    w = weights
    one = inputs.dtype.type(2048)
    h = np.zeros((inputs.shape[1], len(w["W_hh"])), inputs.dtype) if h_0 is None else h_0
    hs = []
    for x in inputs:
        x = np.minimum(np.maximum(x, -2), 2)
        h = np.rint(np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T) * one) / one
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ w["W_ho"].T + w["b_ho"].T}

@bug(
    ("without an initial state the state starts at ones", "step 0 of calls without an initial state"),
    ("the readout has no bias", "the outputs, everywhere"),
    ("h_n has its rows in the reverse order", "h_n, of calls of more than one row"),
)
def ones_no_b_ho_flipped(weights, inputs, h_0):
    w = weights
    h = np.ones((inputs.shape[1], len(w["W_hh"])), inputs.dtype) if h_0 is None else h_0
    hs = []
    for x in inputs:
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h[::-1], "outputs": hs @ w["W_ho"].T}

@bug(
    ("the recurrent term is divided by the square root of the hidden size", "everywhere, where H > 1"),
    ("the last step is not computed: its state is left at zero", "the last step, and h_n"),
    ("b_xh is added to the first row only", "rows 1 and later"),
)
def scaled_short_unbroadcast(weights, inputs, h_0):
    w = weights
    T, B, _ = inputs.shape
    H = len(w["W_hh"])
    hs = np.zeros((T, B, H), inputs.dtype)
    h = np.zeros((B, H), inputs.dtype) if h_0 is None else h_0
    for t in range(T - 1):
        z = inputs[t] @ w["W_xh"].T + h @ w["W_hh"].T / inputs.dtype.type(H**0.5) + w["b_hh"].T
        z[:1] += w["b_xh"].T
        h = hs[t] = np.tanh(z)
    return {"hidden_states": hs, "h_n": hs[-1], "outputs": hs @ w["W_ho"].T + w["b_ho"].T}

# ------------------------------------------------------------------ classes

@bug((
    "the last state of a call is kept and starts the next one",
    "step 0 of calls without an initial state, after another call of the same object with as many rows",
))
class StatefulRNN:
    def __init__(self, input_size, hidden_size, output_size, *, dtype=np.float64, rng=None):
        rng = np.random.default_rng(rng)
        k = hidden_size**-0.5
        u = lambda *s: rng.uniform(-k, k, s).astype(dtype)
        self.W_xh, self.W_hh, self.W_ho = u(hidden_size, input_size), u(hidden_size, hidden_size), u(output_size, hidden_size)
        self.b_xh, self.b_hh, self.b_ho = u(hidden_size, 1), u(hidden_size, 1), u(output_size, 1)
        self._last = None

    def forward(self, inputs, h_0=None):
        B = inputs.shape[1]
        if h_0 is not None:
            h = h_0
        elif self._last is not None and self._last.shape[1] == B:
            h = self._last
        else:
            h = np.zeros((len(self.W_hh), B), inputs.dtype)
        states, outputs = {-1: h}, {}
        for t, x in enumerate(inputs):
            h = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            states[t], outputs[t] = h, self.W_ho @ h + self.b_ho
        self._last = h
        return outputs, states

@bug((
    "all steps' states are one buffer, so each shows the state of the last step",
    "the states of every step but the last",
))
class OneBuffer:
    def __init__(self, input_size, hidden_size, output_size, dtype=np.float64, rng=None):
        g = np.random.default_rng(rng)
        self.U = (g.standard_normal((hidden_size, input_size)) * 0.4).astype(dtype)
        self.W = (g.standard_normal((hidden_size, hidden_size)) * 0.4).astype(dtype)
        self.V = (g.standard_normal((output_size, hidden_size)) * 0.4).astype(dtype)
        self.b = g.standard_normal((hidden_size, 1)).astype(dtype)
        self.c = g.standard_normal((output_size, 1)).astype(dtype)

    def forward(self, inputs, h_0=None):
        h = np.zeros((len(self.W), inputs.shape[1]), inputs.dtype)
        if h_0 is not None:
            h[...] = h_0
        states, outputs = [], []
        for x in inputs:
            np.tanh(self.U @ x.T + self.W @ h + self.b, out=h)
            states.append(h)
            outputs.append(self.V @ h + self.c)
        return outputs, states

@bug((
    "the inputs come one step late: step t reads x_{t-1}, and step 0 reads zeros",
    "everywhere",
))
class LateInput:
    def __init__(self, input_size, hidden_size, output_size):
        g = np.random.default_rng(7)
        self.Wxh = g.normal(0, 0.5, (input_size, hidden_size))
        self.Whh = g.normal(0, 0.5, (hidden_size, hidden_size))
        self.Why = g.normal(0, 0.5, (hidden_size, output_size))
        self.bh = g.normal(0, 0.5, hidden_size)
        self.by = g.normal(0, 0.5, output_size)

    def forward(self, inputs, h_0=None):
        T, B, I = inputs.shape
        h = np.zeros((B, self.Whh.shape[0]), inputs.dtype) if h_0 is None else h_0
        x = np.zeros((B, I), inputs.dtype)
        hs, ys = [], []
        for t in range(T):
            h = np.tanh(x @ self.Wxh + h @ self.Whh + self.bh)
            hs.append(h)
            ys.append(h @ self.Why + self.by)
            x = inputs[t]
        return np.stack(ys), np.stack(hs)

@bug(("the activation is 2 sigmoid(x) - 1, which is tanh(x / 2)", "everywhere"))
class SigmoidTanh:
    def __init__(self, input_size, hidden_size, *, dtype=np.float32, rng=None):
        g = np.random.default_rng(rng)
        self.params = {
            "weight_ih": g.uniform(-0.5, 0.5, (hidden_size, input_size)).astype(dtype),
            "weight_hh": g.uniform(-0.5, 0.5, (hidden_size, hidden_size)).astype(dtype),
            "bias_ih": g.uniform(-0.5, 0.5, hidden_size).astype(dtype),
            "bias_hh": g.uniform(-0.5, 0.5, hidden_size).astype(dtype),
        }

    @staticmethod
    def _act(z):
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1 - e, e - 1) / (1 + e)

    def __call__(self, x, hx=None):
        p = self.params
        h = np.zeros((x.shape[1], p["weight_hh"].shape[0]), x.dtype) if hx is None else hx
        out = []
        for t in range(x.shape[0]):
            h = self._act(x[t] @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"])
            out.append(h)
        return np.stack(out), h

@bug((
    "a row whose inputs are all zero is taken for padding, and its state is kept",
    "steps and rows with inputs of zeros only",
))
class ZeroMasked:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        f = lambda *shape: (0.5 * rng.standard_normal(shape)).astype(dtype)
        self.W_xh, self.b_xh = f(hidden_size, input_size), f(hidden_size, 1)
        self.W_hh, self.b_hh = f(hidden_size, hidden_size), f(hidden_size, 1)
        self.W_ho, self.b_ho = f(output_size, hidden_size), f(output_size, 1)

    def forward(self, inputs, h_0=None):
        h = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype) if h_0 is None else h_0
        y, s = {}, {-1: h}
        for t, x in enumerate(inputs):
            new = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            mask = np.any(x != 0, axis=1)
            h = np.where(mask, new, h)
            s[t] = h
            y[t] = self.W_ho @ h + self.b_ho
        return y, s

@bug((
    "the accumulator is not cleared between the steps, so preactivations add up over time",
    "steps 1 and later",
))
class Accumulating:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        self.wx = rng.normal(0, 0.4, (hidden_size, input_size)).astype(dtype)
        self.wh = rng.normal(0, 0.4, (hidden_size, hidden_size)).astype(dtype)
        self.bx = rng.normal(0, 0.4, (hidden_size,)).astype(dtype)
        self.bh = rng.normal(0, 0.4, (hidden_size,)).astype(dtype)
        self.wo = rng.normal(0, 0.4, (output_size, hidden_size)).astype(dtype)
        self.bo = rng.normal(0, 0.4, (output_size,)).astype(dtype)

    def forward(self, inputs, h_0=None):
        B, H = inputs.shape[1], len(self.wh)
        acc = np.zeros((B, H), inputs.dtype)
        h = np.zeros((B, H), inputs.dtype) if h_0 is None else h_0
        states, outputs = [], []
        for x in inputs:
            acc += x @ self.wx.T
            acc += self.bx
            acc += h @ self.wh.T
            acc += self.bh
            h = np.tanh(acc)
            states.append(h)
            outputs.append(h @ self.wo.T + self.bo)
        return {"outputs": np.stack(outputs), "hidden_states": np.stack(states), "h_n": h}

@bug(
    ("the readout reads the preactivation, before tanh", "the outputs, everywhere"),
    ("the last unit gets no recurrent term: the loop over the units ends one early", "everywhere, the last unit"),
)
class LoopRNN:
    def __init__(self, input_size, hidden_size, output_size):
        g = np.random.default_rng(3)
        self.n = hidden_size
        self.W_in = g.standard_normal((hidden_size, input_size)) * 0.3
        self.W_rec = g.standard_normal((hidden_size, hidden_size)) * 0.3
        self.W_out = g.standard_normal((output_size, hidden_size)) * 0.3
        self.b_in = g.standard_normal(hidden_size) * 0.3
        self.b_rec = g.standard_normal(hidden_size) * 0.3
        self.b_out = g.standard_normal(output_size) * 0.3

    def forward(self, inputs, h0=None):
        T, B, _ = inputs.shape
        h = np.zeros((B, self.n), inputs.dtype) if h0 is None else h0
        states, outputs = [], []
        for t in range(T):
            z = inputs[t] @ self.W_in.T + self.b_in + self.b_rec
            for j in range(self.n - 1):
                z[:, j] += h @ self.W_rec[j]
            h = np.tanh(z)
            states.append(h)
            outputs.append(z @ self.W_out.T + self.b_out)
        return np.stack(outputs), np.stack(states)

@bug(
    ("the readout reads the state times 0.9, a keep probability that is applied in evaluation", "the outputs, everywhere"),
    ("the initial state is passed through tanh first", "step 0 of calls with an initial state"),
)
class KeepProb:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        f = lambda *shape: (0.5 * rng.standard_normal(shape)).astype(dtype)
        self.W_xh, self.b_xh = f(hidden_size, input_size), f(hidden_size, 1)
        self.W_hh, self.b_hh = f(hidden_size, hidden_size), f(hidden_size, 1)
        self.W_ho, self.b_ho = f(output_size, hidden_size), f(output_size, 1)
        self.keep = 0.9

    def forward(self, inputs, h_0=None):
        if h_0 is None:
            h = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype)
        else:
            h = np.tanh(h_0)
        y, s = {}, {}
        for t, x in enumerate(inputs):
            h = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            s[t] = h
            y[t] = self.W_ho @ (self.keep * h) + self.b_ho
        return y, s

@bug(
    ("the new state is 0.9 of the step plus 0.1 of the old state, a leak", "everywhere"),
    ("each row reads the recurrent state of the row before it", "everywhere, where there is more than one row"),
    ("the readout's bias is subtracted", "the outputs, everywhere"),
)
class LeakyRolled:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        f = lambda *shape: (0.5 * rng.standard_normal(shape)).astype(dtype)
        self.Wx, self.Wh, self.Wy = f(input_size, hidden_size), f(hidden_size, hidden_size), f(hidden_size, output_size)
        self.bx, self.bh, self.by = f(hidden_size), f(hidden_size), f(output_size)

    def forward(self, inputs, h_0=None):
        T, B, _ = inputs.shape
        h = np.zeros((B, len(self.Wh)), inputs.dtype) if h_0 is None else h_0
        hs, ys = [], []
        for t in range(T):
            new = np.empty_like(h)
            for b in range(B):
                c = np.tanh(inputs[t, b] @ self.Wx + self.bx + h[b - 1] @ self.Wh + self.bh)
                new[b] = 0.9 * c + 0.1 * h[b]
            h = new
            hs.append(h)
            ys.append(h @ self.Wy - self.by)
        return {"hidden_states": np.stack(hs), "h_n": h, "outputs": np.stack(ys)}

@bug(
    ("only the diagonal of W_hh is used", "everywhere, where H > 1"),
    ("b_xh is added after the activation", "everywhere"),
    ("the readout passes through softmax", "the outputs, everywhere"),
)
class DiagonalSoftmax:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        f = lambda *shape: (0.5 * rng.standard_normal(shape)).astype(dtype)
        self.W_xh, self.b_xh = f(hidden_size, input_size), f(hidden_size, 1)
        self.W_hh, self.b_hh = f(hidden_size, hidden_size), f(hidden_size, 1)
        self.W_ho, self.b_ho = f(output_size, hidden_size), f(output_size, 1)

    def forward(self, inputs, h_0=None):
        h = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype) if h_0 is None else h_0
        u = np.diag(self.W_hh)[:, None]
        y, s = {}, {-1: h}
        for t, x in enumerate(inputs):
            h = s[t] = np.tanh(self.W_xh @ x.T + u * h + self.b_hh) + self.b_xh
            z = self.W_ho @ h + self.b_ho
            e = np.exp(z - z.max(axis=0))
            y[t] = e / e.sum(axis=0)
        return y, s

# ------------------------------------------------------------------ layers

class _Right:
    """A right layer; each class below breaks a part of it."""

    claims = FEATURES - {"dropout", "float16", "bfloat16", "reverse", "readout"}
    conventions = {"length 0": "h_0"}

    def check(self, call, x):
        o = call.options
        D = 2 if o.bidirectional else 1
        if x.ndim != 3 or x.shape[2] != o.input_size:
            raise ValueError("wrong inputs")
        T, B, _ = x.shape
        for l in range(o.num_layers):
            for d in range(D):
                n = o.input_size if l == 0 else D * o.hidden_size
                want = [(o.hidden_size, n), (o.hidden_size, o.hidden_size), (o.hidden_size,), (o.hidden_size,)]
                for part, shape in zip(self.part_names(l, d), want):
                    if (o.bias or "weight" in part) and call.weights[part].shape != shape:
                        raise ValueError(f"wrong shape of {part}")
        self.check_state(call, (o.num_layers * D, B, o.hidden_size))
        self.check_lengths(call, T, B)

    def check_state(self, call, shape):
        h = call.h_0
        if h is not None and h.shape != ((shape[0], shape[2]) if call.layout == "single" else shape):
            raise ValueError("wrong h_0")

    def check_lengths(self, call, T, B):
        n = call.lengths
        if n is not None and (n.shape != (B,) or (n < 0).any() or (n > T).any()):
            raise ValueError("wrong lengths")

    def part_names(self, l, d):
        s = f"l{l}" + ("_reverse" if d else "")
        return f"weight_ih_{s}", f"weight_hh_{s}", f"bias_ih_{s}", f"bias_hh_{s}"

    def parts(self, call, l, d):
        wi, wh, bi, bh = self.part_names(l, d)
        w = call.weights
        if not call.options.bias:
            return w[wi], w[wh], 0, 0
        return w[wi], w[wh], w[bi], w[bh]

    def act(self, call, l, z):
        return np.maximum(z, 0) if call.options.nonlinearity == "relu" else np.tanh(z)

    def enter(self, call):
        x = call.inputs
        if call.layout == "single":
            return x[:, None]
        return x.swapaxes(0, 1) if call.layout == "batch_first" and x.ndim == 3 else x

    def leave(self, call, out):
        if call.layout == "single":
            return out[:, 0]
        return np.ascontiguousarray(out.swapaxes(0, 1)) if call.layout == "batch_first" else out

    def start(self, call, l, d, B):
        o = call.options
        D = 2 if o.bidirectional else 1
        if call.h_0 is None:
            return np.zeros((B, o.hidden_size), call.inputs.dtype)
        return call.h_0.reshape(o.num_layers * D, B, o.hidden_size)[l * D + d]

    def merge(self, x, h, z_new, real):
        return np.where(real, z_new, h), np.where(real, z_new, 0)

    def scan(self, call, l, d, x, h, n):
        wi, wh, bi, bh = self.parts(call, l, d)
        T, B, _ = x.shape
        out = np.zeros((T, B, len(wh)), x.dtype)
        for t in range(T)[::-1] if d else range(T):
            new = self.act(call, l, x[t] @ wi.T + bi + h @ wh.T + bh)
            h, out[t] = self.merge(x[t], h, new, (t < n)[:, None])
        return out, h

    def join(self, call, l, outs):
        return np.concatenate(outs, axis=2)

    def run(self, call: Call) -> Answer:
        o = call.options
        x = self.enter(call)
        self.check(call, x)
        T, B, _ = x.shape
        n = np.full(B, T) if call.lengths is None else call.lengths
        last = []
        for l in range(o.num_layers):
            outs = []
            for d in range(2 if o.bidirectional else 1):
                out, h = self.scan(call, l, d, x, self.start(call, l, d, B), n)
                outs.append(out)
                last.append(h)
            x = self.join(call, l, outs)
        h_n = np.stack(last).astype(call.inputs.dtype)
        return Answer(output=self.leave(call, x), h_n=h_n[:, 0] if call.layout == "single" else h_n)

@bug((
    "the reverse direction runs through the padding first, so its first real step starts from a state of the padding",
    "the reverse direction, of rows shorter than the call",
))
class ReverseThroughPadding(_Right):
    name = "reverse through padding"

    def scan(self, call, l, d, x, h, n):
        if d == 0:
            return super().scan(call, l, d, x, h, n)
        out, h = super().scan(call, l, d, x, h, np.full_like(n, len(x)))
        return np.where((np.arange(len(x))[:, None] < n)[:, :, None], out, 0), h

@bug(("h_n of the reverse direction is its state at the last real time step, not at the first", "h_n of the reverse direction"))
class ReverseLastH(_Right):
    name = "h_n at the last time"

    def scan(self, call, l, d, x, h, n):
        out, last = super().scan(call, l, d, x, h, n)
        if d == 1:
            rows = np.flatnonzero(n > 0)
            last = last.copy()
            last[rows] = out[n[rows] - 1, rows]
        return out, last

@bug(("layers after the first use the recurrent bias of the first layer", "layers 1 and later, both directions"))
class FirstLayerBias(_Right):
    name = "first layer's bias"

    def parts(self, call, l, d):
        wi, wh, bi, bh = super().parts(call, l, d)
        if call.options.bias:
            bh = call.weights["bias_hh_l0" + ("_reverse" if d else "")]
        return wi, wh, bi, bh

@bug((
    "between the layers the reverse direction's states stand before the forward direction's",
    "layers 1 and later of bidirectional calls: their inputs",
))
class SwappedBetween(_Right):
    name = "swapped between layers"

    def join(self, call, l, outs):
        if l + 1 < call.options.num_layers:
            outs = outs[::-1]
        return np.concatenate(outs, axis=2)

@bug((
    "the initial state is read by direction, then layer, not by layer, then direction",
    "calls with an initial state, more than one layer and two directions: step 0 of all but the first and the last state",
))
class DirectionMajorState(_Right):
    name = "direction-major h_0"

    def start(self, call, l, d, B):
        if call.h_0 is None:
            return super().start(call, l, d, B)
        L = call.options.num_layers
        return call.h_0.reshape(-1, B, call.options.hidden_size)[d * L + l]

@bug((
    "the batch-first inputs are reshaped to time first, not transposed, so steps of different rows are mixed",
    "batch-first calls of more than one row and more than one step",
))
class ReshapedBatchFirst(_Right):
    name = "reshaped batch first"

    def enter(self, call):
        if call.layout == "batch_first" and call.inputs.ndim == 3:
            B, T, I = call.inputs.shape
            return call.inputs.reshape(T, B, I)
        return super().enter(call)

@bug(
    ("relu is cut at 6", "relu calls, where a preactivation is over 6"),
    (
        "padding is masked by multiplying with 0, so NaN or infinite padding reaches the state and the output",
        "rows shorter than the call whose padding is not finite",
    ),
)
class Relu6Multiplied(_Right):
    name = "relu6, multiplied masks"

    def act(self, call, l, z):
        return np.clip(z, 0, 6) if call.options.nonlinearity == "relu" else np.tanh(z)

    def merge(self, x, h, z_new, real):
        m = real.astype(z_new.dtype)
        with np.errstate(invalid="ignore"):
            return m * z_new + (1 - m) * h, m * z_new

@bug(
    ("layers after the first use tanh where relu is asked for", "relu calls, layers 1 and later"),
    ("h_n is the state after the padding", "h_n of the forward direction, of rows shorter than the call"),
)
class DefaultActivation(_Right):
    name = "default activation above"

    def act(self, call, l, z):
        return np.maximum(z, 0) if l == 0 and call.options.nonlinearity == "relu" else np.tanh(z)

    def scan(self, call, l, d, x, h, n):
        out, last = super().scan(call, l, d, x, h, n)
        if d == 0:
            last = super().scan(call, l, d, x, h, np.full_like(n, len(x)))[1]
        return out, last

@bug(
    ("the last real step of each row is taken for padding: its output is zero and the state does not read it",
     "calls with lengths, the last real step of every row"),
    ("the reverse direction uses the forward direction's W_hh", "the reverse direction, every layer"),
)
class ShortLengthsSharedW(_Right):
    name = "short lengths, shared W_hh"

    def parts(self, call, l, d):
        wi, wh, bi, bh = super().parts(call, l, d)
        return wi, call.weights[f"weight_hh_l{l}"], bi, bh

    def scan(self, call, l, d, x, h, n):
        return super().scan(call, l, d, x, h, n if call.lengths is None else n - 1)

@bug(
    ("lengths over the number of steps are cut off instead of refused", "calls with a length over T"),
    ("the initial state is not used for a single sequence", "calls of a single sequence with an initial state, step 0"),
)
class CutLengthsNoSingleState(_Right):
    name = "cut lengths, single without h_0"

    def check_lengths(self, call, T, B):
        n = call.lengths
        if n is not None and (n.shape != (B,) or (n < 0).any()):
            raise ValueError("wrong lengths")

    def start(self, call, l, d, B):
        h = super().start(call, l, d, B)
        return np.zeros_like(h) if call.layout == "single" else h

@bug(
    ("rows are sorted by length, and h_n is not put back in order", "h_n of calls with lengths that do not fall"),
    ("relu is leaky: 0.01 x below zero", "relu calls, where a preactivation is below zero"),
    ("the last layer adds its inputs to its outputs where the sizes agree, a residual", "the last layer, of two or more"),
)
class SortedLeakyResidual(_Right):
    name = "sorted, leaky, residual"
    claims = _Right.claims - {"single"}

    def act(self, call, l, z):
        return np.where(z > 0, z, z * z.dtype.type(0.01)) if call.options.nonlinearity == "relu" else np.tanh(z)

    def run(self, call):
        o = call.options
        x = self.enter(call)
        self.check(call, x)
        T, B, _ = x.shape
        n = np.full(B, T) if call.lengths is None else call.lengths
        order = np.argsort(-n, kind="stable")
        back = np.argsort(order)
        x, n = x[:, order], n[order]
        last = []
        for l in range(o.num_layers):
            below, outs = x, []
            for d in range(2 if o.bidirectional else 1):
                out, h = self.scan(call, l, d, x, self.start(call, l, d, B)[order], n)
                outs.append(out)
                last.append(h)
            x = np.concatenate(outs, axis=2)
            if l > 0 and l == o.num_layers - 1:
                x = x + below
        return Answer(output=self.leave(call, x[:, back]), h_n=np.stack(last))

@bug(
    ("the reverse direction's states are not turned back to the order of time", "the reverse direction's output, every layer"),
    ("without biases each unit still gets a bias of 1", "calls without bias"),
    ("layers after the first start from zeros", "calls with an initial state, layers 1 and later"),
)
class UnturnedOnesZeros(_Right):
    name = "unturned, ones, zeros"
    claims = _Right.claims - {"lengths", "batch_first"}

    def parts(self, call, l, d):
        wi, wh, bi, bh = super().parts(call, l, d)
        return (wi, wh, bi, bh) if call.options.bias else (wi, wh, np.ones(len(wh), wh.dtype), 0)

    def start(self, call, l, d, B):
        h = super().start(call, l, d, B)
        return h if l == 0 else np.zeros_like(h)

    def scan(self, call, l, d, x, h, n):
        out, h = super().scan(call, l, d, x, h, n)
        return (out[::-1] if d else out), h

BUGS = tuple(_LIST)
