"""Peak memory of each line beside what it must return, and how that grows with T.

`python -m rnn_benchmarks.memory_study LINE T` prints the bytes of one line and length: the growth
of the resident set from before a call to its peak within the call, whoever allocates. A process of
its own for each, since what one call leaves to the allocator hides what the next one needs; and in
it one call before, so that nothing is measured that is compiled or loaded once.
"""

import argparse
import ctypes
import gc
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnn_benchmarks.grid import MIDDLE, OUTPUT_SIZE, Point
from rnn_benchmarks.names import NAMES

STEPS = (500, 1000, 2000)
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc(5), clear_refs


@dataclass(frozen=True)
class Memory:
    """Peak bytes of a line at each of `steps`, the other sizes as in `point`."""

    line: str
    title: str
    point: Point
    steps: tuple[int, ...]
    peaks: tuple[int, ...]


def returned_bytes(point: Point) -> int:
    """States and outputs of all steps: what no line can do without."""
    itemsize = {"float32": 4, "float64": 8}[point.dtype]
    return point.T * point.B * (point.H + OUTPUT_SIZE) * itemsize


def measure(
    names: Sequence[str] = NAMES, steps: Sequence[int] = STEPS
) -> tuple[tuple[Memory, ...], dict[str, str]]:
    """The memory of each line, and why that of others is not known."""
    found, absent = [], {}
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # as pytest may have set it
    for name in names:
        outputs = []
        for T in steps:
            command = [sys.executable, "-m", "rnn_benchmarks.memory_study", name, str(T)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=here)
            if done.returncode:
                absent[name] = (done.stderr.strip() or "no message").splitlines()[-1]
                break
            outputs.append(done.stdout.strip().splitlines()[-1].split("\t"))
        else:
            peaks = tuple(int(peak) for peak, _ in outputs)
            found.append(Memory(name, outputs[0][1], MIDDLE, tuple(steps), peaks))
    return tuple(found), absent


def peak_of_one_call(name: str, point: Point) -> tuple[int, str]:
    """Bytes that a call of a line needs at its peak, and the line's title.

    LookupError where the line cannot be run here. Linux with glibc alone: OSError elsewhere.
    """
    from rnn_benchmarks.rivals import load  # here, as the parent needs no framework
    from rnn_benchmarks.threads import thread_limit
    from rnn_benchmarks.workload import draw

    loaded = load([name], threads=1)
    if name in loaded.absent:
        raise LookupError(loaded.absent[name])
    line = loaded.lines[name]
    with thread_limit(1):
        run = line.prepare(draw(point))
        run()
        gc.collect()
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        CLEAR.write_text(RESET_PEAK)
        before = _status("VmRSS")
        result = run()
        peak = _status("VmHWM")
        del result
    return peak - before, line.title


def main(arguments: Sequence[str] | None = None) -> int:
    """Print bytes and title; 0, or 2 with one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m rnn_benchmarks.memory_study")
    parser.add_argument("line", choices=NAMES)
    parser.add_argument("steps", type=int)
    options = parser.parse_args(arguments)
    try:
        peak, title = peak_of_one_call(options.line, replace(MIDDLE, T=options.steps))
    except (LookupError, OSError) as error:
        sys.stderr.write(f"{error.args[-1]}\n")
        return 2
    sys.stdout.write(f"{peak}\t{title}\n")
    return 0


def _status(field: str) -> int:
    """Bytes of a field of /proc/self/status."""
    found = re.search(rf"^{field}:\s+(\d+) kB$", STATUS.read_text(), flags=re.MULTILINE)
    if found is None:
        raise OSError(f"{STATUS} has no {field}")
    return 1024 * int(found[1])


if __name__ == "__main__":
    sys.exit(main())
