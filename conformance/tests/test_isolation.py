"""Child processes: what ends, hangs or floods one of them is one failed check, and no more."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from rnn_conformance import CannotBeJudged, Isolation, Source, check, load
from rnn_conformance.checks.plan import plan
from rnn_conformance.faces.terminal import verdict
from rnn_conformance.run.isolation import MOST_SILENCES, Workers
from rnn_conformance.run.verdict import as_marked, can_crash
from rnn_conformance.sources.adapters.catalogue import CATALOGUE
from rnn_conformance.variants.every import known_bugs

BATCH = "rnn_reference.BatchRNN"
MUTANT = "rnn_conformance.variants.wrong.cell:RecurrentBiasDropped"
CHECK = ["omitted_h_0_is_zeros"]  # in eight cases of what claims BASIC; four of them have a readout
HOSTILE = """
import os, signal, sys, time
from rnn_conformance import BASIC
from rnn_conformance.variants.recurrence import Recurrence

class Hostile(Recurrence):
    name, claims, can_crash = "Hostile", BASIC, {marked}
    def run(self, call):
        if len(call.inputs) == 7 and call.options.output_size:
            {what}
        return super().run(call)
"""
SLOW_IN_ONE = """
import pathlib, time
from rnn_conformance import BASIC
from rnn_conformance.variants.recurrence import Recurrence

class Slow(Recurrence):
    name, claims = "Slow", BASIC
    def __init__(self):
        try:
            pathlib.Path(__file__).with_name("first").touch(exist_ok=False)
            self.known = set()
        except FileExistsError:
            self.known = None
    def run(self, call):
        if self.known is not None and call.inputs.shape not in self.known:
            time.sleep(0.06)
            self.known.add(call.inputs.shape)
        return super().run(call)
"""
FUNCTION = """
def rnn(weights, inputs, h_0):
    return {"hidden_states": inputs[..., :1] * weights["W_hh"][:, 0]}
"""
WHAT = {
    "os._exit(0)": "the process ended with exit status 0 instead of an answer",
    "time.sleep(999)": "no result within 2 s",
    "raise KeyboardInterrupt": "the process ended with",
    "os.write(4, b'garbage\\n'); time.sleep(1)": "the process gave no JSON: 'garbage'",
    "os.write(4, b'[1]\\n'); time.sleep(1)": "the process gave no record of this check: '[1]'",
}


def _file(folder: Path, what: str, *, marked: bool = False) -> str:
    (folder / "hostile.py").write_text(HOSTILE.format(what=what, marked=marked))
    return f"{folder}/hostile.py:Hostile"


@pytest.mark.slow
@pytest.mark.parametrize(("what", "said"), WHAT.items())
def test_what_ends_a_process_is_one_failed_check(what: str, said: str, tmp_path: Path) -> None:
    found = Source(_file(tmp_path, what))
    with Workers(found, Isolation(time_limit=2.0), checks=CHECK) as workers:
        hit = next(item for item in workers.planned if item.case.O)
        before, after, *_ = (item for item in workers.planned if not item.case.O)
        records = [item.execute() for item in (before, hit, after)]
    assert [record.outcome for record in records] == ["passed", "failed", "passed"]
    assert said in records[1].message
    assert "load(" in records[1].reproduction


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_flood_harms_nothing(stream: str, tmp_path: Path) -> None:
    what = f"sys.{stream}.write('x' * 10**6); sys.{stream}.flush()"
    found = Source(_file(tmp_path, what))
    report = check(found, checks=CHECK, isolation=Isolation())
    assert report.conforms


@pytest.mark.slow
def test_too_many_silences_are_not_waited_for(tmp_path: Path) -> None:
    found = Source(_file(tmp_path, "time.sleep(999)"))
    isolation = Isolation(processes=2, time_limit=0.5)
    report = check(found, checks=["readout"], isolation=isolation, diagnosed=False)
    why = [record.message for record in report.failures]
    waited = sum(message == "no result within 0.5 s" for message in why)
    assert MOST_SILENCES <= waited <= MOST_SILENCES + 1
    left = [record.message for record in report.records if record.outcome == "not_claimed"]
    assert left
    assert all(message.startswith("not asked any more: ") for message in left)
    assert verdict(report).endswith(f" {len(left)} were not asked any more.")
    assert len(report.records) == len(plan("rnn_reference.BatchRNN", checks=["readout"]))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "processes"), [(BATCH, 3), (MUTANT, 2), ("", 1)])
def test_the_verdict_is_that_of_one_process(name: str, processes: int, tmp_path: Path) -> None:
    """The last one is a function, with words of its own, whose claims the smoke check narrows."""
    (tmp_path / "mine.py").write_text(FUNCTION)
    diagnosed = bool(name)  # it takes long where nothing explains what is wrong
    asked, name = ["trajectory"], name or f"{tmp_path}/mine.py:rnn"
    tried: list[tuple[int, int]] = []

    def searched(bugs: Iterable[Any], number: int) -> Iterator[Any]:
        for so_far, bug in enumerate(bugs, 1):
            yield bug
            tried.append((so_far, number))

    how: dict[str, Any] = {"checks": asked, "searched": searched, "diagnosed": diagnosed}
    here = check(name, **how)
    there = check(name, isolation=Isolation(processes), **how)
    number = len(known_bugs({"tanh"}))
    every = [(so_far, number) for so_far in range(1, number + 1)]
    assert tried == (every * 2 if name == MUTANT else [])
    seen = [[(r.id, r.outcome, r.message) for r in one.records] for one in (here, there)]
    assert seen[0] == seen[1]
    assert there.patterns == here.patterns
    assert there.diagnosis == here.diagnosis
    assert there.implementation == here.implementation
    assert there.notes == here.notes
    assert (here.diagnosis is None) == (name != MUTANT)
    assert bool(here.failures) == (name != BATCH)
    if ":rnn" in name:
        assert len(here.notes) == 2
        assert {r.message.partition(":")[0] for r in here.failures} == {"hidden_states"}


def test_processes_that_measure_otherwise_are_asked_the_same(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW_IN_ONE)
    source = Source(f"{tmp_path}/slow.py:Slow")
    report = check(source, checks=["trajectory", "readout"], isolation=Isolation(2))
    assert report.conforms


@pytest.mark.slow
def test_without_a_result_there_is_no_diagnosis_of_it(tmp_path: Path) -> None:
    report = check(
        Source(_file(tmp_path, "os.abort()")), checks=CHECK, isolation=Isolation(processes=2)
    )
    assert len(report.failures) > 1
    assert report.diagnosis is None
    assert not report.conforms


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os; os.abort()", "loading it, the process ended with signal SIGABRT"),
        ("raise KeyError('x')", "importing "),
        ("def Hostile(weights, inputs): ...", "the smoke check"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "hostile.py").write_text(text)
    with pytest.raises(CannotBeJudged) as refused:
        check(f"{tmp_path}/hostile.py:Hostile", isolation=Isolation())
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_object_cannot_go_to_another_process() -> None:
    with pytest.raises(TypeError, match=r"implementation: expected a name or a Source, .* got int"):
        check(1, isolation=Isolation())
    with pytest.raises(TypeError, match='isolation: expected Isolation, None, "as marked", got 2'):
        check(BATCH, isolation=2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        *(({"processes": n}, "processes: expected a number from 1 to 64") for n in (0, 65, 1.5)),
        *(({"time_limit": s}, "time_limit: expected seconds above 0") for s in (0.0, inf, nan)),
    ],
)
def test_wrong_numbers_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"{said}, got"):
        Isolation(**wrong)


def test_no_process_is_left() -> None:
    with Workers(Source(BATCH), Isolation(2), checks=CHECK) as workers:
        assert {record.outcome for record in workers.records()} == {"passed"}
        pids = [c._process.pid for c in workers._conversations if c is not None]
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIG_DFL)


def _crashing(folder: Path, *, marked: bool) -> str:
    """What ends every process but this one."""
    return _file(folder, f"if os.getpid() != {os.getpid()}: os.abort()", marked=marked)


def test_what_says_that_it_can_crash_is_isolated_unless_that_is_refused(tmp_path: Path) -> None:
    name = _crashing(tmp_path, marked=True)
    report = check(name, checks=CHECK, diagnosed=False)
    assert {record.outcome for record in report.records} == {"passed", "failed"}
    said = {record.message for record in report.failures}
    assert said == {"the process ended with signal SIGABRT"}
    assert as_marked(Source(name), "as marked") == (Source(name), Isolation())
    assert check(name, checks=CHECK, isolation=None).conforms
    assert as_marked(name, Isolation(2)) == (name, Isolation(2))
    mine = load(name)
    assert as_marked(mine, "as marked") == (mine, None)


@pytest.mark.parametrize("kind", [str, Source])
def test_what_does_not_say_so_is_judged_here(kind: Callable[[str], object], tmp_path: Path) -> None:
    assert check(kind(_crashing(tmp_path, marked=False)), checks=CHECK).conforms


@pytest.mark.parametrize("name", CATALOGUE)
def test_adapters_of_runtimes_that_can_crash_say_so(name: str) -> None:
    framework = CATALOGUE[name].framework
    pytest.importorskip(framework, reason=f"{framework} is an extra")
    runtimes = ("openvino", "ncnn", "mlx", "paddle")
    assert can_crash(load(name)) == (framework in runtimes or name.endswith("-compiled"))
