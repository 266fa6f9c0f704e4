"""ONNX Runtime's RNN operator, and a MatMul and an Add for the readout, in one model."""

import numpy as np
import onnxruntime
from onnx.numpy_helper import from_array
from onnx.parser import parse_model

from rnn_benchmarks.lines import Line
from rnn_benchmarks.measure import Call
from rnn_benchmarks.workload import Workload

MODEL = """
<ir_version: 8, opset_import: ["": 17]>
rnn (float[T, B, {I}] X) => (float[T, B, {O}] outputs, float[T, B, {H}] states) {{
    Y = RNN<hidden_size = {H}>(X, W, R, B)
    states = Squeeze(Y, direction)
    product = MatMul(states, W_ho_T)
    outputs = Add(product, b_ho)
}}
"""


def load(threads: int) -> Line:
    """The line, for float32 alone: the operator's kernel knows no other."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return Line(lambda workload: prepare(workload, options), dtypes=("float32",))


def prepare(workload: Workload, options: onnxruntime.SessionOptions) -> Call:
    """A session whose model has the weights of this workload."""
    w = workload.weights
    (H, I), O = w["W_xh"].shape, len(w["W_ho"])
    constants = {
        "W": w["W_xh"][np.newaxis],
        "R": w["W_hh"][np.newaxis],
        "B": np.concatenate([w["b_xh"], w["b_hh"]]).T,
        "direction": np.array([1]),  # the axis of Y (T, 1, B, H) that goes
        "W_ho_T": np.ascontiguousarray(w["W_ho"].T),
        "b_ho": w["b_ho"][:, 0],
    }
    model = parse_model(MODEL.format(I=I, H=H, O=O))
    model.graph.initializer.extend(from_array(value, name) for name, value in constants.items())
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=providers)
    return lambda: session.run(["outputs", "states"], {"X": workload.inputs})
