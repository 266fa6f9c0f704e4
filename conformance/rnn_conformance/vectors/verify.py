"""Judge results that were computed anywhere: each number against the stored one and its bound."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases.expected import H_N
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.records import Outcome, Record, Report
from rnn_conformance.contract.documents import content_of
from rnn_conformance.contract.refusal import Violation, array_of, in_order
from rnn_conformance.run import environment
from rnn_conformance.sources.exchange import HEADER_BYTES, Tensors, arrays_of
from rnn_conformance.vectors.manifest import Manifest, Vector, digest, read_manifest
from rnn_conformance.vectors.stored import Stored, stored

BOUND = "the bound that is stored with the vector"
SHAPES, OUTPUT, LAST, PADDING = (
    "shape_and_dtype", "output", "final_state", "padding_is_zero",
)  # fmt: skip


@np.errstate(all="ignore")  # of what NumPy would warn, the record tells
def verify(folder: Path | str, results: Path | str, *, padding: str = "zeros") -> Report:
    """Judge the results of another program.

    Args:
        folder: of the vectors, as `export` wrote it; the hash of every file that is used is
            verified.
        results: a folder with ID.safetensors for each case that was computed: `output` and `h_n`,
            in the shapes and the dtype of an answer. Cases without one are not claimed.
        padding: what is promised of the output there, "zeros" or "undefined".

    Raises ValueError for another promise, where the vectors are not what they were, or where there
    is no result at all, or a file that is none. A result that is malformed or wrong is a failed
    record.
    """
    if padding not in ("zeros", "undefined"):
        raise ValueError(f"padding: expected zeros or undefined, got {padding!r}")
    folder, results = Path(folder), Path(results)
    manifest = read_manifest(folder)
    names = _results(results, manifest)
    who = results.resolve().name
    records = tuple(
        record
        for vector in manifest.cases
        for record in _records(vector, stored(folder, vector), results, who, vector.id in names)
    )
    if padding == "undefined":
        records = tuple(_left_open(r) if r.check == PADDING else r for r in records)
    seen_with = {**environment.describe(), "vectors": f"sha256 {digest(manifest)[:16]}"}
    return Report(who, manifest.seed, seen_with, records)


def _results(folder: Path, manifest: Manifest) -> set[str]:
    """The ids of the cases that have a file in the folder of the results."""
    known = {f"{case.id}.safetensors" for case in manifest.cases}
    found = set()
    try:
        for path in folder.iterdir():
            if path.name not in known:
                raise ValueError(f"results: expected ID.safetensors of a case, got {path.name!r}")
            found.add(path.name.removesuffix(".safetensors"))
    except OSError as error:
        raise ValueError(f"results: {error.strerror}") from error
    if not found:
        raise ValueError(f"results: expected a file for some of {len(known)} cases, got none")
    return found


def _records(
    vector: Vector, wanted: Stored, results: Path, who: str, claimed: bool
) -> Iterator[Record]:
    checks = (SHAPES, OUTPUT, LAST) if wanted.real.all() else (SHAPES, OUTPUT, LAST, PADDING)
    if not claimed:
        for check in checks:
            yield _record(vector, check, who, "not_claimed", message="not claimed: no result")
        return
    try:
        found = _answer(results, vector, wanted)
    except (ValueError, Violation) as error:
        for check in checks:
            yield _record(vector, check, who, "failed", message=str(error))
        return
    judgements = _judgements(wanted, found)
    wrong = [name for name, array in found.items() if array.dtype != wanted.dtype]
    for check in checks:
        if check in judgements:
            yield _judged(vector, check, who, judgements[check])
        elif wrong:
            message = f"{wrong[0]}: expected dtype {wanted.dtype}, got {found[wrong[0]].dtype}"
            yield _record(vector, check, who, "failed", message=message)
        else:
            yield _record(vector, check, who, "passed", bound="exact")


def _answer(results: Path, vector: Vector, wanted: Stored) -> Tensors:
    """The arrays of a result. Raises ValueError, or Violation for a wrong shape."""
    name = f"{vector.id}.safetensors"
    numbers = sum(array.nbytes for array in wanted.expected.values())
    most = numbers + HEADER_BYTES
    arrays = arrays_of(name, content_of(name, results / name, most, inside=results))
    if arrays.keys() != wanted.shapes.keys():
        got = ", ".join(sorted(arrays)) or "nothing"
        raise ValueError(f"{name}: expected {', '.join(wanted.shapes)}, got {got[:200]!r}")
    return {part: array_of(part, arrays[part], shape) for part, shape in wanted.shapes.items()}


def _judgements(wanted: Stored, found: Tensors) -> Mapping[str, Judgement]:
    """Each check with what it compares, in the order (T, B, units)."""
    output, real = found["output"], wanted.real

    def steps(array: Any) -> Any:
        return in_order(array, wanted.layout)

    def states(array: Any) -> Any:
        return array[:, None] if wanted.layout == "single" else array

    expected, bound = (steps(part["output"]) for part in (wanted.expected, wanted.bound))
    h_n, h_n_bound = (states(part["h_n"]) for part in (wanted.expected, wanted.bound))
    inside, padding = steps(np.where(real, output, 0)), steps(np.where(real, 0, output))
    return {
        OUTPUT: Judgement("output", expected, inside, bound, BOUND),
        LAST: Judgement(H_N, h_n, states(found["h_n"]), h_n_bound, BOUND),
        PADDING: Judgement("output in the padding", np.zeros_like(expected), padding, 0.0, "exact"),
    }


def _judged(vector: Vector, check: str, who: str, judgement: Judgement) -> Record:
    worst, _ = judgement.worst()
    place = judgement.first_outside()
    fields = {"worst_share": worst, "bound": judgement.reason, "first_outside": place}
    if place is None:
        return _record(vector, check, who, "passed", **fields)
    return _record(vector, check, who, "failed", message=judgement.describe(place), **fields)


def _left_open(record: Record) -> Record:
    """The same, of what nothing was promised."""
    message = "not claimed: padded output: zeros"
    who = (record.id, record.check, record.clauses, record.case, record.implementation)
    return Record(*who, "not_claimed", message=message)


def _record(vector: Vector, check: str, who: str, outcome: Outcome, **fields: Any) -> Record:
    held = tuple(c for c in CHECKS[check].clauses if c in vector.clauses)
    return Record(f"{check}[{who}-{vector.id}]", check, held, vector.id, who, outcome, **fields)
