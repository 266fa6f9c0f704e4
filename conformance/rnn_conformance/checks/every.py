"""Every check, those of values first."""

from rnn_conformance.checks import conduct, dropout, edges, refusals, relations, values
from rnn_conformance.checks.registry import Check

SUBJECTS = (values, relations, conduct, refusals, edges, dropout)
CHECKS = {
    found.name: found
    for module in SUBJECTS
    for found in vars(module).values()
    if isinstance(found, Check)
}
