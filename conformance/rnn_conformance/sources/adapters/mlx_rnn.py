"""mlx.nn.RNN, LSTM and GRU on the CPU.

Weights have our gates in our order: Wxh (H, I), or Wx (G·H, I), and Whh (H, H), or Wh (G·H, H). The
one bias is bias_ih + bias_hh, added in the dtype: one rounding more, for which the bound has room.
A GRU has one bias b (3·H,), in which r and z have both of ours and n that of the inputs, and bhn
(H,), which is b_hn. Inputs are (B, T, I) or (T, I). MLX gives no final state of its own: h_n is the
output's last step, and c_n the last of the c that an LSTM gives.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import mlx.core as mx
import mlx.nn
import numpy as np

from rnn_conformance.contract.call import DTYPES, HALF_DTYPES, Answer, Array, Call
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.sizes import (
    biases_of_gru,
    losses_of,
    parts_of,
    pulled_back,
    state_of_one,
    weights_of,
)

LAYOUTS = ("single", "batch_first")
NONLINEARITIES = {"tanh": mlx.nn.tanh, "relu": mlx.nn.relu}


NAMES: Mapping[type[Any], Sequence[str]] = {
    mlx.nn.RNN: ("Wxh", "Whh", "bias"),
    mlx.nn.LSTM: ("Wx", "Wh", "bias"),
    mlx.nn.GRU: ("Wx", "Wh", "b", "bhn"),
}


ROWS = KnownFailure(
    "wrong_rows_refused", "one row of inputs is broadcast to those of h_0", link="findings.md, 11"
)
CELLS_BROADCAST = KnownFailure(
    "wrong_states_refused", "c_0 of one unit is broadcast", link="findings.md, 11"
)
RANK = KnownFailure("wrong_inputs_refused", "inputs of rank 4 are taken", link="findings.md, 11")


class MlxLayer:
    """A recurrent layer of MLX on the CPU, where alone MLX has float64.

    Of gates it is not claimed: their sigmoid is computed as in float32 (findings.md, 14).
    """

    adapter = True
    can_crash = True

    def __init__(
        self, own: type[Any], cells: Collection[str], dtypes: Collection[str], *known: KnownFailure
    ) -> None:
        self.name = f"mlx.nn.{own.__name__}"
        self.claims = frozenset(
            (*dtypes, *HALF_DTYPES, *LAYOUTS, *cells, "no_bias", "h_0", "h_n", "gradients")
        )
        self.known_failures = (ROWS, *known)
        self._own = own

    def run(self, call: Call) -> Answer:
        o = call.options
        kind = [NONLINEARITIES[o.cell]] if o.cell in NONLINEARITIES else []
        weights = self._weights(call)
        names, n = NAMES[self._own], len(weights)
        with mx.stream(mx.cpu):
            rnn = self._own(o.input_size, o.hidden_size, o.bias, *kind)

            def run(*given: mx.array) -> list[mx.array]:
                rnn.load_weights([*zip(names, given[:n], strict=False)])
                return [part for part in parts_of(rnn(*given[n:])) if part is not None]

            given = [_mlx(value, call) for value in (*weights, call.inputs, *state_of_one(call))]
            if call.upstream is None:
                return _answer([_numpy(part) for part in run(*given)])
            losses = [_mlx(loss, call) for loss in _losses(call)]
            results, found = mx.vjp(run, given, losses)
            answer, found = _answer([*map(_numpy, results)]), [*map(_numpy, found)]
        gradients = pulled_back(call, self._weights, found[:n]) | {"inputs": found[n]}
        of_state = zip(call.state, found[n + 1 :], strict=True)
        gradients |= {name: part[np.newaxis] for name, part in of_state}
        return replace(answer, gradients=gradients)

    def _weights(self, call: Call) -> list[Array]:
        weights = weights_of(call, "l0")
        if call.options.bias and call.options.cell == "gru":
            weights[2:] = biases_of_gru(call, "l0")
        return weights


def _answer(results: Sequence[Array]) -> Answer:
    """Of h, and c, at every step."""
    output, *cells = results
    last = [part[None, ..., -1, :].copy() for part in results]
    return Answer(output, last[0], c_n=last[1] if cells else None)


def _losses(call: Call) -> list[Array]:
    """dL/d of h, and c, at every step."""
    output, states = losses_of(call)
    found = [output.copy(), *(np.zeros_like(output) for _ in states[1:])]
    for part, of_last in zip(found, states, strict=True):
        part[..., -1, :] += of_last[0]
    return found


def _mlx(value: Array, call: Call) -> mx.array:
    dtype = mx.bfloat16 if call.bfloat16 else getattr(mx, str(value.dtype))
    return mx.array(np.array(value, order="C"), dtype=dtype)  # it takes no negative strides


def _numpy(value: mx.array) -> Array:
    """A copy of the numbers; bfloat16, which NumPy lacks, becomes float32."""
    return np.array(value.astype(mx.float32) if value.dtype == mx.bfloat16 else value)


RNN = MlxLayer(mlx.nn.RNN, tuple(NONLINEARITIES), DTYPES)
LSTM = MlxLayer(mlx.nn.LSTM, ("lstm",), ("float32",), CELLS_BROADCAST)
GRU = MlxLayer(mlx.nn.GRU, ("gru",), ("float32",), RANK)
