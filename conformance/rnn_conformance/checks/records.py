"""What came of a check: one record each, and the report that holds them all."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from types import MappingProxyType
from typing import Any, Literal, get_args

from rnn_conformance.bounds.judgement import ErrorMap, Place
from rnn_conformance.checks.findings import Diagnosis

OUTPUT = "output"  # the check of every number of a result
PRECISION, UNSAID = "RNN-PREC-1", 0.1  # the clause of every number, which says least of a cause
FORMAT = 3  # of the JSON of a report; reports/report.schema.json
Outcome = Literal["passed", "failed", "known_failure", "not_claimed"]


@dataclass(frozen=True)
class Record:
    """One check of one implementation in one case.

    Attributes:
        id: such as hidden_states[torch.nn.RNN-float32-T7-B3-I5-H4-h0].
        clauses: the clauses of the specification that the check holds.
        worst_share: the worst error as a share of its bound; None where nothing was compared.
        bound: the reason for the bound, in words.
        outcome: "not_claimed" where it was not asked, since several checks before it hung; what is
            not claimed has no record.
        message: why it failed or was not run; empty where it passed.
        first_outside: the first number outside its bound; None where there is none.
        reproduction: a few lines of Python, NumPy alone where they fit, that repeat the failure.
        error_map: how wrong the result is over steps and units; None where nothing is outside. A
            report keeps that of its first failing record alone.
    """

    id: str
    check: str
    clauses: tuple[str, ...]
    case: str
    implementation: str
    outcome: Outcome
    worst_share: float | None = None
    bound: str = ""
    message: str = ""
    reproduction: str = ""
    first_outside: Place | None = None
    error_map: ErrorMap | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data; what is no finite number is a string such as "inf": JSON has none."""
        place = None if self.first_outside is None else asdict(self.first_outside)
        data = {
            **vars(self),
            "clauses": list(self.clauses),
            "worst_share": _finite_or_text(self.worst_share),
            "first_outside": place and {k: _finite_or_text(v) for k, v in place.items()},
            "error_map": self.error_map
            and {
                "steps": list(self.error_map.steps),
                "units": list(self.error_map.units),
                "shares": [[*map(_finite_or_text, row)] for row in self.error_map.shares],
            },
        }
        return {name: value for name, value in data.items() if name != "error_map" or value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Record":
        """The record that `to_json` was called on."""
        share, place, errors = data["worst_share"], data["first_outside"], data.get("error_map")
        fields = {
            "clauses": tuple(data["clauses"]),
            "worst_share": share if share is None else float(share),
            "first_outside": place and Place.from_json(place),
            "error_map": errors and ErrorMap.from_json(errors),
        }
        return cls(**{**data, **fields})


def _finite_or_text(number: float | None) -> float | str | None:
    return number if number is None or isfinite(number) else str(number)


@dataclass(frozen=True)
class Tally:
    """Some of the records, counted; `unclear`: what fails, but says nothing of this clause."""

    passed: int
    failed: int
    known_failure: int
    not_claimed: int
    worst_share: float | None
    unclear: int = 0

    @property
    def run(self) -> int:
        return self.passed + self.failed + self.known_failure + self.unclear


NOTHING = Tally(0, 0, 0, 0, None)


@dataclass(frozen=True)
class Report:
    """All records of one implementation.

    Attributes:
        environment: name to version or number: what the figures were seen with.
        complete: whether every planned check came to its turn; without it there is no verdict.
        patterns: for a check that failed, what its failing cases have in common and no passing one
            has; empty where nothing separates them.
        in_vain: what is claimed, or known to fail, and no executed check had to do with: without it
            there is no verdict.
        undiagnosed: why causes were looked for in vain; empty where they were not.
        diagnosis: what explains the failures; None where nothing failed, or none was asked for.
        command: the line for a shell that repeats the run; empty where there was none.
        not_claimed: for each check the number of cases that were left out, as the implementation
            does not claim what they ask for; a check without any is not in it.
        notes: what is not asked of the implementation as it stands, and why, in sentences.
    """

    implementation: str
    seed: int
    environment: Mapping[str, str]
    records: tuple[Record, ...] = field(repr=False)
    complete: bool = True
    patterns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    diagnosis: Diagnosis | None = None
    in_vain: tuple[str, ...] = ()
    undiagnosed: str = ""
    command: str = ""
    not_claimed: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.outcome == "failed")

    @property
    def executed(self) -> int:
        return sum(record.outcome != "not_claimed" for record in self.records)

    @property
    def conforms(self) -> bool:
        """Whether there is a verdict, and no check failed unexpectedly."""
        return self.judged and not self.failures

    @property
    def judged(self) -> bool:
        """Whether there is a verdict: the run is complete, and all that is claimed was asked."""
        return self.complete and self.executed > 0 and not self.in_vain

    @property
    def known_defects(self) -> int:
        """How many defects are behind the known failures: told apart by the link to each, or by
        its reason where there is none."""
        known = (record for record in self.records if record.outcome == "known_failure")
        reasons = (record.message.partition(" (")[0] for record in known)  # it stands first there
        return len({reason.rpartition("; ")[2] for reason in reasons})

    @property
    def worst_share(self) -> float | None:
        return _worst(self.records)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "implementation": self.implementation,
            "conforms": self.conforms,
            "complete": self.complete,
            "in_vain": list(self.in_vain),
            "undiagnosed": self.undiagnosed,
            "executed": self.executed,
            "failed": len(self.failures),
            "known_failures": total(self.records).known_failure,
            "worst_share": _worst(r for r in self.records if r.outcome == "passed"),
            "seed": self.seed,
            "patterns": {check: list(found) for check, found in self.patterns.items()},
            "diagnosis": None if self.diagnosis is None else self.diagnosis.to_json(),
            "command": self.command,
            "environment": dict(self.environment),
            "not_claimed": dict(self.not_claimed),
            "notes": list(self.notes),
            "records": [record.to_json() for record in self.records],
        }


def by_check(
    records: Iterable[Record], not_claimed: Mapping[str, int] = MappingProxyType({})
) -> dict[str, Tally]:
    """The records counted by check, in the order in which the checks first occur.

    Args:
        not_claimed: as of a report; its cases are counted too.
    """
    found = _tallies((record.check, record) for record in records)
    for check, left_out in not_claimed.items():
        tally = found.get(check, NOTHING)
        found[check] = replace(tally, not_claimed=tally.not_claimed + left_out)
    return found


def by_clause(records: Iterable[Record]) -> dict[str, Tally]:
    """The records counted by the clauses that their checks hold, in alphabetical order.

    A failure counts for those clauses alone that explain it (`breached`): of the others it says
    nothing.
    """
    every = [*records]
    blamed = breached(every)
    found = _tallies((clause, record) for record in every for clause in record.clauses)
    return {
        clause: t if clause in blamed else replace(t, failed=0, unclear=t.failed)
        for clause, t in sorted(found.items())
    }


def breached(records: Sequence[Record]) -> frozenset[str]:
    """A few clauses that explain all failures, those first of which most of what was asked fails.

    What fails in a case whose output is wrong may fail for that alone, and so may everything where
    most outputs are wrong: then the clauses of the output explain it too.
    """
    failed = [record for record in records if record.outcome == "failed"]
    wrong = {r.case: frozenset(r.clauses) for r in failed if r.check == OUTPUT}
    most = 2 * len(wrong) > sum(r.check == OUTPUT for r in records)
    anywhere = frozenset[str]().union(*wrong.values()) if most else frozenset()
    left = Counter(frozenset(r.clauses) | wrong.get(r.case, anywhere) for r in failed)
    tallies = _tallies((clause, record) for record in records for clause in record.clauses)
    worth = {
        clause: (tally.failed / max(tally.run, 1)) ** 2 * (UNSAID if clause == PRECISION else 1)
        for clause, tally in tallies.items()
    }
    found = frozenset[str]()
    while left:
        gains = Counter[str]()
        for clauses, count in left.items():
            gains.update(dict.fromkeys(clauses, count))
        best = max(sorted(gains), key=lambda clause: gains[clause] * worth[clause])
        found |= {best}
        left = Counter({clauses: n for clauses, n in left.items() if best not in clauses})
    return found


def total(records: Sequence[Record]) -> Tally:
    """All of the records counted."""
    outcomes = [record.outcome for record in records]
    passed, failed, known_failure, not_claimed = map(outcomes.count, get_args(Outcome))
    return Tally(passed, failed, known_failure, not_claimed, _worst(records))


def _tallies(keyed: Iterable[tuple[str, Record]]) -> dict[str, Tally]:
    groups: dict[str, list[Record]] = {}
    for key, record in keyed:
        groups.setdefault(key, []).append(record)
    return {key: total(group) for key, group in groups.items()}


def _worst(records: Iterable[Record]) -> float | None:
    shares = [record.worst_share for record in records if record.worst_share is not None]
    return max(shares, default=None)


@dataclass(frozen=True)
class Trial:
    """What came of one mutant or one healthy implementation.

    Attributes:
        kind: the class of bug; "healthy" for a right implementation.
        right: a mutant was rejected by the check that must catch it, a healthy one accepted by all.
        why: the sentence of a mutant that was missed, or the failure of a healthy one.
        caught_by: every check that rejects it; empty where only the one was tried.
        named: what a diagnosis names, each an explanation by one mutant or two; None where it was
            not diagnosed.
    """

    name: str
    kind: str
    right: bool
    why: str = ""
    caught_by: tuple[str, ...] = ()
    named: tuple[tuple[str, ...], ...] | None = None

    @property
    def named_rightly(self) -> bool:
        """Whether it is among what the diagnosis cannot tell apart."""
        return (self.name,) in (self.named or ())
