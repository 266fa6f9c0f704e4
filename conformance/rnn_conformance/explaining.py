"""What is said of a run beside its records: why checks fail, and where the worst errors lie."""

from collections.abc import Sequence

from rnn_conformance.findings import Diagnosis, Heat
from rnn_conformance.heat import worst_heat
from rnn_conformance.records import Record
from rnn_conformance.run import Planned

Explained = tuple[tuple[Diagnosis, ...], Heat | None]


def explained(planned: Sequence[Planned], records: Sequence[Record], diagnosed: bool) -> Explained:
    """The diagnoses, if they are asked for, and the heat; the implementation is asked again.

    Args:
        planned: the planned checks.
        records: what came of the first of them, in the same order.
    """
    heat = worst_heat(planned, records)
    if not diagnosed:
        return (), heat
    from rnn_conformance.diagnosis import diagnose  # it imports every mutant: 0.1 s

    return diagnose(planned, records), heat
