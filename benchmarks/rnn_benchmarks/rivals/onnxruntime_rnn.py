"""ONNX Runtime's RNN operator, and a MatMul and an Add for the readout, in one model."""

from collections.abc import Callable

import onnxruntime
from onnx.helper import make_node, make_tensor_value_info, np_dtype_to_tensor_dtype
from onnx.numpy_helper import from_array
from rnn_conformance.implementations.onnx_model import rnn_model
from rnn_conformance.layer.call import LayerCall, Options
from rnn_reference.weights import Array

from rnn_benchmarks.lines import Line, Trajectory
from rnn_benchmarks.workload import Workload

Results = list[Array]


def load(threads: int) -> Line[Results]:
    """The line, for float32 alone: the operator's kernel knows no other."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return Line(
        "onnxruntime",
        "ONNX Runtime",
        lambda workload: prepare(workload, options),
        collect,
        dtypes=("float32",),
        threads={"ONNX Runtime": options.intra_op_num_threads},
    )


def prepare(workload: Workload, options: onnxruntime.SessionOptions) -> Callable[[], Results]:
    """A session whose model has the weights of this workload."""
    session = onnxruntime.InferenceSession(
        model(workload), options, providers=["CPUExecutionProvider"]
    )
    feeds = {"X": workload.inputs}

    def forward() -> Results:
        results: Results = session.run(["outputs", "output"], feeds)
        return results

    return forward


def model(workload: Workload) -> bytes:
    """The model: X (T, B, I) to output, which is the states (T, B, H), and outputs (T, B, O)."""
    w, inputs = workload.weights, workload.inputs
    weights = {
        "weight_ih_l0": w["W_xh"],
        "weight_hh_l0": w["W_hh"],
        "bias_ih_l0": w["b_xh"][:, 0],
        "bias_hh_l0": w["b_hh"][:, 0],
    }
    options = Options(input_size=inputs.shape[2], hidden_size=len(w["W_hh"]))
    found = rnn_model(LayerCall(options, weights, inputs, None, None, "time_first"))
    readout = {"W_ho.T": w["W_ho"].T.copy(), "b_ho": w["b_ho"][:, 0].copy()}
    found.graph.initializer.extend(from_array(value, name) for name, value in readout.items())
    found.graph.node.extend(
        [
            make_node("MatMul", ["output", "W_ho.T"], ["product"]),
            make_node("Add", ["product", "b_ho"], ["outputs"]),
        ]
    )
    element = np_dtype_to_tensor_dtype(inputs.dtype)
    found.graph.output.append(
        make_tensor_value_info("outputs", element, ["T", "B", len(w["W_ho"])])
    )
    serialized: bytes = found.SerializeToString()
    return serialized


def collect(results: Results) -> Trajectory:
    """Outputs and states, which already are as wanted."""
    outputs, states = results
    return Trajectory(states=states, outputs=outputs)
