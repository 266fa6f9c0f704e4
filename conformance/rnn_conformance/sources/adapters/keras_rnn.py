"""keras.layers.SimpleRNN, LSTM and GRU of Keras 3.

kernel (I, G·H) is weight_ih transposed, recurrent_kernel (H, G·H) is weight_hh transposed, with the
gates of an LSTM in the order i, f, c, o, where c is our g, and those of a GRU z, r, h, where h is
our n. The one bias (G·H,) is bias_ih + bias_hh, added in the dtype: one rounding more, for which
the bound has room. A GRU with reset_after=True has both, (2, 3·H). Inputs are (B, T, I) alone;
lengths go in as a mask.

A process has one backend, fixed when Keras is first imported: the first of these classes that is
made settles it, and those of other backends are refused then.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Options
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.autodiff import VJP
from rnn_conformance.sources.adapters.sizes import (
    biases,
    in_order,
    losses_of,
    nan_of_padding,
    pulled_back,
    weights_of,
)

ORDERS = {"lstm": "ifgo", "gru": "zrn", "gru_reset_before": "zrn"}
CELLS: Mapping[str, Sequence[str]] = {
    "SimpleRNN": ("tanh", "relu"),
    "LSTM": ("lstm",),
    "GRU": ("gru", "gru_reset_before"),
}
ROWS_BROADCAST = KnownFailure(
    "wrong_rows_refused", "h_0 or the inputs are broadcast", link="findings.md, 8"
)
CELLS_BROADCAST = KnownFailure(
    "wrong_states_refused", "c_0 of one unit is broadcast", link="findings.md, 8"
)
HAS = ("batch_first", "no_bias", "bidirectional", "reverse", "lengths", "h_0", "h_n")


def _states_dropped(*cases: str) -> tuple[KnownFailure, ...]:
    reason, link = "an initial state too many is dropped", "findings.md, 8"
    return tuple(KnownFailure("wrong_states_refused", reason, case, link) for case in cases)


class KerasRNN:
    """A recurrent layer of Keras, alone or in keras.layers.Bidirectional; jax's is compiled.

    The reverse direction alone is go_backwards.

    float64 is claimed on TensorFlow alone: elsewhere it is computed in float32 (findings.md, 2).

    Raises ImportError, when made, where Keras was imported with another backend.
    """

    backend: ClassVar[str]
    kind: ClassVar[str] = "SimpleRNN"
    dtypes: ClassVar[Sequence[str]] = ("float32",)
    adapter = True
    conventions: ClassVar[dict[str, str]] = {"length 0": "h_0"}
    known_failures: tuple[KnownFailure, ...] = (ROWS_BROADCAST,)

    def __init__(self) -> None:
        self.name = f"keras.{self.kind}-{self.backend}"
        differentiates = ("gradients",) if self.backend in VJP else ()
        if differentiates:
            self.known_failures += nan_of_padding(CELLS[self.kind])
        self.claims = frozenset((*self.dtypes, *CELLS[self.kind], *HAS, *differentiates))
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
        weights = _all_weights(call)
        initial = _by_direction([*call.state.values()])
        mask = None if call.lengths is None else self._tensor(_mask(call))
        layer, n = self._function(o, call.dtype.name), len(weights)

        def run(given: Sequence[Any]) -> Any:
            return layer(given[:n], given[n], initial_state=given[n + 1 :] or None, mask=mask)

        given = [self._tensor(value) for value in (*weights, call.inputs, *initial)]
        if call.upstream is None:
            return self._answer(o, run(given), {})
        output, states = losses_of(call)
        if o.reverse:
            output = output[:, ::-1]
        losses = [self._tensor(loss) for loss in (output, *_by_direction(states))]
        results, found = VJP[self.backend](run, given, lambda _: losses)
        of_weights, (of_inputs, *of_state) = (
            [self._array(part) for part in parts] for parts in (found[:n], found[n:])
        )
        gradients = pulled_back(call, _all_weights, of_weights) | {"inputs": of_inputs}
        for k, name in enumerate(call.state):
            gradients[name] = np.stack(of_state[k :: len(o.parts)])
        return self._answer(o, results, gradients)

    def _answer(self, o: Options, results: Sequence[Any], gradients: dict[str, Array]) -> Answer:
        states, *last = map(self._array, results)
        # go_backwards gives them in the order in which they are computed, padding first.
        in_time = states[:, ::-1] if o.reverse else states
        S = len(o.parts)
        h_n, c_n = (*(np.stack(last[k::S]) for k in range(S)), None)[:2]
        return Answer(in_time, h_n, c_n=c_n, gradients=gradients or None)

    def _new_function(self, o: Options, dtype: str) -> Callable[..., Any]:
        """f(weights, inputs, …) of a layer."""
        layers = self._keras.layers
        own: dict[str, Any] = {"activation": o.cell} if self.kind == "SimpleRNN" else {}
        if self.kind == "GRU":
            own["reset_after"] = o.cell == "gru"
        layer = getattr(layers, self.kind)(
            o.hidden_size,
            use_bias=o.bias,
            return_sequences=True,
            return_state=True,
            zero_output_for_mask=True,
            go_backwards=o.reverse,
            dtype=dtype,
            **own,
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
    known_failures = (
        ROWS_BROADCAST,
        *_states_dropped("*sorted*", "*equal*"),  # with a mask
    )


class KerasTensorflow(KerasRNN):
    """On TensorFlow."""

    backend = "tensorflow"
    dtypes = ("float32", "float64")


def _of(on: type[KerasRNN], kind: str, *known: KnownFailure) -> type[KerasRNN]:
    """keras.layers.LSTM or GRU on a backend."""
    failures = {"known_failures": (ROWS_BROADCAST, *known)}
    return type(f"{on.__name__}{kind}", (on,), {"kind": kind, **failures})


KerasNumpyLSTM = _of(KerasNumpy, "LSTM", CELLS_BROADCAST)
KerasNumpyGRU = _of(KerasNumpy, "GRU", *_states_dropped("*"))
KerasJaxLSTM = _of(KerasJax, "LSTM")
KerasJaxGRU = _of(KerasJax, "GRU", *_states_dropped("*"))
KerasTorchLSTM = _of(KerasTorch, "LSTM", CELLS_BROADCAST)
KerasTorchGRU = _of(KerasTorch, "GRU", *_states_dropped("*"))
KerasTensorflowLSTM = _of(KerasTensorflow, "LSTM", CELLS_BROADCAST)
KerasTensorflowGRU = _of(KerasTensorflow, "GRU", *_states_dropped("*"))


def _by_direction(parts: Sequence[Array]) -> list[Array]:
    """h and c of a direction, then those of the next."""
    return [part for way in zip(*parts, strict=True) for part in way]


def _all_weights(call: Call) -> list[Array]:
    """Those of each direction."""
    ends = ("l0", "l0_reverse")[: call.options.directions]
    return [value for end in ends for value in _weights(call, end)]


def _weights(call: Call, end: str) -> list[Array]:
    """Those of a layer of Keras, in the order in which it has them."""
    ours = replace(call, weights=in_order(call.options, call.weights, ORDERS))
    kernel, recurrent, *bias = weights_of(ours, end)
    if bias and call.options.cell == "gru":
        bias = [np.stack(biases(ours, end))]
    return [kernel.T, recurrent.T, *bias]


def _mask(call: Call) -> Any:
    """Which steps are real, (B, T). Keras knows no lengths, so bad ones are refused here."""
    lengths, (B, T, _) = call.lengths, call.inputs.shape
    assert lengths is not None
    if lengths.shape != (B,) or lengths.min() < 0 or lengths.max() > T:
        raise ValueError(f"lengths: expected {B} of them from 0 to {T}, got {lengths.tolist()}")
    return np.arange(T) < lengths[:, np.newaxis]
