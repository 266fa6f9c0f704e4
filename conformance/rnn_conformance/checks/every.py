"""Every check, those of values first."""

from rnn_conformance.checks import conduct, dropout, edges, gradients, refusals, relations, values
from rnn_conformance.checks.registry import Check

SUBJECTS = (values, relations, conduct, refusals, edges, dropout, gradients)
CHECKS = {
    found.name: found
    for module in SUBJECTS
    for found in vars(module).values()
    if isinstance(found, Check)
}
OF_GRADIENTS = tuple(name for name, found in CHECKS.items() if found in vars(gradients).values())
