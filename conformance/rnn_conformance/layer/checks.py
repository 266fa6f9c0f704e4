"""Every check of the profile "layer"."""

from rnn_conformance.layer import conduct, dropout, edges, refusals, relations, values
from rnn_conformance.layer.registry import LAYER_CHECKS, LayerCheck

__all__ = [
    "LAYER_CHECKS",
    "LayerCheck",
    "conduct",
    "dropout",
    "edges",
    "refusals",
    "relations",
    "values",
]
