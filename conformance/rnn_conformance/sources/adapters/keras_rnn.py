"""keras.layers.SimpleRNN of Keras 3.

kernel (I, H) is W_xh transposed, recurrent_kernel (H, H) is W_hh transposed, and the one bias (H,)
is b_xh + b_hh, added in the dtype: one rounding more, for which the bound has room. Inputs are
(B, T, I) alone; lengths go in as a mask.

A process has one backend, fixed when Keras is first imported: of KerasNumpy, KerasJax
and KerasTorch the first that is made settles it, and the others are refused then.
"""

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Options
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.sizes import weights_of

ROWS_BROADCAST = KnownFailure(
    "wrong_rows_refused", "h_0 or the inputs are broadcast", link="findings.md, 8"
)


def _states_dropped(*cases: str) -> tuple[KnownFailure, ...]:
    reason, link = "an initial state too many is dropped", "findings.md, 8"
    return tuple(KnownFailure("wrong_states_refused", reason, case, link) for case in cases)


class KerasRNN:
    """keras.layers.SimpleRNN, alone or in keras.layers.Bidirectional; compiled where it is jax's.

    The reverse direction alone is go_backwards.

    float64 is not claimed: on these backends it is computed in float32 (findings.md, 2).

    Raises ImportError, when made, where Keras was imported with another backend.
    """

    backend: ClassVar[str]
    adapter = True
    claims = frozenset({
        "float32", "batch_first", "tanh", "relu", "no_bias", "bidirectional", "reverse",
        "lengths", "h_0", "h_n",
    })  # fmt: skip
    conventions: ClassVar[dict[str, str]] = {"length 0": "h_0"}
    known_failures: tuple[KnownFailure, ...] = (ROWS_BROADCAST,)

    def __init__(self) -> None:
        self.name = f"keras.SimpleRNN-{self.backend}"
        os.environ["KERAS_BACKEND"] = self.backend  # Keras's own way, read at its first import
        self._keras: Any = import_module("keras")
        if (found := self._keras.backend.backend()) != self.backend:
            raise ImportError(
                f"KERAS_BACKEND: expected {self.backend}, but Keras was imported with {found} "
                f"before, and has one backend in a process"
            )
        self._function = lru_cache(256)(self._new_function)  # as a user makes a layer but once

    def run(self, call: Call) -> Answer:
        o = call.options
        ends = ("l0", "l0_reverse")[: o.directions]
        weights = [value.T for end in ends for value in weights_of(call, end)]
        h_0 = None if call.h_0 is None else [self._tensor(h) for h in call.h_0]
        mask = None if call.lengths is None else self._tensor(_mask(call))
        layer = self._function(o)
        output, *h_n = layer(weights, self._tensor(call.inputs), initial_state=h_0, mask=mask)
        states = self._array(output)
        # go_backwards gives them in the order in which they are computed, padding first.
        in_time = states[:, ::-1] if o.reverse else states
        return Answer(in_time, np.stack([self._array(h) for h in h_n]))

    def _new_function(self, o: Options) -> Callable[..., Any]:
        """f(weights, inputs, …) of a layer."""
        layers = self._keras.layers
        layer = layers.SimpleRNN(
            o.hidden_size,
            o.nonlinearity,
            o.bias,
            return_sequences=True,
            return_state=True,
            zero_output_for_mask=True,
            go_backwards=o.reverse,
        )
        if o.bidirectional:
            layer = layers.Bidirectional(layer)
        layer.build((None, None, o.input_size))
        others = [variable.value for variable in layer.non_trainable_variables]

        def function(weights: Sequence[Array], inputs: Any, **options: Any) -> Any:
            return layer.stateless_call(weights, others, inputs, **options)[0]

        return import_module("jax").jit(function) if self.backend == "jax" else function

    def _tensor(self, value: Any) -> Any:
        # Torch takes no negative strides.
        return self._keras.ops.convert_to_tensor(np.array(value, order="C"))

    def _array(self, value: Any) -> Array:
        # A copy: what a backend gives may be its own memory, or read-only.
        return np.array(self._keras.ops.convert_to_numpy(value))


class KerasNumpy(KerasRNN):
    """On NumPy."""

    backend = "numpy"
    known_failures = (
        ROWS_BROADCAST,
        *_states_dropped("*tanh-h0*", "*bidirectional-h0*", "*reverse-h0*"),
    )


class KerasJax(KerasRNN):
    """On JAX, with 64 bits enabled."""

    backend = "jax"


class KerasTorch(KerasRNN):
    """On torch."""

    backend = "torch"
    known_failures = (ROWS_BROADCAST, *_states_dropped("*sorted*", "*equal*"))  # with a mask


def _mask(call: Call) -> Any:
    """Which steps are real, (B, T). Keras knows no lengths, so bad ones are refused here."""
    lengths, (B, T, _) = call.lengths, call.inputs.shape
    assert lengths is not None
    if lengths.shape != (B,) or lengths.min() < 0 or lengths.max() > T:
        raise ValueError(f"lengths: expected {B} of them from 0 to {T}, got {lengths.tolist()}")
    return np.arange(T) < lengths[:, np.newaxis]
