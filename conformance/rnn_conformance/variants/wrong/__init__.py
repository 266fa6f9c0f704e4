"""Deliberately wrong layers, each with one named bug, that the checks must reject.

Each is a `Recurrence` in which one piece is replaced. `MUTANTS` holds them by name.
"""

from importlib import import_module
from pkgutil import iter_modules

from rnn_conformance.variants.wrong.registry import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant"]

for found in iter_modules(__path__, f"{__name__}."):
    import_module(found.name)  # which registers its bugs
