"""Where the errors of a check lie over time and unit: the case is asked again."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnn_conformance.findings import Heat
from rnn_conformance.judgement import Judgement
from rnn_conformance.records import Record
from rnn_conformance.subject import NotGiven, Violation

MOST_STEPS, MOST_UNITS = 200, 64
TRIES = 10


def worst_heat(planned: Sequence[Any], records: Sequence[Record]) -> Heat | None:
    """The heat of the worst check that compares more than one step.

    Failures come first, then finite shares, then large ones. None where none of the first few
    such checks compares anything when it is asked again.

    Args:
        planned: the planned checks, of `rnn_conformance.plan`.
        records: what came of the first of them, in the same order.
    """
    compared = [
        ((record.outcome == "failed", np.isfinite(record.worst_share), record.worst_share), item)
        for item, record in zip(planned, records, strict=False)
        if record.worst_share is not None
    ]
    compared.sort(key=lambda ranked: ranked[0], reverse=True)
    found = (heat_of(item) for _, item in compared[:TRIES])
    return next((heat for heat in found if heat is not None and heat.of_steps > 1), None)


@np.errstate(all="ignore")
def heat_of(planned_item: Any) -> Heat | None:
    """Ask a planned check again, and look where its errors lie.

    Of several results, it is the first that has a number outside its bound, else that with the
    worst share. Where it is larger than 200 steps and 64 units, a part that has this number.

    Args:
        planned_item: of `rnn_conformance.plan`.

    None where there is nothing to compare.
    """
    try:
        judgements = list(planned_item.check.judge(planned_item.subject, planned_item.case))
    except (NotGiven, Violation):
        return None
    outside = (judgement for judgement in judgements if judgement.first_outside() is not None)
    worst = next(outside, None) or max(judgements, key=lambda j: j.worst()[0], default=None)
    return None if worst is None else _heat(planned_item.id, worst)


def _heat(identifier: str, judgement: Judgement) -> Heat:
    place = judgement.first_outside() or judgement.worst()[1]
    shares = judgement.shares().max(axis=1)
    T, units = shares.shape
    step = _start(place.step - judgement.first_step, T, MOST_STEPS)
    unit = _start(place.unit, units, MOST_UNITS)
    part = shares[step : step + MOST_STEPS, unit : unit + MOST_UNITS]
    return Heat(
        identifier,
        judgement.what,
        judgement.first_step + step,
        unit,
        tuple(tuple(map(float, row)) for row in part),
        T,
        units,
    )


def _start(at: int, size: int, most: int) -> int:
    """Where the `most` that are kept start: a little before the index `at`."""
    return max(0, min(at - most // 4, size - most))
