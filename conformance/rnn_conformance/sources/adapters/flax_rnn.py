"""Flax: nnx.RNN with a cell, alone or in nnx.Bidirectional, and linen's nn.RNN with a cell.

The cells are SimpleCell, OptimizedLSTMCell and, of linen, GRUCell. The kernels are weight_ih and
weight_hh transposed; linen has those of each gate apart. The one bias is bias_ih + bias_hh, added
in the dtype: one rounding more, for which the bound has room. It stands beside the recurrent kernel
in an LSTM, beside that of the inputs otherwise. linen's GRU has b_hn too. That of nnx has none
(findings.md, 13), so it cannot be given our weights, and is not claimed. The carry of an LSTM is
(c, h). JAX compiles each once for all calls of the same sizes and options, with 64 bits enabled.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen, nnx

from rnn_conformance.contract.call import DTYPES, GATED, LAYOUTS, Answer, Array, Call, Options
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.sizes import (
    biases_of_gru,
    losses_of,
    merged_bias,
    nan_of_padding,
    pulled_back,
    refuse_misfits,
    state_of,
    state_of_one,
    weights_of,
)

jax.config.update("jax_enable_x64", True)

ROWS_BROADCAST = KnownFailure(
    "wrong_rows_refused", "one row of inputs is broadcast to those of h_0", link="findings.md, 9"
)
ACTIVATIONS = {"tanh": nnx.tanh, "relu": nnx.relu}
LINEN = {"tanh": linen.SimpleCell, "lstm": linen.OptimizedLSTMCell, "gru": linen.GRUCell}


class NnxRNN:
    """flax.nnx.RNN with a SimpleCell or an OptimizedLSTMCell."""

    name = "flax.nnx.RNN"
    adapter = True
    claims = frozenset(
        (
            *DTYPES,
            *LAYOUTS,
            *ACTIVATIONS,
            "lstm",
            "bidirectional",
            "lengths",
            "h_0",
            "h_n",
            "gradients",
        )
    )
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
        *nan_of_padding(("tanh", "relu", "lstm")),
        KnownFailure(
            "wrong_weights_refused", "kernels of one unit are broadcast", link="findings.md, 10"
        ),
    )

    def run(self, call: Call) -> Answer:
        o, time_major = call.options, call.layout == "time_first"
        rnn, two = _nnx(o, str(call.dtype)), o.bidirectional
        params = _filled(rnn, call)
        if call.state and not two:
            state_of_one(call)  # refuses states of more layers
        carries = [_carry(parts) for parts in zip(*call.state.values(), strict=True)]
        carry = state_of(carries)  # of one direction, or of both
        if call.upstream is None:
            last, output = _call_nnx(rnn, call.inputs, carry, call.lengths, time_major)
            return _answer(o, output, last if two else [last])
        graph, _, others = nnx.split(rnn, nnx.Param, ...)

        def run(params: Any, inputs: Any, carry: Any) -> Any:
            merged = nnx.merge(graph, params, others, copy=True)
            return _call_nnx(merged, inputs, carry, call.lengths, time_major)

        return _differentiated(call, run, params, carry, lambda call: _filled(rnn, call))


class LinenRNN:
    """flax.linen.RNN with a SimpleCell, an OptimizedLSTMCell or a GRUCell."""

    name = "flax.linen.RNN"
    adapter = True
    claims = frozenset((*DTYPES, *LAYOUTS, *LINEN, "h_0", "h_n", "gradients"))
    conventions = NnxRNN.conventions
    known_failures = (ROWS_BROADCAST,)

    def run(self, call: Call) -> Answer:
        o, dtype = call.options, call.dtype
        cell = LINEN[o.cell](o.hidden_size, dtype=dtype, param_dtype=dtype)
        rnn = linen.RNN(cell, time_major=call.layout == "time_first", return_carry=True)
        weights, carry = _of_linen(call), _carry(state_of_one(call))

        def run(weights: Any, inputs: Any, carry: Any) -> Any:
            return _apply(rnn, {"cell": weights}, inputs, initial_carry=carry)

        if call.upstream is None:
            last, output = run(weights, call.inputs, carry)
            return _answer(o, output, [last])
        return _differentiated(call, run, weights, carry, _of_linen)


def _differentiated(
    call: Call,
    run: Callable[[Any, Any, Any], Any],
    weights: Any,
    carry: Any,
    theirs: Callable[[Call], Any],
) -> Answer:
    """The results with their gradients, by jax.vjp; `theirs` are the weights of a call."""
    o = call.options
    (last, output), pull = jax.vjp(run, weights, call.inputs, carry)
    d_output, states = losses_of(call)
    if call.lengths is not None:  # what stands in the padding of an output is not zeroed out
        steps = np.arange(call.inputs.shape[0 if call.layout == "time_first" else 1])
        real = steps < call.lengths[:, np.newaxis]
        d_output = np.where(
            (real.T if call.layout == "time_first" else real)[..., np.newaxis], d_output, 0
        ).astype(call.dtype)
    d_last = state_of([_carry(parts) for parts in zip(*states, strict=True)])
    d_weights, d_inputs, d_carry = pull((d_last, d_output))
    gradients = pulled_back(
        call, lambda call: jax.tree.leaves(theirs(call)), jax.tree.leaves(d_weights)
    )
    gradients["inputs"] = np.array(d_inputs)
    of_ways = d_carry if o.bidirectional else [d_carry]
    for k, name in enumerate(call.state):
        of_part = [way[-1 - k] if len(o.parts) > 1 else way for way in of_ways]
        gradients[name] = np.array(of_part)
    answer = _answer(o, output, last if o.bidirectional else [last])
    return replace(answer, gradients=gradients)


def _filled(rnn: Any, call: Call) -> Any:
    """The parameters of a layer of nnx, once it has the weights of a call."""
    two = call.options.bidirectional
    ways = [(rnn.forward_rnn, "l0"), (rnn.backward_rnn, "l0_reverse")] if two else [(rnn, "l0")]
    for one, end in ways:
        kernel, recurrent, bias = (jnp.asarray(value.T) for value in weights_of(call, end))
        dense = {"dense_i": {"kernel": kernel}, "dense_h": {"kernel": recurrent}}
        dense["dense_h" if call.options.cell == "lstm" else "dense_i"]["bias"] = bias
        nnx.update(one.cell, dense)
    return nnx.state(rnn, nnx.Param)


def _of_linen(call: Call) -> dict[str, dict[str, Array]]:
    """Of each gate: its kernels, and a bias beside one of them."""
    o, gates = call.options, GATED.get(call.options.cell, "")
    refuse_misfits(call, ("weight_ih_l0", "weight_hh_l0"))
    b, b_hn = biases_of_gru(call, "l0") if o.cell == "gru" else (merged_bias(call, "l0"), None)
    G, found = max(len(gates), 1), {}
    W_ih, W_hh = (np.split(call.weights[f"weight_{side}_l0"], G) for side in ("ih", "hh"))
    for gate, inputs, recurrent, bias in zip(
        gates or [""], W_ih, W_hh, np.split(b, G), strict=True
    ):
        found[f"i{gate}"], found[f"h{gate}"] = {"kernel": inputs.T}, {"kernel": recurrent.T}
        found[f"{'h' if o.cell == 'lstm' else 'i'}{gate}"]["bias"] = bias
    if b_hn is not None:
        found["hn"]["bias"] = b_hn
    return found


def _carry(parts: Sequence[Any]) -> Any:
    """A carry as a cell has it: h, or (c, h); None where no state is given."""
    return state_of(reversed(parts))


def _answer(o: Options, output: Any, carries: Sequence[Any]) -> Answer:
    """The results of carries by direction."""
    if len(o.parts) == 1:
        return Answer(np.array(output), np.array(carries))
    c_n, h_n = (np.array([*part]) for part in zip(*carries, strict=True))
    return Answer(np.array(output), h_n, c_n=c_n)


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
        cell = (nnx.OptimizedLSTMCell if o.cell == "lstm" else nnx.SimpleCell)(
            o.input_size,
            o.hidden_size,
            dtype=dtype,
            param_dtype=dtype,
            activation_fn=ACTIVATIONS.get(o.cell, nnx.tanh),
            kernel_init=nnx.initializers.zeros,  # random ones would be compiled for each size
            recurrent_kernel_init=nnx.initializers.zeros,
            rngs=nnx.Rngs(0),
        )
        return nnx.RNN(cell)

    return nnx.Bidirectional(one(), one()) if o.bidirectional else one()
