"""What a reader must know of the machine to judge a timing made on it."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]


def describe() -> dict[str, str]:
    """Processor, cores, system and versions, each under the heading that the report prints."""
    return {
        "Processor": _processor(),
        "Cores": f"{_usable_cores()} usable of {os.cpu_count()}",
        "System": f"{platform.system()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "NumPy": np.__version__,
        "NumPy's BLAS": _numpy_blas(),
        "torch": f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}",
        "torch's BLAS": _torch_blas(),
        "pytest-benchmark": version("pytest-benchmark"),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        name = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), flags=re.MULTILINE)
        if name:
            return name[1].strip()
    return platform.processor() or "unknown"


def _usable_cores() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _numpy_blas() -> str:
    """The libraries loaded at run time; what NumPy was built with where none can be seen."""
    loaded = [
        " ".join(
            str(library[key])
            for key in ("internal_api", "version", "architecture")
            if library.get(key)
        )
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]
    if loaded:
        return ", ".join(loaded)
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built['name']} {built['version']}, whose threads cannot be read"


def _torch_blas() -> str:
    built = torch.__config__.show()
    name = re.search(r"BLAS_INFO=(\w+)", built)
    mkl = re.search(r"Math Kernel Library Version ([\d.]+)", built)
    return f"{name[1] if name else 'unknown'} {mkl[1] if mkl else ''}".strip()
