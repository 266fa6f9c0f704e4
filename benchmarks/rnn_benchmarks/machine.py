"""What a reader must know of the machine to judge a timing, and one thread count for all lines."""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]


def describe() -> dict[str, str]:
    """Processor, instruction set, system and versions, by the headings that the report prints."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "Processor": _processor(),
        "Instruction set": torch.backends.cpu.get_cpu_capability(),
        "Cores": f"{usable} usable of {os.cpu_count()}",
        "System": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "NumPy": f"{np.__version__} with {_numpy_blas()}",
        "torch": f"{torch.__version__} with {_torch_blas()}",
    }


@contextmanager
def thread_limit(threads: int) -> Iterator[None]:
    """Give torch and every BLAS and OpenMP library that is loaded this many threads.

    Raises:
        RuntimeError: a library that does not keep to the count.
    """
    before = torch.get_num_threads()
    with threadpool_limits(limits=threads):
        torch.set_num_threads(threads)
        try:
            wrong = {name: count for name, count in thread_counts() if count != threads}
            if wrong:
                raise RuntimeError(f"asked for {threads} threads each, but got {wrong}")
            yield
        finally:
            torch.set_num_threads(before)


def thread_counts() -> Iterator[tuple[str, int]]:
    """What each library says that it will use: torch, its MKL where it has one, and the others."""
    yield "torch", torch.get_num_threads()
    # MKL is linked into torch statically, where threadpoolctl does not see it.
    mkl = re.search(r"mkl_get_max_threads\(\) : (\d+)", torch.__config__.parallel_info())
    if mkl:
        yield "torch's MKL", int(mkl[1])
    for library in threadpool_info():
        yield library["prefix"], library["num_threads"]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        name = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), flags=re.MULTILINE)
        if name:
            return name[1].strip()
    return platform.processor() or "unknown"


def _numpy_blas() -> str:
    loaded = [each for each in threadpool_info() if "numpy" in each["filepath"]]
    return (
        " ".join(f"{each['internal_api']} {each['version']}" for each in loaded) or "another BLAS"
    )


def _torch_blas() -> str:
    name = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    return name[1] if name else "another BLAS"
