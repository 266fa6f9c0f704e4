"""Judge results that were computed anywhere: each number against the stored one and its bound."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases.expected import of_part
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.records import Outcome, Record, Report
from rnn_conformance.contract.documents import content_of
from rnn_conformance.contract.refusal import Violation, array_of, in_order
from rnn_conformance.run import environment
from rnn_conformance.sources.exchange import HEADER_BYTES, Tensors, arrays_of
from rnn_conformance.vectors.export import HELD
from rnn_conformance.vectors.manifest import Manifest, Vector, digest, read_manifest
from rnn_conformance.vectors.stored import Stored, stored

BOUND = "the bound that is stored with the vector"
SHAPES, OUTPUT, LAST, PADDING = HELD
Said = dict[str, dict[str, Any]]  # the fields of a record, by its check


@np.errstate(all="ignore")  # of what NumPy would warn, the record tells
def verify(folder: Path | str, results: Path | str, *, padding: str = "zeros") -> Report:
    """Judge the results of another program.

    Args:
        folder: of the vectors, as `export` wrote it; the hash of every file that is used is
            verified.
        results: a folder with ID.safetensors for each case that was computed: `output`, `h_n` and,
            of an LSTM, `c_n`, in the shapes and the dtype of an answer. Cases without one are not
            claimed.
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
    who, records = results.resolve().name, []
    for vector in manifest.cases:
        wanted = stored(folder, vector)
        none = _all("not_claimed", "not claimed: no result")
        said = _judged(results, vector, wanted) if vector.id in names else none
        if padding == "undefined":
            said[PADDING] = _all("not_claimed", "not claimed: padded output: zeros")[PADDING]
        for check in HELD[:-1] if wanted.real.all() else HELD:
            held = tuple(c for c in CHECKS[check].clauses if c in vector.clauses)
            name = f"{check}[{who}-{vector.id}]"
            records.append(Record(name, check, held, vector.id, who, **said[check]))
    seen_with = {**environment.describe(), "vectors": f"sha256 {digest(manifest)[:16]}"}
    return Report(who, manifest.seed, seen_with, tuple(records))


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


def _all(outcome: Outcome, message: str) -> Said:
    return {check: {"outcome": outcome, "message": message} for check in HELD}


def _judged(results: Path, vector: Vector, wanted: Stored) -> Said:
    try:
        found = _answer(results, vector, wanted)
    except (ValueError, Violation) as error:
        return _all("failed", str(error))
    said: Said = {SHAPES: {"outcome": "passed", "bound": "exact"}}
    wrong = [name for name, array in found.items() if array.dtype != wanted.dtype]
    if wrong:
        message = f"{wrong[0]}: expected dtype {wanted.dtype}, got {found[wrong[0]].dtype}"
        said[SHAPES] = {"outcome": "failed", "message": message}
    for check, judgements in _judgements(wanted, found).items():
        places = [judgement.first_outside() for judgement in judgements]
        outside = [(j, at) for j, at in zip(judgements, places, strict=True) if at is not None]
        said[check] = {
            "outcome": "failed" if outside else "passed",
            "message": "; ".join(judgement.describe(place) for judgement, place in outside),
            "worst_share": max(judgement.worst()[0] for judgement in judgements),
            "bound": judgements[0].reason,
            "first_outside": outside[0][1] if outside else None,
        }
    return said


def _answer(results: Path, vector: Vector, wanted: Stored) -> Tensors:
    """The arrays of a result. Raises ValueError, or Violation for a wrong shape."""
    name = f"{vector.id}.safetensors"
    most = HEADER_BYTES + sum(array.nbytes for array in wanted.expected.values())
    arrays = arrays_of(name, content_of(name, results / name, most, inside=results))
    if arrays.keys() != wanted.shapes.keys():
        got = ", ".join(sorted(arrays)) or "nothing"
        raise ValueError(f"{name}: expected {', '.join(wanted.shapes)}, got {got[:200]!r}")
    return {part: array_of(part, arrays[part], shape) for part, shape in wanted.shapes.items()}


def _judgements(wanted: Stored, found: Tensors) -> Mapping[str, list[Judgement]]:
    """Each check with what it compares, in the order (T, B, units)."""
    output, real = found["output"], wanted.real

    def steps(array: Any) -> Any:
        return in_order(array, wanted.layout)

    def states(array: Any) -> Any:
        return array[:, None] if wanted.layout == "single" else array

    expected, bound = (steps(part["output"]) for part in (wanted.expected, wanted.bound))
    inside, padding = steps(np.where(real, output, 0)), steps(np.where(real, 0, output))
    zeros = np.zeros_like(expected)
    last = []
    for name in [*wanted.shapes][1:]:  # the parts of the state
        right, given, far = (states(of[name]) for of in (wanted.expected, found, wanted.bound))
        last.append(Judgement(of_part(name.removesuffix("_n")), right, given, far, BOUND))
    return {
        OUTPUT: [Judgement("output", expected, inside, bound, BOUND)],
        LAST: last,
        PADDING: [Judgement("output in the padding", zeros, padding, 0.0, "exact")],
    }
