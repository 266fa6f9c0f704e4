"""Lines that need a framework or a compiler: present only where these are.

Each module imports its framework and has `load(threads) -> Line`, which gives the framework that
many threads, or raises `UnavailableError`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from rnn_benchmarks.lines import LINES, Line, UnavailableError
from rnn_benchmarks.names import RIVALS


@dataclass(frozen=True)
class Loaded:
    """The lines that can be run, and why the others cannot, each by name."""

    lines: Mapping[str, Line[Any]]
    absent: Mapping[str, str]

    @property
    def threads(self) -> dict[str, int]:
        """What the lines' own libraries say of their threads."""
        return {name: count for line in self.lines.values() for name, count in line.threads.items()}


def load(names: Sequence[str], threads: int) -> Loaded:
    """The lines of these names, each with this many threads."""
    lines: dict[str, Line[Any]] = {}
    absent: dict[str, str] = {}
    for name in names:
        if name in LINES:
            lines[name] = LINES[name]
            continue
        try:
            lines[name] = import_module(f"{__name__}.{RIVALS[name]}").load(threads)
        except ModuleNotFoundError as error:
            absent[name] = f"{error.name} is not installed"
        except UnavailableError as error:
            absent[name] = str(error)
    return Loaded(lines, absent)
