"""Deliberately wrong layers, each with one named bug, that the checks must reject.

Each is a `LayerRecurrence` in which one piece is replaced. `LAYER_MUTANTS` holds them by name.
"""

from rnn_conformance.layer.mutants import (
    direction,
    direction_state,
    edges,
    layer_activation,
    layer_axes,
    layer_calls,
    layer_cell,
    layer_chance,
    layer_dropout,
    layer_dtype,
    layer_errors,
    layer_half,
    layer_layout,
    layer_memory,
    layer_precision,
    layer_sizes,
    layer_stack,
    layer_state,
    layer_threads,
    layer_weights,
    lengths,
    starved,
)
from rnn_conformance.layer.mutants.registry import LAYER_MUTANTS

__all__ = [
    "LAYER_MUTANTS",
    "direction",
    "direction_state",
    "edges",
    "layer_activation",
    "layer_axes",
    "layer_calls",
    "layer_cell",
    "layer_chance",
    "layer_dropout",
    "layer_dtype",
    "layer_errors",
    "layer_half",
    "layer_layout",
    "layer_memory",
    "layer_precision",
    "layer_sizes",
    "layer_stack",
    "layer_state",
    "layer_threads",
    "layer_weights",
    "lengths",
    "starved",
]
