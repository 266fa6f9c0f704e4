"""What the tests of this repository share, and print at their end: variants told apart."""

import os
from typing import Any

# Before torch is imported: in cases so small, several threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
COUNTED = ("wrong implementation rejected", "healthy implementation accepted")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        if "power.py::test_" in report.nodeid
    ]
    for counted, test in zip(COUNTED, ("test_rejected", "test_accepted"), strict=True):
        of = [report for report in reports if f"::{test}[" in report.nodeid]
        if of:
            held = sum(name == counted for report in of for name, _ in report.user_properties)
            terminalreporter.write_line(f"{counted}: {held} of {len(of)}")
