"""How far apart rounding can take two implementations of the same wrong recurrence."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from rnn_conformance.bounds.balls import Float64, Precision
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.expected import of_part, whole


@lru_cache(maxsize=256)
def spreads(case: Case) -> Mapping[str, Float64]:
    """By the name of each result: output (T, B, D·H), h_n and so on (L·D, B, H), y (T, B, O).

    The bound of a trajectory, for an activation that is nowhere steeper than one, whatever it is:
    a wrong one need not be the right one.
    """
    with np.errstate(all="ignore"):  # what grows beyond all bounds is not compared
        limits = whole(case.data(), Precision.of(case.dtype), loose=True)
    parts = case.options.parts
    states = zip(parts, np.split(limits.h_n_bound, len(parts), axis=-1), strict=True)
    found = {"output": limits.output_bound, **{of_part(part): bound for part, bound in states}}
    return found if limits.y_bound is None else {**found, "y": limits.y_bound}
