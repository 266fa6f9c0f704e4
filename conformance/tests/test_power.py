"""Every wrong layer is rejected by the check that it names."""

from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.records import Trial
from rnn_conformance.contract.call import Implementation
from rnn_conformance.faces.terminal import print_power
from rnn_conformance.run import score
from rnn_conformance.run.score import try_healthy, try_mutant
from rnn_conformance.variants.every import HEALTHY, MUTANTS

# All of them, and every right one, are tried by `rnn-conformance mutants`; one for each check here.
ONE_EACH = {mutant.caught_by: name for name, mutant in reversed(MUTANTS.items())}


@pytest.mark.parametrize("name", ONE_EACH.values())
def test_rejected(name: str, record_property: Callable[[str, object], None]) -> None:
    assert try_mutant(name) == Trial(name, MUTANTS[name].kind, True)
    record_property("wrong implementation rejected", name)


@pytest.mark.parametrize("name", ["Plain", "RecurrentWeightTransposed"])
def test_what_is_right_is_accepted_and_nothing_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> Implementation:
        one = HEALTHY[name]() if name in HEALTHY else MUTANTS[name].make()
        one.claims = frozenset(("float32", "time_first", "tanh"))
        return one

    monkeypatch.setattr(score, "HEALTHY", {"it": made})
    trial = try_healthy("it")
    assert trial.right is (name in HEALTHY)
    assert bool(trial.why) is (name not in HEALTHY)


def test_every_check_has_a_mutant_that_it_must_reject() -> None:
    assert set(ONE_EACH) == set(CHECKS)


def test_what_checks_catch_and_diagnoses_name_is_counted() -> None:
    both, printed = ("output", "readout"), StringIO()
    trials = [
        Trial("A", "cell", True, caught_by=both, named=(("A",),)),
        Trial("B", "cell", True, caught_by=both[:1], named=(("C",), ("B",))),
        Trial("C", "cell", True, named=(("B", "C"),)),
        Trial("D", "cell", True, named=()),
        Trial("E", "healthy", True),
    ]
    print_power(Console(file=printed, width=100), trials)
    lines = printed.getvalue().splitlines()
    counts = {words[0]: words[1:] for line in lines if len(words := line.split()) == 3}
    assert (counts["output"], counts["readout"], counts["threads"]) == (
        ["2", "1"], ["1", "0"], ["0", "0"],
    )  # fmt: skip
    assert lines[-4:] == [
        "diagnosis: 2 of 4 named rightly, 1 of them as the only one; 1 named wrongly",
        "  B: named C, B",
        "  C: named B + C",
        "  D: named nothing",
    ]


def test_the_catalogue_is_as_large_as_promised() -> None:
    assert len(MUTANTS) >= 200
    assert len(HEALTHY) >= 15
