"""What the diagnosis says of bugs that nobody who works on it had seen, beside what is wrong.

`python conformance/tests/unseen/measure.py SET [NAME ...]` prints both, bug by bug, of the set in a
file of this name beside this one, such as `bugs` or `gated_first`; whether what is said is right, a
reader decides.
"""

import inspect
import sys
import time
from importlib import import_module

import rnn_conformance


def main(module: str, *names: str) -> None:
    for bug in import_module(module).BUGS:
        if names and bug.name not in names:
            continue
        wrong = bug.make() if getattr(bug.make, "__name__", "") == "<lambda>" else bug.make
        wrong = wrong() if inspect.isclass(wrong) and hasattr(wrong, "run") else wrong
        since = time.perf_counter()
        report = rnn_conformance.check(wrong)
        print(f"{bug.name}, {time.perf_counter() - since:.0f} s")
        for what, where in zip(bug.what, bug.where, strict=True):
            print(f"  is   {what} ({where})")
        for line in str(report.diagnosis or "conforms").splitlines():
            print(f"  said {line}")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
