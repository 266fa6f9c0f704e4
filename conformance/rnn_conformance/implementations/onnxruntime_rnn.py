"""ONNX Runtime on the CPU, as a layer."""

from typing import Any

import onnxruntime

from rnn_conformance.declaration import KnownFailure
from rnn_conformance.implementations.onnx_backend import ONNX_FEATURES, Feeds, OnnxLayer, Session
from rnn_conformance.layer.conventions import UNDEFINED

OPTIONS = onnxruntime.SessionOptions()
OPTIONS.log_severity_level = 4  # an error comes as an exception too


def session(model: bytes) -> Session:
    """One session with the CPU's kernels alone."""
    found = onnxruntime.InferenceSession(model, OPTIONS, providers=["CPUExecutionProvider"])

    def run(feeds: Feeds) -> list[Any]:
        results: list[Any] = found.run(None, dict(feeds))
        return results

    return run


ONNXRUNTIME = OnnxLayer(
    "onnxruntime",
    session,
    ONNX_FEATURES - {"float64", "float16"},  # OperatorKernels.md: RNN is for float32 alone
    # It gives zeros as the state after no steps, which ONNX leaves open (onnx/onnx#1674).
    conventions={"T = 0": UNDEFINED, "length 0": UNDEFINED},
    known_failures=(
        KnownFailure(
            "nan_is_propagated", "Relu in RNN makes 0 of NaN", "*relu*", link="findings.md, O1"
        ),
    ),
)
