"""Where the failures lie: what all failing cases have, and no passing one."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from rnn_conformance.explain.where import Features, conditions_of, shortest

EQUAL_SIZES = (("I", "H"), ("T", "B"), ("B", "H"), ("T", "I"), ("H", "O"))
MULTIPLES = (("H", 8), ("H", 4), ("T", 4), ("B", 4), ("I", 4))


def patterns(planned: Sequence[Any], records: Sequence[Any]) -> dict[str, list[str]]:
    """For each check that failed, where it did: `pattern` of its cases.

    Args:
        planned: the planned checks, with `check` and `case`.
        records: what came of the first of them, in the same order.
    """
    cases: dict[str, tuple[list[Any], list[Any]]] = {}
    for item, record in zip(planned, records, strict=False):
        failing, passing = cases.setdefault(item.check.name, ([], []))
        if record.outcome in ("failed", "passed"):
            (failing if record.outcome == "failed" else passing).append(item.case)
    return {name: pattern(*both) for name, both in cases.items() if both[0]}


def pattern(failing: Sequence[Any], passing: Sequence[Any]) -> list[str]:
    """The simplest conditions that hold in every failing case and in no passing one.

    Args:
        failing, passing: cases of one check.

    Returns:
        such as ["B ≥ 515"] or ["dtype = float64 and h_0 = none"]; every single condition that
        separates, else the shortest rule that does, none where nothing does.
    """
    if not failing:
        return []
    if not passing:
        return ["in every case"]
    features = _features([*failing, *passing])
    inside = np.arange(len(failing) + len(passing)) < len(failing)
    single = conditions_of(features, inside, ~inside)
    fitting = [one for one in single if (one.holds(features) == inside).all()]
    told = {one.feature for one in fitting if one.sign != "≠"}
    found = [str(one) for one in fitting if one.sign != "≠" or one.feature not in told]
    if not found:
        rule, _ = shortest(features, inside, ~inside)
        found = [str(rule)] if (rule.holds(features) == inside).all() else []
    return found


def _features(cases: Sequence[Any]) -> Features:
    """What the cases are made of, and how their sizes compare."""
    names = [field.name for field in fields(cases[0]) if field.name != "seed"]
    found: Mapping[str, Any] = {name: [getattr(case, name) for case in cases] for name in names}
    arrays = {name: np.array(values) for name, values in found.items()}
    arrays |= {f"{one} = {other}": arrays[one] == arrays[other] for one, other in EQUAL_SIZES}
    return arrays | {f"{n} is a multiple of {k}": arrays[n] % k == 0 for n, k in MULTIPLES}
