"""From an implementation to records: the one generator behind both faces of the suite."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_conformance import environment
from rnn_conformance.loading import BUILT_IN, as_implementation
from rnn_conformance.pattern import patterns
from rnn_conformance.profiles import ALL_CHECKS, AnyCase, AnyCheck, Profile, profiles_of
from rnn_conformance.records import Outcome, Record, Report
from rnn_conformance.reproduction import call_lines
from rnn_conformance.subject import NotGiven, Violation
from rnn_conformance.vacuity import refuse_vacuous


class Interrupted(KeyboardInterrupt):
    """A run was interrupted from the keyboard; `report` has the records until then."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"after {len(report.records)} checks")
        self.report = report


@dataclass(frozen=True)
class Planned:
    """One check in one case, not yet executed."""

    profile: Profile
    subject: Any
    check: AnyCheck
    case: AnyCase

    @property
    def id(self) -> str:
        return f"{self.check.name}[{self.subject.implementation.name}-{self.case.id}]"

    @property
    def lacking(self) -> frozenset[str]:
        """What the check asks for and the implementation does not claim."""
        claimed = self.profile.claimed(self.subject.implementation)
        return (self.case.features | self.check.needs) - claimed

    @np.errstate(all="ignore")  # of what NumPy would warn or raise, the record tells
    def execute(self) -> Record:
        """Run it. An implementation that fails in whatever way makes a record, not an exception."""
        if self.lacking:
            not_claimed = ", ".join(sorted(self.lacking))
            return self._record("not_claimed", message=f"not claimed: {not_claimed}")
        try:
            judgements = list(self.check.judge(self.subject, self.case))
        except NotGiven as not_given:
            return self._record("not_claimed", message=str(not_given))
        except Violation as violation:
            return self._record("failed", message=str(violation), reproduction=self._again())
        worst = max((judgement.worst()[0] for judgement in judgements), default=None)
        bound = judgements[0].reason if judgements else "exact"
        for judgement in judgements:
            place = judgement.first_outside()
            if place is not None:
                return self._record(
                    "failed",
                    worst_share=worst,
                    bound=judgement.reason,
                    message=judgement.describe(place),
                    first_outside=place,
                    reproduction=judgement.reproduce(place) or self._again(),
                )
        return self._record("passed", worst_share=worst, bound=bound)

    def _again(self) -> str:
        name = self.subject.implementation.name
        loadable = name in BUILT_IN or ":" in name
        return call_lines(name, self.profile.method, self.case, loadable=loadable)

    def _record(self, outcome: Outcome, **fields: Any) -> Record:
        implementation = self.subject.implementation
        record = Record(
            self.id,
            self.check.name,
            tuple(clause for clause in self.check.clauses if self.case.concerns(clause)),
            self.case.id,
            implementation.name,
            outcome,
            **fields,
        )
        return with_known_failures(record, getattr(implementation, "known_failures", {}))


def with_known_failures(record: Record, known: Mapping[str, str]) -> Record:
    """The record, a failure that is known with its reason turned into one, and the reverse.

    Args:
        known: as for `Record.reason_in`. A check that passes all the same fails.
    """
    reason = record.reason_in(known)
    if reason is None or record.outcome == "not_claimed":
        return record
    if record.outcome == "failed":
        return replace(record, outcome="known_failure", message=f"{reason} ({record.message})")
    return replace(record, outcome="failed", message=f"passes, but is known to fail: {reason}")


def plan(
    implementation: Any, *, seed: int = 0, checks: Sequence[str] | None = None
) -> tuple[Planned, ...]:
    """Every check that applies, case by case.

    Args:
        implementation: an `Implementation`, its name, or what `as_implementation` takes.
        checks: names of the checks to run; all where it is None.

    Raises ValueError for an unknown check or a seed that is none, and what `as_implementation`
    raises.
    """
    known = {*ALL_CHECKS}
    if isinstance(checks, str) or (checks is not None and not (checks and {*checks} <= known)):
        raise ValueError(f"checks: expected a selection of {', '.join(ALL_CHECKS)}, got {checks!r}")
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: expected an integer from 0 on, got {seed!r}")
    found = as_implementation(implementation)
    return tuple(
        Planned(profile, subject, check, case)
        for profile in profiles_of(found)
        for subject in [profile.subject(found)]
        for case in profile.catalogue(seed)
        for check in profile.checks.values()
        if check.applies(case) and (checks is None or check.name in checks)
    )


def check(
    implementation: Any,
    *,
    seed: int = 0,
    checks: Sequence[str] | None = None,
    diagnosed: bool = True,
    progress: Callable[[Sequence[Planned]], Iterator[Planned]] = iter,
) -> Report:
    """Judge an implementation and return every record.

    Args:
        implementation, checks: as for `plan`.
        seed: the numbers of the cases are drawn from it.
        diagnosed: whether the cause of failures is searched for, which can take a minute and asks
            the implementation again.
        progress: wraps the planned checks while they are executed.

    Raises what `plan` raises, Vacuous (a ValueError) for a seed that makes a case one that anybody
    could pass, and Interrupted. A failing implementation raises nothing.
    """
    found = as_implementation(implementation)
    planned, name = plan(found, seed=seed, checks=checks), found.name
    for case in dict.fromkeys(item.case for item in planned):
        refuse_vacuous(case)
    records: list[Record] = []

    def report() -> Report:
        found_so_far = patterns(planned, records)
        return Report(name, seed, environment.describe(), tuple(records), patterns=found_so_far)

    try:
        for item in progress(planned):
            records.append(item.execute())
    except KeyboardInterrupt:
        raise Interrupted(replace(report(), complete=False)) from None
    judged = report()
    if not diagnosed or not judged.failures:
        return judged
    from rnn_conformance.diagnosis import diagnose  # it imports every mutant: 0.1 s

    try:
        return replace(judged, diagnoses=diagnose(planned, records))
    except KeyboardInterrupt:  # the records are complete all the same
        return judged
