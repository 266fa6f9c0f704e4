"""Whatever a program does is one clear failure, and the next call is answered again."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_conformance.sources.exchange import write_tensors
from tests.programs import ANSWER, COPY_ANSWER, STATES, Started, judged, workplace


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    with workplace(tmp_path) as start:
        yield start


FLOOD = "while True: os.write({}, b'x' * 60000 + {})"
CHILD = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)', folder]); "
PIPE = "os.mkfifo(folder + '/answer.safetensors'); "
MISBEHAVIOURS = {
    "os.abort()": "ended with signal SIGABRT",
    "os.kill(os.getpid(), signal.SIGSEGV)": "ended with signal SIGSEGV",
    "sys.exit(0)": "ended with exit status 0 instead of an answer",
    "sys.exit('no\\nsuch\\x1b[31m luck')": "ended with exit status 1 instead of an answer; "
    "the last on standard error: no such\\x1b[31m luck",
    "raise RuntimeError('bad luck')": "RuntimeError: bad luck",
    "time.sleep(99)": "gave, and flushed, no line within 1 s",
    "os.close(1); os.close(2); time.sleep(99)": "closed its standard streams",
    FLOOD.format(1, "b''"): "said more than 4096 bytes that end no line",
    FLOOD.format(1, "b'\\n'"): "said more than 4096 bytes that end no line",
    FLOOD.format(2, "b'\\n'"): "gave, and flushed, no line within 1 s; "
    "the last on standard error: xxx",
    "print('nonsense\\x00', flush=True); continue": "expected the line ok, or refused: and why, "
    "got 'nonsense\\x00'",
    "print('ok\\nok', flush=True); continue": "said more than one line: 'ok ok'",
    "print('ok', flush=True); continue": "answer.safetensors: No such file",
    PIPE + "print('ok', flush=True); continue": "answer.safetensors: expected a regular file",
    CHILD + "os.abort()": "ended with signal SIGABRT",
    CHILD + "time.sleep(99)": "gave, and flushed, no line within 1 s",
}


@pytest.mark.parametrize(("body", "said"), MISBEHAVIOURS.items())
def test_a_misbehaviour_is_one_failure_with_one_clear_line(
    body: str, said: str, started: Started
) -> None:
    once = f"""
    if not os.path.exists(sys.argv[1] + "-done"):
        open(sys.argv[1] + "-done", "w").close()
        {body}
    """
    bad = started(once + COPY_ANSWER, time_limit=1 if "within 1 s" in said else 60)
    first = judged(bad, "output")
    assert first.outcome == "failed"
    assert said in first.message
    assert "\n" not in first.message
    assert len(first.message) < 600
    bad.time_limit = 60
    assert judged(bad, "output").outcome == "passed"


def _changed(**changes: Any) -> dict[str, Any]:
    return {**ANSWER, **changes}


@pytest.mark.parametrize(
    ("answer", "check", "said"),
    [
        (_changed(output=STATES[:-1]), "output", "expected shape (7, 4, 3), got"),
        (_changed(output=STATES * np.float32("nan")), "output", "found nan"),
        (_changed(output=STATES.astype("d")), "shape_and_dtype", "dtype float32, got float"),
        (_changed(output=STATES > 0), "output", "numbers, got dtype bool"),
        (_changed(other=STATES), "output", "answer.safetensors: expected output, and h_n and y"),
        (_changed(y=np.zeros(40_000)), "output", "bytes, got more"),
        ({"output": STATES}, "final_state", "h_n: claimed, but not given"),
        ({"output": STATES}, "readout", "y: claimed, but not given"),
    ],
)
def test_a_wrong_answer_is_told(
    answer: Mapping[str, Any], check: str, said: str, started: Started, tmp_path: Path
) -> None:
    write_tensors(tmp_path / "wrong", answer)
    record = judged(started(answer=tmp_path / "wrong"), check)
    assert record.outcome == "failed"
    assert said in record.message


def test_a_huge_answer_is_not_read_and_a_malformed_one_is_named(
    started: Started, tmp_path: Path
) -> None:
    huge = started("""
        os.truncate(os.open(folder + "/answer.safetensors", os.O_CREAT | os.O_WRONLY), 2**40)
        print("ok", flush=True)
    """)
    assert "bytes, got more" in judged(huge, "output").message
    (tmp_path / "malformed").write_bytes(b"\x00" * 99)
    malformed = started(answer=tmp_path / "malformed")
    assert "answer.safetensors: Error while" in judged(malformed, "output").message
