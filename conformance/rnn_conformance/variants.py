"""Every deliberately wrong and every right implementation, by name."""

from collections.abc import Mapping

from rnn_conformance.layer.healthy import LAYER_HEALTHY
from rnn_conformance.layer.mutants import MUTANTS
from rnn_conformance.layer.recurrence import LayerRecurrence

HEALTHY: Mapping[str, type[LayerRecurrence]] = LAYER_HEALTHY
__all__ = ["HEALTHY", "MUTANTS"]
