"""Programs that misbehave as they are told, and what they must leave behind: nothing."""

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rnn_conformance import Case, Record, plan
from rnn_conformance.checks.subject import parts_of
from rnn_conformance.sources.exchange import write_tensors
from rnn_conformance.sources.program import Program
from rnn_conformance.variants.recurrence import Recurrence

SMALL = Case(O=2)
ANSWER: dict[str, Any] = parts_of(Recurrence().run(SMALL.call()))
STATES = ANSWER["output"]
COPY_ANSWER = """
    shutil.copy(sys.argv[1], folder + "/answer.safetensors")
    print("ok", flush=True)
"""
LOOP = """
import os, shutil, signal, subprocess, sys, time
for line in sys.stdin:
    folder = line[:-1]
"""
Started = Callable[..., Program]


@contextmanager
def workplace(folder: Path) -> Iterator[Started]:
    """Starts programs whose loop has the body given; no temporary folder or process may stay.

    By default they answer SMALL rightly: they copy a file, ANSWER or another one.
    """
    (temporary := folder / "temporary").mkdir()
    write_tensors(folder / "right", ANSWER)
    programs: list[Program] = []

    def start(body: str = COPY_ANSWER, answer: Path = folder / "right", **options: Any) -> Program:
        script = folder / f"script{len(programs)}.py"
        script.write_text(LOOP + textwrap.indent(textwrap.dedent(body), "    "))
        command = [sys.executable, "-I", "-S", str(script), str(answer)]
        programs.append(Program(command, name="a program", **options))
        return programs[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(temporary))
        yield start
    for one in programs:
        one.close()
    assert not [*temporary.iterdir()]
    assert not running(str(folder))


def command_of(source: Path) -> list[str]:
    """What runs a program in Python, C (compiled without a warning) or JavaScript."""
    if source.suffix == ".py":
        return [sys.executable, str(source)]
    tool = "cc" if source.suffix == ".c" else "node"
    if (found := shutil.which(tool)) is None:
        pytest.skip(f"{source.name} needs the command {tool}")
    if tool == "node":
        return [found, str(source)]
    strict = ["-std=c99", "-O1", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([found, *strict, "-o", source.with_suffix(""), source, "-lm"], check=True)
    return [str(source.with_suffix(""))]


def running(of: str) -> list[str]:
    """The processes with this text in their command."""
    command = ["ps", "-A", "-ww", "-o", "stat=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if of in line and not line.startswith("Z")]


def judged(implementation: Program, check: str, case: Case = SMALL) -> Record:
    [item] = [i for i in plan(implementation, checks=[check]) if i.case.id == case.id]
    return item.execute()
