"""The checks as pytest sees them: parameters, one test each, and records out of its reports."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from rnn_conformance import explaining
from rnn_conformance.findings import Diagnosis
from rnn_conformance.isolation import Elsewhere, Isolation, Workers
from rnn_conformance.loading import CannotBeJudged, as_implementation
from rnn_conformance.records import Record
from rnn_conformance.run import Planned, plan
from rnn_conformance.smoke import smoke
from rnn_conformance.source import Source
from rnn_conformance.terminal import describe
from rnn_conformance.verdict import How, as_marked, source_of

PROPERTY = "rnn_conformance"


@dataclass(frozen=True)
class NoVerdict:
    """What stands for all checks of an implementation whose simplest call fails already."""

    why: str


def parameters(implementation: Any, *, seed: int = 0) -> list[Any]:
    """Every planned check as a `pytest.param`, under its id; one that fails where smoke shows.

    Raises what `plan` raises.
    """
    found = as_implementation(implementation)
    try:
        found = smoke(found)
    except CannotBeJudged as error:
        return [_no_verdict(found.name, error)]
    return [pytest.param(planned, id=planned.id) for planned in plan(found, seed=seed)]


def isolated(source: Source, isolation: Isolation, *, seed: int = 0) -> list[Any]:
    """The same, executed in child processes, which end where these are no more."""
    try:
        planned = Workers(source, isolation, seed=seed).planned
    except CannotBeJudged as error:
        return [_no_verdict(source.name, error)]
    return [pytest.param(item, id=item.id) for item in planned]


def _no_verdict(name: str, error: CannotBeJudged) -> Any:
    return pytest.param(NoVerdict(str(error)), id=f"smoke[{name}]")


def pytest_checks(
    implementation: Any, *, seed: int = 0, isolation: How = "as marked"
) -> Callable[..., None]:
    """All checks of an implementation as one test function, for a test module of any project.

        test_my_rnn = rnn_conformance.pytest_checks(my_rnn)

    Args:
        implementation, seed: as for `rnn_conformance.plan`; with isolation, a name or a `Source`.
        isolation: as for `rnn_conformance.check`.

    Raises what `plan` raises.
    """
    found, how = as_marked(implementation, isolation)
    asked = isolated(source_of(found), how, seed=seed) if how else parameters(found, seed=seed)

    @pytest.mark.parametrize("rnn_planned", asked)
    def test_conforms(rnn_planned: Planned | NoVerdict, request: pytest.FixtureRequest) -> None:
        judge(rnn_planned, request.node.user_properties)

    return test_conforms


def judge(planned: Planned | NoVerdict, properties: list[tuple[str, object]]) -> None:
    """Execute one check as a test: it passes, fails with the text of the record, or is skipped.

    Args:
        properties: of the test, which get the record as JSON. (The fixture record_property would
            warn of it in a report of JUnit's.)

    Raises Vacuous where the case is one that anybody could pass.
    """
    if isinstance(planned, NoVerdict):
        pytest.fail(planned.why, pytrace=False)
    record = planned.execute()
    properties.append((PROPERTY, json.dumps(record.to_json())))
    if record.outcome == "not_claimed":
        pytest.skip(record.message)
    if record.outcome == "known_failure":
        pytest.xfail(record.message)
    if record.outcome == "failed":
        pytest.fail(describe(record), pytrace=False)


def records_of(stats: Mapping[str, Iterable[Any]]) -> list[Record]:
    """The records behind the reports of a session, from pytest-xdist's workers too."""
    return [
        Record.from_json(json.loads(value))
        for reports in stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]


def diagnoses(planned: Iterable[Planned], records: Iterable[Record]) -> tuple[Diagnosis, ...]:
    """Why checks fail, from the records of a session in whatever order; none where none fails."""
    items, found = explaining.matched(planned, records)
    if items and isinstance(items[0], Elsewhere):
        failed = any(record.outcome == "failed" for record in found)
        return items[0].workers.explained(found, True)[0] if failed else ()
    return explaining.diagnoses(items, found)
