"""Why an implementation fails: which known bug computes the very same, or where it goes wrong."""

from rnn_conformance.diagnosis.search import diagnose, reproduced_by
from rnn_conformance.findings import Cause, Diagnosis

__all__ = ["Cause", "Diagnosis", "diagnose", "reproduced_by"]
