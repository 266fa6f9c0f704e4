"""OpenVINO on the CPU, which reads the ONNX model, as two layers: of free and of fixed sizes."""

from io import BytesIO
from typing import Any

import openvino
from openvino.properties import hint

from rnn_conformance.contract.conventions import UNDEFINED
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.onnx_backend import (
    ONNX_FEATURES,
    Feeds,
    OnnxLayer,
    Session,
)

# Left to itself, it computes in bfloat16 on the CPUs that can.
PRECISION = {hint.inference_precision: openvino.Type.f32}


def session(model: bytes) -> Session:
    """One compiled model."""
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(BytesIO(model)), "CPU", PRECISION)
    return lambda feeds: _infer(compiled, feeds)


def _infer(compiled: Any, feeds: Feeds) -> tuple[Any, ...]:
    """With a request of its own: one cannot be shared between threads."""
    return tuple(compiled.create_infer_request().infer(dict(feeds)).to_tuple())


NAN_LOST = KnownFailure(
    "nan_is_propagated", "relu makes 0 of NaN", "*relu*", link="findings.md, O4"
)
OPENVINO = OnnxLayer(
    "openvino",
    session,
    # It computes float64 in float32, and as if there were no lengths: findings.md, O5.
    ONNX_FEATURES - {"float64", "lengths"},
    conventions={"T = 0": "empty"},
    known_failures=(
        NAN_LOST,
        KnownFailure("no_steps_give_h_0", "memory as it is", link="findings.md, O6"),
    ),
    can_crash=True,
)
OPENVINO_FIXED = OnnxLayer(
    "openvino-fixed-sizes",
    session,
    ONNX_FEATURES - {"float64"},
    # B = 0 kills the process; findings.md, O7.
    conventions={
        "sizes": "fixed",
        "T = 0": UNDEFINED,
        "B = 0": UNDEFINED,
        "length 0": UNDEFINED,
    },
    known_failures=(
        NAN_LOST,
        KnownFailure(
            "lengths_refused",
            "lengths beyond T or below 0 are taken in the forward direction alone",
            "*-tanh-[!br]*",  # not bidirectional, not reverse
            link="findings.md, O8",
        ),
    ),
    can_crash=True,
)
