"""One thread count for all lines: set, read back, and restored."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]


@contextmanager
def thread_limit(threads: int) -> Iterator[dict[str, int]]:
    """Give torch and every BLAS and OpenMP library this many threads; yields what they then say.

    Raises:
        ValueError: fewer than one thread.
        RuntimeError: a library that does not keep to the count.
    """
    if threads < 1:
        raise ValueError(f"threads: expected at least 1, got {threads}")
    before = torch.get_num_threads()
    with threadpool_limits(limits=threads):
        torch.set_num_threads(threads)
        try:
            counts = thread_counts()
            wrong = {name: count for name, count in counts.items() if count != threads}
            if wrong:
                raise RuntimeError(f"asked for {threads} threads each, but got {wrong}")
            yield counts
        finally:
            torch.set_num_threads(before)


def thread_counts() -> dict[str, int]:
    """What each library says that it will use: torch, its MKL where it has one, and the others."""
    counts = {"torch": torch.get_num_threads()}
    # MKL is linked into torch statically, where threadpoolctl does not see it.
    mkl = re.search(r"mkl_get_max_threads\(\) : (\d+)", torch.__config__.parallel_info())
    if mkl:
        counts["torch MKL"] = int(mkl[1])
    for library in threadpool_info():
        name = f"{library['user_api']} {library['prefix']}"
        counts[name] = max(counts.get(name, 0), library["num_threads"])
    return counts
