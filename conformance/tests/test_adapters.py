import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from rnn_conformance.cases.case import Case
from rnn_conformance.checks.plan import plan
from rnn_conformance.checks.subject import given
from rnn_conformance.contract.call import GATED, Array
from rnn_conformance.run.verdict import check
from rnn_conformance.sources.adapters.reference import GRU_LAYER, LSTM_LAYER, ReferenceLayer
from rnn_conformance.sources.adapters.sizes import (
    biases_of_gru,
    in_order,
    merged_bias,
    refuse_misfits,
)
from rnn_conformance.sources.adapters.torch_cell import GRU_CELL, LSTM_CELL, TorchCell


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


def sigmoid(a: Array) -> Any:
    return 1 / (1 + np.exp(-a))


class Lstm(Layer):
    """keras.layers.LSTM without lengths: gates i, f, c, o, one bias."""

    def stateless_call(
        self, weights: Any, others: Any, inputs: Array, initial_state: Any = None, mask: Any = None
    ) -> Any:
        kernel, recurrent, *bias = weights
        h, c = initial_state or [np.zeros((len(inputs), self.units), "f")] * 2
        states = []
        for x in inputs[self.read].swapaxes(0, 1):
            i, f, g, o = np.split(x @ kernel + h @ recurrent + sum(bias), 4, axis=-1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            states.append(h)
        return (np.stack(states, 1), h, c), others


class Gru(Layer):
    """keras.layers.GRU without lengths: gates z, r, h, two biases where it resets after."""

    def __init__(self, units: int, *, reset_after: bool, **options: Any):
        super().__init__(units, **options)
        self.reset_after = reset_after

    def stateless_call(
        self, weights: Any, others: Any, inputs: Array, initial_state: Any = None, mask: Any = None
    ) -> Any:
        (kernel, recurrent, *bias), H = weights, self.units
        b, b_h = (bias[0] if self.reset_after else (bias[0], 0 * bias[0])) if bias else (0, 0)
        h = initial_state[0] if initial_state else np.zeros((len(inputs), H), "f")
        states = []
        for x in inputs[self.read].swapaxes(0, 1):
            from_x, from_h = x @ kernel + b, h @ recurrent + b_h
            z, r = np.split(sigmoid((from_x + from_h)[:, : 2 * H]), 2, axis=-1)
            reset = r * from_h[:, 2 * H :] if self.reset_after else (r * h) @ recurrent[:, 2 * H :]
            h = z * h + (1 - z) * np.tanh(from_x[:, 2 * H :] + reset)
            states.append(h)
        return (np.stack(states, 1), h), others


def keras_of(backend: str, kind: str, layer: type[Layer]) -> ModuleType:
    keras: Any = ModuleType("keras")
    keras.backend, keras.layers, keras.ops = (ModuleType(n) for n in ("backend", "layers", "ops"))
    keras.backend.backend = lambda: backend
    setattr(keras.layers, kind, layer)
    keras.ops.convert_to_tensor = keras.ops.convert_to_numpy = np.asarray
    found: ModuleType = keras
    return found


@pytest.fixture
def keras_rnn(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, type[Layer]], Any]:
    """The adapter of Keras on the backend NumPy, over a fake of Keras."""

    def adapter(backend: str, layer: type[Layer], kind: str = "SimpleRNN") -> Any:
        from rnn_conformance.sources.adapters import keras_rnn

        monkeypatch.setenv("KERAS_BACKEND", "")
        monkeypatch.setitem(sys.modules, "keras", keras_of(backend, kind, layer))
        of: dict[str, Any] = {
            "SimpleRNN": keras_rnn.KerasNumpy,
            "LSTM": keras_rnn.KerasNumpyLSTM,
            "GRU": keras_rnn.KerasNumpyGRU,
        }
        found = of[kind]()
        found.claims -= {"bidirectional"} if kind == "SimpleRNN" else {"bidirectional", "lengths"}
        return found

    return adapter


CHECKS = ("output", "final_state")
FAILED, PASSED = ({(check, outcome) for check in CHECKS} for outcome in ("failed", "passed"))


def outcomes(adapter: Any) -> set[tuple[str, str]]:
    """What comes of both checks in some of their cases."""
    records = [item.execute() for item in plan(adapter, checks=CHECKS)[::7]]
    assert len(records) > 20
    return {(record.check, record.outcome) for record in records}


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


@pytest.mark.parametrize(("kind", "layer"), [("LSTM", Lstm), ("GRU", Gru)])
def test_gates_and_biases_reach_keras_as_it_has_them(
    keras_rnn: Any, kind: str, layer: type[Layer]
) -> None:
    assert outcomes(keras_rnn("numpy", layer, kind)) == PASSED


@pytest.mark.parametrize(("kind", "layer"), [("LSTM", Lstm), ("GRU", Gru)])
def test_a_keras_with_its_gates_in_another_order_is_rejected(
    keras_rnn: Any, kind: str, layer: type[Layer]
) -> None:
    def exchanged(value: Array) -> Array:
        first, second, *others = np.split(value, 4 if kind == "LSTM" else 3, axis=-1)
        return np.concatenate([second, first, *others], axis=-1)

    class Exchanged(layer):  # type: ignore[misc, valid-type]
        def stateless_call(self, weights: Any, *rest: Any, **options: Any) -> Any:
            return super().stateless_call([*map(exchanged, weights)], *rest, **options)

    assert outcomes(keras_rnn("numpy", Exchanged, kind)) >= FAILED


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


@pytest.mark.parametrize(("cell", "layer"), [(LSTM_CELL, LSTM_LAYER), (GRU_CELL, GRU_LAYER)])
def test_a_cell_of_torch_with_gates_is_a_layer(cell: TorchCell, layer: ReferenceLayer) -> None:
    (kind,) = cell.claims & {*GATED}
    for case in (Case(cell=kind, dtype="float64"), Case(cell=kind, bias="off", h_0="none")):
        found, expected = cell.run(case.call()), layer.run(case.call())
        for part in ("output", "h_n", "c_n"):
            if getattr(expected, part) is not None:
                np.testing.assert_allclose(
                    getattr(found, part), getattr(expected, part), rtol=0, atol=1e-5, strict=True
                )
        assert (found.c_n is None) == (expected.c_n is None)


def test_gates_are_put_in_the_order_of_a_framework() -> None:
    call = Case(cell="lstm").call()
    i, f, g, o = np.split(call.weights["bias_ih_l0"], 4)
    weights = {**call.weights, "W_ho": np.ones((1, 3), "f")}
    found = in_order(call.options, weights, {"lstm": "iofg"})
    np.testing.assert_array_equal(found["bias_ih_l0"], np.concatenate([i, o, f, g]))
    assert found["weight_hh_l0"].shape == call.weights["weight_hh_l0"].shape
    assert found["W_ho"] is weights["W_ho"]
    assert in_order(call.options, weights, {"gru": "zrn"}) == weights
    with pytest.raises(ValueError, match="equal division"):
        in_order(call.options, {"weight_ih_l0": np.ones((11, 5), "f")}, {"lstm": "iofg"})


def test_of_a_gru_the_bias_inside_the_reset_stays_apart() -> None:
    call = Case(cell="gru").call()
    b, b_hn = biases_of_gru(call, "l0")
    b_ih, b_hh = call.weights["bias_ih_l0"], call.weights["bias_hh_l0"]
    np.testing.assert_array_equal(b[:6], b_ih[:6] + b_hh[:6])
    np.testing.assert_array_equal([b[6:], b_hn], [b_ih[6:], b_hh[6:]])


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
