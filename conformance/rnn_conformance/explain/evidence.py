"""Which checks an explanation is first tried on: few, small, and as different as can be."""

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any

import numpy as np

FAILING, PASSING = 16, 24
USUAL = 7 * 3 * (5 + 4)  # T·B·(I + H)·L


def chosen(items: Sequence[Any], failed: Sequence[bool]) -> list[Any]:
    """Some failing and some passing checks, of each the usual sizes; the smallest first.

    Args:
        items: planned checks.
        failed: whether each failed.
    """
    wrong = [item for item, is_wrong in zip(items, failed, strict=True) if is_wrong]
    right = [item for item, is_wrong in zip(items, failed, strict=True) if not is_wrong]
    names = {item.check.name for item in wrong}
    near = [item for item in right if item.check.name in names]
    far = [item for item in right if item.check.name not in names]
    some = [
        *_in_turn(wrong)[:FAILING],
        *_in_turn(near)[: PASSING // 2],
        *_in_turn(far)[: PASSING // 2],
    ]
    return sorted(some, key=lambda item: _size(item.case))  # what is cheap rules out most


def _in_turn(items: Sequence[Any]) -> list[Any]:
    """One of each check, then the next of each."""
    by_check: dict[str, list[Any]] = {}
    for item in sorted(items, key=lambda item: _far_from_usual(item.case)):
        by_check.setdefault(item.check.name, []).append(item)
    turns = zip_longest(*by_check.values())
    return [item for item in chain.from_iterable(turns) if item is not None]


def _far_from_usual(case: Any) -> float:
    """How many times larger or smaller than a usual case, in which more can differ than in one of
    size 1, and which is computed faster than a large one."""
    return abs(float(np.log(_size(case) / USUAL)))


def _size(case: Any) -> int:
    return int(case.T * case.B * (case.I + case.H) * case.L)
