"""ONNX Runtime on the CPU, as a layer."""

import onnxruntime

from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters import onnx_backend

OPTIONS = onnxruntime.SessionOptions()
OPTIONS.log_severity_level = 4  # an error comes as an exception too


def session(model: bytes) -> onnx_backend.Session:
    """One session with the CPU's kernels alone."""
    providers = ["CPUExecutionProvider"]
    return onnx_backend.session_of(
        onnxruntime.InferenceSession(model, OPTIONS, providers=providers)
    )


NEAR_ZERO = tuple(
    KnownFailure(check, "Tanh in RNN is off by 1e-7 near 0", case, link="findings.md, O10")
    for check, case in (
        ("output", "*-tanh-*-extreme"),
        ("final_state", "*-tanh-*-extreme"),
        ("output", "float32-T5-B3-I1-H3-L1-tanh-no_bias-h0"),
        ("output", "float32-T5-B3-I1-H3-L1-tanh-zero_bias-h0"),
        ("final_state", "float32-T9-B4-I5-H4-L2-tanh-h0-transparent-dense_l1"),
        ("final_state", "float32-T9-B4-I5-H4-L2-tanh-no_bias-no_h0-transparent-dense_l1"),
        ("final_state", "float32-*-L3-tanh-bidirectional-h0-batch_first-transparent-dense_l[12]"),
    )
)

NAN_CLIPPED = tuple(
    KnownFailure(
        "nan_is_propagated",
        "LSTM and GRU clip what a bias is added to, which makes a number of NaN",
        case,
        link="findings.md, O11",
    )
    for case in ("*lstm*", "*gru*")
)
ONNXRUNTIME = onnx_backend.OnnxLayer(
    "onnxruntime",
    session,
    onnx_backend.ONNX_FEATURES
    - {"float64", "float16"},  # OperatorKernels.md: RNN, LSTM and GRU in float32
    conventions=onnx_backend.OPEN,  # it gives zeros as the state after no steps
    known_failures=(
        KnownFailure(
            "nan_is_propagated", "Relu in RNN makes 0 of NaN", "*relu*", link="findings.md, O1"
        ),
        *NEAR_ZERO,
        *NAN_CLIPPED,
    ),
)
