"""What the tests of this repository share, and print at their end: variants told apart."""

import os
from typing import Any

# Before torch is imported: in cases so small, several threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
COUNTED = {  # what is printed, and the test that says so of one after the other
    "wrong implementation rejected": "test_power.py::test_rejected",
    "healthy implementation accepted": "test_narrow_claims.py::test_a_right_layer_conforms",
}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
    ]
    for counted, test in COUNTED.items():
        of = [report for report in reports if test in report.nodeid]
        if of:
            held = sum(name == counted for report in of for name, _ in report.user_properties)
            terminalreporter.write_line(f"{counted}: {held} of {len(of)}")
