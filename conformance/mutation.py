"""Mutants of the judge: small edits in the suite's own code, which its tests must notice.

`python conformance/mutation.py [edits [seed]]` copies the working tree, makes so many edits (300),
drawn from the seed (0), each in its own run of the tests of its part, and prints those that
survived. It needs the extra `mutation`: cosmic-ray makes the edits. It is no part of CI.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from os import environ
from pathlib import Path
from random import Random
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "conformance/rnn_conformance"
SOURCES = ("reference", "conformance", "benchmarks")
# What is edited, and the tests that must notice, those first that take the least time.
PARTS = {
    "bounds": "judgement formulas balls reproduction limits stack_oracle statistics ball_oracle"
    " toy_state",
    "cells": "drawing balls formulas toy_cell limits stack_oracle statistics cases ball_oracle"
    " toy_state vectors",
    "cases/expected.py": "stack_oracle formulas comparisons single_faults vacuity ball_oracle"
    " toy_state",
    "checks": "asked calls single_faults dropout_limits diagnosis_text comparisons"
    " records miniatures cases power",
}
# What names a cause decides no verdict, and its tests take minutes for each edit.
NAMING = [f"{PACKAGE}/cells/**/{name}.py" for name in ("*edits", "moves", "slips", "trials")]
# Annotations, what no number here is asked for, and a decorator, without which there is no check.
LEFT_OUT = re.compile(r".*(Bit|Shift|FloorDiv|Mod|Pow|(Eq|[LG]tE?)_Is|Is(Not)?_[^I]|Decorator)")


def prepare(tree: Path, part: str) -> list[str]:
    """Copy the working tree, list every edit of a part, and give their ids."""
    copytree(ROOT, tree, ignore=ignore_patterns(".*", "results", "__pycache__"))
    tests = " ".join(f"conformance/tests/test_{name}.py" for name in PARTS[part].split())
    options = "-x -q -p no:cacheprovider -m 'not slow'"
    config = f"""
    [cosmic-ray]
    module-path = "{PACKAGE}/{part}"
    excluded-modules = {NAMING}
    timeout = 120.0
    test-command = "{sys.executable} -m pytest {options} {tests}"
    [cosmic-ray.distributor]
    name = "local"
    """
    assert tomllib.loads(config)
    (tree / "mutation.toml").write_text(config)
    cosmic_ray(tree, "init", "mutation.toml", "session.sqlite")
    with use_db(tree / "session.sqlite", WorkDB.Mode.open) as db:
        edits = sorted((str(item.mutations), item) for item in db.work_items)
    return [item.job_id for _, item in edits if not LEFT_OUT.match(item.mutations[0].operator_name)]


def cosmic_ray(tree: Path, *arguments: str) -> None:
    """Run cosmic-ray on a copy, whose own packages are imported."""
    path = ":".join(str(tree / source) for source in SOURCES)
    command = [sys.executable, "-m", "cosmic_ray.cli", *arguments]
    subprocess.run(command, cwd=tree, env={**environ, "PYTHONPATH": path}, check=True)


def survivors(tree: Path, chosen: set[str]) -> Iterator[str]:
    """The diff of each of the chosen edits that no test noticed."""
    with use_db(tree / "session.sqlite", WorkDB.Mode.open) as db:
        others = [item.job_id for item in db.work_items if item.job_id not in chosen]
        db.set_multiple_results(others, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))
    cosmic_ray(tree, "baseline", "mutation.toml")
    cosmic_ray(tree, "exec", "mutation.toml", "session.sqlite")
    with use_db(tree / "session.sqlite", WorkDB.Mode.open) as db:
        for job, result in db.results:
            if job in chosen and result.test_outcome is TestOutcome.SURVIVED:
                yield result.diff or job


def main(edits: int = 300, seed: int = 0) -> None:
    """Print the survivors, and how many of how many edits were noticed."""
    with TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        trees = {part: Path(folder) / part.replace("/", "-") for part in PARTS}
        every = [(part, job) for part in PARTS for job in prepare(trees[part], part)]
        drawn = Random(seed).sample(every, min(edits, len(every)))
        chosen = {part: {job for other, job in drawn if other == part} for part in PARTS}
        found = pool.map(lambda part: [*survivors(trees[part], chosen[part])], PARTS)
        for part, alive in zip(PARTS, found, strict=True):
            sys.stdout.write("".join(f"\n{diff}\n" for diff in alive))
            total = len(chosen[part])
            sys.stdout.write(f"\n{part}: {total - len(alive)} of {total} edits were noticed\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
