"""From an implementation to records: the one generator behind both faces of the suite."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_conformance import environment
from rnn_conformance.cases import Case, catalogue
from rnn_conformance.checks import CHECKS, Check
from rnn_conformance.loading import BUILT_IN, as_implementation
from rnn_conformance.protocol import Claims
from rnn_conformance.records import Record, Report
from rnn_conformance.reproduction import call_lines
from rnn_conformance.subject import NotGiven, Subject, Violation


class Interrupted(KeyboardInterrupt):
    """A run was interrupted from the keyboard; `report` has the records until then."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"after {len(report.records)} checks")
        self.report = report


@dataclass(frozen=True)
class Planned:
    """One check in one case, not yet executed."""

    subject: Subject
    check: Check
    case: Case

    @property
    def id(self) -> str:
        return f"{self.check.name}[{self.subject.implementation.name}-{self.case.id}]"

    @np.errstate(all="ignore")  # of what NumPy would warn or raise, the record tells
    def execute(self) -> Record:
        """Run it. An implementation that fails in whatever way makes a record, not an exception."""
        lacking = _lacking(self.subject.implementation.claims, self.check, self.case)
        if lacking:
            return self._record("not_claimed", message=lacking)
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
                    reproduction=judgement.reproduce(place) or self._again(),
                )
        return self._record("passed", worst_share=worst, bound=bound)

    def _again(self) -> str:
        name = self.subject.implementation.name
        return call_lines(name, self.case, loadable=name in BUILT_IN or ":" in name)

    def _record(self, outcome: Any, **fields: Any) -> Record:
        name = self.subject.implementation.name
        return Record(self.id, self.check.name, self.case.id, name, outcome, **fields)


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
    if isinstance(checks, str) or (checks is not None and not (checks and {*checks} <= {*CHECKS})):
        raise ValueError(f"checks: expected a selection of {', '.join(CHECKS)}, got {checks!r}")
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: expected an integer from 0 on, got {seed!r}")
    subject = Subject(as_implementation(implementation))
    return tuple(
        Planned(subject, check, case)
        for case in catalogue(seed)
        for check in CHECKS.values()
        if check.applies(case) and (checks is None or check.name in checks)
    )


def check(
    implementation: Any,
    *,
    seed: int = 0,
    checks: Sequence[str] | None = None,
    progress: Callable[[Sequence[Planned]], Iterator[Planned]] = iter,
) -> Report:
    """Judge an implementation and return every record.

    Args:
        implementation, checks: as for `plan`.
        seed: the numbers of the cases are drawn from it.
        progress: wraps the planned checks while they are executed.

    Raises what `plan` raises, and Interrupted. A failing implementation raises nothing.
    """
    planned = plan(implementation, seed=seed, checks=checks)
    name = planned[0].subject.implementation.name
    records: list[Record] = []
    try:
        for item in progress(planned):
            records.append(item.execute())
    except KeyboardInterrupt:
        report = Report(name, seed, environment.describe(), tuple(records), complete=False)
        raise Interrupted(report) from None
    return Report(name, seed, environment.describe(), tuple(records))


def _lacking(claims: Claims, check: Check, case: Case) -> str:
    """What the implementation would have to claim to be asked this; empty where it claims it."""
    lacking: list[str] = [
        layout for layout in (case.layout, *check.needs) if layout not in claims.layouts
    ]
    lacking += [case.dtype] * (case.dtype not in claims.dtypes)
    return f"not claimed: {', '.join(lacking)}" if lacking else ""
