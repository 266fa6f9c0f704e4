"""A conformance suite for recurrent neural networks.

What it offers is imported when it is first asked for: the pytest plugin, which imports this
package, is loaded in every run of pytest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_conformance.cases.case import Case as Case
    from rnn_conformance.cases.catalogue import catalogue as catalogue
    from rnn_conformance.checks.findings import Cause as Cause
    from rnn_conformance.checks.findings import Diagnosis as Diagnosis
    from rnn_conformance.checks.plan import Planned as Planned
    from rnn_conformance.checks.plan import plan as plan
    from rnn_conformance.checks.plan import repeat as repeat
    from rnn_conformance.checks.records import Record as Record
    from rnn_conformance.checks.records import Report as Report
    from rnn_conformance.contract.call import BASIC as BASIC
    from rnn_conformance.contract.call import FEATURES as FEATURES
    from rnn_conformance.contract.call import Answer as Answer
    from rnn_conformance.contract.call import Call as Call
    from rnn_conformance.contract.call import Implementation as Implementation
    from rnn_conformance.contract.call import Options as Options
    from rnn_conformance.contract.call import claims as claims
    from rnn_conformance.contract.declaration import KnownFailure as KnownFailure
    from rnn_conformance.contract.refusal import CannotBeJudged as CannotBeJudged
    from rnn_conformance.faces.pytest_face import pytest_checks as pytest_checks
    from rnn_conformance.run.isolation import Isolation as Isolation
    from rnn_conformance.run.smoke import smoke as smoke
    from rnn_conformance.run.verdict import check as check
    from rnn_conformance.sources.adapters.torch_rnn import to_torch as to_torch
    from rnn_conformance.sources.derivatives import gradients as gradients
    from rnn_conformance.sources.functions import weights_named as weights_named
    from rnn_conformance.sources.gates import gates as gates
    from rnn_conformance.sources.loading import as_implementation as as_implementation
    from rnn_conformance.sources.loading import load as load
    from rnn_conformance.sources.source import Source as Source
    from rnn_conformance.trace import Certificate as Certificate
    from rnn_conformance.trace import certify as certify

MODULES = {
    "Answer": "contract.call",
    "BASIC": "contract.call",
    "Call": "contract.call",
    "CannotBeJudged": "contract.refusal",
    "Cause": "checks.findings",
    "Certificate": "trace",
    "Diagnosis": "checks.findings",
    "FEATURES": "contract.call",
    "Implementation": "contract.call",
    "Isolation": "run.isolation",
    "KnownFailure": "contract.declaration",
    "Case": "cases.case",
    "Options": "contract.call",
    "Planned": "checks.plan",
    "Record": "checks.records",
    "Report": "checks.records",
    "Source": "sources.source",
    "as_implementation": "sources.loading",
    "certify": "trace",
    "check": "run.verdict",
    "claims": "contract.call",
    "weights_named": "sources.functions",
    "gates": "sources.gates",
    "gradients": "sources.derivatives",
    "catalogue": "cases.catalogue",
    "load": "sources.loading",
    "plan": "checks.plan",
    "repeat": "checks.plan",
    "smoke": "run.smoke",
    "pytest_checks": "faces.pytest_face",
    "to_torch": "sources.adapters.torch_rnn",
}
__all__ = [*MODULES]

if not TYPE_CHECKING:  # else every name would be one of this package for a type checker

    def __getattr__(name: str) -> Any:
        if name not in MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *MODULES})
