"""Where within a result the wrong numbers lie, over several cases."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

STEP_BY_STEP = ("output", "readout")
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Wrong:
    """The wrong numbers of one result.

    Attributes:
        indices: of their steps, rows and units, one each.
        shape: (T, B, units) of the result.
        directions: 2 where the units are those of two directions, one after the other.
    """

    indices: tuple[Indices, ...]
    shape: tuple[int, int, int]
    directions: int

    @property
    def hidden_size(self) -> int:
        return self.shape[2] // self.directions


def shows_places(item: Any) -> bool:
    """Whether a check judges step by step: one error is seen where it is made, and nowhere else."""
    return item.check.name in STEP_BY_STEP and item.case.L == 1


def places(seen: Sequence[tuple[Any, Any]]) -> list[str]:
    """What holds of the wrong numbers in every case in which it might not have held.

    Args:
        seen: planned checks that `shows_places` chooses, with what each saw.
    """
    wrong = list(_wrong(seen))
    found = [
        f"{text} ({len(asked)} of {len(asked)} results)"
        for text, could_differ, holds in _RULES
        if (asked := [one for one in wrong if could_differ(one)]) and all(map(holds, asked))
    ]
    for axis, what in enumerate(("step", "row", "unit")):
        asked = [one for one in wrong if one.shape[axis] > 1]
        first = {int(one.indices[axis].min()) for one in asked}
        last = {int(one.indices[axis].max()) for one in asked}
        if len(first) == 1 and (start := first.pop()) > 0 and len(asked) > 1:
            where = f"only in {what} {start}" if last == {start} else f"only from {what} {start} on"
            found.append(f"{where} ({len(asked)} of {len(asked)} results)")
    return found


def _wrong(seen: Sequence[tuple[Any, Any]]) -> Iterator[Wrong]:
    for item, observation in seen:
        for judgement in observation.judgements.values():
            outside = judgement.shares() > 1
            if outside.any():
                T, B, units = outside.shape
                yield Wrong(np.nonzero(outside), (T, B, units), item.case.options.directions)


def _only_at(axis: int, index: int) -> Callable[[Wrong], bool]:
    def holds(wrong: Wrong) -> bool:
        wanted = index % wrong.shape[axis]
        return bool((wrong.indices[axis] == wanted).all())

    return holds


def _longer(axis: int) -> Callable[[Wrong], bool]:
    return lambda wrong: wrong.shape[axis] > 1


Rule = tuple[str, Callable[[Wrong], bool], Callable[[Wrong], bool]]

_RULES: tuple[Rule, ...] = (
    ("only at step 0", _longer(0), _only_at(0, 0)),
    ("only at the last step", _longer(0), _only_at(0, -1)),
    ("only in row 0", _longer(1), _only_at(1, 0)),
    ("only in the last row", _longer(1), _only_at(1, -1)),
    (
        "only in the forward direction",
        lambda w: w.directions == 2,
        lambda w: bool((w.indices[2] < w.hidden_size).all()),
    ),
    (
        "only in the reverse direction",
        lambda w: w.directions == 2,
        lambda w: bool((w.indices[2] >= w.hidden_size).all()),
    ),
    ("only in unit 0", lambda w: w.hidden_size > 1, lambda w: _units_are(w, 0)),
    ("only in the last unit", lambda w: w.hidden_size > 1, lambda w: _units_are(w, -1)),
)


def _units_are(wrong: Wrong, unit: int) -> bool:
    """Whether it is this unit, of whichever direction."""
    H = wrong.hidden_size
    return bool((wrong.indices[2] % H == unit % H).all())
