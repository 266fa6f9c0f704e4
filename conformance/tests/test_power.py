"""Every wrong layer is rejected by the check that it names; every right one accepted by all."""

from collections.abc import Callable

import pytest
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.records import Trial
from rnn_conformance.run.score import try_healthy, try_mutant
from rnn_conformance.variants.every import HEALTHY, MUTANTS

# All of them are tried by `rnn-conformance mutants`, which CI runs; here, one for each check.
ONE_EACH = {mutant.caught_by: name for name, mutant in reversed(MUTANTS.items())}
SOME = ("Plain", "Packed", "DropoutByKeeping")


@pytest.mark.parametrize("name", ONE_EACH.values())
def test_rejected(name: str, record_property: Callable[[str, object], None]) -> None:
    assert try_mutant(name) == Trial(name, MUTANTS[name].kind, True)
    record_property("wrong implementation rejected", name)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOME)
def test_accepted(name: str, record_property: Callable[[str, object], None]) -> None:
    assert try_healthy(name) == Trial(name, "healthy", True)
    record_property("healthy implementation accepted", name)


def test_every_check_has_a_mutant_that_it_must_reject() -> None:
    assert set(ONE_EACH) == set(CHECKS)


def test_the_catalogue_is_as_large_as_promised() -> None:
    assert len(MUTANTS) >= 200
    assert len(HEALTHY) >= 15
