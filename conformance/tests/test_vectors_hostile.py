"""Vectors and results from strangers: one clear error, or a failed record, and nothing else."""

import json
import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from rnn_conformance.sources.adapters.reference_layer import ReferenceLayer
from rnn_conformance.vectors import export, verify
from rnn_conformance.vectors.manifest import Manifest, read_manifest

from .damage import damaged_bytes, damaged_json
from .vector_results import ONLY, compute

ASKED = ONLY[:4]
SMALLEST = ONLY[-1]
ROUNDS = 300  # for each case; a third each manifests, vectors and results


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "vectors"
    export(folder, only=ASKED)
    return folder


@pytest.fixture
def results(folder: Path, tmp_path: Path) -> Path:
    return compute(ReferenceLayer(), folder, tmp_path / "mine")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes among the files here")
def test_links_pipes_and_large_files_are_not_read(results: Path, folder: Path) -> None:
    link, pipe, large, loop = (results / f"{case}.safetensors" for case in ASKED)
    link.rename(results.parent / "outside")
    link.symlink_to(results.parent / "outside")
    pipe.unlink()
    os.mkfifo(pipe)
    os.truncate(large, 10**12)
    loop.unlink()
    loop.symlink_to(loop.name)
    failures = verify(folder, results).failures
    said = {record.case: record.message for record in failures}
    assert [*said] == sorted(ASKED)
    assert said[ASKED[0]].endswith("got a way out of it")
    assert said[ASKED[1]].endswith("expected a regular file")
    assert "bytes, got more" in said[ASKED[2]]
    assert said[ASKED[3]].startswith(f"{loop.name}: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 1}, "format: expected 2, got 1; another version wrote it"),
        ({"more": 1}, "'more' was unexpected"),
        ({"seed": -1}, "seed: -1 is less than the minimum of 0"),
        ({"cases": []}, "cases: [] should be non-empty"),
        ({"index": "0" * 64 + "\n"}, "index: "),
        ({"flags": {}}, "is not explained"),
    ],
)
def test_a_manifest_that_breaks_the_schema_is_refused(
    change: dict[str, object], said: str, folder: Path
) -> None:
    path = folder / "manifest.json"
    fields = json.loads(path.read_text())
    assert isinstance(read_manifest(folder), Manifest)
    path.write_text(json.dumps({**fields, **change}))
    with pytest.raises(ValueError, match=r"^manifest\.json: ") as refused:
        read_manifest(folder)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 100_000, "recursion"),
        (b'{"seed": NaN}', "expected JSON, which has no number NaN"),
        (b"\xff", "can't decode byte 0xff"),
        (b" " * 4_000_001, "expected at most 4000000 bytes"),
        (b"1" * 5000, "Exceeds the limit"),
    ],
)
def test_what_is_no_manifest_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"^manifest\.json: ") as refused:
        read_manifest(tmp_path)
    assert said in str(refused.value)


@pytest.mark.parametrize("field", ["file", "id"])
def test_a_path_out_of_the_folder_is_refused(field: str, folder: Path, results: Path) -> None:
    (folder.parent / "secret.safetensors").write_bytes(b"")
    path = folder / "manifest.json"
    fields = json.loads(path.read_text())
    fields["cases"][0][field] = "../secret" + ".safetensors" * (field == "file")
    path.write_text(json.dumps(fields))
    with pytest.raises(ValueError, match=r"^manifest\.json: .*\.\./secret"):
        verify(folder, results)


def fuzz(folder: Path, results: Path, case: str, rounds: int, seed: int) -> dict[str, int]:
    """Spoil a manifest, a vector or a result in each round; counts what came of it."""
    rng = np.random.default_rng(seed)
    file = f"{case}.safetensors"
    manifest, vector, result = folder / "manifest.json", folder / "cases" / file, results / file
    intact = {path: path.read_bytes() for path in (manifest, vector, result)}
    hashed = sha256(intact[vector]).hexdigest()
    counts = {"refused": 0, "failed": 0, "passed": 0}
    for i in range(rounds):
        path = (manifest, vector, result)[i % 3]
        spoil = damaged_json if path == manifest and i % 2 else damaged_bytes
        changed = {path: spoil(rng, intact[path])}
        if path == vector:  # past the hash, to the reader
            other = sha256(changed[vector]).hexdigest()
            changed[manifest] = intact[manifest].replace(hashed.encode(), other.encode())
        for each, content in changed.items():
            written_anew(each, content)
        try:
            report = verify(folder, results)
        except ValueError as error:
            if path == result or not str(error).isprintable():
                raise
            counts["refused"] += 1
        else:
            counts["passed" if report.conforms else "failed"] += 1
        for each in changed:
            written_anew(each, intact[each])
    return counts


def written_anew(path: Path, content: bytes) -> None:
    """Write a file in place of another; a disk waits longer where one is cut short."""
    path.unlink()
    path.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("case", ASKED)
def test_spoiled_files_make_one_clear_error_or_failed_records(case: str, tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    export(folder, only=(case, SMALLEST))
    results = compute(ReferenceLayer(), folder, tmp_path / "mine")
    counts = fuzz(folder, results, case, ROUNDS, ASKED.index(case))
    assert sum(counts.values()) == ROUNDS
    assert min(counts.values()) > 0
    assert verify(folder, results).conforms
