"""The cases that one node of ONNX, RNN, LSTM or GRU, can say, laid out as ONNX's own node tests.

Weights are inputs of the graph, so that an input file holds every number. Needs the extra "onnx".
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from rnn_conformance.cases.case import Case, Data
from rnn_conformance.contract.call import GATED, NONLINEARITIES, Array
from rnn_conformance.sources.adapters.onnx_model import node_weights, rnn_node
from rnn_conformance.vectors.exact import exact
from rnn_conformance.vectors.export import chosen, empty, vector_cases

OPSET, IR_VERSION = 14, 8  # the last nodes but for the types they take; both read by old runtimes
INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c")  # in the nodes' order


def onnx_cases(seed: int = 0) -> tuple[Case, ...]:
    """One layer, time first: several are several nodes, and hardly any runtime has layout=1.

    NaN in the padding is left out: the operator says nothing of it.
    """
    return tuple(
        case
        for case in vector_cases(seed)
        if case.cell in (*NONLINEARITIES, *GATED)
        and case.loss == "none"
        and case.L == 1
        and case.layout == "time_first"
        and not case.padding_nan
    )


def write_onnx_cases(
    folder: Path | str, *, seed: int = 0, only: Collection[str] | None = None
) -> tuple[str, ...]:
    """Write ID/model.onnx and ID/test_data_set_0/{input,output}_N.pb; returns the ids.

    It takes, and raises, what `export` does.
    """
    cases, folder = chosen(onnx_cases(seed), only), empty(folder)
    for case in cases:
        data_set = folder / case.id / "test_data_set_0"
        data_set.mkdir(parents=True)
        inputs, outputs = node_inputs(case.data()), node_outputs(case.data())
        (data_set.parent / "model.onnx").write_bytes(
            model(case, inputs, outputs).SerializeToString(deterministic=True)
        )
        for kind, arrays in (("input", inputs), ("output", outputs)):
            for i, (name, array) in enumerate(arrays.items()):
                tensor = numpy_helper.from_array(array, name)
                path = data_set / f"{kind}_{i}.pb"
                path.write_bytes(tensor.SerializeToString(deterministic=True))
    return tuple(case.id for case in cases)


def node_inputs(data: Data) -> dict[str, Array]:
    """X (T, B, I), W (D, G·H, I), R (D, G·H, H), B (D, 2·G·H), sequence_lens (B,), initial_h and,
    of an LSTM, initial_c (D, B, H).

    The gates have ONNX's order. B is [Wb, Rb] of a direction; it and what follows are there where
    the case has them.
    """
    found: dict[str, Any] = {"X": data.inputs, **node_weights(data.options, data.weights, 0)}
    if data.lengths is not None:
        found["sequence_lens"] = data.lengths.astype(np.int32)
    state = data.view("time_first").state
    return found | {f"initial_{name[0]}": part for name, part in state.items()}


def node_outputs(data: Data) -> dict[str, Array]:
    """Y (T, D, B, H), zeros in the padding, Y_h and, of an LSTM, Y_c (D, B, H).

    They are exact, rounded to the dtype.
    """
    T, B, _ = data.inputs.shape
    o, found = data.options, exact(data)
    Y = found.output.reshape(T, B, o.directions, o.hidden_size).swapaxes(1, 2)
    values = {"Y": np.ascontiguousarray(Y)}
    for part, last in zip(o.parts, np.split(found.h_n, len(o.parts), axis=-1), strict=True):
        values[f"Y_{part}"] = np.ascontiguousarray(last)
    return {name: value.astype(data.inputs.dtype) for name, value in values.items()}


def model(case: Case, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> onnx.ModelProto:
    """A graph of the one node, whose inputs and outputs have these types and shapes."""
    last = max(map(INPUTS.index, inputs))
    names = [name if name in inputs else "" for name in INPUTS[: 1 + last]]
    node = rnn_node(case.options, names, [*outputs])
    values = [[_value(*item) for item in arrays.items()] for arrays in (inputs, outputs)]
    graph = helper.make_graph([node], case.id, *values)
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(
        graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="rnn-conformance"
    )


def _value(name: str, array: Array) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_value_info(name, kind, array.shape)
