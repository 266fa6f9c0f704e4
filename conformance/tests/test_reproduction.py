"""The lines that repeat a failure, run."""

import subprocess
import sys

import pytest
from rnn_conformance import Record, plan
from rnn_conformance.mutants import MUTANTS


def _first_failure(mutant: str, check: str) -> Record:
    planned = plan(MUTANTS[mutant].make(), checks=[check])
    return next(r for item in planned if (r := item.execute()).outcome == "failed")


@pytest.mark.parametrize(
    ("mutant", "check"),
    [
        ("RecurrentBiasDropped", "hidden_states"),
        ("FinalStateBeforeLastStep", "final_state"),
        ("ReadoutBiasDropped", "outputs"),
        ("StateOfLastCall", "calls_are_independent"),
    ],
)
def test_numpy_alone_repeats_it(mutant: str, check: str) -> None:
    record = _first_failure(mutant, check)
    assert "rnn_conformance" not in record.reproduction
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-c", record.reproduction],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    expected, found, share = map(float, printed)
    assert share > 1
    # The same two numbers as in the message, up to the order of a sum in float64.
    assert f"found {found!r}" in record.message
    said = float(record.message.split("expected ")[1].split(",")[0])
    assert expected == pytest.approx(said, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("mutant", "check"),
    [("OmittedStateIsOnes", "omitted_h_0_is_zeros"), ("Squeezed", "shape_and_dtype")],
)
def test_what_numpy_cannot_repeat_names_the_call(mutant: str, check: str) -> None:
    record = _first_failure(mutant, check)
    assert "case = Case(T=" in record.reproduction
    assert mutant in record.reproduction
    runnable = record.reproduction.replace(
        "as_implementation(...)", f"load('rnn_conformance.mutants.registry:MUTANTS')[{mutant!r}]"
    )
    assert runnable != record.reproduction
