"""Where something holds: the shortest rule that separates the numbers for which it does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Features = Mapping[str, npt.NDArray[Any]]

CUTS = 6  # of one feature, at which a rule may begin or end
PAIRS = 60  # of conditions, to which a third is added
# What a feature that counts from 0 is called at 0.
ENDS: Mapping[str, str] = {
    "step": "first step",
    "row": "first row",
    "unit": "first unit",
    "steps before the end": "last step",
    "rows before the end": "last row",
    "units before the end": "last unit",
}
GROWING = ("layer",)  # of two values, the second stands for all that others may have
TOLERATED, ENOUGH = 0.001, 0.99  # of the numbers that a rule has wrong, and has


@dataclass(frozen=True)
class Condition:
    """One feature compared with a value."""

    feature: str
    sign: str
    value: Any

    def holds(self, features: Features) -> Mask:
        values = features[self.feature]
        found: Mask = _SIGNS[self.sign](values, self.value)
        return found

    def __str__(self) -> str:
        if self.feature in ENDS and (self.sign, self.value) in (("=", 0), ("≠", 0), ("≥", 1)):
            return ENDS[self.feature] if self.sign == "=" else f"not {ENDS[self.feature]}"
        if isinstance(self.value, bool | np.bool_):
            return self.feature if bool(self.value) == (self.sign == "=") else f"not {self.feature}"
        value = f"{self.value:.4g}" if isinstance(self.value, float) else str(self.value)
        return f"{self.feature} {self.sign} {value}"


_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": np.equal,
    "≠": np.not_equal,
    "≥": np.greater_equal,
    "≤": np.less_equal,
    "is a multiple of": lambda values, n: values % n == 0,
}


@dataclass(frozen=True)
class Rule:
    """Conditions that must all hold; without any, it holds everywhere."""

    conditions: tuple[Condition, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The features that it is of."""
        return frozenset(condition.feature for condition in self.conditions)

    def holds(self, features: Features) -> Mask:
        size = len(next(iter(features.values())))
        return reduce(
            np.logical_and, (c.holds(features) for c in self.conditions), np.ones(size, bool)
        )

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions)) if self.conditions else "everywhere"


def shortest(features: Features, inside: Mask, outside: Mask) -> tuple[Rule, float]:
    """The shortest rule that holds for what is inside, and not for what is outside.

    Returns:
        the rule, and the share of the inside for which it holds. It holds for next to nothing that
        is outside.
    """
    if not outside.any():
        return Rule(), 1.0
    conditions = list(conditions_of(features, inside, outside))
    held = np.array([condition.holds(features) for condition in conditions])
    within, without = held[:, inside].astype(np.float32), held[:, outside].astype(np.float32)
    n, most = int(inside.sum()), TOLERATED * int(outside.sum())
    best: tuple[float, tuple[int, ...]] = (0.0, ())

    def better(chosen: Sequence[tuple[int, ...]], kept: Any, wrong: Any) -> tuple[float, Any]:
        share = np.where(wrong <= most, kept / n, 0)
        i = int(share.argmax())
        return (float(share[i]), chosen[i]) if share[i] > best[0] + 0.02 else best

    best = better([(i,) for i in range(len(conditions))], within.sum(1), without.sum(1))
    if best[0] < ENOUGH:
        kept, wrong = within @ within.T, without @ without.T
        pairs = list(combinations(range(len(conditions)), 2))
        one, other = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
        best = better(pairs, kept[one, other], wrong[one, other])
        if best[0] < ENOUGH:
            promising = kept[one, other] / n - wrong[one, other] / max(int(outside.sum()), 1)
            top = [pairs[i] for i in np.argsort(-promising, kind="stable")[:PAIRS]]
            for i, j in top:
                kept = (within[i] * within[j]) @ within.T
                wrong = (without[i] * without[j]) @ without.T
                best = better([(i, j, k) for k in range(len(conditions))], kept, wrong)
    share, chosen = best
    return Rule(tuple(conditions[i] for i in sorted({*chosen}))), share


def conditions_of(features: Features, inside: Mask, outside: Mask) -> Iterator[Condition]:
    """Conditions that some of the inside meets."""
    for name, values in features.items():
        here, there = values[inside], values[outside]
        if values.dtype.kind in "bUO":
            present = [value.item() for value in np.unique(here)]
            yield from (Condition(name, "=", value) for value in present)
            if values.dtype.kind != "b":
                absent = [value.item() for value in np.unique(there) if value not in present]
                yield from (Condition(name, "≠", value) for value in absent)
            continue
        least, most = np.nanmin(here), np.nanmax(here)
        whole = values.dtype.kind == "i"
        as_written: Callable[[Any], Any] = int if whole else float
        only = [Condition(name, "=", int(least))] if whole and least == most else []
        apart = whole and not (here == 0).any() and (there == 0).any()
        but = [Condition(name, "≠", 0)] if apart else []
        yield from (*but, *only) if name in GROWING else (*only, *but)
        common = int(np.gcd.reduce(here)) if whole else 0
        if common > 1 and least != most:
            yield Condition(name, "is a multiple of", common)
        inner = np.unique(here[np.isfinite(here)])
        for cut in dict.fromkeys((least, *_edges(inner, there, least=True))):
            if (there < cut).any():
                yield Condition(name, "≥", as_written(cut))
        for cut in dict.fromkeys((most, *_edges(inner, there, least=False))):
            if (there > cut).any():
                yield Condition(name, "≤", as_written(cut))


def _edges(inner: Any, outer: Any, *, least: bool) -> Iterator[Any]:
    """Some values inside next to which, on one side, the nearest number is outside."""
    if len(inner) > 200:
        return
    others = np.unique(outer)
    side = np.searchsorted(others, inner, side="left" if least else "right")
    known = np.concatenate([[-np.inf], others, [np.inf]])
    near = known[side] if least else known[side + 1]
    neighbour = (
        np.concatenate([[-np.inf], inner[:-1]]) if least else np.concatenate([inner[1:], [np.inf]])
    )
    edge = near >= neighbour if least else near <= neighbour
    yield from inner[edge][:CUTS]
