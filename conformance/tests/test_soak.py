"""A thousandth of the soak: right layers never raise a false alarm, a wrong one is caught."""

import pytest
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.registry import always
from rnn_conformance.faces import soak
from rnn_conformance.variants.every import MUTANTS
from rnn_conformance.variants.recurrence import Recurrence

from .miniatures import Command

CASES = range(100)
RIGHT = ("torch.nn.RNN", "Packed", "DropoutByKeeping")
ALWAYS = {"shape_and_dtype", "output", "final_state", "inputs_unchanged"}
RELATIONS = {name for name, check in CHECKS.items() if check.among is not always}


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_no_false_alarm(name: str) -> None:
    outcomes = list(soak.soak([soak.layer_named(name)], CASES))
    assert [outcome for outcome in outcomes if outcome.failures] == []
    judged = [outcome for outcome in outcomes if outcome.shares]
    for outcome in judged:
        assert set(outcome.shares) >= ALWAYS
        assert len(set(outcome.shares) & RELATIONS) == 1
        assert ("padding_is_zero" in outcome.shares) == (outcome.case.lengths != "none")
    assert len(judged) > 80
    assert sum(outcome.vacuous for outcome in outcomes) < 10
    assert not any(outcome.vacuous for outcome in judged)


def test_wrong_layers_are_caught() -> None:
    for outcome in soak.soak([MUTANTS["DirectionsExchanged"].make()], CASES):
        wrong = outcome.case.bidirectional and not outcome.vacuous
        assert ("output" in outcome.failures) == wrong, outcome
    kept = soak.soak([MUTANTS["StateOfLastCall"].make()], CASES)
    assert any(outcome.failures for outcome in kept)


def test_a_case_is_drawn_from_its_seed_and_number_alone() -> None:
    first = list(soak.soak([Recurrence()], range(10, 20), seed=3))
    again = list(soak.soak_in_processes(["Recurrence"], range(5, 20), seed=3, processes=2))
    assert first == again[5:]
    assert [outcome.number for outcome in again] == list(range(5, 20))
    other = next(soak.soak([Recurrence()], [10], seed=4))
    assert other.case != first[0].case


def test_command(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    both = ("--implementation", "Recurrence", "--implementation", "Packed")
    status, out, err = command(soak.main, *both, "--cases", 8)
    assert (status, err) == (0, "")
    named = [line.removesuffix(":") for line in out.splitlines() if line.endswith(":")]
    assert named == ["Recurrence", "Packed"]
    assert out.count("\n8 cases in ") == out.count(": 0 failed, 0 not claimed, ") == 2

    monkeypatch.setattr(soak, "layer_named", lambda _: MUTANTS["DirectionsExchanged"].make())
    status, out, err = command(soak.main, "--cases", 8)
    assert (status, err) == (1, "")
    failed = [line for line in out.splitlines() if line.startswith("FAILED case ")]
    assert any("output[DirectionsExchanged-float" in line for line in failed)
    assert all("expected" in line for line in failed)
    number = int(failed[0].split()[2])
    assert failed[0] in command(soak.main, "--start", number, "--cases", 1)[1].splitlines()
