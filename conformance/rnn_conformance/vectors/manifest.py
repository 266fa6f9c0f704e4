"""The list of a set of vectors: what is asked in each case, and the hash of its file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from rnn_conformance.contract.documents import content_of, json_of
from rnn_conformance.contract.refusal import need, printable

MANIFEST, INDEX = "manifest.json", "index.txt"
SCHEMA = Path(__file__).with_name("manifest.schema.json")
FORMAT = 3
VERSION = 3  # of the set: another number wherever the same seed gives other bytes
SPECIFICATION = 2
MOST_BYTES = 4_000_000


@dataclass(frozen=True)
class Vector:
    """One case of a set.

    Attributes:
        id: such as float32-T7-B4-I5-H3-L3-relu-no_h0.
        call: what is asked, as in call.json.
        clauses: of the specification, that it holds an implementation to.
        flags: what is special about it; the manifest explains each.
        file, sha256: where its numbers are, from the folder of the manifest.
    """

    id: str
    call: Mapping[str, Any]
    clauses: tuple[str, ...]
    flags: tuple[str, ...]
    file: str
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A set of vectors.

    Attributes:
        seed: what the numbers were drawn from.
        cases: in the order of their ids.
        flags: what each flag of a case says.
        index: the sha256 of index.txt.
        version: of the set.
    """

    seed: int
    cases: tuple[Vector, ...]
    flags: Mapping[str, str]
    index: str
    version: int = VERSION

    def to_bytes(self) -> bytes:
        """The file manifest.json; the same manifest gives the same bytes."""
        of_all = {"format": FORMAT, "suite": "rnn-conformance", "specification": SPECIFICATION}
        return (json.dumps(of_all | asdict(self), indent=1, sort_keys=True) + "\n").encode()


def digest(manifest: Manifest) -> str:
    """The sha256 of manifest.json, which has those of all files: it pins the set.

    Of one that was read, it is the file's own where `export` wrote the file.
    """
    return sha256(manifest.to_bytes()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a folder.

    Raises ValueError where there is none that could be used, and CannotBeJudged without the extra.
    """
    need("files", "test vectors")
    content = content_of(MANIFEST, folder / MANIFEST, MOST_BYTES, inside=folder)
    fields = json_of(MANIFEST, content, SCHEMA, FORMAT)
    cases = tuple(
        Vector(**{**case, "clauses": tuple(case["clauses"]), "flags": tuple(case["flags"])})
        for case in fields["cases"]
    )
    if len({case.id for case in cases}) < len(cases):
        raise ValueError(f"{MANIFEST}: cases: expected different ids, got one of them twice")
    for case in cases:
        if case.file != file_of(case.id):
            other = printable(case.file)
            raise ValueError(f"{MANIFEST}: {case.id}: expected {file_of(case.id)}, got {other}")
        if not set(case.flags) <= set(fields["flags"]):
            raise ValueError(f"{MANIFEST}: {case.id}: flags: one of them is not explained")
    flags, index = fields["flags"], fields["index"]
    return Manifest(fields["seed"], cases, flags, index, fields["version"])


def file_of(case: str) -> str:
    """Where the numbers of a case are, from the folder of the manifest."""
    return f"cases/{case}.safetensors"
