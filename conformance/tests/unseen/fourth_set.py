"""Forty wrong plain RNNs, as first drafts, ports, exports and hurried speed-ups get them wrong.

Written from the README and the pages that it links, before the diagnosis was read or changed, and not adapted since.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import rnn_conformance
import torch
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

def unpack(w):
    return w["W_xh"].T, w["W_hh"].T, w["b_xh"].T, w["b_hh"].T, w["W_ho"].T, w["b_ho"].T

def begin(w, inputs, h_0):
    return np.zeros((inputs.shape[1], len(w["W_hh"])), inputs.dtype) if h_0 is None else h_0

# ------------------------------------------------------------------ functions: single bugs

@bug(("the activation is softsign, a / (1 + |a|)", "everywhere"))
def softsign(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs = begin(weights, inputs, h_0), []
    for x in inputs:
        a = x @ Wx + bx + h @ Wh + bh
        h = a / (1 + np.abs(a))
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo}

@bug(("the activation is 1.7159 tanh(2 a / 3)", "everywhere"))
def lecun_tanh(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    one = inputs.dtype.type
    h, hs = begin(weights, inputs, h_0), []
    for x in inputs:
        h = one(1.7159) * np.tanh(one(2 / 3) * (x @ Wx + bx + h @ Wh + bh))
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo}

@bug(("the step reads the input of the step before, and step 0 that of the last step", "everywhere, of more than one step"))
def wrapped_inputs(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs = begin(weights, inputs, h_0), []
    for t in range(1, len(inputs) + 1):  # 1-based, as in the paper
        h = np.tanh(inputs[t - 2] @ Wx + bx + h @ Wh + bh)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo}

@bug(("only the lower triangle of W_hh is used, with the diagonal", "everywhere: each unit reads itself and the units before it"))
def lower_triangle(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    Wh = np.tril(weights["W_hh"]).T
    h, hs = begin(weights, inputs, h_0), []
    for x in inputs:
        h = np.tanh(x @ Wx + bx + h @ Wh + bh)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo}

@bug(("the weights [W_xh, W_hh] meet the vector [h, x]: the two are joined in different orders", "everywhere"))
def swapped_concat(weights, inputs, h_0):
    w = weights
    W = np.concatenate([w["W_xh"], w["W_hh"]], axis=1).T
    b = (w["b_xh"] + w["b_hh"]).T
    h, hs = begin(weights, inputs, h_0), []
    for x in inputs:
        h = np.tanh(np.concatenate([h, x], axis=1) @ W + b)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ w["W_ho"].T + w["b_ho"].T}

@bug(("the recurrent term reads the initial state at every step", "steps 1 and later"))
def never_updated(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h = begin(weights, inputs, h_0)
    hs = np.stack([np.tanh(x @ Wx + bx + h @ Wh + bh) for x in inputs])
    return {"hidden_states": hs, "h_n": hs[-1], "outputs": hs @ Wo + bo}

@bug(("the outputs pass through log-softmax", "the outputs, everywhere"))
def log_softmax(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs, ys = begin(weights, inputs, h_0), [], []
    for x in inputs:
        h = np.tanh(x @ Wx + bx + h @ Wh + bh)
        z = h @ Wo + bo
        z = z - z.max(axis=1, keepdims=True)
        hs.append(h)
        ys.append(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))
    return {"hidden_states": np.stack(hs), "h_n": h, "outputs": np.stack(ys)}

@bug(("the readout reads the mean of the states so far", "the outputs of steps 1 and later"))
def running_mean(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs, ys, total = begin(weights, inputs, h_0), [], [], 0
    for t, x in enumerate(inputs):
        h = np.tanh(x @ Wx + bx + h @ Wh + bh)
        total = total + h
        hs.append(h)
        ys.append(total / inputs.dtype.type(t + 1) @ Wo + bo)
    return {"hidden_states": np.stack(hs), "h_n": h, "outputs": np.stack(ys)}

@bug(("the inputs are rounded to float16", "everywhere"))
def half_inputs(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    with np.errstate(all="ignore"):
        xs = inputs.astype(np.float16).astype(inputs.dtype)
    h, hs = begin(weights, inputs, h_0), []
    for x in xs:
        h = np.tanh(x @ Wx + bx + h @ Wh + bh)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo}

@bug(("W_hh is divided by its spectral norm", "everywhere, where that norm is over 1"))
def spectral_limit(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    norm = np.linalg.norm(Wh, 2) if np.isfinite(Wh).all() and Wh.size else 1
    if norm > 1:
        Wh = Wh / Wh.dtype.type(norm)
    h, hs = begin(weights, inputs, h_0), []
    for x in inputs:
        h = np.tanh(x @ Wx + bx + h @ Wh + bh)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo}

@bug(("axes of length 1 are squeezed out of the results", "a single row, a single step, a single unit or output"))
def squeezed(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs = begin(weights, inputs, h_0), []
    for x in inputs:
        h = np.tanh(x @ Wx + bx + h @ Wh + bh)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs.squeeze(), "h_n": h.squeeze(), "outputs": (hs @ Wo + bo).squeeze()}

@bug((
    "the batch is computed in two halves of B // 2 rows, and the row that is left over stays zero",
    "the last row of an odd batch: states, h_n, and the outputs are b_ho there",
))
def two_halves(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    T, B, _ = inputs.shape
    hs = np.zeros((T, B, len(Wh)), inputs.dtype)
    start = begin(weights, inputs, h_0)
    half = max(B // 2, 1) if B < 2 else B // 2
    for s in (slice(0, half), slice(half, 2 * half)):
        h = start[s]
        for t in range(T):
            h = hs[t, s] = np.tanh(inputs[t, s] @ Wx + bx + h @ Wh + bh)
    return {"hidden_states": hs, "h_n": hs[-1], "outputs": hs @ Wo + bo}

@bug(("the input term is added after tanh, outside its parenthesis", "everywhere"))
def misplaced_parenthesis(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs = begin(weights, inputs, h_0), []
    for x in inputs:
        h = np.tanh(h @ Wh + bh) + x @ Wx + bx
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo}

@bug(("the loop runs over the rows: the state goes from row to row, not from step to step", "everywhere: the first two axes are taken for each other"))
@rnn_conformance.claims("time_first", "float32", "float64", "tanh", "readout")
def batch_looped(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    T, B, _ = inputs.shape
    h = np.zeros((T, len(Wh)), inputs.dtype)
    hs = np.zeros((T, B, len(Wh)), inputs.dtype)
    for b in range(B):
        h = hs[:, b] = np.tanh(inputs[:, b] @ Wx + bx + h @ Wh + bh)
    return {"hidden_states": hs, "outputs": hs @ Wo + bo}

# ------------------------------------------------------------------ functions: pairs and triples

@bug(
    ("the state is half the old state plus half of tanh, a leak", "everywhere"),
    ("h_n is the mean of the states over the steps", "h_n, of calls of more than one step"),
)
def leaky_pooled(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs = begin(weights, inputs, h_0), []
    half = inputs.dtype.type(0.5)
    for x in inputs:
        h = half * h + half * np.tanh(x @ Wx + bx + h @ Wh + bh)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": hs.mean(axis=0), "outputs": hs @ Wo + bo}

@bug(
    ("the input features are read in reverse order", "everywhere, where I > 1"),
    ("the readout has no bias", "the outputs, everywhere"),
)
def flipped_features(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs = begin(weights, inputs, h_0), []
    for x in inputs:
        h = np.tanh(x[:, ::-1] @ Wx + bx + h @ Wh + bh)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo}

@bug(
    ("a call of one step takes a fast path without b_hh", "calls of one step"),
    ("W_ho is rounded to float16", "the outputs, everywhere"),
)
def fast_single_step(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    with np.errstate(all="ignore"):
        Wo = Wo.astype(np.float16).astype(Wo.dtype)
    h, hs = begin(weights, inputs, h_0), []
    if len(inputs) == 1:
        h = np.tanh(inputs[0] @ Wx + h @ Wh + bx)
        return {"hidden_states": h[None], "h_n": h, "outputs": (h @ Wo + bo)[None]}
    for x in inputs:
        h = np.tanh(x @ Wx + bx + h @ Wh + bh)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo}

@bug(
    ("the input term is divided by the square root of the number of features", "everywhere, where I > 1"),
    ("the state is clipped to -0.9 and 0.9", "everywhere, where it is beyond"),
)
def scaled_and_clipped(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs = begin(weights, inputs, h_0), []
    root = inputs.dtype.type(np.sqrt(inputs.shape[2]))
    for x in inputs:
        h = np.clip(np.tanh(x @ Wx / root + bx + h @ Wh + bh), -0.9, 0.9)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo}

@bug(
    ("without an initial state the state starts at 0.1", "step 0 of calls without an initial state"),
    ("b_xh is added twice", "everywhere"),
)
def tenth_start(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h = np.full((inputs.shape[1], len(Wh)), 0.1, inputs.dtype) if h_0 is None else h_0
    projected = inputs @ Wx + bx
    hs = []
    for p in projected:
        h = np.tanh(p + bx + h @ Wh + bh)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo}

@bug(
    ("the buffer of the inputs holds 64 steps, and later inputs are zeros", "steps 64 and later"),
    ("the outputs pass through relu", "the outputs, where they are negative"),
    ("h_n is the state of the step before the last", "h_n"),
)
def short_buffer(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    buffer = np.zeros_like(inputs)
    buffer[:64] = inputs[:64]
    h, hs = begin(weights, inputs, h_0), []
    before = h
    for x in buffer:
        before = h
        h = np.tanh(x @ Wx + bx + h @ Wh + bh)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": before, "outputs": np.maximum(hs @ Wo + bo, 0)}

@bug(
    ("the recurrent product is multiplied by 0.9", "everywhere"),
    ("b_xh is left out of the first step", "step 0"),
    ("the outputs are doubled", "the outputs, everywhere"),
)
def kept_missing_doubled(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs = begin(weights, inputs, h_0), []
    for t, x in enumerate(inputs):
        a = x @ Wx + inputs.dtype.type(0.9) * (h @ Wh) + bh
        h = np.tanh(a if t == 0 else a + bx)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": 2 * (hs @ Wo + bo)}

@bug(
    ("the first feature is not read, as if it were an index", "everywhere: the first column of W_xh"),
    ("the last unit has no tanh", "everywhere, the last unit"),
    ("b_ho is added twice", "the outputs, everywhere"),
)
def index_linear_twice(weights, inputs, h_0):
    Wx, Wh, bx, bh, Wo, bo = unpack(weights)
    h, hs = begin(weights, inputs, h_0), []
    for x in inputs:
        a = x[:, 1:] @ Wx[1:] + bx + h @ Wh + bh
        h = np.concatenate([np.tanh(a[:, :-1]), a[:, -1:]], axis=1)
        hs.append(h)
    hs = np.stack(hs)
    return {"hidden_states": hs, "h_n": h, "outputs": hs @ Wo + bo + bo}

# ------------------------------------------------------------------ classes

class _Base:
    def __init__(self, input_size, hidden_size, output_size, *, dtype=np.float64, rng=None):
        rng = np.random.default_rng(rng)
        f = lambda *shape: (0.4 * rng.standard_normal(shape)).astype(dtype)
        self.W_xh, self.b_xh = f(hidden_size, input_size), f(hidden_size, 1)
        self.W_hh, self.b_hh = f(hidden_size, hidden_size), f(hidden_size, 1)
        self.W_ho, self.b_ho = f(output_size, hidden_size), f(output_size, 1)

@bug(("the readout reads the states with dropout of a tenth, at random", "the outputs, everywhere"))
class DropoutLeftOn(_Base):
    def forward(self, inputs, h_0=None):
        g = np.random.default_rng()
        h = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype) if h_0 is None else h_0
        y, s = {}, {-1: h}
        for t, x in enumerate(inputs):
            h = s[t] = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            keep = (g.random(h.shape) > 0.1).astype(h.dtype) / h.dtype.type(0.9)
            y[t] = self.W_ho @ (h * keep) + self.b_ho
        return y, s

@bug(("the results are a workspace of the object, which a later call of the same sizes overwrites", "results that are kept while another call runs"))
class Workspace(_Base):
    def forward(self, inputs, h_0=None):
        T, B, _ = inputs.shape
        H, O = len(self.W_hh), len(self.W_ho)
        key = (T, B, inputs.dtype)
        if getattr(self, "_key", None) != key:
            self._key = key
            self._states, self._outputs = np.empty((T, B, H), inputs.dtype), np.empty((T, B, O), inputs.dtype)
        h = np.zeros((B, H), inputs.dtype) if h_0 is None else h_0
        for t in range(T):
            h = np.tanh(inputs[t] @ self.W_xh.T + self.b_xh.T + h @ self.W_hh.T + self.b_hh.T)
            self._states[t] = h
            self._outputs[t] = h @ self.W_ho.T + self.b_ho.T
        return self._outputs, self._states

@bug(("the caller's inputs are clipped to -2 and 2 in place", "inputs beyond 2 in size: the numbers, and the array of the caller"))
class ClippedInPlace(_Base):
    def forward(self, inputs, h_0=None):
        np.clip(inputs, -2, 2, out=inputs)
        h = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype) if h_0 is None else h_0
        y, s = {}, {-1: h}
        for t, x in enumerate(inputs):
            h = s[t] = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            y[t] = self.W_ho @ h + self.b_ho
        return y, s

@bug((
    "the sum of the biases is tiled over the batch and kept by the number of rows, so later biases are not seen",
    "calls after the first one with as many rows, if the biases have changed",
))
class TiledBias(_Base):
    def forward(self, inputs, h_0=None):
        B = inputs.shape[1]
        tiles = self.__dict__.setdefault("tiles", {})
        key = B, inputs.dtype.str, len(self.W_hh)
        if key not in tiles:
            tiles[key] = np.repeat(self.b_xh + self.b_hh, B, axis=1)
        h = np.zeros((len(self.W_hh), B), inputs.dtype) if h_0 is None else h_0
        y, s = {}, {-1: h}
        for t, x in enumerate(inputs):
            h = s[t] = np.tanh(tiles[key] + self.W_xh @ x.T + self.W_hh @ h)
            y[t] = self.W_ho @ h + self.b_ho
        return y, s

@bug(("only the first step adds the biases: they are added to the first projected input alone", "steps 1 and later"))
class TorchModule(torch.nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.i2h = torch.nn.Linear(input_size, hidden_size)
        self.h2h = torch.nn.Linear(hidden_size, hidden_size)
        self.out = torch.nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):  # x (T, B, I)
        projected = x @ self.i2h.weight.T
        first = torch.zeros_like(projected)
        first[0] = self.i2h.bias + self.h2h.bias
        h = x.new_zeros(x.shape[1], self.h2h.weight.shape[0]) if h0 is None else h0
        states = []
        for p in projected + first:
            h = torch.tanh(p + h @ self.h2h.weight.T)
            states.append(h)
        states = torch.stack(states)
        return self.out(states), states

@bug(
    ("the initial state is not used", "step 0 of calls with an initial state"),
    ("the outputs pass through a sigmoid", "the outputs, everywhere"),
)
class ForgottenStart(_Base):
    def forward(self, inputs, h_0=None):
        h = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype)
        y, s = {}, {}
        for t, x in enumerate(inputs):
            h = s[t] = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            with np.errstate(over="ignore"):
                y[t] = 1 / (1 + np.exp(-(self.W_ho @ h + self.b_ho)))
        return y, s

@bug(
    ("noise of 0.001 is added to every state, at random", "everywhere"),
    ("the bias of the first output is added to all outputs", "the outputs after the first"),
)
class NoisyScalarBias(_Base):
    def forward(self, inputs, h_0=None):
        g = np.random.default_rng()
        h = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype) if h_0 is None else h_0
        y, s = {}, {-1: h}
        for t, x in enumerate(inputs):
            h = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            h = s[t] = h + (0.001 * g.standard_normal(h.shape)).astype(h.dtype)
            y[t] = self.W_ho @ h + self.b_ho[0]
        return y, s

@bug(
    ("the state is halved before every tenth step", "steps 10, 20, 30, ..."),
    ("the readout reads the positive part of the states", "the outputs, everywhere"),
    ("the state is carried in float32", "float64 calls, steps 1 and later"),
)
class HalvedRectifiedShort(_Base):
    def forward(self, inputs, h_0=None):
        h = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype) if h_0 is None else h_0
        y, s = {}, {-1: h}
        for t, x in enumerate(inputs):
            if t and t % 10 == 0:
                h = h / 2
            a = self.W_xh @ x.T + self.b_xh + self.W_hh @ h.astype(inputs.dtype) + self.b_hh
            h = s[t] = np.tanh(a)
            h = h.astype(np.float32)
            y[t] = self.W_ho @ np.maximum(s[t], 0) + self.b_ho
        return y, s

# ------------------------------------------------------------------ layers

class _Layer:
    """A right layer; each class below breaks a part of it."""

    claims = FEATURES - {"dropout", "float16", "bfloat16", "reverse", "readout"}
    conventions = {"length 0": "h_0", "T = 0": "empty", "wrong sizes": "undefined"}

    def weights(self, call, l, d):
        s = f"l{l}" + ("_reverse" if d else "")
        w = call.weights
        if not call.options.bias:
            return w[f"weight_ih_{s}"], w[f"weight_hh_{s}"], 0, 0
        return w[f"weight_ih_{s}"], w[f"weight_hh_{s}"], w[f"bias_ih_{s}"], w[f"bias_hh_{s}"]

    def f(self, call, a):
        return np.maximum(a, 0) if call.options.nonlinearity == "relu" else np.tanh(a)

    def time_first(self, call):
        x = call.inputs
        if call.layout == "single":
            return x[:, None]
        return x.swapaxes(0, 1) if call.layout == "batch_first" else x

    def h_0(self, call, l, d, B):
        o = call.options
        if call.h_0 is None:
            return np.zeros((B, o.hidden_size), call.inputs.dtype)
        return call.h_0.reshape(o.num_layers, o.directions, -1, o.hidden_size)[l, d]

    def step(self, call, x, h, w):
        return self.f(call, x @ w[0].T + w[2] + h @ w[1].T + w[3])

    def real(self, n, t):
        return t < n

    def one(self, call, l, d, x, n):
        w, h = self.weights(call, l, d), self.h_0(call, l, d, x.shape[1])
        out = np.zeros((*x.shape[:2], call.options.hidden_size), x.dtype)
        for t in reversed(range(len(x))) if d else range(len(x)):
            now = self.real(n, t)[:, None]
            h = np.where(now, self.step(call, x[t], h, w), h)
            out[t] = np.where(now, h, 0)
        return out, h

    def between(self, call, l, x):
        return x

    def order(self, h_n, D):
        return h_n

    def run(self, call: Call) -> Answer:
        o = call.options
        x = self.time_first(call)
        T, B = x.shape[:2]
        n = np.full(B, T) if call.lengths is None else np.asarray(call.lengths)
        if n.shape != (B,) or (n < 0).any() or (n > T).any():
            raise ValueError("wrong lengths")
        h_n = []
        for l in range(o.num_layers):
            both = [self.one(call, l, d, x, n) for d in range(o.directions)]
            h_n += [h for _, h in both]
            x = self.between(call, l, np.concatenate([out for out, _ in both], axis=2))
        h_n = self.order(np.stack(h_n), o.directions)
        if call.layout == "single":
            return Answer(output=x[:, 0], h_n=h_n[:, 0])
        return Answer(output=x.swapaxes(0, 1).copy() if call.layout == "batch_first" else x, h_n=h_n)

@bug((
    "the rows of a step are counted as though the lengths fell: at step t the first rows are taken, as many as are longer than t",
    "calls with lengths that do not fall",
))
class TakenForSorted(_Layer):
    name = "taken for sorted"

    def real(self, n, t):
        return np.arange(len(n)) < (n > t).sum()

@bug(("dropout is applied to what the last layer gives, too", "calls in training with dropout: the output"))
class DropsLast(_Layer):
    name = "drops the last layer"
    claims = _Layer.claims | {"dropout"}

    def between(self, call, l, x):
        p = call.options.dropout
        if not call.training or not p:
            return x
        keep = np.random.default_rng().random(x.shape) >= p
        return np.where(keep, x / x.dtype.type(1 - p) if p < 1 else 0, 0).astype(x.dtype)

@bug(("relu hides NaN: the greater of a and 0 is taken by fmax", "relu calls, where a pre-activation is NaN"))
class HidesNaN(_Layer):
    name = "hides NaN"

    def f(self, call, a):
        return np.fmax(a, 0) if call.options.nonlinearity == "relu" else np.tanh(a)

@bug(("bfloat16 is made by cutting the lower bits off, not by rounding", "bfloat16 calls"))
class CutsBits(_Layer):
    name = "cuts bits"
    claims = _Layer.claims | {"bfloat16"}

    def step(self, call, x, h, w):
        new = super().step(call, x, h, w)
        if call.bfloat16:
            new = (np.ascontiguousarray(new, np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
        return new

@bug(("layers from the third on read what the first layer gives", "layers 2 and later"))
class ReadsFirst(_Layer):
    name = "reads the first layer"

    def between(self, call, l, x):
        if l == 0:
            self.first = x
        last = l == call.options.num_layers - 1
        return x if last else self.first

@bug(
    ("the reverse direction starts from the forward direction's initial state", "calls with an initial state, the reverse direction"),
    ("bias_ih stands in the place of bias_hh", "layers 1 and later"),
)
class SharedStartTwiceIH(_Layer):
    name = "shared start, bias_ih twice"

    def h_0(self, call, l, d, B):
        return super().h_0(call, l, 0, B)

    def weights(self, call, l, d):
        wi, wh, bi, bh = super().weights(call, l, d)
        return wi, wh, bi, bi if l else bh

@bug(
    ("a single sequence is read as a batch of rows of one step each", "calls of a single sequence: steps 1 and later start from h_0"),
    ("relu is leaky: 0.2 a below zero", "relu calls, where a pre-activation is below zero"),
)
class SingleAsRowsLeaky(_Layer):
    name = "single as rows, leaky"
    claims = _Layer.claims - {"lengths"}

    def f(self, call, a):
        return np.where(a > 0, a, a * a.dtype.type(0.2)) if call.options.nonlinearity == "relu" else np.tanh(a)

    def run(self, call):
        if call.layout != "single":
            return super().run(call)
        o = call.options
        x, h_n = call.inputs, []
        for l in range(o.num_layers):
            outs = []
            for d in range(o.directions):
                h = np.zeros((1, o.hidden_size), x.dtype) if call.h_0 is None else call.h_0[None, l * o.directions + d]
                outs.append(self.step(call, x, h, self.weights(call, l, d)))
                h_n.append(outs[-1][0 if d else -1])
            x = np.concatenate(outs, axis=1)
        return Answer(output=x, h_n=np.stack(h_n))

@bug(
    ("h_n has all forward states first, then all reverse ones", "h_n, of two directions and several layers"),
    ("W_hh is transposed", "the reverse direction of layers 1 and later"),
)
class DirectionMajorTransposed(_Layer):
    name = "direction-major h_n, transposed above"

    def order(self, h_n, D):
        return np.concatenate([h_n[d::D] for d in range(D)])

    def weights(self, call, l, d):
        wi, wh, bi, bh = super().weights(call, l, d)
        return wi, wh.T if l and d else wh, bi, bh

@bug(
    ("relu is softplus, log(1 + e^a)", "relu calls"),
    ("h_n has the reverse direction's state before the forward one's", "h_n, of two directions"),
    ("all layers start from the initial state of layer 0", "calls with an initial state, layers 1 and later"),
)
class SoftplusSwappedFirstStart(_Layer):
    name = "softplus, swapped h_n, first start"

    def f(self, call, a):
        return np.logaddexp(a, 0) if call.options.nonlinearity == "relu" else np.tanh(a)

    def order(self, h_n, D):
        return h_n.reshape(-1, D, *h_n.shape[1:])[:, ::-1].reshape(h_n.shape)

    def h_0(self, call, l, d, B):
        return super().h_0(call, 0, d, B)

@bug(
    ("bias_ih is left out of the reverse direction", "the reverse direction, every layer"),
    ("the padding of the output keeps the last real state", "the forward direction's output after the end of shorter rows"),
    ("what dropout keeps is not scaled by 1 / (1 - p)", "calls in training with dropout, layers 1 and later"),
)
class BarePaddedUnscaled(_Layer):
    name = "bare reverse, padded output, unscaled dropout"
    claims = _Layer.claims | {"dropout"}

    def weights(self, call, l, d):
        wi, wh, bi, bh = super().weights(call, l, d)
        return wi, wh, 0 if d else bi, bh

    def one(self, call, l, d, x, n):
        out, h = super().one(call, l, d, x, n)
        if d == 0 and l == call.options.num_layers - 1:
            out = np.where((np.arange(len(x))[:, None] < n)[:, :, None], out, h)
        return out, h

    def between(self, call, l, x):
        p = call.options.dropout
        if not call.training or not p or l == call.options.num_layers - 1:
            return x
        return np.where(np.random.default_rng().random(x.shape) >= p, x, 0).astype(x.dtype)

BUGS = tuple(_LIST)
