"""Gradients of functions and classes as people write them, right ones and wrong ones."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from rnn_conformance import CannotBeJudged, as_implementation, check, claims, gradients, repeat
from rnn_conformance.cases.case import Case
from rnn_conformance.checks.every import OF_GRADIENTS
from rnn_conformance.checks.records import Report
from rnn_conformance.contract.call import Array
from rnn_conformance.contract.refusal import Violation
from rnn_conformance.run.smoke import smoke
from rnn_conformance.sources.adapters.torch_layer import TorchLayer

GRADIENTS = [*OF_GRADIENTS]
MARKED = Case(T=5, B=3, I=17, H=4, weights="marked", loss="all")
NARROW = ("time_first", "float32", "tanh", "h_0", "h_n")

OF_LAYERS = [f"gradient_of_{what}" for what in ("steps", "weights", "inputs", "states")]
pytestmark = pytest.mark.usefixtures("few_cases")


def judged(written: Any) -> Report:
    return check(written, checks=GRADIENTS, isolation=None)


def named(report: Report) -> set[str]:
    assert report.diagnosis is not None
    return {name for cause in report.diagnosis.causes for name in cause.names}


def states_of(w: Mapping[str, Array], x: Array, h: Array | None) -> list[Array]:
    states = [np.zeros((x.shape[1], len(w["W_hh"])), x.dtype) if h is None else h]
    for v in x:
        a = v @ w["W_xh"].T + w["b_xh"].T + states[-1] @ w["W_hh"].T + w["b_hh"].T
        states.append(np.tanh(a))
    return states


def my_gradients(w: Any, x: Array, h_0: Any, d_states: Any, d_h_n: Any) -> dict[str, Any]:
    every = states_of(w, x, h_0)
    before, states, d_h = np.stack(every[:-1]), np.stack(every[1:]), np.zeros_like(every[0])
    arriving = np.zeros_like(states) if d_states is None else d_states.copy()
    arriving[-1] += 0 if d_h_n is None else d_h_n
    d = np.zeros_like(states)
    for t in reversed(range(len(x))):
        d[t] = (arriving[t] + d_h) * (1 - states[t] ** 2)
        d_h = d[t] @ w["W_hh"]
    rows = d.reshape(-1, d.shape[-1])
    b = rows.sum(axis=0)[:, np.newaxis]
    return {
        "W_xh": rows.T @ x.reshape(-1, x.shape[-1]), "b_xh": b,
        "W_hh": rows.T @ before.reshape(len(rows), -1), "b_hh": b,
        "inputs": d @ w["W_xh"], "h_0": d_h, "hidden_states": states,
    }  # fmt: skip


def function(change: Callable[[dict[str, Any]], Any] = lambda found: found) -> Any:
    @gradients(lambda *given: change(my_gradients(*given)))
    @claims(*NARROW)
    def my_rnn(weights: Any, inputs: Array, h_0: Any) -> dict[str, Array]:
        states = np.stack(states_of(weights, inputs, h_0)[1:])
        return {"hidden_states": states, "h_n": states[-1]}

    return my_rnn


def without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda found: {name: value for name, value in found.items() if name not in names}


def test_a_function_says_which_one_gives_its_gradients() -> None:
    report = judged(function())
    assert report.conforms
    assert {record.check for record in report.records} >= {*OF_LAYERS}
    doubled = judged(function(lambda found: {**found, "b_hh": 2 * found["b_hh"]}))
    assert {record.check for record in doubled.failures} >= {"gradient_of_weights"}
    with pytest.raises(CannotBeJudged, match="gradients: W_hh missing, got W_xh, b_xh, b_hh, in"):
        judged(function(without("W_hh")))
    with pytest.raises(CannotBeJudged, match=r"of inputs: expected shape .*, got "):
        judged(function(lambda found: {**found, "inputs": found["inputs"][1:]}))


def test_what_does_not_come_is_not_judged_and_a_note_says_so() -> None:
    report = judged(function(without("h_0")))
    assert report.conforms
    assert report.not_claimed.keys() == {"gradient_of_inputs", "gradient_of_states"}
    assert any("they are not all given" in note for note in report.notes)
    again = judged(function(without("hidden_states")))
    assert again.conforms
    assert "gradient_of_steps" not in {record.check for record in again.records}
    assert any("another forward pass" in note for note in again.notes)


def test_arrays_of_numpy_alone_have_no_gradients() -> None:
    @claims(*NARROW, "gradients")
    def alone(weights: Any, inputs: Array, h_0: Any) -> Any:
        return {"hidden_states": (states := np.stack(states_of(weights, inputs, h_0)[1:])),
                "h_n": states[-1]}  # fmt: skip

    with pytest.raises(CannotBeJudged, match=r"@rnn_conformance.gradients\(my_gradients\)"):
        judged(alone)


class Notebook:
    """By columns, with dictionaries of steps."""

    before = 1

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        self.W_xh, self.W_hh = np.ones((hidden_size, input_size)), np.ones((hidden_size,) * 2)
        self.W_ho, self.b_ho = np.ones((output_size, hidden_size)), np.ones((output_size, 1))
        self.b_xh, self.b_hh = np.ones((hidden_size, 1)), np.ones((hidden_size, 1))

    def forward(self, inputs: Array, h_0: Any = None) -> Any:
        zeros = np.zeros((len(self.W_hh), inputs.shape[1]), inputs.dtype)
        y, h = {}, {-1: zeros if h_0 is None else h_0}
        for t, x in enumerate(inputs):
            h[t] = np.tanh(self.W_xh @ x.T + self.b_xh + self.W_hh @ h[t - 1] + self.b_hh)
            y[t] = self.W_ho @ h[t] + self.b_ho
        self.inputs, self.states = inputs, h
        return y, h

    def backward(self, d_states: Any) -> Any:
        self.dW_xh, self.dW_hh = np.zeros_like(self.W_xh), np.zeros_like(self.W_hh)
        self.db_xh, d_x, d_h = np.zeros_like(self.b_xh), np.zeros_like(self.inputs), 0
        for t in reversed(range(len(self.inputs))):
            d = (d_states[t] + d_h) * (1 - self.states[t] ** 2)
            self.dW_xh += d @ self.inputs[t]
            self.dW_hh += d @ self.states[t - self.before].T
            self.db_xh += d.sum(axis=1, keepdims=True)
            d_x[t], d_h = (self.W_xh.T @ d).T, self.W_hh.T @ d
        self.db_hh = self.db_xh
        return {"inputs": d_x, "h_0": d_h}


@gradients("backward")
class Asked(Notebook):
    pass


@gradients("backward")
class StateAfter(Notebook):
    before = 0


@gradients("backward")
class Without(Notebook):
    def backward(self, d_states: Any) -> Any:
        super().backward(d_states)
        del self.db_hh


def test_a_class_has_a_method_for_them() -> None:
    report = judged(Asked)
    assert report.conforms
    assert {record.check for record in report.records} >= {*OF_LAYERS}
    assert named(judged(StateAfter)) == {"StateAfterTheStep"}
    with pytest.raises(CannotBeJudged, match=r"no gradient of b_hh: return .* such as db_hh"):
        judged(Without)


def test_a_method_that_is_not_asked_for_is_said_not_to_be_judged() -> None:
    for written, said in ((Notebook, True), (Asked, False)):
        notes = smoke(as_implementation(written)).notes  # type: ignore[attr-defined]
        assert any("its method backward is not judged" in note for note in notes) == said


class Scratch(torch.nn.Module):
    """Batch first, an LSTM with one weight, or an RNN of an output at the end."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(4 * hidden_size, hidden_size + input_size))
        self.bias = torch.nn.Parameter(torch.zeros(4 * hidden_size))

    def forward(self, x: Any, state: Any = None) -> Any:
        zeros = x.new_zeros(len(x), len(self.bias) // 4)
        h, c = (zeros, zeros) if state is None else state
        states = []
        for v in x.unbind(1):
            a = torch.cat([self.handed_on(h), v], 1) @ self.weight.T + self.bias
            i, f, g, o = a.chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            states.append(h)
        return torch.stack(states, 1), (h, c)

    def handed_on(self, h: Any) -> Any:
        return h


class Detached(Scratch):
    def handed_on(self, h: Any) -> Any:
        return h.detach()


class Step(torch.nn.Module):
    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__()
        self.i2h = torch.nn.Linear(input_size + hidden_size, hidden_size)
        self.h2o = torch.nn.Linear(hidden_size, output_size)

    def forward(self, x: Any, hidden: Any) -> Any:
        hidden = torch.tanh(self.i2h(torch.cat((x, hidden), 1)))
        return self.h2o(hidden), hidden


class LastOutput(Step):
    def forward(self, x: Any) -> Any:  # type: ignore[override]
        h = x.new_zeros(x.shape[1], self.h2o.in_features)
        for v in x:
            _, h = super().forward(v, h)
        return self.h2o(h)


class WithoutGraph(Scratch):
    @torch.no_grad()
    def forward(self, x: Any, state: Any = None) -> Any:
        return super().forward(x, state)


@pytest.mark.parametrize("module", [Scratch, Step, LastOutput])
def test_a_module_of_torch_needs_nothing(module: Any) -> None:
    report = judged(module)
    assert report.conforms
    asked = {record.check for record in report.records}
    assert {"gradient_of_weights", "gradients_in_training"} <= asked
    assert ("gradient_of_steps" in asked) == (module is not LastOutput)


class LastOfLarge(torch.nn.Module):
    """The last state of torch.nn.RNN alone, which differs a little in a call of fewer steps."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.rnn = torch.nn.RNN(input_size, hidden_size)

    def forward(self, x: Any) -> Any:
        return self.rnn(x)[1][0]


def test_states_of_other_calls_are_not_those_that_a_backward_pass_goes_through() -> None:
    assert judged(LastOfLarge).conforms


def test_a_wrong_module_is_caught() -> None:
    report = check(Detached, checks=GRADIENTS, isolation=None, diagnosed=False)
    assert "gradient_of_steps" in {record.check for record in report.failures}


def test_a_module_without_gradients_is_not_asked_and_a_note_says_so() -> None:
    found = smoke(as_implementation(WithoutGraph))
    assert "gradients" not in found.claims
    assert [n for n in found.notes if n.startswith("gradients are not asked: its results")]  # type: ignore[attr-defined]


class NoBackward(torch.nn.RNN):
    def forward(self, *given: Any) -> Any:
        with torch.no_grad():
            return super().forward(*given)


def test_a_stand_in_without_gradients_is_told_what_to_claim() -> None:
    layer = TorchLayer(NoBackward, "NoBackward")
    with pytest.raises(Violation, match='leave "gradients" out of the claims'):
        layer.run(MARKED.call())


def test_a_function_in_jax_needs_nothing() -> None:
    jax = pytest.importorskip("jax")

    @claims(*NARROW, "gradients")
    def my_rnn(weights: Any, inputs: Any, h_0: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            a = x @ weights["W_xh"].T + weights["b_xh"].T + weights["b_hh"].T
            h = jax.numpy.tanh(a + h @ weights["W_hh"].T)
            return h, h

        zeros = jax.numpy.zeros((inputs.shape[1], len(weights["W_hh"])), inputs.dtype)
        h_n, states = jax.lax.scan(step, zeros if h_0 is None else h_0, inputs)
        return {"hidden_states": states, "h_n": h_n}

    record = repeat(smoke(as_implementation(my_rnn)), "gradient_of_steps", MARKED)
    assert record.outcome == "passed"
