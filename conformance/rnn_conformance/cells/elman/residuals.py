"""What the signed means of the states of a plain RNN are judged by."""

import numpy as np

from rnn_conformance.bounds.balls import Precision, exactly
from rnn_conformance.bounds.statistics import WIDEST, Residuals
from rnn_conformance.cells.cell import Trace
from rnn_conformance.cells.running import preactivation
from rnn_conformance.contract.call import Array


def residuals(trace: Trace, states: Array) -> Residuals:
    """Of states (T, B, H) of tanh: found minus expected, each from the state found before it."""
    precision, w = Precision.of(trace.dtype), trace.weights
    wide: type[np.floating] = np.float64 if trace.dtype == "float32" else WIDEST
    before = np.concatenate([trace.initial[np.newaxis], states[:-1]])
    ones = np.ones((*before.shape[:2], 1))
    v = np.concatenate([trace.inputs, ones, before], axis=2, dtype=wide)
    bias = (w.b_ih.astype(wide) + w.b_hh.astype(wide))[:, np.newaxis]
    weights = np.hstack([w.W_ih.astype(wide), bias, w.W_hh.astype(wide)])
    h = np.tanh(v @ weights.T)
    a = preactivation(w, exactly(trace.inputs, precision), exactly(before, precision))
    return Residuals(
        r=(states - h).astype(np.float64),
        h=h.astype(np.float64),
        slope=(1 - h**2).astype(np.float64),
        ulp=np.spacing(np.abs(h).astype(trace.dtype)).astype(np.float64),
        scale=a.scale,
        roundings=a.roundings,
        v=v.reshape(-1, v.shape[2]).astype(np.float64),
        weights=weights.astype(np.float64),
        bias=bias[:, 0].astype(np.float64),
        names="W_ih, b_ih + b_hh, W_hh",
        u=precision.u,
        judged=1 + float(np.finfo(wide).eps) / 2 / precision.u,
    )
