"""ONNX Runtime's RNN operator, and a MatMul and an Add for the readout, in one model."""

import numpy as np
import onnxruntime
from onnx.helper import (
    make_graph,
    make_model,
    make_node,
    make_opsetid,
    make_tensor_value_info,
    np_dtype_to_tensor_dtype,
)
from onnx.numpy_helper import from_array

from rnn_benchmarks.lines import Call, Line
from rnn_benchmarks.workload import Workload

OPSET, IR_VERSION = 17, 8


def load(threads: int) -> Line:
    """The line, for float32 alone: the operator's kernel knows no other."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return Line(lambda workload: prepare(workload, options), dtypes=("float32",))


def prepare(workload: Workload, options: onnxruntime.SessionOptions) -> Call:
    """A session whose model has the weights of this workload."""
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(model(workload), options, providers=providers)
    feeds = {"X": workload.inputs}
    return lambda: session.run(["outputs", "states"], feeds)


def model(workload: Workload) -> bytes:
    """The model: X (T, B, I) to outputs (T, B, O) and states (T, B, H)."""
    w, element = workload.weights, np_dtype_to_tensor_dtype(workload.inputs.dtype)
    H, I = w["W_xh"].shape
    constants = {
        "W": w["W_xh"][np.newaxis],
        "R": w["W_hh"][np.newaxis],
        "B": np.concatenate([w["b_xh"], w["b_hh"]]).T,
        "direction": np.array([1]),  # the axis of Y (T, 1, B, H) that goes
        "W_ho.T": np.ascontiguousarray(w["W_ho"].T),
        "b_ho": w["b_ho"][:, 0],
    }
    nodes = [
        make_node("RNN", ["X", "W", "R", "B"], ["Y"], hidden_size=H),
        make_node("Squeeze", ["Y", "direction"], ["states"]),
        make_node("MatMul", ["states", "W_ho.T"], ["product"]),
        make_node("Add", ["product", "b_ho"], ["outputs"]),
    ]
    sizes = {"X": I, "outputs": len(w["W_ho"]), "states": H}
    X, *results = (make_tensor_value_info(n, element, ["T", "B", s]) for n, s in sizes.items())
    initializers = [from_array(value, name) for name, value in constants.items()]
    graph = make_graph(nodes, "rnn", [X], results, initializers)
    opsets = [make_opsetid("", OPSET)]
    serialized: bytes = make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION
    ).SerializeToString()
    return serialized
