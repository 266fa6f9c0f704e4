"""A layer as an ONNX model: one node RNN, LSTM or GRU for each layer, in a chain.

How the weights of `Call` map, for a layer of D directions, forward first, and a cell of G gates:

W  (D, G·H, I)   weight_ih of each direction
R  (D, G·H, H)   weight_hh of each direction
B  (D, 2·G·H)    [bias_ih, bias_hh] of each direction; left out where there are no biases

The gates of an LSTM come in the order i, o, f, c, where c is our g, those of a GRU z, r, h, where h
is our n. A GRU resets before the product, or with linear_before_reset=1 after it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper
from onnx.helper import make_node, make_tensor_value_info
from onnx.numpy_helper import from_array

from rnn_conformance.contract.call import Array, Call, Layout, Options
from rnn_conformance.sources.adapters.sizes import in_order, stacked

OPSET, IR_VERSION = 17, 8  # old enough for every runtime that is kept up
ORDERS = {"lstm": "iofg", "gru": "zrn", "gru_reset_before": "zrn"}
NODES = {"lstm": "LSTM", "gru": "GRU", "gru_reset_before": "GRU"}
Constants = dict[str, npt.NDArray[Any]]


def rnn_model(call: Call, *, fixed: bool = False) -> onnx.ModelProto:
    """The model that computes a call, with its weights as initializers.

    Its inputs are X; h_0 where the call has one, and c_0; lengths, int32 (B,), where it has any.
    Its outputs are output and h_n, and c_n of an LSTM. X, the states and the outputs have the
    shapes of the call, T and B left free, or `fixed` as the inputs have them. Nodes around the
    chain make the layouts: few runtimes know the attribute layout=1.

    Raises ValueError for bfloat16.
    """
    if call.bfloat16:
        raise ValueError("call: expected float32, float64 or float16, got bfloat16")
    o, D, H = call.options, call.options.directions, call.options.hidden_size
    rows = "time_first" if call.layout == "batch_first" else call.layout  # states keep theirs
    layers = range(o.num_layers)
    constants: Constants = {"flat": np.array([0, 0, D * H])}  # Reshape copies an axis at 0
    if call.layout == "single":
        constants["batch_axis"] = np.array([1])
    nodes = [_enter(call.layout, "X", "x_l0")]
    if call.state:
        constants["directions"] = np.full(o.num_layers, D)
    for part in call.state:
        nodes.append(_enter(rows, part, f"{part}_all"))
        split = [f"{part}_all", "directions"], [f"{part}_l{n}" for n in layers]
        nodes.append(make_node("Split", *split))
    for layer in layers:
        weights = node_weights(call.options, call.weights, layer)
        constants |= {f"{name}_l{layer}": value for name, value in weights.items()}
        nodes += _layer(call, layer)
    nodes.append(_leave(call.layout, f"x_l{o.num_layers}", "output"))
    for part in o.parts:
        last = [f"Y_{part}_l{layer}" for layer in layers]
        nodes.append(make_node("Concat", last, [f"{part}_last"], axis=0))
        nodes.append(_leave(rows, f"{part}_last", f"{part}_n"))
    initializers = [from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "layer", *_values(call, fixed), initializers)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


def node_weights(o: Options, w: Mapping[str, Array], layer: int) -> Constants:
    """W, R and, where there are biases, B of the node of one layer."""
    parts = stacked(o, in_order(o, w, ORDERS), layer)
    found = {"W": parts["weight_ih"], "R": parts["weight_hh"]}
    if o.bias:
        found["B"] = np.hstack([parts["bias_ih"], parts["bias_hh"]])
    return found


def rnn_node(o: Options, inputs: Sequence[str], outputs: Sequence[str]) -> NodeProto:
    """The node of one layer."""
    return make_node(
        NODES.get(o.cell, "RNN"),
        inputs,
        outputs,
        hidden_size=o.hidden_size,
        direction="bidirectional" if o.bidirectional else ("forward", "reverse")[o.reverse],
        # Tanh is what there is without the attribute, which not every runtime takes.
        activations=["Relu"] * o.directions if o.cell == "relu" else None,
        linear_before_reset=1 if o.cell == "gru" else None,
    )


def _layer(call: Call, layer: int) -> list[NodeProto]:
    """From x_l0 (T, B, I), x_l1 (T, B, D·H) … to the next of them, and Y_h_l0 … (D, B, H).

    Likewise Y_c_l0 … of an LSTM.
    """
    o, end = call.options, f"l{layer}"
    optional = {
        f"B_{end}": o.bias,
        "lengths": call.lengths is not None,
        **{f"{part}_0_{end}": bool(call.state) for part in o.parts},
    }
    inputs = [f"x_{end}", f"W_{end}", f"R_{end}", *(name * on for name, on in optional.items())]
    return [
        rnn_node(o, inputs, [f"Y_{end}", *(f"Y_{part}_{end}" for part in o.parts)]),
        make_node("Transpose", [f"Y_{end}"], [f"rows_{end}"], perm=[0, 2, 1, 3]),
        make_node("Reshape", [f"rows_{end}", "flat"], [f"x_l{layer + 1}"]),
    ]


def _enter(layout: Layout, source: str, target: str) -> NodeProto:
    """From the call's layout to time first."""
    if layout == "single":
        return make_node("Unsqueeze", [source, "batch_axis"], [target])
    return _leave(layout, source, target)


def _leave(layout: Layout, source: str, target: str) -> NodeProto:
    """From time first to the call's layout."""
    if layout == "single":
        return make_node("Squeeze", [source, "batch_axis"], [target])
    if layout == "batch_first":
        return make_node("Transpose", [source], [target], perm=[1, 0, 2])
    return make_node("Identity", [source], [target])


def _values(call: Call, fixed: bool) -> tuple[list[ValueInfoProto], list[ValueInfoProto]]:
    """The inputs and the outputs of the model."""
    o, element = call.options, helper.np_dtype_to_tensor_dtype(call.dtype)
    axes = {"single": ["T"], "time_first": ["T", "B"], "batch_first": ["B", "T"]}[call.layout]
    sizes = dict(zip(axes, call.inputs.shape if fixed else axes, strict=False))  # of a wrong rank
    steps = [sizes.get(axis, axis) for axis in axes]
    rows = [sizes.get("B", "B")] * (call.layout != "single")
    states: list[str | int | None] = [o.num_layers * o.directions, *rows, o.hidden_size]
    inputs = [make_tensor_value_info("X", element, [*steps, o.input_size])]
    inputs += [make_tensor_value_info(part, element, states) for part in call.state]
    if call.lengths is not None:
        inputs.append(make_tensor_value_info("lengths", TensorProto.INT32, rows))
    output = make_tensor_value_info("output", element, [*steps, o.directions * o.hidden_size])
    last = [make_tensor_value_info(f"{part}_n", element, states) for part in o.parts]
    return inputs, [output, *last]
