"""Two bugs at once: which two are worth trying, and how one class gets both."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

from rnn_conformance.explain.observation import Observation, alike, asking, shows_numbers
from rnn_conformance.variants.per_call import Dropping
from rnn_conformance.variants.recurrence import Recurrence

Effect = Literal["none", "same", "other"]


def promising_pairs(
    mutants: Mapping[str, Any], seen: Sequence[tuple[Any, Observation]]
) -> Iterator[tuple[str, str]]:
    """The pairs that could give what was seen, judged by what each bug does alone.

    Where only one of two bugs does anything, the two do what that one does. A bug is asked no more
    once no pair with it is left.
    """
    failing = [(item, found) for item, found in seen if found.failed and shows_numbers(item)]
    failing = failing or [(item, found) for item, found in seen if found.failed]
    first, _ = failing[0]
    right = asking(_right(next(iter(mutants.values())).make)(), first)
    asked = {name: asking(mutant.make(), first) for name, mutant in mutants.items()}
    pairs = list(combinations(mutants, 2))
    for item, theirs in failing:
        healthy, left = right(item), {name for pair in pairs for name in pair}
        effects = {name: _effect(item, theirs, asked[name](item), healthy) for name in left}
        pairs = [pair for pair in pairs if _could_explain(*(effects[name] for name in pair))]
    yield from pairs


def _could_explain(one: Effect, other: Effect) -> bool:
    return "same" in (one, other) or one == other == "other"


def _effect(
    item: Any, theirs: Observation, ours: Observation | None, right: Observation | None
) -> Effect:
    """What a bug alone does in a failing check: nothing, what was seen, or something else."""
    if ours is None or (right is not None and alike(item, right, ours)):
        return "none"
    return "same" if alike(item, theirs, ours) else "other"


def _right(make: type[Any]) -> type[Any]:
    """The right implementation that a mutant is derived from."""
    right: type[Any] = make.__mro__[-2]
    return right


def both(one: type[Any], other: type[Any]) -> type[Any] | None:
    """Both bugs in one class; None where one would hide the other, or they cannot be joined."""
    for first, second in ((one, other), (other, one)):
        shared = _replaced(first).keys() & _replaced(second).keys()
        if all(_goes_on(_replaced(first)[name]) for name in shared):
            return _joined(first, second)
    return None


def with_dropout(make: type[Any]) -> type[Any]:
    """The same bug in a layer that drops out in training; itself where that cannot be told."""
    if not issubclass(make, Recurrence) or "dropout" in make.claims or vars(make()):
        return make
    return _joined(make, Dropping) or make


def keeps_something(bug: Any) -> bool:
    """Whether it has kept anything from a call, other than the chance that `with_dropout` adds."""
    added = vars(Dropping()).keys() if type(bug).__bases__[1:] == (Dropping,) else set()
    return bool(vars(bug).keys() - added)


def _joined(first: type[Any], second: type[Any]) -> type[Any] | None:
    try:
        return type(f"{first.__name__}And{second.__name__}", (first, second), {})
    except TypeError:  # no order of their bases suits both
        return None


def _replaced(make: type[Any]) -> dict[str, Callable[..., Any]]:
    """The pieces that a class and its own bases put in place of the right ones."""
    own = [cls for cls in make.__mro__ if cls not in (_right(make), object)]
    return {
        name: piece
        for cls in reversed(own)
        for name, piece in vars(cls).items()
        if callable(piece) and (name == "__init__" or not name.startswith("__"))
    }


def _goes_on(piece: Callable[..., Any]) -> bool:
    """Whether a method calls the one that it replaces: it then has the cell that super() reads."""
    code = getattr(piece, "__code__", None)
    return code is not None and "__class__" in code.co_freevars
