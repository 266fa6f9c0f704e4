"""Deliberately wrong implementations, each with one named bug, that the suite must reject.

Each is a `Recurrence` in which one piece is replaced. `MUTANTS` holds them by name.
"""

from rnn_conformance.mutants import calls, cell, half, layout, precision, readout, state, systematic
from rnn_conformance.mutants.registry import MUTANTS, Mutant

__all__ = [
    "MUTANTS",
    "Mutant",
    "calls",
    "cell",
    "half",
    "layout",
    "precision",
    "readout",
    "state",
    "systematic",
]
