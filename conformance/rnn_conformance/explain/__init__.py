"""Why an implementation fails: which known bug computes the very same, or where it goes wrong."""

from rnn_conformance.checks.findings import Cause, Diagnosis
from rnn_conformance.explain.search import diagnose, reproduced_by

__all__ = ["Cause", "Diagnosis", "diagnose", "reproduced_by"]
