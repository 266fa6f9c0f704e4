"""onnx.reference, the evaluator that comes with the standard, as a layer."""

from onnx.reference import ReferenceEvaluator

from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters import onnx_backend


def session(model: bytes) -> onnx_backend.Session:
    """One evaluator."""
    return onnx_backend.session_of(ReferenceEvaluator(model))


ONNX_REFERENCE = onnx_backend.OnnxLayer(
    "onnx.reference",
    session,
    # It refuses Relu, and computes as if there were no sequence_lens: findings.md, O2.
    onnx_backend.ONNX_FEATURES - {"relu", "lengths"},
    known_failures=(
        KnownFailure(
            "wrong_states_refused", "Split drops what is too many", link="findings.md, O3"
        ),
        KnownFailure("wrong_rows_refused", "h_0 is broadcast", "*-B*", link="findings.md, O3"),
        KnownFailure(
            "wrong_weights_refused",
            "W and R of one unit are broadcast",
            "!*bidirectional*",
            link="findings.md, O3",
        ),
    ),
)
