"""A known bug in a layer that drops out in training."""

from typing import Any

from rnn_conformance.variants.per_call import Dropping
from rnn_conformance.variants.recurrence import Recurrence


def with_dropout(make: type[Any]) -> type[Any]:
    """The same bug in a layer that drops out in training; itself where that cannot be told."""
    if not issubclass(make, Recurrence) or "dropout" in make.claims or vars(make()):
        return make
    try:
        return type(f"{make.__name__}Dropping", (make, Dropping), {})
    except TypeError:  # no order of their bases suits both
        return make


def keeps_something(bug: Any) -> bool:
    """Whether it has kept anything from a call, other than the chance that `with_dropout` adds."""
    added = vars(Dropping()).keys() if type(bug).__bases__[1:] == (Dropping,) else set()
    return bool(vars(bug).keys() - added)
