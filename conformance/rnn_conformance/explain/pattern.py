"""Where the failures lie: what all failing cases have, and no passing one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from itertools import combinations
from typing import Any

Predicate = tuple[str, Callable[[Any], bool]]

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
        failing, passing: cases of one check, of one kind.

    Returns:
        such as ["B >= 515"] or ["dtype = float64 and h_0 = none"]; all of the simplest kind that
        separates, none where nothing does.
    """
    if not failing:
        return []
    if not passing:
        return ["in every case"]
    single = list(_predicates(failing, passing))
    found = [name for name, holds in single if _separates([holds], failing, passing)]
    if found:
        return found
    covering = [p for p in single if all(p[1](case) for case in failing)]
    return [
        _and(one[0], other[0])
        for one, other in combinations(covering, 2)
        if _separates([one[1], other[1]], failing, passing)
    ]


def _and(one: str, other: str) -> str:
    least, most = one.split(" >= "), other.split(" <= ")
    return " = ".join(least) if least == most else f"{one} and {other}"


def _separates(
    conditions: Sequence[Callable[[Any], bool]], failing: Sequence[Any], passing: Sequence[Any]
) -> bool:
    def holds(case: Any) -> bool:
        return all(condition(case) for condition in conditions)

    return all(map(holds, failing)) and not any(map(holds, passing))


def _predicates(failing: Sequence[Any], passing: Sequence[Any]) -> Iterator[Predicate]:
    for field in fields(failing[0]):
        name = field.name
        values = {getattr(case, name) for case in failing}
        if name == "seed":
            continue
        if isinstance(next(iter(values)), int) and not isinstance(next(iter(values)), bool):
            yield from _bounds(name, min(values), max(values))
        elif len(values) == 1:
            value = values.pop()
            yield f"{name} = {value}", _is(name, value)
        else:
            others = {getattr(case, name) for case in passing} - values
            if others:
                yield f"{name} other than {', '.join(map(str, sorted(others)))}", _not(name, others)
    sizes = {field.name for field in fields(failing[0])}
    for one, other in EQUAL_SIZES:
        if {one, other} <= sizes:
            yield f"{one} = {other}", _same(one, other)
    for name, n in MULTIPLES:
        yield f"{name} no multiple of {n}", _no_multiple(name, n)


def _bounds(name: str, low: int, high: int) -> Iterator[Predicate]:
    yield f"{name} >= {low}", lambda case: getattr(case, name) >= low
    yield f"{name} <= {high}", lambda case: getattr(case, name) <= high


def _is(name: str, value: Any) -> Callable[[Any], bool]:
    return lambda case: bool(getattr(case, name) == value)


def _not(name: str, values: set[Any]) -> Callable[[Any], bool]:
    return lambda case: getattr(case, name) not in values


def _same(one: str, other: str) -> Callable[[Any], bool]:
    return lambda case: bool(getattr(case, one) == getattr(case, other))


def _no_multiple(name: str, n: int) -> Callable[[Any], bool]:
    return lambda case: getattr(case, name) % n != 0
