"""The two profiles: the seed model with its readout, and the whole contract of `torch.nn.RNN`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rnn_conformance.cases import catalogue
from rnn_conformance.checks import CHECKS
from rnn_conformance.judgement import Judgement
from rnn_conformance.layer.cases import layer_catalogue
from rnn_conformance.layer.checks import LAYER_CHECKS
from rnn_conformance.layer.conventions import declared
from rnn_conformance.layer.subject import LayerSubject
from rnn_conformance.subject import Subject


class AnyCase(Protocol):
    """A case of either profile."""

    @property
    def id(self) -> str: ...

    @property
    def features(self) -> frozenset[str]: ...

    @property
    def seed(self) -> int: ...

    def concerns(self, clause: str) -> bool: ...

    def __hash__(self) -> int: ...


class AnyCheck(Protocol):
    """A check of either profile."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def advice(self) -> str: ...

    @property
    def clauses(self) -> tuple[str, ...]: ...

    @property
    def needs(self) -> frozenset[str]: ...

    @property
    def applies(self) -> Callable[[Any, frozenset[str]], bool]: ...

    @property
    def judge(self) -> Callable[[Any, Any], Iterator[Judgement]]: ...


@dataclass(frozen=True)
class Profile:
    """A kind of RNN that can be judged.

    Attributes:
        method: the method by which an implementation takes part.
        subject: makes what asks the implementation, and remembers.
        said: the features that an implementation claims.
        claimed: those, what it gives, and what it follows where practice differs.
        catalogue: all cases for a seed and what is claimed.
    """

    name: str
    method: str
    subject: Callable[[Any], Any]
    said: Callable[[Any], frozenset[str]]
    claimed: Callable[[Any], frozenset[str]]
    catalogue: Callable[[int, frozenset[str]], Sequence[AnyCase]]
    checks: Mapping[str, AnyCheck]


def _core_features(found: Any) -> frozenset[str]:
    """What is claimed, and h_n unless an implementation says that it never gives one."""
    without = getattr(found, "without_h_n", False)
    return _core_claims(found) | frozenset(("h_n",) if not without else ())


def _core_claims(found: Any) -> frozenset[str]:
    features: frozenset[str] = found.claims.features
    return features


CORE = Profile(
    "core",
    "run",
    Subject,
    _core_claims,
    _core_features,
    lambda seed, claimed: catalogue(seed, h_0="h_0" in claimed),
    CHECKS,
)
LAYER = Profile(
    "layer",
    "run_layer",
    LayerSubject,
    lambda found: found.features,
    lambda found: found.features | declared(found),
    layer_catalogue,
    LAYER_CHECKS,
)
ALL_CHECKS: Mapping[str, AnyCheck] = {**CHECKS, **LAYER_CHECKS}


def profiles_of(implementation: object) -> list[Profile]:
    """The profile in which an implementation takes part; that of layers asks all that core asks."""
    return [p for p in (LAYER, CORE) if hasattr(implementation, p.method)][:1]
