"""With what the figures of a report were seen."""

import os
import platform
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from rnn_conformance.sources.adapters.catalogue import packages


def describe() -> dict[str, str]:
    """Versions of what takes part, and the number of threads it may use.

    Of frameworks, those that are imported by now.
    """
    imported = [package for module, package in packages().items() if module in sys.modules]
    named = ("rnn-conformance", "numpy", *imported)
    versions: dict[str, str] = {}
    for package in named:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {**versions, "python": platform.python_version(), "threads": str(threads())}


def threads() -> int:
    """What torch uses where it is loaded, else the cores that this process may run on."""
    number = getattr(sys.modules.get("torch"), "get_num_threads", None)
    if number is not None:
        return int(number())
    return cores()


def cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
