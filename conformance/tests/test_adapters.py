import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from rnn_conformance.cases.case import Case
from rnn_conformance.checks.subject import given
from rnn_conformance.contract.call import Array
from rnn_conformance.run.verdict import check
from rnn_conformance.sources.adapters.sizes import merged_bias, refuse_misfits
from rnn_conformance.sources.adapters.torch_cell import TorchCell


class Layer:
    """A Keras of one layer, in plain NumPy, and of one backend."""

    def __init__(
        self,
        units: int,
        activation: str = "tanh",
        use_bias: bool = True,
        go_backwards: bool = False,
        **_: Any,
    ):
        self.units, self.activation, self.use_bias = units, activation, use_bias
        self.read = np.s_[:, ::-1] if go_backwards else np.s_[:]
        self.non_trainable_variables: list[Any] = []

    def build(self, shape: Any) -> None:
        self.input_size = shape[-1]

    def stateless_call(
        self, weights: Any, others: Any, inputs: Array, initial_state: Any = None, mask: Any = None
    ) -> Any:
        kernel, recurrent, *bias = weights
        inputs, mask = inputs[self.read], None if mask is None else mask[self.read]
        h = np.zeros((len(inputs), self.units), "f") if initial_state is None else initial_state[0]
        states = []
        for t in range(inputs.shape[1]):
            a = inputs[:, t] @ kernel + h @ recurrent + sum(bias)
            new = np.tanh(a) if self.activation == "tanh" else np.maximum(a, 0)
            real = np.ones((len(inputs), 1), bool) if mask is None else mask[:, t, None]
            h = np.where(real, new, h)
            states.append(np.where(real, new, 0))
        return (np.stack(states, 1), h), others


def keras_of(backend: str, layer: type[Layer]) -> ModuleType:
    keras: Any = ModuleType("keras")
    keras.backend, keras.layers, keras.ops = (ModuleType(n) for n in ("backend", "layers", "ops"))
    keras.backend.backend = lambda: backend
    keras.layers.SimpleRNN = layer
    keras.ops.convert_to_tensor = keras.ops.convert_to_numpy = np.asarray
    found: ModuleType = keras
    return found


@pytest.fixture
def keras_rnn(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, type[Layer]], Any]:
    """The adapter of Keras on the backend NumPy, over a fake of Keras."""

    def adapter(backend: str, layer: type[Layer]) -> Any:
        from rnn_conformance.sources.adapters.keras_rnn import KerasNumpy

        monkeypatch.setenv("KERAS_BACKEND", "")
        monkeypatch.setitem(sys.modules, "keras", keras_of(backend, layer))
        found = KerasNumpy()
        found.claims -= {"bidirectional"}
        return found

    return adapter


CHECKS = ("output", "final_state")


def test_the_weights_reach_keras_as_it_has_them(keras_rnn: Any) -> None:
    report = check(keras_rnn("numpy", Layer), checks=(*CHECKS, "lengths_refused"))
    assert report.conforms
    assert {record.check for record in report.records if record.outcome == "passed"} == {
        *CHECKS,
        "lengths_refused",
    }


def test_a_keras_that_transposes_a_kernel_is_rejected(keras_rnn: Any) -> None:
    class Transposed(Layer):
        def stateless_call(self, weights: Any, *rest: Any, **options: Any) -> Any:
            kernel, recurrent, *bias = weights
            return super().stateless_call([kernel, recurrent.T, *bias], *rest, **options)

    report = check(keras_rnn("numpy", Transposed), checks=CHECKS, diagnosed=False)
    assert {record.check for record in report.failures} == {*CHECKS}


def test_a_keras_of_another_backend_is_refused(keras_rnn: Any) -> None:
    with pytest.raises(ImportError, match="expected numpy, but Keras was imported with jax"):
        keras_rnn("jax", Layer)


def test_the_torch_cell_as_a_layer_has_relu_and_no_bias() -> None:
    call = Case(T=1, cell="relu", bias="off", dtype="float64").call()
    w = call.weights
    assert call.h_0 is not None
    a = call.inputs[0] @ w["weight_ih_l0"].T + call.h_0[0] @ w["weight_hh_l0"].T
    answer = TorchCell().run(call)
    np.testing.assert_allclose(answer.output[0], np.maximum(a, 0), rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(given(answer, "h_n")[0], answer.output[0])


def test_an_adapter_refuses_what_it_would_hide() -> None:
    call = Case().call()
    assert call.h_0 is not None
    for name in call.weights:
        wrong = replace(call, weights={**call.weights, name: call.weights[name][:1]})
        with pytest.raises(ValueError, match=rf"^{name}: expected shape \(3,.*, got \(1,"):
            refuse_misfits(wrong, wrong.weights)
        if name.startswith("bias"):
            with pytest.raises(ValueError, match=name):
                merged_bias(wrong, "l0")
    two_layers = replace(call, h_0=np.concatenate([call.h_0, call.h_0]))
    with pytest.raises(ValueError, match="too many values"):
        TorchCell().run(two_layers)
