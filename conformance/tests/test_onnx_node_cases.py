"""The node cases of RNN, LSTM and GRU that ONNX generates, as a truth that is not ours."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from rnn_conformance.contract.call import GATED, Array, Call, Options
from rnn_conformance.sources.adapters.reference import GRU_LAYER, LAYER, LSTM_LAYER

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")

from rnn_conformance.sources.adapters.onnx_model import ORDERS  # noqa: E402

LAYERS = {
    "RNN": ("tanh", LAYER),
    "LSTM": ("lstm", LSTM_LAYER),
    "GRU": ("gru_reset_before", GRU_LAYER),
}
NAMES = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
PEEPHOLES = "test_lstm_with_peepholes"  # which are out of scope
RANDOM = {"test_rnn_seq_length", "test_gru_seq_length"}  # of weights that are drawn anew each time


def node_cases() -> list[Any]:
    """Every case, with its model of one node and its arrays."""
    node = import_module("onnx.backend.test.case.node")
    for kind in LAYERS:
        import_module(f"{node.__name__}.{kind.lower()}")
    kinds = {*LAYERS}
    return [c for c in node._NodeTestCases if c.model.graph.node[0].op_type in kinds]


CASES = node_cases()


def ours(case: Any, recurrent: Callable[[Array], Array] = np.asarray) -> Call:
    """The same as a call, in our order of the gates, time first.

    Args:
        recurrent: what is put in the place of the recurrent matrix of a gate.
    """
    (node,), ((inputs, _),) = case.model.graph.node, case.data_sets
    given = dict(zip(NAMES, inputs, strict=False))
    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    direction, batch_first = attributes.get("direction", b"forward"), attributes.get("layout")
    cell, _ = LAYERS[node.op_type]
    H, I = attributes["hidden_size"], given["X"].shape[-1]
    two = direction == b"bidirectional"
    weights: dict[str, Array] = {}
    for d, end in enumerate(("l0", "l0_reverse")[: 1 + two]):
        W, R = given["W"][d], given["R"][d]
        parts = {"weight_ih": W, "weight_hh": R}
        if "B" in given:
            parts["bias_ih"], parts["bias_hh"] = np.split(given["B"][d], 2)
        gates = {name: in_our_order(cell, value) for name, value in parts.items()}
        each = np.split(gates["weight_hh"], len(R) // H)
        gates["weight_hh"] = np.concatenate([recurrent(one) for one in each])
        weights |= {f"{name}_{end}": value for name, value in gates.items()}
    options = Options(I, H, cell=cell, bias="B" in given, bidirectional=two)
    X = given["X"].swapaxes(0, 1) if batch_first else given["X"]
    X = X[::-1] if direction == b"reverse" else X  # the reference has no reverse direction alone
    return Call(options, weights, np.ascontiguousarray(X), None, None, "time_first")


def in_our_order(cell: str, value: Array) -> Array:
    """The inverse of what the adapter does."""
    if cell not in ORDERS:
        return value
    gates = dict(zip(ORDERS[cell], np.split(value, len(ORDERS[cell])), strict=True))
    return np.concatenate([gates[gate] for gate in GATED[cell]])


def agrees(case: Any, call: Call) -> bool:
    """Whether the reference gives what the case expects, within what ONNX allows its backends."""
    (node,), ((_, expected),) = case.model.graph.node, case.data_sets
    answer = LAYERS[node.op_type][1].run(call)
    found: dict[str, Any] = {"Y_h": answer.h_n, "Y_c": answer.c_n}
    named = dict(zip(filter(None, node.output), expected, strict=True))
    swapped = call.inputs.shape[1] != named["Y_h"].shape[1]  # layout=1
    compared = {
        name: value.swapaxes(0, 1) if swapped else value
        for name, value in named.items()
        if name != "Y"
    }
    assert compared
    return all(
        np.allclose(found[name], value, rtol=case.rtol, atol=case.atol)
        for name, value in compared.items()
    )


JUDGED = [case for case in CASES if case.name != PEEPHOLES]


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: case.name)
def test_the_reference_gives_what_onnx_expects(case: Any) -> None:
    assert agrees(case, ours(case))


def test_what_these_cases_cannot_see() -> None:
    fixed = [case for case in JUDGED if case.name not in RANDOM]
    transposed = {case.name for case in fixed if agrees(case, ours(case, np.transpose))}
    assert transposed == {case.name for case in fixed}
    without = {case.name for case in fixed if agrees(case, ours(case, np.zeros_like))}
    steps_matter = {
        "test_simple_rnn_reverse",
        "test_lstm_reverse",
        "test_lstm_bidirectional",
        "test_gru_reverse",
        "test_gru_bidirectional",
    }
    assert transposed - without == steps_matter & transposed  # fewer with an older ONNX
