"""The lines that repeat a failure, run."""

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from rnn_conformance import Record, Source, load, plan
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.cell import RecurrentBiasDropped
from rnn_conformance.variants.wrong.readout import ReadoutBiasDropped
from rnn_conformance.variants.wrong.state import StateClippedToOne

WRONG, MEMORY = "rnn_conformance.variants.wrong", "memory_layouts"


def _first_failure(implementation: Any, check: str) -> Record:
    records = (item.execute() for item in plan(implementation, checks=[check]))
    return next(record for record in records if record.outcome == "failed")


def _printed(record: Record) -> str:
    command = [sys.executable, "-W", "error", "-c", record.reproduction]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("wrong", "check", "bias", "formula"),
    [
        (RecurrentBiasDropped, "output", "b_hh", "np.tanh(W_ih @ x"),
        (StateClippedToOne, "output", "b_hh", "np.maximum(W_ih @ x"),
        (ReadoutBiasDropped, "readout", "b_ho", "W_ho @ h + b_ho"),
    ],
)
def test_numpy_alone_repeats_it(
    wrong: type[Recurrence], check: str, bias: str, formula: str
) -> None:
    record = _first_failure(wrong(), check)
    assert formula in record.reproduction
    assert re.search(rf"^{bias} = -?[\d.e-]+$", record.reproduction, re.MULTILINE)
    assert "rnn_conformance" not in record.reproduction
    expected, found, share = map(float, _printed(record).split())
    assert share > 1
    # The same two numbers as in the message, up to the order of a sum in float64.
    assert f"found {found!r}" in record.message
    said = float(record.message.split("expected ")[1].split(",")[0])
    assert expected == pytest.approx(said, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (f"{WRONG}.state:FinalStateBeforeLastStep", "final_state"),
        (f"{WRONG}.state:OmittedStateIsOnes", "omitted_h_0_is_zeros"),
        (f"{WRONG}.layout:Squeezed", "shape_and_dtype"),
    ],
)
def test_what_numpy_cannot_repeat_asks_again(wrong: str, check: str) -> None:
    record = _first_failure(Source(wrong).implementation(), check)
    assert "case = Case(T=" in record.reproduction
    assert _printed(record).strip() == record.message
    unnamed = _first_failure(load(wrong), check)
    assert "as_implementation(...)  # what was judged as" in unnamed.reproduction


def test_what_depends_on_memory_is_asked_with_that_memory() -> None:
    record = _first_failure(
        Source(f"{WRONG}.memory:NegativeStridesIgnored").implementation(), MEMORY
    )
    call = "changed(case.call(), backwards)"
    assert call in record.reproduction
    assert "from backwards memory" in record.message
    usual = replace(record, reproduction=record.reproduction.replace(call, "case.call()"))
    assert _printed(record) != _printed(usual)

    refusing = Source(f"{WRONG}.memory:InputsScaledAndScaledBack").implementation()
    refused = _first_failure(refusing, MEMORY)
    assert "changed(case.call(), read_only)" in refused.reproduction
    with pytest.raises(subprocess.CalledProcessError) as ended:
        _printed(refused)
    assert "read-only" in ended.value.stderr
