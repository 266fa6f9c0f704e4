"""A layer as an ONNX model: one RNN node for each layer, in a chain.

How the weights of `Call` map, for a layer of D directions, forward first:

W  (D, H, I)   weight_ih of each direction
R  (D, H, H)   weight_hh of each direction
B  (D, 2·H)    [bias_ih, bias_hh] of each direction; left out where there are no biases
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
from rnn_conformance.sources.adapters.sizes import stacked

OPSET, IR_VERSION = 17, 8  # old enough for every runtime that is kept up
Constants = dict[str, npt.NDArray[Any]]


def rnn_model(call: Call, *, fixed: bool = False) -> onnx.ModelProto:
    """The model that computes a call, with its weights as initializers.

    Its inputs are X; h_0 where the call has one; lengths, int32 (B,), where it has any. Its outputs
    are output and h_n. X, h_0 and the outputs have the shapes of the call, T and B left free, or
    `fixed` as the inputs have them. Nodes around the chain make the layouts: few runtimes know the
    attribute layout=1.

    Raises ValueError for bfloat16.
    """
    if call.bfloat16:
        raise ValueError("call: expected float32, float64 or float16, got bfloat16")
    o, D, H = call.options, call.options.directions, call.options.hidden_size
    rows = "time_first" if call.layout == "batch_first" else call.layout  # h_0 and h_n keep theirs
    layers = range(o.num_layers)
    constants: Constants = {"flat": np.array([0, 0, D * H])}  # Reshape copies an axis at 0
    if call.layout == "single":
        constants["batch_axis"] = np.array([1])
    nodes = [_enter(call.layout, "X", "x_l0")]
    if call.h_0 is not None:
        constants["directions"] = np.full(o.num_layers, D)
        nodes.append(_enter(rows, "h_0", "states"))
        nodes.append(make_node("Split", ["states", "directions"], [f"h_0_l{n}" for n in layers]))
    for layer in layers:
        weights = node_weights(call.options, call.weights, layer)
        constants |= {f"{name}_l{layer}": value for name, value in weights.items()}
        nodes += _layer(call, layer)
    nodes.append(_leave(call.layout, f"x_l{o.num_layers}", "output"))
    nodes.append(make_node("Concat", [f"Y_h_l{layer}" for layer in layers], ["last"], axis=0))
    nodes.append(_leave(rows, "last", "h_n"))
    initializers = [from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "layer", *_values(call, fixed), initializers)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


def node_weights(o: Options, w: Mapping[str, Array], layer: int) -> Constants:
    """W, R and, where there are biases, B of the node of one layer."""
    parts = stacked(o, w, layer)
    found = {"W": parts["weight_ih"], "R": parts["weight_hh"]}
    if o.bias:
        found["B"] = np.hstack([parts["bias_ih"], parts["bias_hh"]])
    return found


def rnn_node(o: Options, inputs: Sequence[str], outputs: Sequence[str]) -> NodeProto:
    """The node of one layer."""
    return make_node(
        "RNN",
        inputs,
        outputs,
        hidden_size=o.hidden_size,
        direction="bidirectional" if o.bidirectional else ("forward", "reverse")[o.reverse],
        # Tanh is what there is without the attribute, which not every runtime takes.
        activations=None if o.cell == "tanh" else [o.nonlinearity.capitalize()] * o.directions,
    )


def _layer(call: Call, layer: int) -> list[NodeProto]:
    """From x_l0 (T, B, I), x_l1 (T, B, D·H) … to the next of them, and Y_h_l0 … (D, B, H)."""
    o, end = call.options, f"l{layer}"
    optional = {
        f"B_{end}": o.bias,
        "lengths": call.lengths is not None,
        f"h_0_{end}": call.h_0 is not None,
    }
    inputs = [f"x_{end}", f"W_{end}", f"R_{end}", *(name * on for name, on in optional.items())]
    return [
        rnn_node(o, inputs, [f"Y_{end}", f"Y_h_{end}"]),
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
    if call.h_0 is not None:
        inputs.append(make_tensor_value_info("h_0", element, states))
    if call.lengths is not None:
        inputs.append(make_tensor_value_info("lengths", TensorProto.INT32, rows))
    output = make_tensor_value_info("output", element, [*steps, o.directions * o.hidden_size])
    return inputs, [output, make_tensor_value_info("h_n", element, states)]
