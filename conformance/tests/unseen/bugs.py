"""Forty wrong plain RNNs, written by somebody who had read the README and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

import rnn_conformance
from rnn_conformance import FEATURES, Answer, Call


@dataclass(frozen=True)
class Bug:
    """A wrong implementation, what is wrong with it, and where: one entry of each for each thing wrong."""

    name: str
    make: Callable[[], object]
    what: tuple[str, ...]
    where: tuple[str, ...]


# --- functions (weights, inputs, h_0) ---


def initial_state(w, inputs, h_0):
    if h_0 is None:
        return np.zeros((inputs.shape[1], len(w["W_hh"])), inputs.dtype)
    return h_0


def results(w, states, h_n):
    states = np.stack(states)
    return {"hidden_states": states, "h_n": h_n, "outputs": states @ w["W_ho"].T + w["b_ho"].T}


TABLE_AT = np.linspace(-8, 8, 4097)
TABLE = np.tanh(TABLE_AT)


def tanh_table(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    for x in inputs:
        a = x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T
        h = np.interp(a, TABLE_AT, TABLE).astype(inputs.dtype)
        states.append(h)
    return results(w, states, h)


def half_storage(weights, inputs, h_0):
    w, states = weights, []
    stored_as = np.float16 if len(w["W_hh"]) > 64 else inputs.dtype
    stored = initial_state(w, inputs, h_0).astype(stored_as)
    for x in inputs:
        before = stored.astype(inputs.dtype)
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + before @ w["W_hh"].T + w["b_hh"].T)
        states.append(h)
        stored = h.astype(stored_as)
    return results(w, states, h)


def bias_fitted_by_shape(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []

    def add_bias(a, bias):
        return a + (bias if len(bias) == len(a) else bias.T)

    for x in inputs:
        h = np.tanh(add_bias(x @ w["W_xh"].T, w["b_xh"]) + add_bias(h @ w["W_hh"].T, w["b_hh"]))
        states.append(h)
    return results(w, states, h)


def weight_fitted_by_shape(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    w_in = w["W_xh"] if len(w["W_xh"]) == inputs.shape[2] else w["W_xh"].T
    for x in inputs:
        h = np.tanh(x @ w_in + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        states.append(h)
    return results(w, states, h)


def unrolled_by_four(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []

    def step(x, h):
        return np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)

    whole = len(inputs) - len(inputs) % 4
    for t in range(0, whole, 4):
        h1 = step(inputs[t], h)
        h2 = step(inputs[t + 1], h1)
        h3 = step(inputs[t + 2], h2)
        h = step(inputs[t + 3], h3)
        states += [h1, h2, h3, h]
    for x in inputs[whole:]:
        states.append(step(x, h))
    return results(w, states, states[-1])


def prefetched_inputs(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    loaded = None
    for begin in range(0, len(inputs), 8):
        block = inputs[begin : begin + 8] @ w["W_xh"].T + w["b_xh"].T
        for i in range(len(block)):
            if loaded is None or i > 0:
                loaded = block[i]
            h = np.tanh(loaded + h @ w["W_hh"].T + w["b_hh"].T)
            states.append(h)
    return results(w, states, h)


def first_step_shortcut(weights, inputs, h_0):
    w, h, states = weights, h_0, []
    for x in inputs:
        a = x @ w["W_xh"].T + w["b_xh"].T
        if h is not None:
            a = a + h @ w["W_hh"].T + w["b_hh"].T
        h = np.tanh(a)
        states.append(h)
    return results(w, states, h)


zero_states: dict[tuple, np.ndarray] = {}


def cached_zero_state(weights, inputs, h_0):
    w, states = weights, []
    if h_0 is None:
        shape = (inputs.shape[1], len(w["W_hh"]))
        h = zero_states.setdefault((shape, inputs.dtype.str), np.zeros(shape, inputs.dtype))
    else:
        h = h_0.copy()
    for x in inputs:
        h[...] = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        states.append(h.copy())
    return results(w, states, h.copy())


def single_precision_product(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    w_hh = w["W_hh"].astype(np.float32).T
    for x in inputs:
        recurrent = (h.astype(np.float32) @ w_hh).astype(inputs.dtype)
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + recurrent + w["b_hh"].T)
        states.append(h)
    return results(w, states, h)


def nan_cleaned(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    for x in np.nan_to_num(inputs):
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        states.append(h)
    return results(w, states, h)


def saturation_of_single_precision(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    for x in inputs:
        a = x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T
        h = np.where(np.abs(a) > 9, np.sign(a), np.tanh(a))
        states.append(h)
    return results(w, states, h)


def overlapping_tail_tile(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0).copy(), []
    batch = len(h)
    for x in inputs:
        for begin in range(0, batch, 4):
            begin = max(0, min(begin, batch - 4))
            rows = slice(begin, begin + 4)
            h[rows] = np.tanh(x[rows] @ w["W_xh"].T + w["b_xh"].T + h[rows] @ w["W_hh"].T + w["b_hh"].T)
        states.append(h.copy())
    return results(w, states, h.copy())


def readout_in_pairs(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    for x in inputs:
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        states.append(h)
    states = np.stack(states)
    outputs = np.zeros((*states.shape[:2], len(w["W_ho"])), inputs.dtype) + w["b_ho"].T
    for j in range(0, states.shape[2] - 1, 2):
        outputs += states[..., j : j + 2] @ w["W_ho"][:, j : j + 2].T
    return {"hidden_states": states, "h_n": h, "outputs": outputs}


def two_buffers(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    buffers = [h.copy(), np.empty_like(h)]
    for t, x in enumerate(inputs):
        before, after = buffers[t % 2], buffers[(t + 1) % 2]
        after[...] = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + before @ w["W_hh"].T + w["b_hh"].T)
        states.append(after.copy())
    return results(w, states, buffers[1])


def strides_ignored(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    memory = inputs.ravel(order="K")
    for x in memory.reshape(inputs.shape):
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        states.append(h)
    return results(w, states, h)


def bias_once_and_squashed_outputs(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    projected = inputs @ w["W_xh"].T + w["b_xh"].T
    projected[0] += w["b_hh"].T
    for x in projected:
        h = np.tanh(x + h @ w["W_hh"].T)
        states.append(h)
    result = results(w, states, h)
    result["outputs"] = np.tanh(result["outputs"])
    return result


@rnn_conformance.claims("time_first", "batch_first", "float32", "float64", "tanh", "h_0", "h_n", "readout")
def reshaped_batch_and_short_loop(weights, inputs, h_0, batch_first=False):
    w, states = weights, []
    if batch_first:
        batch, steps, size = inputs.shape
        inputs = inputs.reshape(steps, batch, size)
    h = initial_state(w, inputs, h_0)
    for x in inputs:
        a = x @ w["W_xh"].T + w["b_xh"].T
        for j in range(a.shape[1] - 1):
            a[:, j] += h @ w["W_hh"][j] + w["b_hh"][j]
        h = np.tanh(a)
        states.append(h)
    result = results(w, states, h)
    if batch_first:
        result["hidden_states"] = result["hidden_states"].swapaxes(0, 1)
        result["outputs"] = result["outputs"].swapaxes(0, 1)
    return result


def to_bfloat16(array):
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return ((bits + np.uint32(0x8000)) & np.uint32(0xFFFF0000)).view(np.float32).astype(array.dtype)


def short_weights_and_rectified_start(weights, inputs, h_0):
    w, states = weights, []
    h = np.maximum(initial_state(w, inputs, h_0), 0)
    w_xh = to_bfloat16(w["W_xh"])
    for x in inputs:
        h = np.tanh(x @ w_xh.T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        states.append(h)
    return results(w, states, h)


def rows_in_pairs_and_half_readout(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    row = np.arange(inputs.shape[1]) // 2 * 2
    for x in inputs:
        h = np.tanh(x[row] @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        states.append(h)
    result = results(w, states, h)
    halves = np.stack(states).astype(np.float16).astype(inputs.dtype)
    result["outputs"] = halves @ w["W_ho"].T + w["b_ho"].T
    return result


def bounded_norm_and_no_self_loops(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    w_hh = w["W_hh"] - np.diag(np.diag(w["W_hh"]))
    longest = np.asarray(np.sqrt(len(w_hh)) / 2, inputs.dtype)
    for t, x in enumerate(inputs):
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w_hh.T + w["b_hh"].T)
        if t >= 16:
            norm = np.sqrt((h * h).sum(axis=1, keepdims=True))
            h = h * (longest / np.maximum(norm, longest))
        states.append(h)
    return results(w, states, h)


def vector_path_and_clipped_inputs(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    for x in np.clip(inputs, -3, 3):
        recurrent = (h[0] @ w["W_hh"])[None] if len(h) == 1 else h @ w["W_hh"].T
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + recurrent + w["b_hh"].T)
        states.append(h)
    return results(w, states, h)


def rational_tanh_wrong_bias_early_h_n(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []

    def activation(a):
        a = np.clip(a, -3, 3)
        return a * (27 + a * a) / (27 + 9 * a * a)

    h_n = h
    for t, x in enumerate(inputs):
        h = activation(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_xh"].T)
        states.append(h)
        if t > 0:
            h_n = h
    return results(w, states, h_n)


def short_buffer_pruned_state_tiled_bias(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    buffer = inputs[:50]
    for t in range(len(inputs)):
        x = buffer[min(t, len(buffer) - 1)]
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        h = np.where(np.abs(h) < 1e-3, np.zeros_like(h), h)
        states.append(h)
    states = np.stack(states)
    outputs = states @ w["W_ho"].T
    outputs[:, :8] += w["b_ho"].T
    return {"hidden_states": states, "h_n": h, "outputs": outputs}


def dropped_features_one_row_bias_mixed_outputs(weights, inputs, h_0):
    w, h, states = weights, initial_state(weights, inputs, h_0), []
    steps, batch, size = inputs.shape
    used = size // 4 * 4 if size > 4 else size
    for x in inputs:
        a = x[:, :used] @ w["W_xh"][:, :used].T + w["b_xh"].T + h @ w["W_hh"].T
        a[0] += w["b_hh"][:, 0]
        h = np.tanh(a)
        states.append(h)
    result = results(w, states, h)
    by_row = np.ascontiguousarray(result["outputs"].swapaxes(0, 1))
    result["outputs"] = by_row.reshape(steps, batch, -1)
    return result


# --- classes ---


class CachedWeight:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        self.recurrent = None

    def forward(self, inputs, h_0=None):
        if self.recurrent is None:
            self.recurrent = np.array(self.W_hh, order="F")
        h = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype) if h_0 is None else h_0
        y, states = {}, {}
        for t, x in enumerate(inputs):
            h = np.tanh(self.W_xh @ x.T + self.b_xh + self.recurrent @ h + self.b_hh)
            states[t] = h
            y[t] = self.W_ho @ h + self.b_ho
        return y, states


class SharedStateArray:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        self.hidden_size = hidden_size

    def forward(self, inputs, h_0=None):
        h = np.zeros((self.hidden_size, inputs.shape[1]), inputs.dtype)
        if h_0 is not None:
            h[:] = h_0
        y, states = {}, {}
        for t, x in enumerate(inputs):
            h[:] = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            states[t] = h
            y[t] = self.W_ho @ h + self.b_ho
        return y, states


class OverwrittenStart:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        self.hidden_size = hidden_size

    def forward(self, inputs, h_0=None):
        h = np.zeros((self.hidden_size, inputs.shape[1]), inputs.dtype) if h_0 is None else h_0
        y, states = [], []
        for x in inputs:
            np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh, out=h)
            states.append(h.copy())
            y.append(self.W_ho @ h + self.b_ho)
        return y, states


class Leaky:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng, step=1.0, time_constant=1.000001):
        self.hidden_size = hidden_size
        self.alpha = step / time_constant

    def forward(self, inputs, h_0=None):
        zeros = np.zeros((self.hidden_size, inputs.shape[1]), inputs.dtype)
        y, h = {}, {-1: zeros if h_0 is None else h_0}
        for t, x in enumerate(inputs):
            new = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h[t - 1] + self.b_hh)
            h[t] = (1 - self.alpha) * h[t - 1] + self.alpha * new
            y[t] = self.W_ho @ h[t] + self.b_ho
        return y, h


class ResetEveryChunk:
    chunk = 25

    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        self.hidden_size = hidden_size

    def forward(self, inputs, h_0=None):
        zeros = np.zeros((self.hidden_size, inputs.shape[1]), inputs.dtype)
        h = zeros if h_0 is None else h_0
        y, states = {}, {}
        for t, x in enumerate(inputs):
            if t > 0 and t % self.chunk == 0:
                h = zeros
            h = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            states[t] = h
            y[t] = self.W_ho @ h + self.b_ho
        return y, states


class TanhBySigmoid:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        self.hidden_size = hidden_size

    def forward(self, inputs, h_0=None):
        zeros = np.zeros((self.hidden_size, inputs.shape[1]), inputs.dtype)
        y, h = {}, {-1: zeros if h_0 is None else h_0}
        for t, x in enumerate(inputs):
            a = self.W_xh @ x.T + self.b_xh + self.W_hh @ h[t - 1] + self.b_hh
            with np.errstate(over="ignore"):
                h[t] = 2 / (1 + np.exp(-2 * a)) - 1
            y[t] = self.W_ho @ h[t] + self.b_ho
        return y, h


class ReshapedStartAndBareLastOutput:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        self.hidden_size = hidden_size

    def forward(self, inputs, h_0=None):
        batch = inputs.shape[1]
        if h_0 is None:
            h = np.zeros((self.hidden_size, batch), inputs.dtype)
        else:
            h = np.reshape(h_0, (batch, self.hidden_size)).T
        y, states = [], []
        for x in inputs:
            h = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h + self.b_hh)
            states.append(h)
        for h in states[:-1]:
            y.append(self.W_ho @ h + self.b_ho)
        y.append(self.W_ho @ states[-1])
        return y, states


class PrunedShortBatchLimitedOutputs:
    def __init__(self, input_size, hidden_size, output_size, *, dtype, rng):
        self.hidden_size = hidden_size

    def forward(self, inputs, h_0=None):
        batch = inputs.shape[1]
        zeros = np.zeros((self.hidden_size, batch), inputs.dtype)
        y, h = {}, {-1: zeros if h_0 is None else h_0}
        pruned = np.where(np.abs(self.W_hh) < 0.01, np.zeros_like(self.W_hh), self.W_hh)
        for t, x in enumerate(inputs):
            a = pruned @ h[t - 1] + self.b_xh + self.b_hh
            for b in range(max(1, batch - 1)):
                a[:, b] += self.W_xh @ x[b]
            h[t] = np.tanh(a)
            y[t] = np.clip(self.W_ho @ h[t] + self.b_ho, -1, 1)
        return y, h


# --- layers with the contract of torch.nn.RNN ---


def option(call, name):
    options = call.options
    return options[name] if isinstance(options, Mapping) else getattr(options, name)


class NumpyLayer:
    """The layer as it should be; those below each change a part of it."""

    name = "numpy layer"
    claims = FEATURES - {"dropout", "reverse", "float16", "bfloat16", "readout"}
    conventions = {"wrong sizes": "undefined"}

    def run(self, call: Call) -> Answer:
        x = np.asarray(call.inputs)
        h_0 = call.h_0
        if call.layout == "single":
            x = x[:, None]
            h_0 = None if h_0 is None else h_0[:, None]
        elif call.layout == "batch_first":
            x = x.swapaxes(0, 1)
        lengths = self.checked_lengths(call.lengths, *x.shape[:2])
        directions = (False, True) if option(call, "bidirectional") else (False,)
        finals = []
        for layer in range(option(call, "num_layers")):
            halves = []
            for reverse in directions:
                h = self.initial(call, h_0, x, layer, reverse, lengths)
                states, final = self.scan(call, x, h, layer, reverse, lengths)
                halves.append(states)
                finals.append(final)
            x = np.concatenate(halves, axis=2)
        output, h_n = self.finished(call, x), np.stack(finals)
        if call.layout == "single":
            output, h_n = output[:, 0], h_n[:, 0]
        elif call.layout == "batch_first":
            output = output.swapaxes(0, 1)
        return Answer(output=np.ascontiguousarray(output), h_n=np.ascontiguousarray(h_n))

    def checked_lengths(self, lengths, steps, batch):
        if lengths is None:
            return np.full(batch, steps)
        lengths = np.asarray(lengths)
        if lengths.shape != (batch,):
            raise ValueError(f"{batch} lengths expected, found an array of shape {lengths.shape}")
        if lengths.dtype.kind not in "iu":
            raise ValueError("lengths are whole numbers")
        if (lengths < 1).any() or (lengths > steps).any():
            raise ValueError(f"lengths are between 1 and {steps}")
        return lengths

    def parameters(self, call, layer, reverse):
        end = f"l{layer}" + ("_reverse" if reverse else "")
        names = (f"weight_ih_{end}", f"weight_hh_{end}", f"bias_ih_{end}", f"bias_hh_{end}")
        return [call.weights.get(name, 0) for name in names]

    def initial(self, call, h_0, x, layer, reverse, lengths):
        if h_0 is None:
            return np.zeros((x.shape[1], option(call, "hidden_size")), x.dtype)
        return h_0[layer * 2 + reverse if option(call, "bidirectional") else layer]

    def activation(self, a, call, reverse):
        return np.tanh(a) if option(call, "nonlinearity") == "tanh" else np.maximum(a, 0)

    def carried(self, new, h, active, reverse):
        return np.where(active, new, h)

    def shown(self, new, h, active):
        return np.where(active, new, np.zeros_like(new))

    def scan(self, call, x, h, layer, reverse, lengths):
        w_ih, w_hh, b_ih, b_hh = self.parameters(call, layer, reverse)
        states = np.empty((*x.shape[:2], w_hh.shape[0]), x.dtype)
        steps = range(len(x))
        for t in reversed(steps) if reverse else steps:
            active = (t < lengths)[:, None]
            new = self.activation(x[t] @ w_ih.T + b_ih + h @ w_hh.T + b_hh, call, reverse)
            states[t] = self.shown(new, h, active)
            h = self.carried(new, h, active, reverse)
        return states, h

    def finished(self, call, output):
        return output


class ReverseBiasOfForward(NumpyLayer):
    name = "reverse bias of forward"

    def parameters(self, call, layer, reverse):
        w_ih, w_hh, b_ih, _ = super().parameters(call, layer, reverse)
        return [w_ih, w_hh, b_ih, call.weights.get(f"bias_hh_l{layer}", 0)]


class ReverseStartsInPadding(NumpyLayer):
    name = "reverse starts in padding"

    def carried(self, new, h, active, reverse):
        return new if reverse else np.where(active, new, h)


class StartsByDirection(NumpyLayer):
    name = "starts by direction"

    def initial(self, call, h_0, x, layer, reverse, lengths):
        if h_0 is None:
            return super().initial(call, h_0, x, layer, reverse, lengths)
        return h_0[reverse * option(call, "num_layers") + layer]


class StartsNotSorted(NumpyLayer):
    name = "starts not sorted"

    def initial(self, call, h_0, x, layer, reverse, lengths):
        h = super().initial(call, h_0, x, layer, reverse, lengths)
        by_length = np.argsort(-lengths, kind="stable")
        unsorted = np.empty_like(h)
        unsorted[by_length] = h
        return unsorted


class SharedUpperLayers(NumpyLayer):
    name = "shared upper layers"

    def parameters(self, call, layer, reverse):
        return super().parameters(call, min(layer, 1), reverse)


class CappedReluAndUnflippedReverse(NumpyLayer):
    name = "capped relu and unflipped reverse"

    def activation(self, a, call, reverse):
        return np.tanh(a) if option(call, "nonlinearity") == "tanh" else np.clip(a, 0, 6)

    def finished(self, call, output):
        size = option(call, "hidden_size")
        if call.layout == "batch_first" and option(call, "bidirectional"):
            output = np.concatenate([output[..., :size], output[::-1, :, size:]], axis=2)
        return output


class CarriedPaddingAndBareUpperLayers(NumpyLayer):
    name = "carried padding and bare upper layers"

    def shown(self, new, h, active):
        return np.where(active, new, h)

    def parameters(self, call, layer, reverse):
        w_ih, w_hh, b_ih, b_hh = super().parameters(call, layer, reverse)
        return [w_ih, w_hh, b_ih if layer == 0 else 0, b_hh]


class SwappedHalvesReverseTanhLostStarts(NumpyLayer):
    name = "swapped halves, reverse tanh, lost starts"

    def finished(self, call, output):
        if call.layout == "single" and option(call, "bidirectional"):
            output = np.roll(output, option(call, "hidden_size"), axis=2)
        return output

    def activation(self, a, call, reverse):
        return np.tanh(a) if reverse else super().activation(a, call, reverse)

    def initial(self, call, h_0, x, layer, reverse, lengths):
        return super().initial(call, h_0 if layer == 0 else None, x, layer, reverse, lengths)


BUGS: tuple[Bug, ...] = (
    Bug(
        "tanh_table",
        lambda: tanh_table,
        ("The tanh is interpolated linearly in a table of 4097 values between -8 and 8.",),
        ("everywhere",),
    ),
    Bug(
        "half_storage",
        lambda: half_storage,
        ("The state is rounded to float16 before it is carried to the next step.",),
        ("hidden sizes above 64",),
    ),
    Bug(
        "bias_fitted_by_shape",
        lambda: bias_fitted_by_shape,
        ("The biases b_xh and b_hh are added along the batch instead of the units.",),
        ("where the batch is as large as the hidden size",),
    ),
    Bug(
        "weight_fitted_by_shape",
        lambda: weight_fitted_by_shape,
        ("W_xh is used transposed.",),
        ("where the input size equals the hidden size",),
    ),
    Bug(
        "unrolled_by_four",
        lambda: unrolled_by_four,
        ("The steps that a loop of four steps leaves over all start from the state at the end of that loop.",),
        ("from the second step on of the remainder of the steps by four",),
    ),
    Bug(
        "prefetched_inputs",
        lambda: prefetched_inputs,
        ("The input of the step before is used again.",),
        ("steps 8, 16, 24, …",),
    ),
    Bug(
        "first_step_shortcut",
        lambda: first_step_shortcut,
        ("b_hh is left out together with the recurrent product of a zero state.",),
        ("step 0 where h_0 is omitted",),
    ),
    Bug(
        "cached_zero_state",
        lambda: cached_zero_state,
        ("The zero state is kept for reuse and overwritten, so a call starts from the last state of the call before.",),
        ("from the second call of the same size on, where h_0 is omitted",),
    ),
    Bug(
        "single_precision_product",
        lambda: single_precision_product,
        ("The product with W_hh is computed in float32.",),
        ("only in float64",),
    ),
    Bug(
        "nan_cleaned",
        lambda: nan_cleaned,
        ("NaN in the inputs is replaced by 0, and infinities by the largest number.",),
        ("where inputs are not finite",),
    ),
    Bug(
        "saturation_of_single_precision",
        lambda: saturation_of_single_precision,
        ("The tanh is exactly 1 or -1 where its argument is beyond 9.",),
        ("only in float64, where a unit is nearly saturated",),
    ),
    Bug(
        "overlapping_tail_tile",
        lambda: overlapping_tail_tile,
        ("Rows that the last tile of four shares with the tile before are updated twice a step.",),
        ("some of the last four rows, in batches above 4 that are no multiple of 4",),
    ),
    Bug(
        "readout_in_pairs",
        lambda: readout_in_pairs,
        ("The readout leaves out the last unit.",),
        ("outputs at odd hidden sizes",),
    ),
    Bug(
        "two_buffers",
        lambda: two_buffers,
        ("h_n is taken from the other of two buffers and so is one state too old.",),
        ("h_n of an even number of steps",),
    ),
    Bug(
        "strides_ignored",
        lambda: strides_ignored,
        ("The inputs are read in the order in which they lie in memory.",),
        ("inputs that are a view with its axes in another order",),
    ),
    Bug(
        "bias_once_and_squashed_outputs",
        lambda: bias_once_and_squashed_outputs,
        ("b_hh is added at the first step only.", "The outputs go through a tanh."),
        ("from step 1 on", "all outputs"),
    ),
    Bug(
        "reshaped_batch_and_short_loop",
        lambda: reshaped_batch_and_short_loop,
        (
            "Inputs with the batch first are reshaped instead of transposed.",
            "The last hidden unit gets neither the product with W_hh nor b_hh.",
        ),
        ("only with the batch first", "last unit"),
    ),
    Bug(
        "short_weights_and_rectified_start",
        lambda: short_weights_and_rectified_start,
        ("W_xh is rounded to bfloat16.", "The negative numbers of h_0 are replaced by 0."),
        ("everywhere", "step 0 where h_0 is given"),
    ),
    Bug(
        "rows_in_pairs_and_half_readout",
        lambda: rows_in_pairs_and_half_readout,
        ("A row gets the input of the row before.", "The readout reads the states rounded to float16."),
        ("odd rows", "all outputs"),
    ),
    Bug(
        "bounded_norm_and_no_self_loops",
        lambda: bounded_norm_and_no_self_loops,
        (
            "The state of a row is scaled down to a norm of half the square root of the hidden size.",
            "The diagonal of W_hh counts as zero.",
        ),
        ("from step 16 on, where the norm is larger", "everywhere"),
    ),
    Bug(
        "vector_path_and_clipped_inputs",
        lambda: vector_path_and_clipped_inputs,
        ("W_hh is used transposed.", "The inputs are clipped to [-3, 3]."),
        ("where the batch is 1", "where inputs are beyond 3"),
    ),
    Bug(
        "rational_tanh_wrong_bias_early_h_n",
        lambda: rational_tanh_wrong_bias_early_h_n,
        (
            "The tanh is the rational function a (27 + a²) / (27 + 9 a²), clipped at 3.",
            "b_xh is added in the place of b_hh.",
            "h_n is the initial state.",
        ),
        ("everywhere", "everywhere", "h_n of one step"),
    ),
    Bug(
        "short_buffer_pruned_state_tiled_bias",
        lambda: short_buffer_pruned_state_tiled_bias,
        (
            "The input of step 49 is used again.",
            "Numbers of the state below 0.001 are replaced by 0.",
            "b_ho is left out.",
        ),
        ("from step 50 on", "everywhere", "outputs from row 8 on"),
    ),
    Bug(
        "dropped_features_one_row_bias_mixed_outputs",
        lambda: dropped_features_one_row_bias_mixed_outputs,
        (
            "The input features that blocks of four leave over are dropped.",
            "b_hh is left out.",
            "The outputs of all rows are filled in row by row and then reshaped to time first.",
        ),
        (
            "input sizes above 4 that are no multiple of 4",
            "rows from 1 on",
            "outputs of more than one step and row",
        ),
    ),
    Bug(
        "CachedWeight",
        lambda: CachedWeight,
        ("W_hh is copied at the first call, and later changes are not seen.",),
        ("from the second call on, if W_hh has changed",),
    ),
    Bug(
        "SharedStateArray",
        lambda: SharedStateArray,
        ("All states returned are one array, which holds the last state.",),
        ("hidden states of every step but the last",),
    ),
    Bug(
        "OverwrittenStart",
        lambda: OverwrittenStart,
        ("The caller's h_0 is overwritten with the states.",),
        ("where h_0 is given",),
    ),
    Bug(
        "Leaky",
        lambda: Leaky,
        ("A millionth of the state before is mixed into each state.",),
        ("everywhere",),
    ),
    Bug(
        "ResetEveryChunk",
        lambda: ResetEveryChunk,
        ("The state before is replaced by zeros.",),
        ("steps 25, 50, 75, …",),
    ),
    Bug(
        "TanhBySigmoid",
        lambda: TanhBySigmoid,
        ("The tanh is computed as 2 / (1 + exp(-2a)) - 1, which cancels.",),
        ("where the pre-activation is near zero",),
    ),
    Bug(
        "ReshapedStartAndBareLastOutput",
        lambda: ReshapedStartAndBareLastOutput,
        ("h_0 is reshaped to rows instead of transposed.", "b_ho is left out."),
        ("step 0 where h_0 is given and the batch is above 1", "output of the last step"),
    ),
    Bug(
        "PrunedShortBatchLimitedOutputs",
        lambda: PrunedShortBatchLimitedOutputs,
        (
            "Recurrent weights below 0.01 are replaced by 0.",
            "The row gets no input.",
            "The outputs are clipped to [-1, 1].",
        ),
        ("everywhere", "last row of batches above 1", "outputs beyond 1"),
    ),
    Bug(
        "ReverseBiasOfForward",
        ReverseBiasOfForward,
        ("The recurrent bias of the forward direction is used.",),
        ("reverse direction",),
    ),
    Bug(
        "ReverseStartsInPadding",
        ReverseStartsInPadding,
        ("The state runs through the padding before the sequence begins.",),
        ("reverse direction of sequences shorter than the inputs",),
    ),
    Bug(
        "StartsByDirection",
        StartsByDirection,
        ("h_0 is read as all layers forward, then all layers in reverse.",),
        ("where h_0 is given, in two directions and several layers",),
    ),
    Bug(
        "StartsNotSorted",
        StartsNotSorted,
        ("The rows are sorted by length, and those of h_0 are not.",),
        ("where h_0 is given and the lengths do not fall",),
    ),
    Bug(
        "SharedUpperLayers",
        SharedUpperLayers,
        ("The weights of the second layer are used.",),
        ("from the third layer on",),
    ),
    Bug(
        "CappedReluAndUnflippedReverse",
        CappedReluAndUnflippedReverse,
        ("The relu is capped at 6.", "The output stays in the order in which the steps were computed."),
        ("relu beyond 6", "reverse direction with the batch first"),
    ),
    Bug(
        "CarriedPaddingAndBareUpperLayers",
        CarriedPaddingAndBareUpperLayers,
        ("The padding of the output holds the carried state instead of zeros.", "The input bias is left out."),
        ("output after the end of shorter sequences", "layers above the first"),
    ),
    Bug(
        "SwappedHalvesReverseTanhLostStarts",
        SwappedHalvesReverseTanhLostStarts,
        (
            "The output has the reverse direction before the forward one.",
            "The tanh is used where relu is asked for.",
            "h_0 is taken as zero.",
        ),
        ("two directions of a single sequence", "reverse direction", "layers above the first"),
    ),
)
