"""Every deliberately wrong and every right implementation, by name."""

from collections.abc import Mapping

from rnn_conformance.variants.healthy import HEALTHY
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong import MUTANTS

HEALTHY: Mapping[str, type[Recurrence]] = HEALTHY
__all__ = ["HEALTHY", "MUTANTS"]
