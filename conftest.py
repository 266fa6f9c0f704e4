"""What the tests of this repository share, and print at their end: variants told apart."""

from collections.abc import Iterator
from typing import Any

import pytest

COUNTED = ("wrong implementation rejected", "healthy implementation accepted")


@pytest.fixture(scope="module")
def one_thread_of_torch() -> Iterator[None]:
    """In cases so small, several only wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
