"""Two bugs at once: which two are worth trying, and how one class gets both."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

from rnn_conformance.diagnosis.observation import Observation, alike, asked_each, shows_numbers

Effect = Literal["none", "same", "other"]


def promising_pairs(
    mutants: Mapping[str, Any], seen: Sequence[tuple[Any, Observation]]
) -> Iterator[tuple[str, str]]:
    """The pairs that could give what was seen, judged by what each bug does alone.

    Where only one of two bugs does anything, the two do what that one does.
    """
    failing = [(item, found) for item, found in seen if found.failed and shows_numbers(item)]
    failing = failing or [(item, found) for item, found in seen if found.failed]
    effects = {name: _effects(mutant.make, failing) for name, mutant in mutants.items()}
    for one, other in combinations(mutants, 2):
        if all(map(_could_explain, effects[one], effects[other])):
            yield one, other


def _could_explain(one: Effect, other: Effect) -> bool:
    return "same" in (one, other) or one == other == "other"


def _effects(make: type[Any], failing: Sequence[tuple[Any, Observation]]) -> list[Effect]:
    """What a bug alone does in each failing check: nothing, what was seen, or something else."""
    wrong, right = (asked_each(cls(), failing) for cls in (make, make.__mro__[-2]))
    found: list[Effect] = []
    for (item, theirs), ours, healthy in zip(failing, wrong, right, strict=True):
        if ours is None or (healthy is not None and alike(item, healthy, ours)):
            found.append("none")
        else:
            found.append("same" if alike(item, theirs, ours) else "other")
    return found


def both(one: type[Any], other: type[Any]) -> type[Any] | None:
    """Both bugs in one class; None where they replace the same piece, or cannot be joined."""
    if _replaced(one) & _replaced(other):
        return None
    try:
        return type(f"{one.__name__}And{other.__name__}", (one, other), {})
    except TypeError:  # no order of their bases suits both
        return None


def _replaced(make: type[Any]) -> set[str]:
    """The pieces that a class and its own bases put in place of the right ones."""
    right = make.__mro__[-2]
    own = [cls for cls in make.__mro__ if cls not in (right, object)]
    return {
        name
        for cls in own
        for name, piece in vars(cls).items()
        if callable(piece) and (name == "__init__" or not name.startswith("__"))
    }
