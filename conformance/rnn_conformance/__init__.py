"""A conformance suite for recurrent neural networks.

What it offers is imported when it is first asked for: the pytest plugin, which imports this
package, is loaded in every run of pytest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_conformance.declaration import KnownFailure as KnownFailure
    from rnn_conformance.findings import Cause as Cause
    from rnn_conformance.findings import Diagnosis as Diagnosis
    from rnn_conformance.implementations.torch_rnn import to_torch as to_torch
    from rnn_conformance.isolation import Isolation as Isolation
    from rnn_conformance.layer.cases import LayerCase as LayerCase
    from rnn_conformance.layer.cases import layer_catalogue as layer_catalogue
    from rnn_conformance.loading import CannotBeJudged as CannotBeJudged
    from rnn_conformance.loading import as_implementation as as_implementation
    from rnn_conformance.loading import load as load
    from rnn_conformance.protocol import BASIC as BASIC
    from rnn_conformance.protocol import FEATURES as FEATURES
    from rnn_conformance.protocol import Answer as Answer
    from rnn_conformance.protocol import Call as Call
    from rnn_conformance.protocol import Implementation as Implementation
    from rnn_conformance.protocol import Options as Options
    from rnn_conformance.protocol import claims as claims
    from rnn_conformance.pytest_face import pytest_checks as pytest_checks
    from rnn_conformance.records import Record as Record
    from rnn_conformance.records import Report as Report
    from rnn_conformance.run import Planned as Planned
    from rnn_conformance.run import plan as plan
    from rnn_conformance.source import Source as Source
    from rnn_conformance.trace import Certificate as Certificate
    from rnn_conformance.trace import certify as certify
    from rnn_conformance.verdict import check as check

MODULES = {
    "Answer": "protocol",
    "BASIC": "protocol",
    "Call": "protocol",
    "CannotBeJudged": "loading",
    "Cause": "findings",
    "Certificate": "trace",
    "Diagnosis": "findings",
    "FEATURES": "protocol",
    "Implementation": "protocol",
    "Isolation": "isolation",
    "KnownFailure": "declaration",
    "LayerCase": "layer.cases",
    "Options": "protocol",
    "Planned": "run",
    "Record": "records",
    "Report": "records",
    "Source": "source",
    "as_implementation": "loading",
    "certify": "trace",
    "check": "verdict",
    "claims": "protocol",
    "layer_catalogue": "layer.cases",
    "load": "loading",
    "plan": "run",
    "pytest_checks": "pytest_face",
    "to_torch": "implementations.torch_rnn",
}
__all__ = [*MODULES]

if not TYPE_CHECKING:  # else every name would be one of this package for a type checker

    def __getattr__(name: str) -> Any:
        if name not in MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *MODULES})
