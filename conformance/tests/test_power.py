"""Every wrong implementation is rejected, by the check that it names; every right one accepted."""

from collections.abc import Callable

import pytest
from rnn_conformance import check, plan
from rnn_conformance.checks import CHECKS
from rnn_conformance.healthy import HEALTHY
from rnn_conformance.mutants import MUTANTS, Mutant
from rnn_conformance.recurrence import Recurrence


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=list(MUTANTS))
def test_rejected(mutant: Mutant, record_property: Callable[[str, object], None]) -> None:
    planned = plan(mutant.make(), checks=[mutant.caught_by])
    record = next((r for item in planned if (r := item.execute()).outcome == "failed"), None)
    assert record is not None, f"{mutant.caught_by} accepts it: {mutant.sentence}"
    assert record.message
    assert record.reproduction
    record_property("wrong implementation rejected", mutant.name)


@pytest.mark.slow
@pytest.mark.parametrize("healthy", HEALTHY.values(), ids=list(HEALTHY))
def test_accepted(
    healthy: type[Recurrence], record_property: Callable[[str, object], None]
) -> None:
    report = check(healthy())
    assert report.conforms, report.failures[0]
    assert report.executed == len(report.records)
    record_property("healthy implementation accepted", healthy.name)


def test_every_check_has_a_mutant_that_it_must_reject() -> None:
    assert {mutant.caught_by for mutant in MUTANTS.values()} == set(CHECKS)


def test_every_check_is_executed_for_a_healthy_implementation() -> None:
    planned = plan(HEALTHY["Plain"]())
    assert {item.check.name for item in planned} == set(CHECKS)


def test_the_first_catalogue_is_as_large_as_promised() -> None:
    assert len(MUTANTS) >= 25
    assert len(HEALTHY) >= 5
