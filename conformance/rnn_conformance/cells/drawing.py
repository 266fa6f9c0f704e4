"""The kinds of weights, drawn for a case."""

from collections.abc import Mapping, Sequence

import numpy as np

from rnn_conformance.cells.cell import Kind
from rnn_conformance.contract.call import Array, Options

# The magnitude of a pre-activation in cases of the kind "extreme", two units each.
EXTREMES = (1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 0.5, 3.0, 5.0, 9.0, 20.0, 45.0, 100.0, 1e4, 1e10)
WITHOUT_BIAS = ("initial", "silent")
PLAIN_FEEDBACK: Mapping[Kind, float] = {"diagonal": -0.7, "identity": 1, "unconnected": 0}


def drawn_weights(
    options: Options,
    kind: Kind,
    bias: str,
    rng: np.random.Generator,
    remembers: Sequence[float] = (),
) -> dict[str, Array]:
    """Those of all layers, in float64, as `Case` describes the kinds and the biases.

    Args:
        remembers: as in `Cell`.
    """
    found: dict[str, Array] = {}
    for name, shape in options.weight_shapes().items():
        if name.startswith("bias"):
            found[name] = _bias(name, kind, bias, rng.standard_normal(shape))
            if kind == "remembering" and name.startswith("bias_ih"):
                found[name] += np.repeat(remembers, options.hidden_size)
        elif not name.endswith("_ho"):
            found[name] = _matrix(name, kind, rng.standard_normal(shape))
    return found


def drawn_readout(options: Options, kind: Kind, rng: np.random.Generator) -> dict[str, Array]:
    """That of the last layer; nothing if there is none."""
    O = options.output_size
    if not O:
        return {}
    W_ho = rng.standard_normal((O, options.directions * options.hidden_size))
    return {"W_ho": W_ho, "b_ho": rng.standard_normal(O) * (kind not in WITHOUT_BIAS)}


def _bias(name: str, kind: Kind, bias: str, values: Array) -> Array:
    of_input = name.startswith("bias_ih")
    if kind == "extreme":
        sign = np.resize([1.0, -1.0], len(values))
        return (0.6 if of_input else 0.4) * sign * _magnitudes(len(values))
    if kind in PLAIN_FEEDBACK:
        values[0] = 0  # and no other is
    zero = kind in WITHOUT_BIAS or bias in ("zeros", "hh_alone" if of_input else "ih_alone")
    return values * (0 if zero else 1.0 if kind in ("normal", "special", "transparent") else 0.3)


def _matrix(name: str, kind: Kind, values: Array) -> Array:
    if kind == "silent":  # the first unit's products at step 0 are all -0.0
        values[0] = np.abs(values[0]) if name.startswith("weight_ih") else -np.abs(values[0])
    if kind in PLAIN_FEEDBACK and name.startswith("weight_hh"):
        of_each_gate: Array = np.resize(np.eye(values.shape[1]), values.shape)
        return PLAIN_FEEDBACK[kind] * of_each_gate
    if kind in ("contractive", "remembering") and name.startswith("weight_hh"):
        # Rows of absolute sum 0.6: the distance of two trajectories shrinks at every step.
        shrunk: Array = values * (0.6 / np.abs(values).sum(axis=1, keepdims=True))
        return shrunk
    if kind == "marked" and name.startswith("weight_ih"):
        values[:, 0] = 0  # a pre-activation is exactly 0 where there is no bias and no h_0
    if kind == "passing" and name.startswith("weight_ih"):
        return np.concatenate([permutation(len(values)), 0.3 * values[:, len(values) :]], axis=1)
    usual = ("one_hot", "integers", "remembering", *PLAIN_FEEDBACK)
    kind = "contractive" if kind in usual else kind
    width = np.sqrt(values.shape[1])
    scales: Mapping[Kind, Array | float] = {
        "contractive": 0.7 / width,
        "moderate": 0.5 / width,
        "extreme": 0.05 * _magnitudes(len(values))[:, np.newaxis] / width,
        "special": 0.02,
        "marked": 1 if name.startswith("weight_ih") else 1 / width,
        "passing": 1 / width,
    }
    scaled: Array = values * scales.get(kind, 1.0)
    return scaled


def permutation(rows: int) -> Array:
    """Each row takes the next number, the last one the first."""
    return np.roll(np.eye(rows), 1, axis=1)


def _magnitudes(units: int) -> Array:
    return np.resize(np.repeat(EXTREMES, 2), units)
