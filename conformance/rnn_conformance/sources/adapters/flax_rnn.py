"""Flax: nnx.RNN(nnx.SimpleCell), alone or in nnx.Bidirectional, and linen's nn.RNN(nn.SimpleCell).

The kernels (I, H) and (H, H) are W_xh and W_hh transposed, and the one bias (H,) is b_xh + b_hh,
added in the dtype: one rounding more, for which the bound has room. JAX compiles each once for all
calls of the same sizes and options, with 64 bits enabled.
"""

from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen, nnx

from rnn_conformance.contract.call import DTYPES, LAYOUTS, Answer, Call, Options
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.sizes import state_of_one, weights_of

jax.config.update("jax_enable_x64", True)

ROWS_BROADCAST = KnownFailure(
    "wrong_rows_refused", "one row of inputs is broadcast to those of h_0", link="findings.md, 9"
)
ACTIVATIONS = {"tanh": nnx.tanh, "relu": nnx.relu}


class NnxRNN:
    """flax.nnx.RNN with a flax.nnx.SimpleCell."""

    name = "flax.nnx.RNN"
    adapter = True
    claims = frozenset((*DTYPES, *LAYOUTS, *ACTIVATIONS, "bidirectional", "lengths", "h_0", "h_n"))
    conventions: ClassVar[dict[str, str]] = {
        "T = 0": "empty",
        "padded output": "undefined",  # "NOT zeroed out", says the documentation
        "length 0": "undefined",
    }
    known_failures = (
        KnownFailure(
            "lengths_refused", "lengths beyond T or below 0 are taken", link="findings.md, 6"
        ),
        ROWS_BROADCAST,
        KnownFailure(
            "wrong_weights_refused", "kernels of one unit are broadcast", link="findings.md, 10"
        ),
    )

    def run(self, call: Call) -> Answer:
        o, time_major = call.options, call.layout == "time_first"
        rnn, two = _nnx(o, str(call.dtype)), o.bidirectional
        ways = [(rnn.forward_rnn, "l0"), (rnn.backward_rnn, "l0_reverse")] if two else [(rnn, "l0")]
        for one, end in ways:
            kernel, recurrent, bias = (jnp.asarray(value.T) for value in weights_of(call, end))
            dense = {"dense_i": {"kernel": kernel, "bias": bias}, "dense_h": {"kernel": recurrent}}
            nnx.update(one.cell, dense)
        carry = state_of_one(call) if call.h_0 is None or not two else tuple(call.h_0)
        h_n, output = _call_nnx(rnn, call.inputs, carry, call.lengths, time_major)
        return Answer(np.array(output), np.array(h_n if two else [h_n]))


class LinenRNN:
    """flax.linen.RNN with a flax.linen.SimpleCell."""

    name = "flax.linen.RNN"
    adapter = True
    claims = frozenset((*DTYPES, *LAYOUTS, "tanh", "h_0", "h_n"))
    conventions = NnxRNN.conventions
    known_failures = (ROWS_BROADCAST,)

    def run(self, call: Call) -> Answer:
        (W_ih, W_hh, b), dtype = weights_of(call, "l0"), call.dtype
        cell = linen.SimpleCell(call.options.hidden_size, dtype=dtype, param_dtype=dtype)
        rnn = linen.RNN(cell, time_major=call.layout == "time_first", return_carry=True)
        weights = {"cell": {"i": {"kernel": W_ih.T, "bias": b}, "h": {"kernel": W_hh.T}}}
        h_n, output = _apply(rnn, weights, call.inputs, initial_carry=state_of_one(call))
        return Answer(np.array(output), np.array([h_n]))


@partial(jax.jit, static_argnums=0)
def _apply(module: linen.Module, weights: Any, *inputs: Any, **options: Any) -> Any:
    return module.apply({"params": weights}, *inputs, **options)


@partial(nnx.jit, static_argnums=4)
def _call_nnx(rnn: Any, inputs: Any, carry: Any, lengths: Any, time_major: bool) -> Any:
    return rnn(
        inputs, initial_carry=carry, seq_lengths=lengths, return_carry=True, time_major=time_major
    )


def _nnx(o: Options, dtype: str) -> Any:
    """A layer of these options with weights of its own."""

    def one() -> nnx.RNN:
        cell = nnx.SimpleCell(
            o.input_size,
            o.hidden_size,
            dtype=dtype,
            param_dtype=dtype,
            activation_fn=ACTIVATIONS[o.nonlinearity],
            kernel_init=nnx.initializers.zeros,  # random ones would be compiled for each size
            recurrent_kernel_init=nnx.initializers.zeros,
            rngs=nnx.Rngs(0),
        )
        return nnx.RNN(cell)

    return nnx.Bidirectional(one(), one()) if o.bidirectional else one()
