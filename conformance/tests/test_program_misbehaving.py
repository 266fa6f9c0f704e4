"""Whatever a program does is one clear failure, and the next call is answered again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_conformance.sources.exchange import write_tensors

from .programs import ANSWER, COPY_ANSWER, STATES, Started, judged

FLOOD = "while True: os.write({}, b'x' * 60000 + {})"
CHILD = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)', folder]); "
PIPE = "os.mkfifo(folder + '/answer.safetensors'); "
MISBEHAVIOURS = {
    "sys.exit(0)": "ended with exit status 0 instead of an answer",
    "sys.exit('no\\nsuch\\x1b[31m luck')": "ended with exit status 1 instead of an answer; "
    "the last on standard error: no such\\x1b[31m luck",
    "os.close(1); os.close(2); time.sleep(99)": "closed its standard streams",
    FLOOD.format(1, "b''"): "said more than 4096 bytes that end no line",
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


@pytest.mark.parametrize(
    ("changes", "check", "said"),
    [
        ({"output": STATES.astype("d")}, "shape_and_dtype", "dtype float32, got float"),
        ({"other": STATES}, "output", "answer.safetensors: expected output, and h_n, c_n, y and"),
        ({"y": np.zeros(40_000)}, "output", "bytes, got more"),
        ({"gradient.inputs": np.zeros(40_000)}, "output", "bytes, got more"),
    ],
)
def test_a_wrong_answer_is_told(
    changes: Mapping[str, Any], check: str, said: str, started: Started, tmp_path: Path
) -> None:
    write_tensors(tmp_path / "wrong", {**ANSWER, **changes})
    record = judged(started(answer=tmp_path / "wrong"), check)
    assert record.outcome == "failed"
    assert said in record.message
