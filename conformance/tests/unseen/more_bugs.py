"""Forty wrong plain RNNs: 18 functions, 10 classes, 12 objects; 24 with one thing wrong, 10 with two, 6 with three."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from rnn_conformance import FEATURES, Answer, Call, claims


@dataclass(frozen=True)
class Bug:
    name: str
    make: Any
    what: tuple[str, ...]
    where: tuple[str, ...]


_ALL: list[Bug] = []


def bug(*things):
    """Register what is decorated; `things` are pairs of what is wrong and where."""

    def add(make):
        _ALL.append(Bug(make.__name__, make, tuple(w for w, _ in things), tuple(w for _, w in things)))
        return make

    return add


def unpack(w):
    """Wx, bx, Wh, bh, Wo, bo with flat biases."""
    return w["W_xh"], w["b_xh"][:, 0], w["W_hh"], w["b_hh"][:, 0], w["W_ho"], w["b_ho"][:, 0]


def begin(inputs, Wh, h_0):
    return np.zeros((inputs.shape[1], Wh.shape[0]), inputs.dtype) if h_0 is None else h_0.copy()


def results(states, Wo, bo):
    states = np.stack(states)
    return {"hidden_states": states, "h_n": states[-1].copy(), "outputs": states @ Wo.T + bo}


# ------------------------------------------------------------------ functions, one thing wrong


@bug(("tanh is the rational approximation a(27+a²)/(27+9a²), clipped at |a|=3, up to 0.024 too large",
      "everywhere that |a| is not small: all steps, rows, units"))
def rational_tanh(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    h, states = begin(inputs, Wh, h_0), []
    for x in inputs:
        a = np.clip(x @ Wx.T + bx + h @ Wh.T + bh, -3, 3)
        q = a * a
        h = a * (27 + q) / (27 + 9 * q)
        states.append(h)
    return results(states, Wo, bo)


@bug(("the product W_xh x is computed in float16 (the recurrent one is not)",
      "everywhere, float32 and float64; infinite or NaN where float16 overflows"))
def half_precision_projection(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        projected = (inputs.astype(np.float16) @ Wx.T.astype(np.float16)).astype(inputs.dtype)
    h, states = begin(inputs, Wh, h_0), []
    for p in projected:
        h = np.tanh(p + bx + h @ Wh.T + bh)
        states.append(h)
    return results(states, Wo, bo)


@bug(("the remainder rows of a kernel of 4 rows read the previous state of the first rows (0, 1, 2) instead of their own",
      "B > 4 and no multiple of 4: rows from the last multiple of 4 on; from step 1 on, at step 0 too where h_0 is given"))
def four_row_kernel(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    rows = inputs.shape[1]
    full = rows - rows % 4
    h, states = begin(inputs, Wh, h_0), []
    for x in inputs:
        new = np.empty_like(h)
        for r in range(0, full, 4):
            new[r:r + 4] = np.tanh(x[r:r + 4] @ Wx.T + bx + h[r:r + 4] @ Wh.T + bh)
        for r in range(full, rows):
            new[r] = np.tanh(Wx @ x[r] + bx + Wh @ h[r - full] + bh)
        h = new
        states.append(h)
    return results(states, Wo, bo)


@bug(("the dot product with x is unrolled by 4 and has no remainder loop: the last I mod 4 inputs are left out",
      "I > 4 and no multiple of 4: all steps, rows, units"))
def unrolled_dot(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    size = inputs.shape[2]
    h, states = begin(inputs, Wh, h_0), []
    for x in inputs:
        a = bx + bh + h @ Wh.T
        if size < 4:
            a = a + x @ Wx.T
        else:
            for k in range(0, size - 3, 4):
                a = a + x[:, k:k + 4] @ Wx[:, k:k + 4].T
        h = np.tanh(a)
        states.append(h)
    return results(states, Wo, bo)


@bug(("the sequence is taken in chunks of 8 steps and every chunk starts from h_0 instead of the carried state",
      "T > 8: steps 8, 16, 24, …, all rows and units"))
def chunks_of_time(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)

    def chunk(x, h):
        out = []
        for p in x @ Wx.T + (bx + bh):
            h = np.tanh(p + h @ Wh.T)
            out.append(h)
        return out

    h, states = begin(inputs, Wh, h_0), []
    for t in range(0, len(inputs), 8):
        states += chunk(inputs[t:t + 8], h)
    return results(states, Wo, bo)


@bug(("the state is updated in place, unit by unit: a unit sees the new values of the units before it",
      "H > 1: units 1 and up, all steps (at step 0 too), all rows; unit 0 is right"))
def in_place_units(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    h, states = begin(inputs, Wh, h_0), []
    for x in inputs:
        for j in range(len(Wh)):
            h[:, j] = np.tanh(x @ Wx[j] + bx[j] + h @ Wh[j] + bh[j])
        states.append(h.copy())
    return results(states, Wo, bo)


@bug(("the first row of h_0 is used for every row of the batch",
      "h_0 given and B > 1: step 0, rows 1 and up (later steps follow from it)"))
def one_initial_row(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    h = np.zeros(len(Wh), inputs.dtype) if h_0 is None else h_0[0]
    h, states = np.tile(h, (inputs.shape[1], 1)), []
    for x in inputs:
        h = np.tanh(x @ Wx.T + bx + h @ Wh.T + bh)
        states.append(h)
    return results(states, Wo, bo)


@bug(("a is clamped to [-20, 20] by fmin and fmax, which turn NaN into -20: the state is -1 instead of NaN",
      "calls with NaN in inputs, weights or h_0: the states that should be NaN, and what follows from them"))
def clamp_loses_nan(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    h, states = begin(inputs, Wh, h_0), []
    for x in inputs:
        a = x @ Wx.T + bx + h @ Wh.T + bh
        h = np.tanh(np.fmin(np.fmax(a, -20), 20))
        states.append(h)
    return results(states, Wo, bo)


@bug(("the readout is of the state before the step, y_t = W_ho h_{t-1} + b_ho",
      "outputs, all steps and rows (h_0 or zeros at step 0); states and h_n are right"))
def readout_of_the_step_before(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    h, states, y = begin(inputs, Wh, h_0), [], []
    for x in inputs:
        new = np.tanh(x @ Wx.T + bx + h @ Wh.T + bh)
        y.append(h @ Wo.T + bo)
        states.append(new)
        h = new
    return {"hidden_states": np.stack(states), "h_n": h, "outputs": np.stack(y)}


_FUSED: dict = {}


@bug(("the fused bias b_xh + b_hh is cached under hidden size and dtype: later calls get that of the first weights",
      "every call after the first with the same H and dtype and other biases (or biases changed in place): everything"))
def cached_bias(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    key = len(Wh), inputs.dtype.str
    if key not in _FUSED:
        _FUSED[key] = bx + bh
    b = _FUSED[key]
    h, states = begin(inputs, Wh, h_0), []
    for x in inputs:
        h = np.tanh(x @ Wx.T + h @ Wh.T + b)
        states.append(h)
    return results(states, Wo, bo)


@bug(("a fast path for a single step leaves out the recurrent term W_hh h_0",
      "T = 1 with h_0 given: all rows and units; T > 1 is right"))
def single_step_path(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    projected = inputs @ Wx.T + (bx + bh)
    if len(inputs) == 1:
        return results([np.tanh(projected[0])], Wo, bo)
    h, states = begin(inputs, Wh, h_0), []
    for p in projected:
        h = np.tanh(p + h @ Wh.T)
        states.append(h)
    return results(states, Wo, bo)


# ------------------------------------------------------------------ functions, two things wrong


@bug(("b_xh is kept as a column and broadcast down the rows wherever that fits: row r gets b_xh[r] in every unit",
      "B = H > 1: all steps, rows and units"),
     ("h_n is the state before the last", "T > 1: h_n"))
def column_bias_and_early_final(weights, inputs, h_0):
    Wx, _, Wh, bh, Wo, bo = unpack(weights)
    column = weights["b_xh"]
    b = column if len(column) == inputs.shape[1] else column.T
    h, states = begin(inputs, Wh, h_0), []
    for x in inputs:
        h = np.tanh(x @ Wx.T + b + h @ Wh.T + bh)
        states.append(h)
    out = results(states, Wo, bo)
    out["h_n"] = states[max(0, len(states) - 2)]
    return out


@bug(("states smaller than 0.01 are set to 0", "wherever |h| < 0.01 comes out, all layouts"),
     ("the readout of a single sequence has no b_ho", 'outputs in the layout "single", all steps'))
@claims("single", "time_first", "batch_first", "float32", "float64", "tanh", "h_0", "h_n", "readout")
def pruned_and_unbiased_single(weights, inputs, h_0, batch_first=False):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    single = inputs.ndim == 2
    if single:
        inputs = inputs[:, None]
        h_0 = None if h_0 is None else h_0[None]
    if batch_first:
        inputs = inputs.swapaxes(0, 1)
    h, states = begin(inputs, Wh, h_0), []
    for x in inputs:
        h = np.tanh(x @ Wx.T + bx + h @ Wh.T + bh)
        h[abs(h) < 0.01] = 0
        states.append(h)
    s = np.stack(states)
    if single:
        return {"hidden_states": s[:, 0], "h_n": h[0], "outputs": s[:, 0] @ Wo.T}
    y = s @ Wo.T + bo
    if batch_first:
        s, y = s.swapaxes(0, 1), y.swapaxes(0, 1)
    return {"hidden_states": s, "h_n": h, "outputs": y}


@bug(("inputs are read as they lie in memory, as if they were contiguous in C order",
      "inputs whose axes are permuted in memory (transposed, Fortran order): all steps, rows, units"),
     ("the second and later blocks of 8 units use the rows of W_hh of the first block",
      "H > 8: units 8 and up, from step 1 on, at step 0 too where h_0 is given"))
def raw_buffer_and_unit_blocks(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    inputs = inputs.ravel(order="K").reshape(inputs.shape)
    h, states, H = begin(inputs, Wh, h_0), [], len(Wh)
    for x in inputs:
        new = np.empty_like(h)
        for j in range(0, H, 8):
            part = slice(j, min(j + 8, H))
            new[:, part] = np.tanh(x @ Wx[part].T + bx[part] + h @ Wh[:part.stop - j].T + bh[part])
        h = new
        states.append(h)
    return results(states, Wo, bo)


@bug(("h_0 goes through tanh before it is used", "h_0 given: step 0, all rows and units"),
     ("b_hh is added twice from the second step on", "steps 1 and up, all rows and units"))
def squashed_start_and_double_bias(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    recurrent = np.tanh(begin(inputs, Wh, h_0)) @ Wh.T + bh
    states = []
    for x in inputs:
        h = np.tanh(x @ Wx.T + bx + recurrent)
        recurrent = h @ Wh.T + bh
        recurrent += bh
        states.append(h)
    return results(states, Wo, bo)


# ------------------------------------------------------------------ functions, three things wrong


@bug(("the last row is computed at step 0 only and then stays as it is", "B > 1: the last row, steps 1 and up"),
     ("W_ho is reshaped to (H, O) instead of transposed", "outputs where O > 1 and H > 1, all steps and rows"),
     ("inputs are clipped to [-2, 2]", "steps and rows in which an input is beyond 2 in size, all units"))
def stale_row_reshaped_readout_clipped_inputs(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    x = np.clip(inputs, -2, 2)
    T, B = x.shape[:2]
    h = begin(inputs, Wh, h_0)
    states = np.empty((T, B, len(Wh)), x.dtype)
    for t in range(T):
        for b in range(B if t == 0 or B == 1 else B - 1):
            h[b] = np.tanh(Wx @ x[t, b] + bx + Wh @ h[b] + bh)
        states[t] = h
    return {"hidden_states": states, "h_n": h, "outputs": states @ Wo.reshape(Wo.shape[::-1]) + bo}


@bug(("the odd unit left over by a loop over pairs has the hard tanh, clip(a, -1, 1)", "H odd: the last unit, everywhere"),
     ("the first step of each unrolled block of 4, after the first block, reads the state of two steps before",
      "T > 4: steps 4, 8, 12, …, all rows and units"),
     ("h_n went through float16", "h_n, all calls"))
def pairs_blocks_and_half_final(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    even = len(Wh) - len(Wh) % 2
    ring = [begin(inputs, Wh, h_0)]
    for t, x in enumerate(inputs):
        before = ring[-2] if t and t % 4 == 0 else ring[-1]
        a = x @ Wx.T + bx + before @ Wh.T + bh
        ring.append(np.concatenate([np.tanh(a[:, :even]), np.clip(a[:, even:], -1, 1)], axis=1))
    out = results(ring[1:], Wo, bo)
    out["h_n"] = out["h_n"].astype(np.float16).astype(inputs.dtype)
    return out


@bug(("W_xh is quantised to 8 bits, one scale for the whole matrix", "everywhere"),
     ("the rows of h_0 are in reverse order", "h_0 given and B > 1: step 0, all rows but the middle one"),
     ("the readout goes through tanh", "outputs, all steps and rows"))
def eight_bits_reversed_rows_squashed_readout(weights, inputs, h_0):
    Wx, bx, Wh, bh, Wo, bo = unpack(weights)
    scale = abs(Wx).max() / 127 or 1
    Wx = (np.round(Wx / scale) * scale).astype(inputs.dtype)
    h, states = begin(inputs, Wh, h_0)[::-1], []
    for x in inputs:
        h = np.tanh(x @ Wx.T + bx + h @ Wh.T + bh)
        states.append(h)
    out = results(states, Wo, bo)
    out["outputs"] = np.tanh(out["outputs"])
    return out


# ------------------------------------------------------------------ classes, one thing wrong


def draw(rng, *shape, dtype):
    rng = np.random.default_rng(rng)
    return (rng.uniform(-1, 1, shape) / np.sqrt(shape[-1])).astype(dtype)


@bug(("the state of the call before is carried on instead of zeros",
      "second and later calls of one object with h_0 omitted and the same B: step 0, all rows and units"))
class KeepsItsState:
    def __init__(self, input_size, hidden_size, output_size, *, dtype=np.float64, rng=None):
        self.W_xh, self.W_hh = draw(rng, hidden_size, input_size, dtype=dtype), draw(rng, hidden_size, hidden_size, dtype=dtype)
        self.b_xh, self.b_hh = np.zeros((hidden_size, 1), dtype), np.zeros((hidden_size, 1), dtype)
        self.W_ho, self.b_ho = draw(rng, output_size, hidden_size, dtype=dtype), np.zeros((output_size, 1), dtype)
        self.last = None

    def forward(self, inputs, h_0=None):  # (T, B, I), (H, B)
        shape = len(self.W_hh), inputs.shape[1]
        if h_0 is not None:
            self.last = h_0
        elif self.last is None or self.last.shape != shape:
            self.last = np.zeros(shape, inputs.dtype)
        y, h = {}, {}
        for t, x in enumerate(inputs):
            self.last = h[t] = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ self.last + self.b_hh)
            y[t] = self.W_ho @ h[t] + self.b_ho
        return y, h


@bug(("all steps of the returned list are one and the same array, which holds the last state",
      "T > 1: the states of all steps but the last; the outputs and the last state are right"))
class SameArray:
    def __init__(self, input_size, hidden_size, output_size, *, dtype=np.float64, rng=None):
        self.U, self.W = draw(rng, hidden_size, input_size, dtype=dtype), draw(rng, hidden_size, hidden_size, dtype=dtype)
        self.b, self.c = np.zeros(hidden_size, dtype), np.zeros(hidden_size, dtype)
        self.V, self.d = draw(rng, output_size, hidden_size, dtype=dtype), np.zeros(output_size, dtype)

    def forward(self, x, h_0=None):  # (T, B, I), (B, H)
        h = np.zeros((x.shape[1], len(self.W)), x.dtype)
        if h_0 is not None:
            h[...] = h_0
        states, outputs = [], []
        for x_t in x:
            h[...] = np.tanh(x_t @ self.U.T + self.b + h @ self.W.T + self.c)
            states.append(h)
            outputs.append(h @ self.V.T + self.d)
        return outputs, states


@bug(("the recurrent term is divided by the square root of H",
      "H > 1: steps 1 and up, at step 0 too where h_0 is given; all rows and units"))
class ScaledRecurrence:
    def __init__(self, n_in, n_hidden, n_out, dtype=np.float64, rng=None):
        self.n = n_hidden
        self.W = draw(rng, n_hidden, n_hidden + n_in, dtype=dtype)  # of [h, x]
        self.b = np.zeros(n_hidden, dtype)
        self.V, self.d = draw(rng, n_out, n_hidden, dtype=dtype), np.zeros(n_out, dtype)

    def step(self, x, h):
        scaled = h / np.sqrt(np.array(self.n, x.dtype))
        return np.tanh(self.W @ np.concatenate([scaled, x]) + self.b)

    def forward(self, sequence, h=None):  # (T, I), (H,)
        h = np.zeros(self.n, sequence.dtype) if h is None else h
        states = []
        for x in sequence:
            h = self.step(x, h)
            states.append(h)
        return [self.V @ h + self.d for h in states], states


@bug(("the zero state is made once, before the loop over rows: a row starts from the last state of the row before",
      "h_0 omitted and B > 1: step 0 of rows 1 and up (later steps follow from it)"))
class RowAfterRow:
    def __init__(self, input_size, hidden_size, output_size, *, dtype=np.float64, rng=None):
        self.Wx, self.Wh = draw(rng, hidden_size, input_size, dtype=dtype), draw(rng, hidden_size, hidden_size, dtype=dtype)
        self.bx, self.bh = np.zeros(hidden_size, dtype), np.zeros(hidden_size, dtype)
        self.Wy, self.by = draw(rng, output_size, hidden_size, dtype=dtype), np.zeros(output_size, dtype)

    def __call__(self, batch, h_0=None):  # (B, T, I), (B, H)
        h = np.zeros(len(self.Wh), batch.dtype)
        states = np.empty(batch.shape[:2] + h.shape, batch.dtype)
        for b, sequence in enumerate(batch):
            if h_0 is not None:
                h = h_0[b]
            for t, x in enumerate(sequence):
                h = np.tanh(self.Wx @ x + self.bx + self.Wh @ h + self.bh)
                states[b, t] = h
        return states @ self.Wy.T + self.by, states


@bug(("tanh is expm1(2a)/(expm1(2a)+2), which overflows to inf/inf: NaN instead of 1",
      "wherever a > 44 (float32) or a > 354 (float64), infinite inputs too; large negative a is right"))
class OverflowingTanh:
    def __init__(self, input_size, hidden_size, output_size, *, dtype=np.float64, rng=None):
        self.Wx, self.Wh = draw(rng, input_size, hidden_size, dtype=dtype), draw(rng, hidden_size, hidden_size, dtype=dtype)
        self.bx, self.bh = np.zeros((1, hidden_size), dtype), np.zeros((1, hidden_size), dtype)
        self.Wy, self.by = draw(rng, hidden_size, output_size, dtype=dtype), np.zeros((1, output_size), dtype)

    @staticmethod
    def _tanh(a):
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.expm1(2 * a)
            return e / (e + 2)

    def forward(self, X, H0=None):  # (T, B, I), (B, H); weights to the right
        h = np.zeros((X.shape[1], self.Wh.shape[0]), X.dtype) if H0 is None else H0
        hs = []
        for x in X:
            h = self._tanh(x @ self.Wx + self.bx + h @ self.Wh + self.bh)
            hs.append(h)
        hs = np.array(hs)
        return hs, hs @ self.Wy + self.by


@bug(("the loop ends one step early: the last input is never read", "the last state, all rows and units, every T"))
class Encoder:
    def __init__(self, input_size, hidden_size, *, dtype=np.float64, rng=None):
        self.U, self.W = draw(rng, hidden_size, input_size, dtype=dtype), draw(rng, hidden_size, hidden_size, dtype=dtype)
        self.b = np.zeros(hidden_size, dtype)

    def encode(self, batch):  # (B, T, I) to the last state (B, H)
        h = np.zeros((len(batch), len(self.b)), batch.dtype)
        for t in range(batch.shape[1] - 1):
            h = np.tanh(batch[:, t] @ self.U.T + h @ self.W.T + self.b)
        return h


# ------------------------------------------------------------------ classes, two things wrong


@bug(("from the second step on the input of the step before is read", "steps 1 and up (T > 1), all rows and units"),
     ("b_ho is added twice", "outputs, all steps and rows"))
class ShiftedInputs:
    def __init__(self, input_size, hidden_size, output_size, *, dtype=np.float64, rng=None):
        self.W_in, self.W_rec = draw(rng, hidden_size, input_size, dtype=dtype), draw(rng, hidden_size, hidden_size, dtype=dtype)
        self.b_in, self.b_rec = np.zeros(hidden_size, dtype), np.zeros(hidden_size, dtype)
        self.W_out, self.b_out = draw(rng, output_size, hidden_size, dtype=dtype), np.zeros(output_size, dtype)

    def _head(self, h):
        return h @ self.W_out.T + self.b_out

    def forward(self, x, h0=None):  # (B, T, I), (B, H)
        h = np.zeros((len(x), len(self.W_rec)), x.dtype) if h0 is None else h0
        hs, ys = [], []
        for t in range(x.shape[1]):
            h = np.tanh(x[:, max(t - 1, 0)] @ self.W_in.T + self.b_in + h @ self.W_rec.T + self.b_rec)
            hs.append(h)
            ys.append(self._head(h) + self.b_out)
        return np.stack(ys, 1), np.stack(hs, 1)


@bug(("the state is leaky, h_t = 0.9 tanh(a) + 0.1 h_{t-1}", "everywhere, step 0 too"),
     ("a row whose inputs are all 0 at a step is taken for padding and keeps its state",
      "steps and rows in which every input is exactly 0, all units"))
class LeakyAndMasked:
    def __init__(self, input_size, hidden_size, output_size, *, dtype=np.float64, rng=None):
        self.W_xh, self.W_hh = draw(rng, hidden_size, input_size, dtype=dtype), draw(rng, hidden_size, hidden_size, dtype=dtype)
        self.b_h = np.zeros((hidden_size, 1), dtype)
        self.W_hy, self.b_y = draw(rng, output_size, hidden_size, dtype=dtype), np.zeros((output_size, 1), dtype)

    def forward(self, inputs, h_0=None):  # (T, B, I), (H, B)
        h = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype) if h_0 is None else h_0
        hs, ys = {-1: h}, {}
        for t, x in enumerate(inputs):
            new = 0.9 * np.tanh(self.W_xh @ x.T + self.W_hh @ h + self.b_h) + 0.1 * h
            h = np.where((x == 0).all(axis=1), h, new)
            hs[t], ys[t] = h, self.W_hy @ h + self.b_y
        return ys, hs


@bug(("a state with a norm above 1 is scaled down to norm 1", "rows whose state has a norm above 1 (H > 1), all units"),
     ("the state is stored as float32 in float64 calls too", "float64: everywhere"))
class NormLimited:
    def __init__(self, input_size, hidden_size, *, dtype=np.float64, rng=None):
        self.A, self.R = draw(rng, hidden_size, input_size, dtype=dtype), draw(rng, hidden_size, hidden_size, dtype=dtype)
        self.p, self.q = np.zeros(hidden_size, dtype), np.zeros(hidden_size, dtype)

    def __call__(self, inputs, state=None):  # (T, B, I), (B, H); yields the states
        if state is None:
            state = np.zeros((inputs.shape[1], len(self.R)), inputs.dtype)
        for x in inputs:
            h = np.tanh(x @ self.A.T + self.p + state @ self.R.T + self.q)
            h = h / np.maximum(np.sqrt((h * h).sum(axis=1, keepdims=True)), 1)
            state = h.astype(np.float32).astype(inputs.dtype)
            yield state


# ------------------------------------------------------------------ a class, three things wrong


@bug(("b_hh is added to the state before the product, W_hh (h + b_hh)", "everywhere, step 0 too"),
     ("each output is added to the one before, the buffer is not cleared", "outputs of steps 1 and up, all rows"),
     ("the last step is left without its tanh", "the last step (step 0 where T = 1), all rows and units, and h_n"))
class ThreeSlips:
    def __init__(self, input_size, hidden_size, output_size, *, dtype=np.float64, rng=None):
        self.Wi, self.Wh = draw(rng, input_size, hidden_size, dtype=dtype), draw(rng, hidden_size, hidden_size, dtype=dtype)
        self.bi, self.bh = np.zeros(hidden_size, dtype), np.zeros(hidden_size, dtype)
        self.Wo, self.bo = draw(rng, hidden_size, output_size, dtype=dtype), np.zeros(output_size, dtype)

    def unroll(self, x, h_0=None):  # (T, B, I), (B, H); weights to the right
        steps, rows = x.shape[:2]
        h = np.zeros((rows, len(self.bh)), x.dtype) if h_0 is None else h_0
        y = np.zeros((rows, len(self.bo)), x.dtype)
        hs, ys = [], []
        for t in range(steps):
            h = x[t] @ self.Wi + self.bi + (h + self.bh) @ self.Wh
            if t < steps - 1:
                h = np.tanh(h)
            y = y + h @ self.Wo + self.bo
            hs.append(h)
            ys.append(y)
        return np.stack(hs), np.stack(ys)


# ------------------------------------------------------------------ objects


class Stack:
    """A right layer with torch's options; its methods are what the objects below get wrong."""

    name = "stack"
    claims = FEATURES - {"dropout", "float16", "bfloat16"}

    def state_fits(self, h_0, shape):
        return h_0.shape == shape

    def refuse(self, call, x, h_0):
        o, D = call.options, 1 + call.options.bidirectional
        T, B, size = x.shape
        bad = size != o.input_size or (h_0 is not None and not self.state_fits(h_0, (o.num_layers * D, B, o.hidden_size)))
        for layer in range(o.num_layers):
            for d in range(D):
                end = f"_l{layer}" + "_reverse" * d
                wide = D * o.hidden_size if layer else o.input_size
                shapes = {"weight_ih": (o.hidden_size, wide), "weight_hh": (o.hidden_size, o.hidden_size)}
                if o.bias:
                    shapes |= {"bias_ih": (o.hidden_size,), "bias_hh": (o.hidden_size,)}
                bad = bad or any(call.weights[k + end].shape != s for k, s in shapes.items())
        n = call.lengths
        bad = bad or (n is not None and (n.shape != (B,) or n.min() < 1 or n.max() > T))
        if "W_ho" in call.weights:
            bad = bad or call.weights["W_ho"].shape[1] != D * o.hidden_size
        if bad:
            raise ValueError("a size does not fit")

    def time_first(self, call):
        if call.layout == "single":
            return call.inputs[:, None]
        return call.inputs.swapaxes(0, 1) if call.layout == "batch_first" else call.inputs

    def parameters(self, call, layer, reverse):
        end = f"_l{layer}" + "_reverse" * reverse
        w = call.weights
        zero = np.zeros(call.options.hidden_size, call.inputs.dtype)
        return (w["weight_ih" + end], w["weight_hh" + end], w["bias_ih" + end] if call.options.bias else zero,
                w["bias_hh" + end] if call.options.bias else zero)

    def activation(self, call, a):
        return np.maximum(a, 0) if call.options.nonlinearity == "relu" else np.tanh(a)

    def start(self, call, x, h_0, layer, reverse, finals):
        if h_0 is None:
            return np.zeros((x.shape[1], call.options.hidden_size), x.dtype)
        return h_0[layer * (1 + call.options.bidirectional) + reverse]

    def active(self, call, t, lengths, reverse):
        return (t < lengths)[:, None]

    def padding(self, h):
        return np.zeros_like(h)

    def sweep(self, call, x, parameters, h, lengths, reverse):
        Wi, Wh, bi, bh = parameters
        out = np.zeros(x.shape[:2] + h.shape[1:], x.dtype)
        for t in range(len(x))[::-1 if reverse else 1]:
            new = self.activation(call, x[t] @ Wi.T + bi + h @ Wh.T + bh)
            h = np.where(self.active(call, t, lengths, reverse), new, h)
            out[t] = np.where((t < lengths)[:, None], h, self.padding(h))
        return out, h

    def final(self, out, h, lengths, reverse):
        return h

    def join(self, outs, lengths, layer, last):
        return np.concatenate(outs, axis=-1)

    def between(self, call, x):
        return x

    def stack(self, call, x, lengths, h_0):
        levels, finals = [], []
        for layer in range(call.options.num_layers):
            outs = []
            for reverse in range(1 + call.options.bidirectional):
                h = self.start(call, x, h_0, layer, reverse, finals)
                out, h = self.sweep(call, x, self.parameters(call, layer, reverse), h, lengths, reverse)
                outs.append(out)
                finals.append(self.final(out, h, lengths, reverse))
            last = layer == call.options.num_layers - 1
            x = self.join(outs, lengths, layer, last)
            levels.append(x)
            if not last:
                x = self.between(call, x)
        return levels, np.stack(finals)

    def readout(self, call, levels):
        if "W_ho" not in call.weights:
            return None
        y = levels[-1] @ call.weights["W_ho"].T
        return y + call.weights["b_ho"].reshape(-1) if "b_ho" in call.weights else y

    def run(self, call: Call) -> Answer:
        x, h_0 = self.time_first(call), call.h_0
        if h_0 is not None and call.layout == "single":
            h_0 = h_0[:, None]
        self.refuse(call, x, h_0)
        lengths = np.full(x.shape[1], len(x)) if call.lengths is None else call.lengths
        levels, h_n = self.stack(call, x, lengths, h_0)
        out, y = levels[-1], self.readout(call, levels)
        if call.layout == "single":
            out, h_n, y = out[:, 0], h_n[:, 0], None if y is None else y[:, 0]
        elif call.layout == "batch_first":
            out, y = out.swapaxes(0, 1), None if y is None else y.swapaxes(0, 1)
        return Answer(output=out, h_n=h_n, y=y)


# ------------------------------------------------------------------ objects, one thing wrong


@bug(("the states of the reverse direction are not turned back: they stand in the order in which they were computed",
      "bidirectional, lengths > 1: the reverse half of the output of every layer (what reads it, too); h_n of layer 0 is right"))
class NotTurnedBack(Stack):
    name = "not turned back"

    def join(self, outs, lengths, layer, last):
        if len(outs) == 2:
            for b, n in enumerate(lengths):
                outs[1][:n, b] = outs[1][:n, b][::-1].copy()
        return np.concatenate(outs, axis=-1)


@bug(("the reverse direction starts at the end of the padded row and reads the padding",
      "bidirectional with lengths: rows shorter than T, the reverse half of the output and of h_n"))
class ReadsPadding(Stack):
    name = "reads padding"

    def active(self, call, t, lengths, reverse):
        return np.ones((len(lengths), 1), bool) if reverse else (t < lengths)[:, None]


@bug(("h_0 is indexed by direction first, then layer",
      "bidirectional with two layers or more and h_0 given: the initial states of all but layer 0 forward and the last reverse"))
class DirectionsFirst(Stack):
    name = "directions first"

    def start(self, call, x, h_0, layer, reverse, finals):
        if h_0 is None:
            return super().start(call, x, h_0, layer, reverse, finals)
        return h_0[reverse * call.options.num_layers + layer]


@bug(("all layers above the second use the weights of the second", "three layers or more: layers 2 and up, output and h_n"))
class SharedUpperWeights(Stack):
    name = "shared upper weights"

    def parameters(self, call, layer, reverse):
        return super().parameters(call, min(layer, 1), reverse)


@bug(("relu is cut off at 6", "relu: wherever a > 6, every layer and direction; tanh is right"))
class Relu6(Stack):
    name = "relu 6"

    def activation(self, call, a):
        return np.clip(a, 0, 6) if call.options.nonlinearity == "relu" else np.tanh(a)


@bug(("an h_0 of one row is broadcast to the whole batch instead of refused", "h_0 with 1 row while B > 1; all else is refused"))
class BroadcastsState(Stack):
    name = "broadcasts state"

    def state_fits(self, h_0, shape):
        return h_0.shape == shape or h_0.shape == (shape[0], 1, shape[2])

    def start(self, call, x, h_0, layer, reverse, finals):
        h = super().start(call, x, h_0, layer, reverse, finals)
        return np.broadcast_to(h, (x.shape[1], h.shape[1]))


@bug(("rows sorted by length are put back by the sorting permutation instead of its inverse",
      "unsorted lengths, B > 2, where the permutation is not its own inverse: whole rows of output, h_n and readout"))
class WrongUnsort(Stack):
    name = "wrong unsort"

    def stack(self, call, x, lengths, h_0):
        order = np.argsort(-lengths, kind="stable")
        levels, h_n = super().stack(call, x[:, order], lengths[order], None if h_0 is None else h_0[:, order])
        return [level[:, order] for level in levels], h_n[:, order]


# ------------------------------------------------------------------ objects, two things wrong


@bug(("h_n of the reverse direction is its state at the last step instead of the first",
      "bidirectional: h_n of the reverse directions of every layer, rows longer than 1"),
     ("without biases the flat list of weights is cut wrongly: W_ih and W_hh are swapped in upper layers",
      "bias=False, one direction, two layers or more: layers 1 and up, output and h_n"))
class LastIsFirst(Stack):
    name = "last is first"

    def final(self, out, h, lengths, reverse):
        return out[lengths - 1, np.arange(len(lengths))] if reverse else h

    def parameters(self, call, layer, reverse):
        Wi, Wh, bi, bh = super().parameters(call, layer, reverse)
        if layer and not call.options.bias and not call.options.bidirectional:
            Wi, Wh = Wh, Wi
        return Wi, Wh, bi, bh


@bug(("dropout does not scale what is kept by 1/(1-p)", "training with dropout p between 0 and 1, two layers or more: layers 1 and up"),
     ("h_n of the forward direction is taken at step T-1, where a shorter row has zeros",
      "lengths: h_n of the forward direction of every layer, rows shorter than T"))
class UnscaledDropout(Stack):
    name = "unscaled dropout"
    claims = Stack.claims | {"dropout"}
    rng = np.random.default_rng(7)

    def between(self, call, x):
        if call.training and call.options.dropout:
            x = x * (self.rng.random(x.shape) >= call.options.dropout).astype(x.dtype)
        return x

    def final(self, out, h, lengths, reverse):
        return h if reverse else out[-1]


@bug(("relu turns NaN into 0", "relu, calls with NaN: the states that should be NaN; tanh keeps it"),
     ("batch first inputs are reshaped to time first instead of transposed",
      'the layout "batch_first", B > 1 and T > 1: everything but what reads row 0 step 0 alone'))
class ReshapesBatch(Stack):
    name = "reshapes batch"

    def activation(self, call, a):
        return np.fmax(a, 0) if call.options.nonlinearity == "relu" else np.tanh(a)

    def time_first(self, call):
        if call.layout == "batch_first":
            B, T, size = call.inputs.shape
            return call.inputs.reshape(T, B, size)
        return super().time_first(call)


# ------------------------------------------------------------------ objects, three things wrong


@bug(("a layer hands its directions up in the wrong order, reverse before forward",
      "bidirectional, two layers or more: layers 1 and up (the output itself is in the right order)"),
     ("the readout reads the lowest layer", "readout with two layers or more; output and h_n have no part in it"),
     ("padding holds the state of the row instead of zeros",
      "lengths: the padded steps of output: the last state, in the reverse direction the initial one"))
class SwappedLowPadded(Stack):
    name = "swapped, low, padded"

    def join(self, outs, lengths, layer, last):
        return np.concatenate(outs if last else outs[::-1], axis=-1)

    def readout(self, call, levels):
        return super().readout(call, levels[:1])

    def padding(self, h):
        return h


@bug(("the reverse direction takes the bias_hh of the forward one", "bidirectional with biases: the reverse direction of every layer"),
     ("an upper layer starts from the last state of the layer below instead of zeros",
      "h_0 omitted, two layers or more: layers 1 and up, from the first step of each direction on"),
     ("rows of length 1 are skipped like empty ones: their output is zero, their h_n the initial state",
      "lengths: rows of length 1, output and h_n of every layer and direction"))
class ForwardBiasCarriedUpSkipped(Stack):
    name = "forward bias, carried up, skipped"

    def parameters(self, call, layer, reverse):
        Wi, Wh, bi, bh = super().parameters(call, layer, reverse)
        return Wi, Wh, bi, super().parameters(call, layer, 0)[3] if reverse else bh

    def start(self, call, x, h_0, layer, reverse, finals):
        if h_0 is None and layer:
            return finals[-1 - call.options.bidirectional]
        return super().start(call, x, h_0, layer, reverse, finals)

    def stack(self, call, x, lengths, h_0):
        if call.lengths is not None:
            lengths = np.where(lengths == 1, 0, lengths)
        return super().stack(call, x, lengths, h_0)


BUGS: tuple[Bug, ...] = tuple(_ALL)
