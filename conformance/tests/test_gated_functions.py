"""A function that computes an LSTM or a GRU, in the order of gates that it declares."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from rnn_conformance import CannotBeJudged, as_implementation, check, claims, gates, plan
from rnn_conformance.contract.call import Array

CLAIMED = ("time_first", "float32", "float64", "h_0", "h_n")
ON_VALUES = ["final_state", "split_and_carry"]


def sigmoid(a: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-a)))


@gates("iofg")  # as ONNX has them
@claims(*CLAIMED, "lstm")
def my_lstm(weights: Mapping[str, Array], inputs: Array, h_0: Any) -> dict[str, Array]:
    units = weights["W_hh"].shape[1]
    h, c = h_0 or 2 * (np.zeros((inputs.shape[1], units), inputs.dtype),)
    states = []
    for x in inputs:
        a = x @ weights["W_ih"].T + weights["b_ih"] + h @ weights["W_hh"].T + weights["b_hh"]
        i, o, f, g = np.split(a, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return {"hidden_states": np.stack(states), "h_n": h, "c_n": c}


@gates("zrn")
@claims(*CLAIMED, "gru", "readout")
def my_gru(weights: Mapping[str, Array], inputs: Array, h: Any) -> dict[str, Array]:
    if h is None:
        h = np.zeros((inputs.shape[1], weights["W_hh"].shape[1]), inputs.dtype)
    states = []
    for x in inputs:
        from_x = np.split(x @ weights["W_ih"].T + weights["b_ih"], 3, axis=1)
        from_h = np.split(h @ weights["W_hh"].T + weights["b_hh"], 3, axis=1)
        z, r = (sigmoid(one + other) for one, other in zip(from_x[:2], from_h[:2], strict=True))
        h = z * h + (1 - z) * np.tanh(from_x[2] + r * from_h[2])
        states.append(h)
    found = np.stack(states)
    outputs = found @ weights["W_ho"].T + weights["b_ho"]
    return {"hidden_states": found, "h_n": h, "outputs": outputs}


@pytest.mark.parametrize("function", [my_lstm, my_gru])
def test_a_right_one_conforms(function: Callable[..., Any]) -> None:
    records = [item.execute() for item in plan(function, checks=ON_VALUES)[::5]]
    assert [record.id for record in records if record.outcome != "passed"] == []
    assert {record.check for record in records} == {*ON_VALUES}
    assert len(records) > 20


@pytest.mark.parametrize(("function", "order"), [(my_lstm, "ifgo"), (my_gru, "rzn")])
def test_another_order_of_gates_is_wrong(function: Callable[..., Any], order: str) -> None:
    @gates(order)
    @claims(*function.claims)  # type: ignore[attr-defined]
    def other(*arguments: Any) -> Any:
        return function(*arguments)

    assert any(item.execute().outcome == "failed" for item in plan(other, checks=["output"]))


def test_its_results_and_claims_are_refused_by_name() -> None:
    with pytest.raises(
        ValueError, match=r"gates: expected the letters of 'ifgo' or 'rzn', got 'ab'"
    ):
        gates("ab")

    @gates("rzn")
    @claims(*CLAIMED, "lstm")
    def exchanged(*_: Any) -> Any: ...

    with pytest.raises(CannotBeJudged, match="gates: expected the letters of 'ifgo', got 'rzn'"):
        as_implementation(exchanged)

    @claims(*CLAIMED, "lstm", "layers")
    def deep(*_: Any) -> Any: ...

    with pytest.raises(CannotBeJudged, match="layers, which needs an object"):
        as_implementation(deep)

    @claims(*CLAIMED, "lstm", "gru")
    def both(*_: Any) -> Any: ...

    with pytest.raises(CannotBeJudged, match="expected one cell, got gru, lstm"):
        as_implementation(both)

    @claims(*CLAIMED, "gru")
    def nothing(*_: Any) -> Any:
        return {"states": 0}

    with pytest.raises(CannotBeJudged, match='expected a mapping with "hidden_states"'):
        check(nothing, isolation=None)
