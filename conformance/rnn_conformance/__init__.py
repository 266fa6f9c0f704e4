"""A conformance suite for recurrent neural networks."""

from rnn_conformance.cases import Case, catalogue
from rnn_conformance.loading import CannotBeJudged, as_implementation, load
from rnn_conformance.protocol import Answer, Call, Claims, Implementation, claims
from rnn_conformance.records import Record, Report
from rnn_conformance.run import Planned, check, plan

__all__ = [
    "Answer",
    "Call",
    "CannotBeJudged",
    "Case",
    "Claims",
    "Implementation",
    "Planned",
    "Record",
    "Report",
    "as_implementation",
    "catalogue",
    "check",
    "claims",
    "load",
    "plan",
]
