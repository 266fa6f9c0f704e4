"""mlx.nn.RNN on the CPU.

Wxh (H, I) and Whh (H, H) are W_xh and W_hh as they are; the one bias (H,) is b_xh + b_hh, added in
the dtype: one rounding more, for which the bound has room. Inputs are (B, T, I) or (T, I). MLX
gives no final state of its own: h_n is the output's last step.
"""

import mlx.core as mx
import mlx.nn
import numpy as np

from rnn_conformance.contract.call import DTYPES, HALF_DTYPES, Answer, Array, Call
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.sizes import state_of_one, weights_of

LAYOUTS = ("single", "batch_first")
NONLINEARITIES = {"tanh": mlx.nn.tanh, "relu": mlx.nn.relu}


class MlxRNN:
    """mlx.nn.RNN on the CPU, where alone MLX has float64."""

    name = "mlx.nn.RNN"
    adapter = True
    can_crash = True
    claims = frozenset((*DTYPES, *HALF_DTYPES, *LAYOUTS, *NONLINEARITIES, "no_bias", "h_0", "h_n"))
    known_failures = (
        KnownFailure(
            "wrong_rows_refused",
            "one row of inputs is broadcast to those of h_0",
            link="findings.md, 11",
        ),
    )

    def run(self, call: Call) -> Answer:
        o = call.options
        weights = zip(("Wxh", "Whh", "bias"), weights_of(call, "l0"), strict=False)
        h_0 = state_of_one(call)
        with mx.stream(mx.cpu):
            rnn = mlx.nn.RNN(o.input_size, o.hidden_size, o.bias, NONLINEARITIES[o.nonlinearity])
            rnn.load_weights([(name, _mlx(value, call)) for name, value in weights])
            output = _numpy(rnn(_mlx(call.inputs, call), None if h_0 is None else _mlx(h_0, call)))
        return Answer(output, output[None, ..., -1, :].copy())


def _mlx(value: Array, call: Call) -> mx.array:
    dtype = mx.bfloat16 if call.bfloat16 else getattr(mx, str(value.dtype))
    return mx.array(np.array(value, order="C"), dtype=dtype)  # it takes no negative strides


def _numpy(value: mx.array) -> Array:
    """A copy of the numbers; bfloat16, which NumPy lacks, becomes float32."""
    return np.array(value.astype(mx.float32) if value.dtype == mx.bfloat16 else value)
