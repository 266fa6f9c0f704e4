"""The checks as pytest sees them: parameters, one test each, and what is told at the end."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from rnn_conformance.checks.findings import Diagnosis
from rnn_conformance.checks.plan import Asked, Planned, asked_of
from rnn_conformance.checks.records import Record
from rnn_conformance.contract.refusal import CannotBeJudged
from rnn_conformance.explain.explaining import diagnosis_of
from rnn_conformance.faces.terminal import circumstances, describe, explanation, table
from rnn_conformance.plugin import PARAMETER, PROPERTY
from rnn_conformance.run import environment
from rnn_conformance.run.isolation import Isolation, RemoteCheck, Workers
from rnn_conformance.run.smoke import smoke
from rnn_conformance.run.verdict import How, as_marked, can_crash, in_vain, notes_on, source_of
from rnn_conformance.sources.loading import as_implementation
from rnn_conformance.sources.source import Source

DEFAULT = Source("torch.nn.RNN")
IN_VAIN = "no check of the implementation was executed (they are in --pyargs rnn_conformance)"


@dataclass(frozen=True)
class NoVerdict:
    """What stands for all checks of an implementation of which there is nothing to ask."""

    id: str
    why: str


def asked_here(implementation: Any, seed: int) -> Asked | NoVerdict:
    """What an implementation is asked in this process. Raises what `plan` raises."""
    found = as_implementation(implementation)
    try:
        return asked_of(smoke(found), seed=seed)
    except CannotBeJudged as error:
        return NoVerdict(f"smoke[{found.name}]", str(error))


def asked_elsewhere(source: Source, isolation: Isolation, seed: int) -> Asked | NoVerdict:
    """The same, executed in child processes, which end where these are no more."""
    try:
        return Workers(source, isolation, seed=seed).asked
    except CannotBeJudged as error:
        return NoVerdict(f"smoke[{source.name}]", str(error))


def parameters(asked: Asked | NoVerdict) -> list[Any]:
    """Every planned check as a `pytest.param` under its id; one that fails where there is none."""
    items = [asked] if isinstance(asked, NoVerdict) else asked.planned
    return [pytest.param(item, id=item.id) for item in items]


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
    asked = asked_elsewhere(source_of(found), how, seed) if how else asked_here(found, seed)

    @pytest.mark.parametrize(PARAMETER, parameters(asked))
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


def diagnosed(planned: list[Planned], records: list[Record]) -> Diagnosis | None:
    """Why checks fail, asked where they were executed."""
    if planned and isinstance(planned[0], RemoteCheck):
        return planned[0].workers.diagnosis(records)
    return diagnosis_of(planned, records)


class Face:
    """One run of pytest: what its options ask for, and what it tells.

    Where workers of pytest-xdist collect, the process that tells knows only what an option names.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._options, self._seed = config.option, config.getoption("rnn_seed")
        self._asked: dict[Source, Asked | NoVerdict] = {}
        self._added: list[Planned] = []
        self._workers: list[Workers] = []
        o = self._options
        named = [Source(name, o.rnn_like, o.rnn_claims) for name in o.rnn_implementation or ()]
        named += [
            Source(command, "", o.rnn_claims, program=True, time_limit=o.rnn_time_limit)
            for command in o.rnn_exec or ()
        ]
        self._named = list(dict.fromkeys(named))

    def load(self) -> None:
        """Load what options name. Raises UsageError."""
        for source in self._named:
            try:
                self._ask(source)
            except (CannotBeJudged, ValueError) as error:
                raise pytest.UsageError(str(error)) from error

    def end(self) -> None:
        """End all processes."""
        for workers in self._workers:
            workers.end()

    def header(self) -> str:
        """What is judged, with what."""
        return f"{self._circumstances()}; judging {', '.join(s.name for s in self._named)}"

    def default_parameters(self) -> list[Any]:
        """Of what options name, else of torch.nn.RNN. Raises CollectError."""
        try:
            asked = [self._ask(source) for source in self._named or [DEFAULT]]
        except CannotBeJudged as error:
            raise pytest.Collector.CollectError(str(error)) from error
        return [parameter for some in asked for parameter in parameters(some)]

    def add(self, checks: Iterable[Planned | NoVerdict]) -> None:
        """Checks of test files."""
        self._added += [check for check in checks if isinstance(check, Planned)]

    def errors(self, records: Iterable[Record]) -> list[str]:
        """Why there is no verdict, whatever the tests have shown."""
        by_id = {record.id: record for record in records}
        found = []
        if all(record.outcome == "not_claimed" for record in by_id.values()):
            found.append(IN_VAIN)
        for asked in (self._asked.get(source) for source in self._named):
            if isinstance(asked, Asked) and all(item.id in by_id for item in asked.planned):
                own = [by_id[item.id] for item in asked.planned]
                found += [f"declared, but never asked for: {one}" for one in in_vain(asked, own)]
        return found

    def summary(self, reporter: Any, records: list[Record]) -> None:
        """Write a table and the diagnosis for each implementation, then the errors."""
        for name in dict.fromkeys(record.implementation for record in records):
            own = [record for record in records if record.implementation == name]
            reporter.section(f"rnn-conformance: {name}")
            reporter.write_line(self._circumstances())
            planned = self._planned(name)
            for note in notes_on(planned[0].subject.implementation) if planned else ():
                reporter.write_line(f"note: {note}")
            console = Console(
                width=max(reporter._tw.fullwidth, 80), force_terminal=reporter.hasmarkup
            )
            with console.capture() as text:
                console.print(table(own))
            reporter.write(text.get())
            found = diagnosed(planned, own) if self._options.rnn_diagnosis else None
            if found is not None:
                reporter.write_line(f"{explanation(found)}\n")
        if errors := self.errors(records):
            reporter.section("rnn-conformance")
            for error in errors:
                reporter.write_line(f"ERROR: {error}", red=True)

    def _circumstances(self) -> str:
        return circumstances(environment.describe(), self._seed)

    def _ask(self, source: Source) -> Asked | NoVerdict:
        if source not in self._asked:
            chosen, limit = self._options.rnn_isolated, self._options.rnn_time_limit
            isolated = chosen and not source.program
            found = None if isolated else source.implementation()
            if isolated or (chosen is None and can_crash(found)):
                workers = Workers(source, Isolation(time_limit=limit), seed=self._seed)
                self._workers.append(workers)
                self._asked[source] = workers.asked
            else:
                self._asked[source] = asked_here(found, self._seed)
        return self._asked[source]

    def _planned(self, name: str) -> list[Planned]:
        """The planned checks of an implementation, each once."""
        of_options = [a.planned for a in self._asked.values() if isinstance(a, Asked)]
        known = [item for planned in (*of_options, self._added) for item in planned]
        items = {item.id: item for item in known}
        return [item for item in items.values() if item.subject.implementation.name == name]
