"""The exit statuses of the commands that judge."""

import sys

from rnn_conformance.checks.records import Report

CONFORMS, DOES_NOT_CONFORM, NOT_JUDGED = 0, 1, 2


def of(report: Report) -> int:
    """What a report comes to."""
    if not report.judged:
        return NOT_JUDGED
    return CONFORMS if report.conforms else DOES_NOT_CONFORM


def not_judged(why: str) -> int:
    """Say why on standard error, in one line; returns the status of it."""
    sys.stderr.write(f"rnn-conformance: {' '.join(why.split())}\n")
    return NOT_JUDGED
