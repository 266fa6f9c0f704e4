"""Every check, registered where it is defined."""

from rnn_conformance.checks import conduct, dropout, edges, refusals, relations, values
from rnn_conformance.checks.registry import CHECKS, Check

__all__ = [
    "CHECKS",
    "Check",
    "conduct",
    "dropout",
    "edges",
    "refusals",
    "relations",
    "values",
]
