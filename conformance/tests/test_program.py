"""Programs take part like any implementation, and leave nothing behind."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_conformance import BASIC, CannotBeJudged, as_implementation, plan
from rnn_conformance.contract.call import GATED, HALF_DTYPES, NONLINEARITIES
from rnn_conformance.contract.refusal import Broken
from rnn_conformance.run.smoke import smoke
from rnn_conformance.run.verdict import notes_on
from rnn_conformance.sources.exchange import write_tensors
from rnn_conformance.sources.program import Program, Refused
from rnn_conformance.variants.recurrence import Recurrence

from .miniatures import Raising
from .programs import COPY_ANSWER, SMALL, STATES, Started, judged, running


def test_a_refusal_is_told_apart_from_a_crash(started: Started) -> None:
    """To refuse NaN is right, to die of it is not."""
    refuses_nan = """
    if b"\\x00\\x00\\xc0\\x7f" in open(folder + "/call.safetensors", "rb").read():
        {}
        continue
    """
    refusing = started(refuses_nan.format("print('refused: NaN', flush=True)") + COPY_ANSWER)
    dying = started(refuses_nan.format("os.abort()") + COPY_ANSWER)
    assert judged(refusing, "nan_is_propagated").outcome == "passed"
    assert judged(dying, "nan_is_propagated").message.startswith("ended with signal SIGABRT")
    with pytest.raises(Refused, match=r"^refused: no room$"):
        started("print('refused: no room', flush=True)").run(SMALL.call())


def test_a_layer_that_dies_of_wrong_sizes_has_not_refused_them() -> None:
    items = plan(Raising(Broken("ended with signal SIGABRT")), checks=["wrong_inputs_refused"])
    record = items[0].execute()
    assert record.outcome == "failed"
    assert record.message == "inputs with a feature too many: ended with signal SIGABRT"


def test_what_a_program_leaves_out_is_not_claimed_unless_it_said_so(
    started: Started, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    write_tensors(bare, {"output": np.zeros((2, 3, 5), "f")})  # of the size that is asked first
    found = smoke(started(answer=bare))
    assert found.claims == BASIC - {"h_n", "readout"}
    assert notes_on(found) == ("h_n is not given, so not judged", "y is not given, so not judged")
    claiming = smoke(started(answer=bare, claims=BASIC))
    assert (claiming.claims, notes_on(claiming)) == (BASIC, ())


def test_a_program_claims_what_it_is_told() -> None:
    found = Program(["cat"], claims={"float64", "time_first", "tanh"})
    assert as_implementation(found) is found
    assert found.claims == {"float64", "time_first", "tanh"}
    assert (found.conventions, Program(["cat"]).conventions["T = 0"]) == ({}, "undefined")
    found.close()


ANSWERING = """
import json, sys
from pathlib import Path
from rnn_conformance.sources import exchange
from rnn_conformance.variants.recurrence import Recurrence
for line in sys.stdin:
    folder = Path(line[:-1])
    fields = json.loads((folder / exchange.CALL).read_text())
    call = exchange.call_of(fields, exchange.read_tensors(folder / exchange.TENSORS, 10**6))
    parts = exchange.answered(Recurrence().run(call))
    exchange.write_tensors(folder / exchange.ANSWER, {name: part for name, part in parts.items()})
    print("ok", flush=True)
"""


@pytest.mark.parametrize("cell", GATED)
def test_a_program_is_judged_by_the_cell_that_it_claims(cell: str) -> None:
    claims = Recurrence.claims - {*NONLINEARITIES, *HALF_DTYPES} | {cell}
    wrong = ANSWERING.replace("name: part for", "name: -part if name[1:] == '_n' else part for")
    assert wrong != ANSWERING
    for text, outcome in ((ANSWERING, "passed"), (wrong, "failed")):
        found = Program([sys.executable, "-c", text], claims=claims)
        items = [
            item
            for item in plan(found, checks=["final_state"])
            if item.case.T * item.case.B < 30 and item.case.h_0 == "nonzero"
        ]
        assert {item.case.cell for item in items} == {cell}
        assert {item.execute().outcome for item in items[::9]} == {outcome}
        found.close()


def test_calls_from_several_threads_take_turns(started: Started) -> None:
    found, call = started(), SMALL.call()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(found.run, [call] * 32))
    for answer in answers:
        np.testing.assert_array_equal(answer.output, STATES)


def test_who_never_answers_is_soon_not_asked_any_more(started: Started) -> None:
    silent = started("time.sleep(99)", time_limit=0.1)
    said = [judged(silent, "output").message for _ in range(4)]
    assert said[:3] == ["gave, and flushed, no line within 0.1 s"] * 3
    assert said[3] == "gave no answer in 3 calls, none ever, and is not asked again"


def test_a_program_ends_when_nothing_refers_to_it_and_with_the_interpreter(tmp_path: Path) -> None:
    script = tmp_path / "asleep.py"
    script.write_text("import time\nwhile True: time.sleep(1)")
    command = [sys.executable, "-I", "-S", str(script)]
    found = Program(command)
    assert running(str(script))
    del found
    assert not running(str(script))
    code = f"from rnn_conformance.sources.program import Program\nkept = Program({command!r})"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert not running(str(script))


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("/nonexistent/program", {}, r"^program '.*': cannot be started: \[Errno"),
        ("", {}, "command: expected a program and its arguments, got ''"),
        ("cat", {"time_limit": 0}, "time_limit: expected seconds above 0, got 0"),
        ("cat", {"claims": {"tanh"}}, "claims: expected a layout, of single, .* got tanh"),
    ],
)
def test_what_cannot_be_started_and_wrong_arguments_are_named(
    command: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises((CannotBeJudged, ValueError), match=said):
        Program(command, **options)
