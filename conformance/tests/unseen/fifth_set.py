"""Forty wrong RNNs, LSTMs and GRUs, as notebooks, ports, kernels and exports get them wrong.

Written from the README and "Ways in" alone: neither the diagnosis nor another set was read, but for
the first 60 lines of the fourth, for the form.
24 single bugs, 10 pairs and 6 triples.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import rnn_conformance
import torch
from rnn_conformance import FEATURES, Answer, Call, Source
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


@dataclass(frozen=True)
class Bug:
    name: str
    make: Callable
    what: tuple[str, ...]
    where: tuple[str, ...]


_LIST = []


def wrong(*parts, like=""):
    """Register what stands below; parts are (what, where); like: what it stands in for."""

    def register(thing):
        make = (lambda: Source(f"{__file__}:{thing.__name__}", like=like)) if like else thing
        _LIST.append(Bug(thing.__name__, make, *(tuple(p) for p in zip(*parts, strict=True))))
        return thing

    return register


def logistic(a):
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1 / (1 + e), e / (1 + e))


def plain_weights(w):
    return (
        w["W_xh"],
        w["W_hh"],
        w["b_xh"][:, 0],
        w["b_hh"][:, 0],
        w["W_ho"],
        w["b_ho"][:, 0],
    )


def zeros_or(h_0, inputs, size):
    return np.zeros((inputs.shape[1], size), inputs.dtype) if h_0 is None else h_0


# ---------------------------------------------------------------- singles: functions, plain


@wrong(("W_hh h_0 + b_hh is left out, so h_0 is not used", "at step 1"))
def first_step_apart(weights, inputs, h_0):
    U, V, b, c, O, d = plain_weights(weights)
    states = []
    for t, x in enumerate(inputs):
        if t == 0:
            h = np.tanh(x @ U.T + b)
        else:
            h = np.tanh(x @ U.T + b + h @ V.T + c)
        states.append(h)
    states = np.stack(states)
    return {"hidden_states": states, "h_n": h, "outputs": states @ O.T + d}


@wrong(
    (
        "the state is overwritten in place: W_hh reads the new values of the units before",
        "everywhere, from unit 1 on",
    )
)
def no_double_buffer(weights, inputs, h_0):
    U, V, b, c, O, d = plain_weights(weights)
    h = zeros_or(h_0, inputs, len(V)).copy()
    states = []
    for x in inputs:
        for j in range(len(V)):
            h[:, j] = np.tanh(x @ U[j] + b[j] + h @ V[j] + c[j])
        states.append(h.copy())
    states = np.stack(states)
    return {"hidden_states": states, "h_n": h.copy(), "outputs": states @ O.T + d}


@wrong(("the last H mod 4 columns of W_hh are not read (a vector loop has no tail)", "everywhere"))
def simd_without_tail(weights, inputs, h_0):
    U, V, b, c, O, d = plain_weights(weights)
    h = zeros_or(h_0, inputs, len(V))
    bias, states = b + c, []
    for x in inputs:
        acc = x @ U.T + bias
        for k in range(0, len(V) - len(V) % 4, 4):
            acc = acc + h[:, k : k + 4] @ V[:, k : k + 4].T
        h = np.tanh(acc)
        states.append(h)
    states = np.stack(states)
    return {"hidden_states": states, "h_n": h, "outputs": states @ O.T + d}


@wrong(("the next step gets the preactivation, not its tanh", "from step 2 on"))
@rnn_conformance.weights_named(
    Wx="W_xh.T", Wh="W_hh.T", bx="b_xh", bh="b_hh", Wy="W_ho.T", by="b_ho"
)
def preactivation_carried(x, Wx, Wh, bx, bh, Wy, by, h0=None):
    z = np.zeros((x.shape[1], Wh.shape[0]), x.dtype) if h0 is None else h0
    hidden, logits = [], []
    for xt in x:
        z = xt @ Wx + bx.reshape(-1) + z @ Wh + bh.reshape(-1)
        hidden.append(np.tanh(z))
        logits.append(hidden[-1] @ Wy + by.reshape(-1))
    return {
        "hidden_states": np.stack(hidden),
        "h_n": hidden[-1],
        "outputs": np.stack(logits),
    }


@wrong(("W_hh is rounded to 8 bits (one scale for the whole matrix)", "everywhere"))
def int8_recurrent(weights, inputs, h_0):
    U, V, b, c, O, d = plain_weights(weights)
    scale = np.abs(V).max() / 127 or V.dtype.type(1)
    V = np.clip(np.round(V / scale), -128, 127).astype(np.int8).astype(V.dtype) * scale
    h = zeros_or(h_0, inputs, len(V))
    states = np.empty((*inputs.shape[:2], len(V)), inputs.dtype)
    for t, x in enumerate(inputs):
        states[t] = h = np.tanh(x @ U.T + b + h @ V.T + c)
    return {"hidden_states": states, "h_n": h, "outputs": states @ O.T + d}


# ---------------------------------------------------------------- singles: classes, plain


@wrong(("the readout reads h_{t-1} instead of h_t", "everywhere, of the outputs"))
class CharRNN:
    def __init__(self, input_size, hidden_size, output_size):
        self.Wxh = np.random.randn(hidden_size, input_size) * 0.01
        self.Whh = np.random.randn(hidden_size, hidden_size) * 0.01
        self.Why = np.random.randn(output_size, hidden_size) * 0.01
        self.bh = np.zeros((hidden_size, 1))
        self.by = np.zeros((output_size, 1))

    def forward(self, inputs, hprev):
        hs, ys = {-1: np.copy(hprev)}, {}
        for t in range(len(inputs)):
            x = inputs[t].reshape(-1, 1)
            hs[t] = np.tanh(np.dot(self.Wxh, x) + np.dot(self.Whh, hs[t - 1]) + self.bh)
            ys[t] = np.dot(self.Why, hs[t - 1]) + self.by
        return ys, hs


@wrong(("dL/dW_hh is summed over dL/da_t h_t^T instead of dL/da_t h_{t-1}^T", "of the gradients"))
@rnn_conformance.gradients("backward")
class ScratchRNN:
    def __init__(self, input_size, hidden_size, *, dtype, rng):
        self.W_in = rng.standard_normal((hidden_size, input_size)).astype(dtype)
        self.W_rec = rng.standard_normal((hidden_size, hidden_size)).astype(dtype)
        self.bias = rng.standard_normal(hidden_size).astype(dtype)

    def forward(self, inputs, h_0):
        self.x, self.start = inputs, h_0
        h, states = h_0, []
        for x in inputs:
            h = np.tanh(x @ self.W_in.T + h @ self.W_rec.T + self.bias)
            states.append(h)
        self.h = np.stack(states)
        return self.h

    def backward(self, d_states):
        dW_in, dW_rec = np.zeros_like(self.W_in), np.zeros_like(self.W_rec)
        db, dx = np.zeros_like(self.bias), np.zeros_like(self.x)
        later = np.zeros_like(self.start)
        for t in reversed(range(len(self.x))):
            da = (d_states[t] + later) * (1 - self.h[t] ** 2)
            dW_in += da.T @ self.x[t]
            dW_rec += da.T @ self.h[t]
            db += da.sum(0)
            dx[t] = da @ self.W_in
            later = da @ self.W_rec
        return {"W_in": dW_in, "W_rec": dW_rec, "bias": db, "inputs": dx, "h_0": later}


@wrong(
    ("without h_0 it starts from the last state of the call before", "in calls after the first"),
    like="torch.nn.RNN",
)
class StatefulRNN(nn.RNN):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.hidden = None

    def _fits(self, x):
        if isinstance(x, PackedSequence):
            rows, dtype = int(x.batch_sizes[0]), x.data.dtype
        elif x.dim() == 2:
            return self.hidden.dim() == 2 and self.hidden.dtype == x.dtype
        else:
            rows, dtype = x.shape[0 if self.batch_first else 1], x.dtype
        hidden = self.hidden
        return hidden.dim() == 3 and hidden.shape[1] == rows and hidden.dtype == dtype

    def forward(self, input, hx=None):
        if hx is None and self.hidden is not None and self._fits(input):
            hx = self.hidden
        output, h_n = super().forward(input, hx)
        self.hidden = h_n.detach().clone()
        return output, h_n


# ---------------------------------------------------------------- two layers to be wrong in


class Net:
    """NumPy, with a mask for the lengths. Right as it stands."""

    name = "net"
    claims = FEATURES - {"bfloat16", "float16", "reverse", "readout"}
    conventions = {"wrong sizes": "undefined"}

    def run(self, call: Call) -> Answer:
        o = call.options
        x, h, c = self.unpack(call)
        steps, rows = x.shape[:2]
        lengths = np.full(rows, steps) if call.lengths is None else call.lengths
        if not steps or np.any(lengths < 1) or np.any(lengths > steps):
            raise ValueError("lengths are from 1 to the number of steps")
        real = (np.arange(steps)[:, None] < lengths)[..., None]
        ways, ends = 1 + o.bidirectional, []
        for layer in range(o.num_layers):
            if layer and call.training and o.dropout:
                x = self.drop(x, o.dropout)
            found = []
            for way in range(ways):
                state = self.start(h, c, layer, way, ways, ends)
                get = self.getter(call.weights, layer, way)
                states, end = self.sweep(o, x, state, get, way, real)
                found.append(states)
                ends.append(end)
            x = self.join(found)
        return self.pack(call, x, self.last(x, ends, o))

    def unpack(self, call):
        o, x, h, c = call.options, call.inputs, call.h_0, call.c_0
        if call.layout == "single":
            x = x[:, None]
            h, c = (None if s is None else s[:, None] for s in (h, c))
        if call.layout == "batch_first":
            x = self.time_first(x)
        zeros = np.zeros((o.num_layers * (1 + o.bidirectional), x.shape[1], o.hidden_size), x.dtype)
        return x, zeros if h is None else h, zeros if c is None else c

    def time_first(self, x):
        return x.transpose(1, 0, 2)

    def drop(self, x, p):
        keep = np.random.default_rng().random(x.shape) >= p
        return np.where(keep, x / (1 - p) if p < 1 else x, 0).astype(x.dtype)

    def start(self, h, c, layer, way, ways, ends):
        k = layer * ways + way
        return h[k], c[k]

    def getter(self, weights, layer, way):
        end = f"_l{layer}" + "_reverse" * way
        return lambda name: weights.get(name + end, 0)

    def step(self, o, x, state, get):
        a = x @ get("weight_ih").T + get("bias_ih")
        a = a + (state[0] @ get("weight_hh").T + get("bias_hh"))
        return np.maximum(a, 0) if o.cell == "relu" else np.tanh(a), state[1]

    def sweep(self, o, x, state, get, way, real):
        out = np.zeros((*x.shape[:2], o.hidden_size), x.dtype)
        for t in reversed(range(len(x))) if way else range(len(x)):
            state = self.freeze(real[t], self.step(o, x[t], state, get), state)
            out[t] = self.shown(real[t], state[0])
        return out, state

    def freeze(self, real, new, old):
        return tuple(np.where(real, n, s) for n, s in zip(new, old, strict=True))

    def shown(self, real, h):
        return np.where(real, h, 0)

    def join(self, found):
        return np.concatenate(found, axis=-1)

    def last(self, x, ends, o):
        return [np.stack(part) for part in zip(*ends, strict=True)]

    def pack(self, call, x, ends):
        if call.layout == "single":
            x, ends = x[:, 0], [e[:, 0] for e in ends]
        if call.layout == "batch_first":
            x = x.transpose(1, 0, 2)
        x, ends = x.copy(), [e.copy() for e in ends]
        gated = {"c_n": ends[1]} if call.options.cell == "lstm" else {}
        return Answer(output=x, h_n=ends[0], **gated)


class LSTMNet(Net):
    claims = (Net.claims - {"tanh", "relu"}) | {"lstm"}

    def step(self, o, x, state, get):
        h, c = state
        a = x @ get("weight_ih").T + get("bias_ih") + (h @ get("weight_hh").T + get("bias_hh"))
        i, f, g, out = np.split(a, 4, axis=-1)
        c = logistic(f) * c + logistic(i) * np.tanh(g)
        return logistic(out) * np.tanh(c), c


class GRUNet(Net):
    claims = (Net.claims - {"tanh", "relu"}) | {"gru"}

    def step(self, o, x, state, get):
        h = state[0]
        of_x = x @ get("weight_ih").T + get("bias_ih")
        of_h = h @ get("weight_hh").T + get("bias_hh")
        xr, xz, xn = np.split(of_x, 3, axis=-1)
        hr, hz, hn = np.split(of_h, 3, axis=-1)
        r, z = logistic(xr + hr), logistic(xz + hz)
        n = np.tanh(xn + r * hn)
        return (1 - z) * n + z * h, state[1]


# ---------------------------------------------------------------- singles: layers, plain


@wrong(("the inputs are made time first by reshape instead of transpose", "in batch_first"))
class ReshapeForTranspose(Net):
    name = "reshape for transpose"

    def time_first(self, x):
        return x.reshape(x.shape[1], x.shape[0], x.shape[2])


@wrong(
    (
        "it starts at the end of the padding instead of at the last real step, and reads the padding",
        "in the reverse direction, with lengths",
    )
)
class ReverseReadsPadding(Net):
    name = "reverse reads padding"

    def sweep(self, o, x, state, get, way, real):
        if not way:
            return super().sweep(o, x, state, get, way, real)
        # flip the padded batch, run it forwards, flip it back
        out, state = super().sweep(o, x[::-1], state, get, 0, np.ones_like(real))
        return np.where(real, out[::-1], 0), state


@wrong(
    (
        "h_n is the state at the last step in time, where this direction begins, "
        "instead of at the first",
        "of the reverse direction",
    )
)
class LastOfOutput:
    name = "last of output"
    claims = frozenset(
        ("time_first", "single", "batch_first", "float32", "float64", "tanh", "relu", "h_0", "h_n")
        + ("layers", "bidirectional", "no_bias")
    )
    conventions = {"wrong sizes": "undefined"}

    def run(self, call):
        o, layout = call.options, call.layout
        x = torch.from_numpy(call.inputs)
        x = x.unsqueeze(1) if layout == "single" else x
        x = x.transpose(0, 1) if layout == "batch_first" else x
        ways, h_n = 1 + o.bidirectional, []
        for layer in range(o.num_layers):
            # a torch.nn.RNN for each layer, so that each can be looked at
            one = nn.RNN(
                x.shape[-1],
                o.hidden_size,
                nonlinearity=o.cell,
                bias=o.bias,
                bidirectional=o.bidirectional,
                dtype=x.dtype,
            )
            own = {k: v for k, v in call.weights.items() if f"_l{layer}" in k}
            own = {k.replace(f"_l{layer}", "_l0"): torch.from_numpy(v) for k, v in own.items()}
            one.load_state_dict(own)
            h_0 = None
            if call.h_0 is not None:
                h_0 = torch.from_numpy(call.h_0[layer * ways : (layer + 1) * ways])
                h_0 = h_0.unsqueeze(1) if layout == "single" else h_0
            with torch.no_grad():
                x, _ = one(x, h_0)
            h_n += x[-1].split(o.hidden_size, dim=-1)
        h_n = torch.stack(h_n)
        if layout == "single":
            x, h_n = x[:, 0], h_n[:, 0]
        if layout == "batch_first":
            x = x.transpose(0, 1)
        return Answer(output=x.contiguous().numpy(), h_n=h_n.contiguous().numpy())


@wrong(
    (
        "the rows are sorted by length, and h_n is not put back in their order",
        "of h_n, with lengths",
    )
)
class SortedByLength:
    name = "sorted by length"
    claims = frozenset(
        ("time_first", "batch_first", "float32", "float64", "tanh", "relu", "h_0", "h_n")
        + ("layers", "bidirectional", "no_bias", "lengths")
    )
    conventions = {"wrong sizes": "undefined"}

    def run(self, call):
        o, first = call.options, call.layout == "batch_first"
        x = torch.from_numpy(call.inputs)
        rnn = nn.RNN(
            o.input_size,
            o.hidden_size,
            o.num_layers,
            nonlinearity=o.cell,
            bias=o.bias,
            batch_first=first,
            bidirectional=o.bidirectional,
            dtype=x.dtype,
        )
        rnn.load_state_dict({k: torch.from_numpy(v) for k, v in call.weights.items()})
        h_0 = None if call.h_0 is None else torch.from_numpy(call.h_0)
        with torch.no_grad():
            if call.lengths is None:
                output, h_n = rnn(x, h_0)
                return Answer(output=output.numpy(), h_n=h_n.numpy())
            rows = 0 if first else 1
            lengths, order = torch.from_numpy(call.lengths).sort(descending=True, stable=True)
            packed = pack_padded_sequence(x.index_select(rows, order), lengths, batch_first=first)
            output, h_n = rnn(packed, None if h_0 is None else h_0[:, order])
            output, _ = pad_packed_sequence(
                output, batch_first=first, total_length=x.shape[1 - rows]
            )
        output = output.index_select(rows, order.argsort())
        return Answer(output=output.contiguous().numpy(), h_n=h_n.numpy())


@wrong(("what dropout keeps is not divided by 1 - p", "between layers, in training"))
class DropoutUnscaled(Net):
    name = "dropout unscaled"

    def drop(self, x, p):
        return np.where(np.random.default_rng().random(x.shape) >= p, x, 0).astype(x.dtype)


@wrong(("relu is asked for and tanh is computed", "in the layers above the first"))
class ReluInFirstLayerOnly:
    name = "relu in the first layer only"
    claims = frozenset(
        ("time_first", "single", "float32", "float64", "tanh", "relu", "h_0", "h_n", "layers")
    )
    conventions = {"wrong sizes": "undefined"}

    def run(self, call):
        o, w, x = call.options, call.weights, call.inputs
        if len(x) == 0:
            raise ValueError("an empty sequence")
        h_0 = call.h_0
        if h_0 is None:
            h_0 = np.zeros((o.num_layers, *x.shape[1:-1], o.hidden_size), x.dtype)
        acts = [np.tanh] * o.num_layers
        if o.cell == "relu":
            acts[0] = lambda a: np.maximum(a, 0)
        hs = list(h_0)
        tops = []
        for x_t in x:
            for k in range(o.num_layers):
                a = x_t @ w[f"weight_ih_l{k}"].T + w[f"bias_ih_l{k}"]
                a = a + hs[k] @ w[f"weight_hh_l{k}"].T + w[f"bias_hh_l{k}"]
                x_t = hs[k] = acts[k](a)
            tops.append(x_t)
        return Answer(output=np.stack(tops), h_n=np.stack(hs))


# ---------------------------------------------------------------- singles: LSTM and GRU


@wrong(("the reset gate does not multiply b_hh of the new gate", "everywhere"))
@rnn_conformance.claims("time_first", "float32", "float64", "gru", "h_0", "h_n")
def bias_outside_reset(weights, inputs, h_0):
    W, R = weights["W_ih"], weights["W_hh"]
    bias = weights["b_ih"] + weights["b_hh"]
    n = R.shape[1]
    h, ys = zeros_or(h_0, inputs, n), []
    for x in inputs:
        gi, gh = x @ W.T + bias, h @ R.T
        r = logistic(gi[:, :n] + gh[:, :n])
        z = logistic(gi[:, n : 2 * n] + gh[:, n : 2 * n])
        new = np.tanh(gi[:, 2 * n :] + r * gh[:, 2 * n :])
        h = (1 - z) * new + z * h
        ys.append(h)
    return {"hidden_states": np.stack(ys), "h_n": h}


@wrong(("1 is added to the preactivation of the forget gate", "everywhere"))
@rnn_conformance.gates("igfo")
class BasicLSTMCell:
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        self.kernel = np.random.randn(input_size + hidden_size, 4 * hidden_size)
        self.bias = np.random.randn(4 * hidden_size)
        self._forget_bias = forget_bias

    def step(self, x, state):
        c_prev, h_prev = state[1], state[0]
        i, j, f, o = np.split(np.concatenate([x, h_prev], 1) @ self.kernel + self.bias, 4, axis=1)
        c = c_prev * logistic(f + self._forget_bias) + logistic(i) * np.tanh(j)
        h = np.tanh(c) * logistic(o)
        return h, c


@wrong(("the candidate g is a sigmoid instead of a tanh", "everywhere"))
class SigmoidForAll(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.x2h = nn.Linear(input_size, 4 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size)
        self.hidden_size = hidden_size

    def forward(self, x, state=None):
        if state is None:
            zeros = x.new_zeros(x.shape[1], self.hidden_size)
            state = (zeros, zeros)
        h, c = state
        outs = []
        for x_t in x:
            gates = torch.sigmoid(self.x2h(x_t) + self.h2h(h))
            i, f, g, o = gates.chunk(4, dim=-1)
            c = f * c + i * g
            h = o * torch.tanh(c)
            outs.append(h)
        return torch.stack(outs), (h, c)


@wrong(("h is kept through the padding and c is not", "of c_n, with lengths"))
class MaskOnlyH(LSTMNet):
    name = "mask only h"
    claims = LSTMNet.claims - {"bidirectional"}

    def freeze(self, real, new, old):
        return np.where(real, new[0], old[0]), new[1]


@wrong(
    (
        "a layer starts from the last state of the layer below instead of from its own h_0 and c_0",
        "in the layers above the first",
    )
)
class OneStateForAllLayers:
    name = "one state for all layers"
    claims = frozenset(
        ("time_first", "batch_first", "float32", "float64", "lstm", "h_0", "h_n", "layers")
    )
    conventions = {"wrong sizes": "undefined"}

    def run(self, call):
        o = call.options
        x = torch.from_numpy(call.inputs)
        x = x.transpose(0, 1) if call.layout == "batch_first" else x
        if call.h_0 is None:
            h = c = x.new_zeros(x.shape[1], o.hidden_size)
        else:
            h, c = torch.from_numpy(call.h_0)[0], torch.from_numpy(call.c_0)[0]
        hn, cn = [], []
        for layer in range(o.num_layers):
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            p = [torch.from_numpy(call.weights[f"{n}_l{layer}"]) for n in names]
            out = []
            for x_t in x.unbind(0):
                h, c = torch.lstm_cell(x_t, (h, c), *p)
                out.append(h)
            x = torch.stack(out)
            hn.append(h)
            cn.append(c)
        x = x.transpose(0, 1) if call.layout == "batch_first" else x
        h_n, c_n = torch.stack(hn).numpy(), torch.stack(cn).numpy()
        return Answer(output=x.contiguous().numpy(), h_n=h_n, c_n=c_n)


@wrong(("weight_hh is that of the forward direction", "in the reverse direction"))
class SuffixForgotten(LSTMNet):
    name = "suffix forgotten"

    def getter(self, weights, layer, way):
        end = f"_l{layer}" + "_reverse" * way
        return lambda name: weights.get(
            f"weight_hh_l{layer}" if name == "weight_hh" else name + end, 0
        )


@wrong(
    (
        "r h takes the place of h, so that the new state is (1 - z) n + z r h",
        "everywhere",
    )
)
@rnn_conformance.gates(cell="gru_reset_before")
class ResetInPlace:
    def __init__(self, input_size, hidden_size):
        for g in "rzn":
            setattr(self, f"W_{g}", np.random.randn(input_size, hidden_size))
            setattr(self, f"U_{g}", np.random.randn(hidden_size, hidden_size))
            setattr(self, f"b_{g}", np.random.randn(hidden_size))

    def forward(self, X, h):
        H = []
        for x in X:
            r = logistic(x @ self.W_r + h @ self.U_r + self.b_r)
            z = logistic(x @ self.W_z + h @ self.U_z + self.b_z)
            h = r * h
            n = np.tanh(x @ self.W_n + h @ self.U_n + self.b_n)
            h = (1 - z) * n + z * h
            H.append(h)
        return np.array(H)


@wrong(("the gates are clip(0.2 a + 0.5, 0, 1) instead of sigmoid(a)", "everywhere"))
@rnn_conformance.claims("time_first", "float32", "float64", "lstm", "h_0", "h_n")
def old_keras_lstm(weights, inputs, h_0):
    def hard_sigmoid(a):
        return np.clip(a.dtype.type(0.2) * a + a.dtype.type(0.5), 0, 1)

    kernel, recurrent = weights["W_ih"].T, weights["W_hh"].T
    bias = weights["b_ih"] + weights["b_hh"]
    if h_0 is None:
        h = c = np.zeros((inputs.shape[1], len(recurrent)), inputs.dtype)
    else:
        h, c = h_0
    sequence = []
    for x in inputs:
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
        c = hard_sigmoid(f) * c + hard_sigmoid(i) * np.tanh(g)
        h = hard_sigmoid(o) * np.tanh(c)
        sequence.append(h)
    return {"hidden_states": np.stack(sequence), "h_n": h, "c_n": c}


@wrong(
    (
        "c is detached at every step, so that no gradient flows back through it",
        "of the gradients; the numbers forwards are right",
    )
)
@rnn_conformance.gradients()
@rnn_conformance.claims("time_first", "float32", "float64", "lstm", "h_0", "h_n", "gradients")
def detached_cell(weights, inputs, h_0):
    w = {name: torch.as_tensor(value) for name, value in weights.items()}
    inputs = torch.as_tensor(inputs)
    if h_0 is None:
        h = c = inputs.new_zeros(inputs.shape[1], w["W_hh"].shape[1])
    else:
        h, c = (torch.as_tensor(part) for part in h_0)
    states = []
    for x in inputs:
        a = x @ w["W_ih"].T + w["b_ih"] + h @ w["W_hh"].T + w["b_hh"]
        i, f, g, o = a.chunk(4, dim=1)
        c = torch.sigmoid(f) * c.detach() + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        states.append(h)
    return {"hidden_states": torch.stack(states), "h_n": h, "c_n": c}


@wrong(("c_0 is not used: c starts from zeros", "at step 1, where a state is given"))
@rnn_conformance.claims("time_first", "float32", "float64", "lstm", "h_0", "h_n")
def c_0_unused(weights, inputs, h_0):
    size = weights["W_hh"].shape[1]
    h = zeros_or(None if h_0 is None else h_0[0], inputs, size)
    c = np.zeros_like(h)
    projected = inputs @ weights["W_ih"].T + weights["b_ih"] + weights["b_hh"]
    hs = np.empty((*inputs.shape[:2], size), inputs.dtype)
    for t, p in enumerate(projected):
        a = p + h @ weights["W_hh"].T
        sig = logistic(a)
        c = sig[:, size : 2 * size] * c + sig[:, :size] * np.tanh(a[:, 2 * size : 3 * size])
        hs[t] = h = sig[:, 3 * size :] * np.tanh(c)
    y = hs @ weights["W_ho"].T + np.ravel(weights["b_ho"])
    return {"hidden_states": hs, "h_n": h, "c_n": c, "outputs": y}


# ---------------------------------------------------------------- pairs: plain


@wrong(
    ("b_hh is left out", "everywhere"),
    ("the sequence is read from its end, and the states stay in the order of reading", "everywhere"),
)
def go_backwards_port(weights, inputs, h_0):
    U, V, b, _, O, d = plain_weights(weights)
    h, out = zeros_or(h_0, inputs, len(V)), []
    for x in inputs[::-1]:
        h = np.tanh(x @ U.T + b + h @ V.T)
        out.append(h)
    out = np.stack(out)
    return {"hidden_states": out, "h_n": h, "outputs": out @ O.T + d}


@wrong(
    ("the output is not flipped back into the order of time", "of the reverse direction"),
    ("it starts from the forward direction's h_0", "in the reverse direction"),
)
class FlippedOnce(Net):
    name = "flipped once"
    claims = Net.claims - {"lengths"}

    def start(self, h, c, layer, way, ways, ends):
        return h[layer * ways], c[layer * ways]

    def sweep(self, o, x, state, get, way, real):
        return super().sweep(o, x[::-1] if way else x, state, get, 0, real)


@wrong(
    ("the state leaks: h_t is 0.7 h_{t-1} + 0.3 tanh(...)", "everywhere"),
    ("b_ho is left out", "everywhere, of the outputs"),
)
def echo_state(weights, inputs, h_0):
    alpha = inputs.dtype.type(0.3)
    U, V, b, c, O, _ = plain_weights(weights)
    h = zeros_or(h_0, inputs, len(V))
    h_list = []
    for x in inputs:
        h = (1 - alpha) * h + alpha * np.tanh(x @ U.T + h @ V.T + b + c)
        h_list.append(h)
    reservoir = np.stack(h_list)
    return {"hidden_states": reservoir, "h_n": h, "outputs": reservoir @ O.T}


@wrong(
    ("dropout also falls on the output of the last layer, and in evaluation too", "of the output"),
    ("h_0 is not used", "everywhere a state is given"),
    like="torch.nn.RNN",
)
class RNNWithDropout(nn.RNN):
    def forward(self, input, hx=None):
        output, h_n = super().forward(input)
        if isinstance(output, PackedSequence):
            return output._replace(data=functional.dropout(output.data, self.dropout)), h_n
        return functional.dropout(output, self.dropout), h_n


@wrong(
    ("every state given back is the last one (one buffer for all)", "of the states"),
    ("the outputs are passed through a softmax", "of the outputs"),
)
class OneBuffer:
    def __init__(self, n_in, n_hidden, n_out, *, dtype, rng):
        self.Wx = rng.standard_normal((n_in, n_hidden)).astype(dtype)
        self.Wh = rng.standard_normal((n_hidden, n_hidden)).astype(dtype)
        self.b = rng.standard_normal(n_hidden).astype(dtype)
        self.Wy = rng.standard_normal((n_hidden, n_out)).astype(dtype)
        self.by = rng.standard_normal(n_out).astype(dtype)

    def predict(self, X, h0=None):
        h = np.zeros((X.shape[1], len(self.Wh)), X.dtype) if h0 is None else h0.copy()
        probs, states = [], []
        for x in X:
            h[:] = np.tanh(x @ self.Wx + h @ self.Wh + self.b)
            states.append(h)
            e = h @ self.Wy + self.by
            e = np.exp(e - e.max(axis=1, keepdims=True))
            probs.append(e / e.sum(axis=1, keepdims=True))
        return np.array(probs), np.array(states)


@wrong(
    (
        "it reads the state one step earlier of the layer below",
        "in the layers above the first",
    ),
    ("the layers stand in h_n from the last to the first", "of h_n"),
)
class Wavefront:
    name = "wavefront"
    claims = frozenset(
        ("time_first", "batch_first", "float32", "float64", "tanh", "relu", "h_0", "h_n", "layers")
    )
    conventions = {"wrong sizes": "undefined"}

    def run(self, call):
        o, x = call.options, torch.from_numpy(call.inputs)
        if call.layout == "batch_first":
            x = x.transpose(0, 1)
        cells = []
        for k in range(o.num_layers):
            size = o.hidden_size if k else o.input_size
            cell = nn.RNNCell(size, o.hidden_size, nonlinearity=o.cell, dtype=x.dtype)
            own = {n: v for n, v in call.weights.items() if n.endswith(f"_l{k}")}
            cell.load_state_dict({n[: -len(f"_l{k}")]: torch.from_numpy(v) for n, v in own.items()})
            cells.append(cell)
        hs = [x.new_zeros(x.shape[1], o.hidden_size)] * o.num_layers
        if call.h_0 is not None:
            hs = list(torch.from_numpy(call.h_0))
        out = []
        with torch.no_grad():
            for x_t in x:
                # all layers of one step at once
                hs = [cell(below, h) for cell, below, h in zip(cells, [x_t, *hs], hs, strict=False)]
                out.append(hs[-1])
        out = torch.stack(out)
        if call.layout == "batch_first":
            out = out.transpose(0, 1)
        return Answer(output=out.contiguous().numpy(), h_n=torch.stack(hs[::-1]).numpy())


# ---------------------------------------------------------------- pairs: LSTM and GRU


@wrong(
    ("the rows of the biases are read as i f g o, those of the weights as i o f g", "everywhere"),
    ("c_n is h_n", "of c_n"),
)
@rnn_conformance.gates("iofg")
@rnn_conformance.claims("time_first", "float32", "float64", "lstm", "h_0", "h_n")
def from_onnx(weights, inputs, h_0):
    H = weights["W_hh"].shape[1]
    i, o, f, g = (np.arange(H) + k * H for k in range(4))
    order = np.concatenate([i, f, g, o])
    W, R = weights["W_ih"][order], weights["W_hh"][order]
    B = weights["b_ih"] + weights["b_hh"]
    state = [np.zeros((inputs.shape[1], H), inputs.dtype)] * 2 if h_0 is None else h_0
    h, c = state
    Y = []
    for x in inputs:
        ig, fg, cg, og = np.split(x @ W.T + h @ R.T + B, 4, axis=1)
        c = logistic(fg) * c + logistic(ig) * np.tanh(cg)
        h = logistic(og) * np.tanh(c)
        Y.append(h)
    return {"hidden_states": np.stack(Y), "h_n": h, "c_n": h}


@wrong(
    ("the new state is z n + (1 - z) h instead of (1 - z) n + z h", "everywhere"),
    ("the reset gate multiplies W_in x + b_in too", "everywhere"),
)
@rnn_conformance.claims("time_first", "float32", "float64", "gru", "h_0", "h_n")
def gru_from_memory(weights, inputs, h_0):
    H = weights["W_hh"].shape[1]
    h = zeros_or(h_0, inputs, H)
    seq = []
    for x in inputs:
        pre = x @ weights["W_ih"].T + weights["b_ih"] + h @ weights["W_hh"].T + weights["b_hh"]
        r, z = logistic(pre[:, :H]), logistic(pre[:, H : 2 * H])
        cand = np.tanh(r * pre[:, 2 * H :])
        h = z * cand + (1 - z) * h
        seq.append(h)
    return {"hidden_states": np.stack(seq), "h_n": h}


@wrong(
    ("the output is the last state instead of zero", "in the padding, forwards"),
    ("h_0 and c_0 are not used: it starts from zeros", "in the reverse direction"),
)
class PaddedLSTM(LSTMNet):
    name = "padded LSTM"

    def shown(self, real, h):
        return h

    def start(self, h, c, layer, way, ways, ends):
        if way == 1:
            return np.zeros_like(h[0]), np.zeros_like(c[0])
        return h[layer * ways], c[layer * ways]


@wrong(
    ("the input and the forget gate are exchanged: c is i c + f g", "everywhere"),
    ("h is o c instead of o tanh(c)", "everywhere"),
)
class BlogLSTM(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.input_gate = nn.Linear(input_size + hidden_size, hidden_size)
        self.forget_gate = nn.Linear(input_size + hidden_size, hidden_size)
        self.cell_gate = nn.Linear(input_size + hidden_size, hidden_size)
        self.output_gate = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, h, c):
        outputs = []
        for t in range(x.size(0)):
            xh = torch.cat([x[t], h], dim=1)
            i = torch.sigmoid(self.input_gate(xh))
            f = torch.sigmoid(self.forget_gate(xh))
            g = torch.tanh(self.cell_gate(xh))
            o = torch.sigmoid(self.output_gate(xh))
            c = i * c + f * g
            h = o * c
            outputs.append(h)
        return torch.stack(outputs), h, c


# ---------------------------------------------------------------- triples


@wrong(
    ("the state starts again from zeros", "at steps 5, 9, 13, ..."),
    ("b_xh takes the place of b_hh", "everywhere"),
    ("the readout reads the preactivation instead of the state", "everywhere, of the outputs"),
)
def in_chunks(weights, inputs, h_0):
    U, V, b, _, O, d = plain_weights(weights)
    h = zeros_or(h_0, inputs, len(V))
    pre, states = [], []
    for first in range(0, len(inputs), 4):
        if first:
            h = np.zeros_like(h)
        for p in inputs[first : first + 4] @ U.T + b:
            pre.append(p + h @ V.T + b)
            h = np.tanh(pre[-1])
            states.append(h)
    return {"hidden_states": np.stack(states), "h_n": h, "outputs": np.stack(pre) @ O.T + d}


@wrong(
    (
        "the reverse direction stands before the forward one",
        "in the output and in what a layer above reads, if bidirectional",
    ),
    ("bias_ih takes the place of bias_hh", "in the reverse direction"),
    ("h_n has all layers forward and then all in reverse", "of h_n, if bidirectional"),
)
class TwoStacks(Net):
    name = "two stacks"

    def join(self, found):
        return np.concatenate(found[::-1], axis=-1)

    def getter(self, weights, layer, way):
        right = super().getter(weights, layer, way)
        return lambda name: right("bias_ih" if way and name.startswith("bias") else name)

    def last(self, x, ends, o):
        ways = 1 + o.bidirectional
        return super().last(x, [e for way in range(ways) for e in ends[way::ways]], o)


@wrong(
    ("h_0 is not used: it starts from zeros", "everywhere a state is given"),
    ("W_hh is transposed", "everywhere"),
    ("the outputs are passed through tanh", "of the outputs"),
)
class NotebookRNN:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        self.U = rng.standard_normal((hidden_size, input_size)).astype(dtype)
        self.W = rng.standard_normal((hidden_size, hidden_size)).astype(dtype)
        self.b = rng.standard_normal((hidden_size, 1)).astype(dtype)
        self.V = rng.standard_normal((output_size, hidden_size)).astype(dtype)
        self.c = rng.standard_normal((output_size, 1)).astype(dtype)

    def forward(self, inputs, h_0=None):
        """inputs (T, B, I), h_0 (B, H)"""
        s = {-1: np.zeros((len(self.W), inputs.shape[1]), inputs.dtype)}
        o = {}
        for t in range(len(inputs)):
            s[t] = np.tanh(self.U @ inputs[t].T + self.W.T @ s[t - 1] + self.b)
            o[t] = np.tanh(self.V @ s[t] + self.c)
        return o, s


@wrong(
    ("W_xh is rounded to float16", "everywhere"),
    ("tanh(a) is a (27 + a^2) / (27 + 9 a^2), cut at -1 and 1", "everywhere"),
    ("h_n is the initial state", "of h_n"),
)
def embedded(weights, inputs, h_0):
    def fast_tanh(a):
        a = np.clip(a, -3, 3)
        return a * (27 + a * a) / (27 + 9 * a * a)

    U, V, b, c, O, d = plain_weights(weights)
    U = U.astype(np.float16).astype(U.dtype)
    h_n = zeros_or(h_0, inputs, len(V))

    def recur(h):
        for x in inputs:
            h = fast_tanh(x @ U.T + b + c + h @ V.T)
            yield h

    states = np.stack(list(recur(h_n)))
    return {"hidden_states": states, "h_n": h_n, "outputs": states @ O.T + d}


@wrong(
    ("h_n and c_n are exchanged", "of the last state"),
    ("the gradient of the output is cut at -0.5 and 0.5", "of the gradients"),
    ("dropout also falls on the output of the last layer", "in training"),
    like="torch.nn.LSTM",
)
class StableLSTM(nn.LSTM):
    def _regularized(self, y):
        y = functional.dropout(y, self.dropout, self.training)
        if y.requires_grad:
            y.register_hook(lambda grad: grad.clamp(-0.5, 0.5))
        return y

    def forward(self, input, hx=None):
        output, (h_n, c_n) = super().forward(input, hx)
        if isinstance(output, PackedSequence):
            output = output._replace(data=self._regularized(output.data))
        else:
            output = self._regularized(output)
        return output, (c_n, h_n)


@wrong(
    ("the rows of the gates are read as z r n instead of r z n", "everywhere"),
    ("h_0 is not used: it starts from zeros", "in the layers above the first"),
    ("h_n is the output at the last step in time", "of the reverse direction"),
)
class PortedGRU(GRUNet):
    name = "ported GRU"
    claims = GRUNet.claims - {"lengths"}

    def getter(self, weights, layer, way):
        right = super().getter(weights, layer, way)

        def reordered(name):
            w = right(name)
            if np.ndim(w) == 0:
                return w
            z, r, n = np.split(w, 3)
            return np.concatenate([r, z, n])

        return reordered

    def start(self, h, c, layer, way, ways, ends):
        h = np.zeros_like(h) if layer else h
        return super().start(h, c, layer, way, ways, ends)

    def sweep(self, o, x, state, get, way, real):
        out, (_, c) = super().sweep(o, x, state, get, way, real)
        return out, (out[-1], c)


BUGS = tuple(_LIST)
