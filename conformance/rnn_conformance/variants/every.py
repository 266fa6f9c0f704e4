"""Every deliberately wrong and every right implementation, by name."""

from rnn_conformance.variants.healthy import HEALTHY
from rnn_conformance.variants.wrong import MUTANTS

__all__ = ["HEALTHY", "MUTANTS"]
