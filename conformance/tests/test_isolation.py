"""Child processes: what ends, hangs or floods one of them is one failed check, and no more."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from rnn_conformance import CannotBeJudged, Isolation, Report, Source, check, load
from rnn_conformance.checks.plan import plan
from rnn_conformance.run.isolation import MOST_SILENCES, Workers
from rnn_conformance.run.verdict import as_marked, can_crash

BATCH = "rnn_reference.BatchRNN"
MUTANT = "rnn_conformance.variants.wrong.cell:RecurrentBiasDropped"
CHECK = ["omitted_h_0_is_zeros"]  # in eight cases of what claims BASIC; four of them have a readout
HOSTILE = """
import os, signal, sys, time
from rnn_conformance import BASIC
from rnn_conformance.variants.recurrence import Recurrence

class Hostile(Recurrence):
    name, claims = "Hostile", BASIC
    def run(self, call):
        if len(call.inputs) == 7 and call.options.output_size:
            {what}
        return super().run(call)
"""
FUNCTION = """
def rnn(weights, inputs, h_0):
    return {"hidden_states": inputs[..., :1] * weights["W_hh"][:, 0]}
"""
WHAT = {
    "os._exit(0)": "the process ended with exit status 0 instead of an answer",
    "os.abort()": "the process ended with signal SIGABRT",
    "os.kill(os.getpid(), signal.SIGSEGV)": "the process ended with signal SIGSEGV",
    "signal.alarm(1); time.sleep(9)": "the process ended with signal SIGALRM",
    "sys.stderr.write('why'); sys.stderr.flush(); os._exit(3)": "the last on standard error: why",
    "time.sleep(999)": "no result within 2 s",
    "raise KeyboardInterrupt": "the process ended with",
    "sys.exit(0)": "raised SystemExit: 0",
    "os.write(4, b'garbage\\n'); time.sleep(1)": "the process gave no JSON: 'garbage'",
    "bytearray(2**62)": "raised MemoryError",
}

Judged = Callable[[str], Report]


def _file(folder: Path, what: str) -> str:
    (folder / "hostile.py").write_text(dedent(HOSTILE.format(what=what)))
    return f"{folder}/hostile.py:Hostile"


@pytest.mark.slow
@pytest.mark.parametrize(("what", "said"), WHAT.items())
def test_what_ends_a_process_is_one_failed_check(what: str, said: str, tmp_path: Path) -> None:
    found = Source(_file(tmp_path, what))
    with Workers(found, Isolation(time_limit=2.0), checks=CHECK) as workers:
        mine = workers.planned
        hit = [item for item in mine if item.case.O][:1]
        others = [item for item in mine if not item.case.O][:2]
        records = [item.execute() for item in (others[0], hit[0], others[1])]
    assert [record.outcome for record in records] == ["passed", "failed", "passed"]
    assert records[1].message.startswith(said) or said in records[1].message
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
    assert any(message.startswith("not asked any more: ") for message in why)
    assert len(report.records) == len(plan("rnn_reference.BatchRNN", checks=["readout"]))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "processes"), [(BATCH, 3), (MUTANT, 2), ("", 1)])
def test_the_verdict_is_that_of_one_process(name: str, processes: int, tmp_path: Path) -> None:
    """The last one is a function, with words of its own, whose claims the smoke check narrows."""
    (tmp_path / "mine.py").write_text(FUNCTION)
    asked, name = ["trajectory"], name or f"{tmp_path}/mine.py:rnn"
    here = check(name, checks=asked)
    there = check(name, checks=asked, isolation=Isolation(processes))
    seen = [[(r.id, r.outcome, r.message) for r in one.records] for one in (here, there)]
    assert seen[0] == seen[1]
    assert there.patterns == here.patterns
    assert there.diagnosis == here.diagnosis
    assert there.implementation == here.implementation
    assert there.notes == here.notes
    assert (here.diagnosis is None) == (name == BATCH)
    if ":rnn" in name:
        assert len(here.notes) == 2
        assert {r.message.partition(":")[0] for r in here.failures} == {"hidden_states"}


@pytest.mark.slow
def test_without_a_result_there_is_no_diagnosis_of_it(tmp_path: Path) -> None:
    report = check(
        Source(_file(tmp_path, "os.abort()")),
        checks=CHECK,
        isolation=Isolation(processes=2),
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


@pytest.mark.parametrize("processes", [0, 65, 1.5])
def test_a_wrong_number_of_processes_is_refused(processes: int) -> None:
    with pytest.raises(ValueError, match="processes: expected a number from 1 to 64, got"):
        Isolation(processes)


@pytest.mark.parametrize(("seed", "checks"), [(-1, None), (0, ["nothing"])])
def test_what_cannot_be_planned_starts_no_process(seed: int, checks: list[str] | None) -> None:
    with pytest.raises(ValueError, match=r"seed: expected an integer|checks: expected a selection"):
        check("nothing:loaded", seed=seed, checks=checks, isolation=Isolation())


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_a_wrong_time_limit_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="time_limit: expected seconds above 0, got"):
        Isolation(time_limit=seconds)


def test_no_process_is_left() -> None:
    with Workers(Source(BATCH), Isolation(2), checks=CHECK) as workers:
        assert {record.outcome for record in workers.records()} == {"passed"}
        pids = [c._process.pid for c in workers._conversations if c is not None]
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIG_DFL)


CRASHING = """
    import os
    from rnn_conformance import BASIC
    from rnn_conformance.variants.recurrence import Recurrence

    class Mine(Recurrence):
        name, claims = "mine", BASIC
        can_crash = {marked}
        def run(self, call):
            if call.inputs.shape == (7, 3, 5) and os.getpid() != {here}:
                os.abort()
            return super().run(call)
    """


def _crashing(folder: Path, *, marked: bool) -> str:
    """What ends every process but this one."""
    place = folder / "crashing.py"
    place.write_text(dedent(CRASHING.format(marked=marked, here=os.getpid())))
    return f"{place}:Mine"


def test_what_says_that_it_can_crash_is_isolated(tmp_path: Path) -> None:
    name = _crashing(tmp_path, marked=True)
    report = check(name, checks=CHECK, diagnosed=False)
    assert {record.outcome for record in report.records} == {"passed", "failed"}
    said = {record.message for record in report.failures}
    assert said == {"the process ended with signal SIGABRT"}
    assert as_marked(Source(name), "as marked") == (Source(name), Isolation())


@pytest.mark.parametrize("kind", [str, Source])
def test_what_does_not_say_so_is_judged_here(kind: Callable[[str], object], tmp_path: Path) -> None:
    name = kind(_crashing(tmp_path, marked=False))
    assert check(name, checks=CHECK).conforms


def test_isolation_is_refused(tmp_path: Path) -> None:
    name = _crashing(tmp_path, marked=True)
    assert check(name, checks=CHECK, isolation=None).conforms
    assert as_marked(name, Isolation(2)) == (name, Isolation(2))


def test_an_object_is_judged_where_it_is(tmp_path: Path) -> None:
    mine = load(_crashing(tmp_path, marked=True))
    assert can_crash(mine)
    assert as_marked(mine, "as marked") == (mine, None)


def test_another_isolation_is_refused() -> None:
    with pytest.raises(TypeError, match='isolation: expected Isolation, None, "as marked", got 2'):
        check(BATCH, isolation=2)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framework", "name"),
    [
        ("torch", "torch.nn.RNNCell-compiled"),
        ("openvino", "openvino"),
        ("openvino", "openvino-fixed-sizes"),
        ("ncnn", "ncnn"),
        ("mlx", "mlx.nn.RNN"),
        ("paddle", "paddle.nn.SimpleRNN"),
    ],
)
def test_adapters_of_runtimes_that_can_crash_say_so(framework: str, name: str) -> None:
    pytest.importorskip(framework)
    assert can_crash(load(name))


def test_other_adapters_do_not() -> None:
    assert not can_crash(load(BATCH))
    pytest.importorskip("torch")
    assert not can_crash(load("torch.nn.RNNCell"))
    assert not can_crash(load("torch.nn.RNN"))
