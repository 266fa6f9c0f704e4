"""Programs take part like any implementation, and leave nothing behind."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_conformance import (
    CannotBeJudged,
    Claims,
    Answer,
    Call,
    as_implementation,
    plan,
)
from rnn_conformance.sources.adapters.reference_layer import ReferenceLayer
from rnn_conformance.profiles import profiles_of
from rnn_conformance.sources.program import Refused, program
from rnn_conformance.contract.refusal import Broken
from tests.programs import COPY_ANSWER, SMALL, STATES, Started, judged, running, workplace


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    with workplace(tmp_path) as start:
        yield start


def test_a_program_that_answers_rightly_passes(started: Started) -> None:
    right = started()
    checks = ("shape_and_dtype", "hidden_states", "final_state", "outputs")
    assert [judged(right, check).outcome for check in checks] == ["passed"] * 4


def test_a_refusal_is_told_apart_from_a_crash(started: Started) -> None:
    """To refuse NaN is right, to die of it is not."""
    refuses_nan = """
    if b"\\x00\\x00\\xc0\\x7f" in open(folder + "/call.safetensors", "rb").read():
        {}
        continue
    """
    refusing = started(refuses_nan.format("print('refused: NaN', flush=True)") + COPY_ANSWER)
    dying = started(refuses_nan.format("os.abort()") + COPY_ANSWER)
    assert judged(refusing, "nan_is_kept").outcome == "passed"
    assert judged(dying, "nan_is_kept").message.startswith("ended with signal SIGABRT")
    with pytest.raises(Refused, match=r"^refused: no room$"):
        started("print('refused: no room', flush=True)").run(SMALL.call())


class DyingLayer(ReferenceLayer):
    """Dies where the reference refuses, and of NaN."""

    claims = frozenset({"float32", "time_first", "tanh"})

    def run(self, call: Call) -> Answer:
        try:
            if np.isnan(call.inputs).any():
                raise ValueError
            return super().run(call)
        except ValueError:
            raise Broken("ended with signal SIGABRT") from None


@pytest.mark.parametrize("check", ["wrong_inputs_refused", "nan_is_propagated"])
def test_a_layer_that_dies_of_what_is_wrong_has_not_refused_it(check: str) -> None:
    asked = plan(DyingLayer(), checks=[check])
    record = asked[0].execute()
    assert record.outcome == "failed"
    what = "inputs with a feature too many: " if check == "wrong_inputs_refused" else ""
    assert record.message == f"{what}ended with signal SIGABRT"


DIES_IN_ONE_CASE = """
import json, os, sys
from pathlib import Path
from rnn_conformance.sources.exchange import CALL, TENSORS, call_of, read_tensors, write_tensors
from rnn_conformance.implementations.{module} import {name} as found
for line in sys.stdin:
    folder = Path(line[:-1])
    fields = json.loads((folder / CALL).read_text())
    call = call_of(fields, read_tensors(folder / TENSORS, 10**9))
    if len(call.inputs) == 1:
        os.abort()
    answer = found.run(call) if {core} else found().run(call)
    given = {{name: value for name, value in vars(answer).items() if value is not None}}
    write_tensors(folder / "answer.safetensors", given)
    print("ok", flush=True)
"""


def _reference(tmp_path: Path, *, core: bool) -> list[str]:
    """The command of the reference as a program that dies where there is one step."""
    module, name = ("reference", "BATCH") if core else ("reference_layer", "ReferenceLayer")
    script = DIES_IN_ONE_CASE.format(module=module, name=name, core=core)
    (tmp_path / "reference.py").write_text(script)
    return [sys.executable, str(tmp_path / "reference.py")]


@pytest.mark.parametrize("core", [True, False])
def test_a_crash_in_one_case_harms_no_other(core: bool, tmp_path: Path) -> None:
    claims = () if core else ("time_first", "float32", "tanh", "relu", "bidirectional", "layers")
    found = program(_reference(tmp_path, core=core), features=features)
    assert [profile.name for profile in profiles_of(found)] == ["core" if core else "layer"]
    check = "hidden_states" if core else "output"
    items = plan(found, checks=[check])
    died = [item for item in items if "-T1-" in item.case.id]
    around = [items[0], died[0], items[1], died[1], items[2]]
    records = [item.execute() for item in around]
    assert [r.outcome for r in records] == ["passed", "failed", "passed", "failed", "passed"]
    assert records[1].message.startswith("ended with signal SIGABRT")
    found.close()


def test_a_program_with_features_is_judged_as_a_layer(tmp_path: Path) -> None:
    found = program(["cat"], claims=Claims(dtypes=("float64",)), features={"tanh"})
    assert as_implementation(found) is found
    assert [profile.name for profile in profiles_of(found)] == ["layer"]
    assert found.claims.dtypes == ("float64",)
    assert found.claims == {"tanh"}
    found.close()


def test_calls_from_several_threads_take_turns(started: Started) -> None:
    found, call = started(), SMALL.call()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(found.run, [call] * 32))
    for answer in answers:
        np.testing.assert_array_equal(answer.hidden_states, STATES)


def test_who_never_answers_is_soon_not_asked_any_more(started: Started) -> None:
    silent = started("time.sleep(99)", time_limit=0.1)
    said = [judged(silent, "hidden_states").message for _ in range(4)]
    assert said[:3] == ["gave, and flushed, no line within 0.1 s"] * 3
    assert said[3] == "gave no answer in 3 calls, none ever, and is not asked again"


def test_a_program_ends_when_nothing_refers_to_it(tmp_path: Path) -> None:
    script = tmp_path / "asleep.py"
    script.write_text("import time\nwhile True: time.sleep(1)")
    found = program([sys.executable, "-I", "-S", str(script)])
    assert running(str(script))
    del found
    assert not running(str(script))


def test_a_program_ends_with_the_interpreter(tmp_path: Path) -> None:
    script = tmp_path / "asleep.py"
    script.write_text("import time\nwhile True: time.sleep(1)")
    lines = f"""
        from rnn_conformance.sources.program import program
        kept = program([{sys.executable!r}, "-I", "-S", {str(script)!r}])
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(lines)], check=True)
    assert not running(str(script))


@pytest.mark.parametrize("command", ["/nonexistent/program", ["no-such-program-anywhere"], "/"])
def test_what_cannot_be_started_cannot_bejudged(command: Any) -> None:
    with pytest.raises(CannotBeJudged, match=r"^program '.*': cannot be started: \[Errno"):
        program(command)


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("", {}, "command: expected a program and its arguments, got ''"),
        ([1], {}, r"command: expected a program and its arguments, got \[1\]"),
        ("'unclosed", {}, "command: .*: No closing quotation"),
        ("cat", {"time_limit": 0}, "time_limit: expected seconds above 0, got 0"),
        ("cat", {"features": {"telepathy"}}, "features: expected a selection of .* got"),
        ("cat", {"features": "tanh"}, "features: expected a selection of .* got 'tanh'"),
    ],
)
def test_wrong_arguments_are_named(command: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        program(command, **options)
