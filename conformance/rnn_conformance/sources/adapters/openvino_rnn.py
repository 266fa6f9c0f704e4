"""OpenVINO on the CPU, which reads the ONNX model, as two layers: of free and of fixed sizes."""

from functools import lru_cache
from io import BytesIO
from typing import Any

import openvino
from openvino.properties import hint

from rnn_conformance.contract.conventions import UNDEFINED
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.onnx_backend import (
    ONNX_FEATURES,
    SESSIONS,
    Feeds,
    OnnxLayer,
    Session,
)

# Left to itself, it computes in bfloat16 on the CPUs that can.
PRECISION = {hint.inference_precision: openvino.Type.f32}
Shapes = tuple[tuple[str, tuple[int, ...]], ...]


def session(model: bytes) -> Session:
    """One compiled model in which T and B are free."""
    compiled = openvino.Core().compile_model(_read(model), "CPU", PRECISION)
    return lambda feeds: _infer(compiled, feeds)


def session_of_fixed_sizes(model: bytes) -> Session:
    """One compiled model for each T and B that comes, the last few kept."""

    @lru_cache(SESSIONS)
    def compiled(shapes: Shapes) -> Any:
        found, sizes = _read(model), dict(shapes)
        found.reshape(
            {port: _fixed(port.partial_shape, sizes[port.any_name]) for port in found.inputs}
        )
        return openvino.Core().compile_model(found, "CPU", PRECISION)

    def run(feeds: Feeds) -> tuple[Any, ...]:
        shapes = tuple((name, value.shape) for name, value in feeds.items())
        return _infer(compiled(shapes), feeds)

    return run


def _read(model: bytes) -> Any:
    return openvino.Core().read_model(BytesIO(model))


def _fixed(declared: Any, shape: tuple[int, ...]) -> list[Any]:
    """The declared shape, its free axes alone of the sizes that came; ValueError at other ranks."""
    pairs = zip(declared, shape, strict=True)
    return [size if axis.is_dynamic else axis.get_length() for axis, size in pairs]


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
    session_of_fixed_sizes,
    ONNX_FEATURES - {"float64"},
    # B = 0 kills the process; findings.md, O7.
    conventions={"T = 0": UNDEFINED, "B = 0": UNDEFINED, "length 0": UNDEFINED},
    known_failures=(
        NAN_LOST,
        KnownFailure(
            "lengths_refused",
            "lengths beyond T or below 0 are taken in one direction",
            "!*bidirectional*",
            link="findings.md, O8",
        ),
    ),
    can_crash=True,
)
