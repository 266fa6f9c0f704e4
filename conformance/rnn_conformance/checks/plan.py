"""From an implementation to planned checks, each of which makes a record."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from rnn_conformance.bounds.reproduction import asking_lines
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.catalogue import DEFAULT_SEED, catalogue
from rnn_conformance.cases.vacuity import refuse_vacuous
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.records import Outcome, Record
from rnn_conformance.checks.registry import Check
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import Implementation
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.contract.refusal import Violation
from rnn_conformance.sources.adapters.catalogue import CATALOGUE
from rnn_conformance.sources.loading import as_implementation

STEPS = 100  # of a layer, which take about as long as the rest of a check


@dataclass(frozen=True)
class Planned:
    """One check in one case, not yet executed."""

    subject: Subject
    check: Check
    case: Case

    @property
    def id(self) -> str:
        return f"{self.check.name}[{self.subject.implementation.name}-{self.case.id}]"

    @property
    def lacking(self) -> frozenset[str]:
        """What the check asks for and the implementation does not claim."""
        return (self.case.features | self.check.needs) - self.subject.claimed

    @np.errstate(all="ignore")  # of what NumPy would warn or raise, the record tells
    def execute(self) -> Record:
        """Run it. An implementation that fails in whatever way makes a record, not an exception.

        Raises Vacuous where the case is one that anybody could pass.
        """
        if lacking := self.lacking:
            return self._record("not_claimed", message=f"not claimed: {', '.join(sorted(lacking))}")
        if self.case.seed != DEFAULT_SEED:  # of which a test shows that no case is vacuous
            refuse_vacuous(self.case)
        try:
            judgements = list(self.check.judge(self.subject, self.case))
        except Violation as violation:
            call = violation.call or ("case.call()" if self._fails_at_once() else "")
            return self.failed(str(violation), call)
        shares = [float(judgement.shares().max()) for judgement in judgements]
        worst = max(shares, default=None)
        bound = judgements[0].reason if judgements else "exact"
        for judgement, share in zip(judgements, shares, strict=True):
            if share > 1 and (place := judgement.first_outside()) is not None:
                return self._record(
                    "failed",
                    worst_share=worst,
                    bound=judgement.reason,
                    message=judgement.describe(place),
                    first_outside=place,
                    error_map=judgement.error_map(),
                    reproduction=judgement.reproduce(place) or self._again(judgement.call),
                )
        return self._record("passed", worst_share=worst, bound=bound)

    def not_asked(self, why: str) -> Record:
        """The record of a check that is left out, though what it asks for is claimed."""
        return self._record("not_claimed", message=why)

    def failed(self, why: str, call: str = "") -> Record:
        """The record of a check in which there was nothing to compare."""
        return self._record("failed", message=why, reproduction=self._again(call))

    def _fails_at_once(self) -> bool:
        """Whether the call of the case alone shows it, with a traceback."""
        try:
            self.subject.first(self.case)
        except Violation:
            return True
        return False

    def _again(self, call: str) -> str:
        implementation = self.subject.implementation
        name = implementation.name
        usual = f"load({name!r})" if name in CATALOGUE or ":" in name else ""
        code = getattr(implementation, "code", usual)
        return asking_lines(name, code, self.check.name, self.case, call)

    def _record(self, outcome: Outcome, message: str = "", **fields: Any) -> Record:
        implementation = self.subject.implementation
        record = Record(
            self.id,
            self.check.name,
            self.check.holds(self.case),
            self.case.id,
            implementation.name,
            outcome,
            message=in_words_of(implementation, message),
            **fields,
        )
        return with_known_failures(record, known_failures(implementation))


def repeat(implementation: Implementation, check: str, case: Case) -> Record:
    """One check, by its name, in one case. Raises ValueError for an unknown check."""
    refuse_wrong(case.seed, [check])
    return Planned(Subject(implementation), CHECKS[check], case).execute()


def in_words_of(implementation: object, message: str) -> str:
    """The message with the names that the implementation has for weights and results."""
    if not message:
        return ""
    called: Mapping[str, str] = getattr(implementation, "called", {})
    for name, theirs in called.items():
        anywhere = name not in ("output", "y")  # which are words of sentences too
        message = re.sub(rf"{'' if anywhere else '^'}\b{name}\b", theirs, message)
    return message


def with_known_failures(record: Record, known: Sequence[KnownFailure]) -> Record:
    """The record, a failure that is known turned into one, and one that passes all the same."""
    fitting = next((some for some in known if some.fits(record.check, record.case)), None)
    if fitting is None or record.outcome == "not_claimed":
        return record
    if record.outcome == "failed":
        return replace(record, outcome="known_failure", message=f"{fitting} ({record.message})")
    return replace(record, outcome="failed", message=f"passes, but is known to fail: {fitting}")


def known_failures(implementation: object) -> Sequence[KnownFailure]:
    """The failures that an implementation, or a declaration of it, says to be known."""
    known: Sequence[KnownFailure] = getattr(implementation, "known_failures", ())
    return known


def refuse_wrong(seed: int, checks: Sequence[str] | None) -> None:
    """Raises ValueError for an unknown check or a seed that is none."""
    known = {*CHECKS}
    if isinstance(checks, str) or (checks is not None and not (checks and {*checks} <= known)):
        raise ValueError(f"checks: expected a selection of {', '.join(CHECKS)}, got {checks!r}")
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: expected an integer from 0 on, got {seed!r}")


def plan(
    implementation: Any, *, seed: int = 0, checks: Sequence[str] | None = None
) -> tuple[Planned, ...]:
    """Every check that applies and asks for nothing but what is claimed, case by case.

    Args:
        implementation: an `Implementation`, its name, or what `as_implementation` takes.
        checks: names of the checks to run; all where it is None.

    Raises ValueError for an unknown check or a seed that is none, and what `as_implementation`
    raises.
    """
    return asked_of(implementation, seed=seed, checks=checks).planned


def shares(planned: Sequence[Planned], processes: int) -> tuple[int, ...]:
    """Which of so many processes each check is executed in: each gets as much work as others.

    Cases that differ in layout alone share numbers, and so what is expected of them.
    """
    work = Counter[Case]()
    for item in planned:
        work[item.case.in_one_order] += STEPS + item.case.T * item.case.L
    given, of = [0] * processes, {}
    for case, steps in work.items():
        of[case] = given.index(min(given))
        given[of[case]] += steps
    return tuple(of[item.case.in_one_order] for item in planned)


@dataclass(frozen=True)
class Asked:
    """What an implementation is asked.

    Attributes:
        not_claimed: for each check the number of cases that ask for more than is claimed, and are
            left out for that.
    """

    implementation: Implementation
    planned: tuple[Planned, ...]
    not_claimed: Mapping[str, int]


def asked_of(implementation: Any, *, seed: int = 0, checks: Sequence[str] | None = None) -> Asked:
    """As `plan`, with what is left out."""
    refuse_wrong(seed, checks)
    found = as_implementation(implementation)
    subject = Subject(found)
    asked, not_claimed = _selected(seed, subject.claimed)
    chosen = [*CHECKS] if checks is None else checks
    planned = tuple(Planned(subject, check, case) for check, case in asked if check.name in chosen)
    return Asked(found, planned, {name: n for name, n in not_claimed.items() if name in chosen})


@lru_cache(maxsize=8)
def _selected(
    seed: int, claimed: frozenset[str]
) -> tuple[Sequence[tuple[Check, Case]], Mapping[str, int]]:
    """The checks and cases for what is claimed, and how many cases of each check ask for more."""
    asked: list[tuple[Check, Case]] = []
    not_claimed = Counter[str]()
    for case in catalogue(seed, claimed):
        features = case.features
        for check in CHECKS.values():
            if not check.asked(case, claimed):
                continue
            if features | check.needs <= claimed:
                asked.append((check, case))
            else:
                not_claimed[check.name] += 1
    return asked, not_claimed
