"""A conformance suite for recurrent neural networks."""

from typing import TYPE_CHECKING, Any

from rnn_conformance.cases import Case, catalogue
from rnn_conformance.declaration import KnownFailure
from rnn_conformance.findings import Cause, Diagnosis
from rnn_conformance.isolation import Isolation
from rnn_conformance.layer.call import LayerAnswer, LayerCall, LayerImplementation, Options
from rnn_conformance.layer.cases import FEATURES, LayerCase, layer_catalogue
from rnn_conformance.loading import CannotBeJudged, as_implementation, load
from rnn_conformance.protocol import Answer, Call, Claims, Implementation, claims
from rnn_conformance.records import Record, Report
from rnn_conformance.run import Planned, plan
from rnn_conformance.source import Source
from rnn_conformance.trace import Certificate, certify
from rnn_conformance.verdict import check

if TYPE_CHECKING:
    from rnn_conformance.pytest_face import pytest_checks

__all__ = [
    "FEATURES",
    "Answer",
    "Call",
    "CannotBeJudged",
    "Case",
    "Cause",
    "Certificate",
    "Claims",
    "Diagnosis",
    "Implementation",
    "Isolation",
    "KnownFailure",
    "LayerAnswer",
    "LayerCall",
    "LayerCase",
    "LayerImplementation",
    "Options",
    "Planned",
    "Record",
    "Report",
    "Source",
    "as_implementation",
    "catalogue",
    "certify",
    "check",
    "claims",
    "layer_catalogue",
    "load",
    "plan",
    "pytest_checks",
]


def __getattr__(name: str) -> Any:
    if name == "pytest_checks":  # it imports pytest, which no process that judges waits for
        from rnn_conformance import pytest_face

        return pytest_face.pytest_checks
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
