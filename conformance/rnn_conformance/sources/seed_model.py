"""A call and an answer in the words of the seed model, which functions and classes speak.

W_xh  weight_ih_l0 (H, I)        W_hh  weight_hh_l0 (H, H)        W_ho  (O, H)
b_xh  bias_ih_l0 as (H, 1)       b_hh  bias_hh_l0 as (H, 1)       b_ho  as (O, 1)

Those of an LSTM or a GRU are W_ih (G·H, I) and b_ih, and have the rows of G gates.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_conformance.contract.call import (
    FEATURES,
    GATED,
    GRADIENTS,
    NONLINEARITIES,
    Answer,
    Array,
    Call,
    claimed,
)
from rnn_conformance.contract.conventions import UNDEFINED
from rnn_conformance.contract.dtypes import as_numpy

NAMES: Mapping[str, str] = {
    "weight_ih_l0": "W_xh",
    "bias_ih_l0": "b_xh",
    "weight_hh_l0": "W_hh",
    "bias_hh_l0": "b_hh",
    "W_ho": "W_ho",
    "b_ho": "b_ho",
}
GATED_NAMES: Mapping[str, str] = {t: o.replace("_xh", "_ih") for t, o in NAMES.items()}
EQUATION = "h_t = tanh(W_xh x_t + b_xh + W_hh h_{t-1} + b_hh), y_t = W_ho h_t + b_ho"
LAST = 24  # answers, more than any check compares
NOT_READ = (
    "W_xh and W_hh were set as attributes, and nothing changed: `forward` reads others, "
    "or keeps what it made of them in its first call"
)
CAN_CLAIM = FEATURES - {"layers", "bidirectional", "reverse", "no_bias", "lengths", "dropout"} | {
    GRADIENTS
}
# Nobody expects a first function or class to look at what it is given.
CONVENTIONS: Mapping[str, str] = {"T = 0": UNDEFINED, "B = 0": UNDEFINED, "wrong sizes": UNDEFINED}


def seed_call(call: Call) -> Call:
    """The call in these words; every array is a view of the caller's.

    It has all six weights, a readout of zeros where the call has none, and h_0 and c_0 (B, H), or
    (H,) in the layout "single".
    """
    o, given = call.options, dict(call.weights)
    if not o.output_size:
        given["W_ho"] = np.zeros((1, o.hidden_size), call.dtype)
        given["b_ho"] = np.zeros(1, call.dtype)
    columns = {
        ours: given[theirs][:, np.newaxis] if ours.startswith("b") else given[theirs]
        for theirs, ours in (GATED_NAMES if o.cell in GATED else NAMES).items()
    }
    return replace(call, weights=columns, **{name: part[0] for name, part in call.state.items()})


def weights_of(call: Call) -> dict[str, Array]:
    """Those weights that the call has, by these names."""
    names, given = GATED_NAMES if call.options.cell in GATED else NAMES, seed_call(call).weights
    return {names[name]: given[names[name]] for name in call.weights}


def answer(
    call: Call,
    states: Array,
    h_n: Array | None,
    outputs: Array | None,
    c_n: Array | None = None,
) -> Answer:
    """The answer to a call from hidden states, h_n and c_n, (B, H) or (H,), and outputs."""
    h_n, c_n = (part[np.newaxis] if isinstance(part, np.ndarray) else part for part in (h_n, c_n))
    return Answer(states, h_n, outputs if call.options.output_size else None, c_n)


class Earlier:
    """What lies behind the last few answers, which can be read again."""

    def __init__(self) -> None:
        self._last: list[tuple[Answer, Callable[[], Answer]]] = []

    def first(self, read: Callable[[], Answer]) -> Answer:
        """The answer that is read for the first time."""
        given = read()
        self._last = [*self._last[-LAST:], (given, read)]
        return given

    def again(self, earlier: Answer) -> Answer:
        """What the results behind an earlier answer hold now."""
        return next(read for given, read in self._last if given.output is earlier.output)()


def seed_claims(features: frozenset[str]) -> frozenset[str]:
    """What a function or class can claim.

    Raises TypeError for what is no frozenset, and ValueError for more, such as several layers: an
    object with run(call) can claim these.
    """
    if {*NONLINEARITIES} <= of_one_layer(features, CAN_CLAIM):
        raise ValueError("claims: expected tanh or relu, got both, and is not told which it is")
    return features


def of_one_layer(features: frozenset[str], can: frozenset[str]) -> frozenset[str]:
    """A selection of what something of one layer can claim. Raises as `seed_claims` does."""
    if not isinstance(features, frozenset):
        raise TypeError(f"claims: expected frozenset, got {type(features).__name__}")
    if more := sorted(claimed(features) - can):
        raise ValueError(
            f"claims: expected a selection of {', '.join(sorted(can))}, got "
            f"{', '.join(more)}, which needs an object with name, claims and run(call)"
        )
    return features


def results_of(found: Any, others: Sequence[str]) -> dict[str, Array]:
    """The results of a function, "hidden_states" and some of the others, as arrays.

    Raises TypeError for anything but a mapping or a named tuple with these.
    """
    quoted = [f'"{name}"' for name in others]
    found = found._asdict() if hasattr(found, "_asdict") else found
    if not isinstance(found, Mapping):
        every = ", ".join(['"hidden_states"', *quoted])
        raise TypeError(f"expected a mapping with {every}, got {type(found).__name__}")
    if not {"hidden_states"} <= {*found} <= {"hidden_states", *others}:
        some = f"{', '.join(quoted[:-1])} and {quoted[-1]}"
        raise TypeError(
            f'expected a mapping with "hidden_states", and {some} where given, '
            f"got {', '.join(map(repr, found)) or 'an empty one'}"
        )
    return {name: as_numpy(value) for name, value in found.items()}
