"""What is declared of an implementation: what it does, and which of its failures are known."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rnn_conformance.contract import conventions
from rnn_conformance.contract.call import Implementation, claimed
from rnn_conformance.contract.documents import content_of

LARGEST_FILE = 1_000_000  # bytes
PARTS = (
    "name", "claims", "conventions", "known_failures", "run", "reread", "adapter", "can_crash",
    "assumed", "called", "notes", "code", "readings", "said", "gradients_follow",
)  # fmt: skip
STILL_ASSUMED = {"nothing", "readings", "memory", "gradients"}  # whatever is claimed
OLD_FIELDS = ("layouts", "dtypes", "h_0", "features")  # of version 0.1


@dataclass(frozen=True)
class KnownFailure:
    """Failures that are expected; where one of them passes, that is the failure.

    Attributes:
        check, case: the name of a check and the id of a case, or patterns of them with `*`; a `!`
            before the pattern means all cases but those.
        reason: why they fail.
        link: where more is said of it.
    """

    check: str
    reason: str
    case: str = "*"
    link: str = ""

    def fits(self, check: str, case: str) -> bool:
        if not fnmatchcase(check, self.check):
            return False
        return fnmatchcase(case, self.case.removeprefix("!")) != self.case.startswith("!")

    def __str__(self) -> str:
        return f"{self.reason}; {self.link}" if self.link else self.reason


@dataclass(frozen=True)
class Declaration:
    """What a file says of an implementation; what is None is left as the implementation says.

    Attributes:
        name: under which it is shown.
        claims: what it does, of `FEATURES`.
        conventions: what it follows where practice differs.
        known_failures: instead of those that the implementation has.
    """

    name: str | None = None
    claims: frozenset[str] | None = None
    conventions: Mapping[str, str] | None = None
    known_failures: tuple[KnownFailure, ...] | None = None


def read_declaration(path: str | Path) -> Declaration:
    """The declaration in a TOML file: fields as in `Declaration`, each known failure a table.

    Raises ValueError, with one line that names the file and the field.
    """
    content = content_of(str(path), Path(path), LARGEST_FILE)
    try:
        return _declaration(tomllib.loads(content.decode()))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from error


def _declaration(data: Mapping[str, Any]) -> Declaration:
    if old := [name for name in OLD_FIELDS if name in data]:
        raise ValueError(
            f"{', '.join(old)}: since 0.2.0 all claims are one list, such as "
            'claims = ["time_first", "float32", "tanh", "h_0", "h_n", "readout"]'
        )
    _known_fields("the file", data, Declaration)
    readers: Mapping[str, Callable[[str, Any], Any]] = {
        "name": _text,
        "claims": _claims,
        "conventions": _conventions,
        "known_failures": _known_failures,
    }
    return Declaration(**{name: readers[name](name, value) for name, value in data.items()})


def _text(what: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{what}: expected a text, got {value!r}")
    return value


def _claims(what: str, value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        raise ValueError(f"{what}: expected a list of texts, got {value!r}")
    return claimed(value)


def _conventions(_: str, value: Any) -> Mapping[str, str]:
    conventions.declared(SimpleNamespace(conventions=value))  # refuses what is unknown
    return dict(value)


def _known_failures(what: str, value: Any) -> tuple[KnownFailure, ...]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{what}: expected tables, each under [[{what}]], got {value!r}")
    return tuple(_known_failure(f"{what}[{i}]", item) for i, item in enumerate(value))


def _known_failure(what: str, data: Mapping[str, Any]) -> KnownFailure:
    _known_fields(what, data, KnownFailure)
    if lacking := {"check", "reason"} - data.keys():
        raise ValueError(f"{what}: {', '.join(sorted(lacking))} missing")
    return KnownFailure(**{name: _text(f"{what}.{name}", value) for name, value in data.items()})


def _known_fields(what: str, data: Mapping[str, Any], kind: type[Any]) -> None:
    names = [f.name for f in fields(kind)]
    if unknown := [name for name in data if name not in names]:
        raise ValueError(
            f"{what}: expected some of {', '.join(names)}, got {', '.join(map(repr, unknown))}"
        )


def declared(
    implementation: Implementation,
    declaration: Declaration,
    code: str = "",
    notes: tuple[str, ...] = (),
    assumed: frozenset[str] = frozenset(),
) -> Implementation:
    """The same implementation, with another declaration.

    Args:
        code: the Python expression that gives it, for whoever repeats a failure.
        notes: further notes on what is not asked of it, and why.
        assumed: what of the declared claims is assumed, and may be narrowed further.

    What is read by trying is declared so once more when it is read: it keeps what is `said`.
    """
    found = SimpleNamespace(
        **{part: getattr(implementation, part) for part in PARTS if hasattr(implementation, part)}
    )
    before: frozenset[str] = getattr(implementation, "assumed", frozenset())
    for field in fields(Declaration):
        if (value := getattr(declaration, field.name)) is not None:
            setattr(found, field.name, value)
    if declaration.conventions is not None:
        given = getattr(implementation, "conventions", {})
        found.conventions = {**given, **declaration.conventions}
        found.assumed = before = before - ({"memory"} & declaration.conventions.keys())
    if declaration.claims is not None:
        found.assumed = assumed | (before & STILL_ASSUMED)
    if "readings" in before and not hasattr(found, "said"):
        found.said = declaration
    if code:
        found.code = code
    if notes:
        found.notes = (*getattr(found, "notes", ()), *notes)
    assert isinstance(found, Implementation)
    return found
