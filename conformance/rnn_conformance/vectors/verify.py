"""Judge results that were computed anywhere: each number against the stored one and its bound."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases.expected import of_part
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.records import Outcome, Record, Report
from rnn_conformance.contract.call import Layout
from rnn_conformance.contract.documents import content_of
from rnn_conformance.contract.refusal import Violation, array_of, in_order
from rnn_conformance.run import environment
from rnn_conformance.sources.exchange import GRADIENT, HEADER_BYTES, Tensors, arrays_of
from rnn_conformance.vectors.export import HELD, OF_GRADIENTS
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
            of an LSTM, `c_n`, and gradients where the case asks for them, in the shapes and the
            dtype of an answer. Cases without one are not claimed, nor are gradients of the weights,
            the inputs or the states where a result has none of these.
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
        for check in (*(HELD[:-1] if wanted.real.all() else HELD), *gradients_of(wanted.shapes)):
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


def gradients_of(shapes: Iterable[str]) -> dict[str, list[str]]:
    """Each check of gradients with the names of what it compares, of those in a file."""
    found = dict[str, list[str]]()
    for name in shapes:
        if name.startswith(GRADIENT):
            kind = 1 if name.endswith("inputs") else 2 if name.endswith("_0") else 0
            found.setdefault(OF_GRADIENTS[kind], []).append(name)
    return found


def _all(outcome: Outcome, message: str) -> Said:
    return {check: {"outcome": outcome, "message": message} for check in HELD + OF_GRADIENTS}


def _judged(results: Path, vector: Vector, wanted: Stored) -> Said:
    try:
        found = _answer(results, vector, wanted)
    except (ValueError, Violation) as error:
        return _all("failed", str(error))
    said = _all("not_claimed", "not claimed: gradients")
    said[SHAPES] = {"outcome": "passed", "bound": "exact"}
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
    """The arrays of a result; of a check of gradients all, or none.

    Raises ValueError, or Violation for a wrong shape.
    """
    name = f"{vector.id}.safetensors"
    most = HEADER_BYTES + sum(array.nbytes for array in wanted.expected.values())
    arrays = arrays_of(name, content_of(name, results / name, most, inside=results))
    left_out = {
        part for parts in gradients_of(wanted.shapes).values() if not arrays.keys() & {*parts}
        for part in parts
    }  # fmt: skip
    shapes = {part: shape for part, shape in wanted.shapes.items() if part not in left_out}
    if missing := [part for part in shapes if part not in arrays]:
        raise ValueError(f"{name}: expected {', '.join(missing)} too")
    if other := sorted(arrays.keys() - shapes.keys()):
        raise ValueError(f"{name}: expected {', '.join(shapes)} alone, got {other[0][:100]!r}")
    return {part: array_of(part, arrays[part], shape) for part, shape in shapes.items()}


def _judgements(wanted: Stored, found: Tensors) -> Mapping[str, list[Judgement]]:
    """Each check with what it compares, in the order (T, B, units)."""

    def judged(name: str, what: str, given: Any) -> Judgement:
        each = (wanted.expected[name], given, wanted.bound[name])
        right, given, far = (_in_order(name, array, wanted.layout) for array in each)
        return Judgement(what, right, given, far, BOUND)

    output, real = found["output"], wanted.real
    inside, padding = np.where(real, output, 0), in_order(np.where(real, 0, output), wanted.layout)
    zeros = np.zeros(padding.shape)
    states = {n: of_part(n.removesuffix("_n")) for n in wanted.shapes if n.endswith("_n")}
    return {
        OUTPUT: [judged("output", "output", inside)],
        LAST: [judged(name, what, found[name]) for name, what in states.items()],
        PADDING: [Judgement("output in the padding", zeros, padding, 0.0, "exact")],
    } | {
        check: [judged(name, name.replace(".", " of "), found[name]) for name in names]
        for check, names in gradients_of(found).items()
    }


def _in_order(name: str, array: Any, layout: Layout) -> Any:
    """An array of a result as (T, B, units), a state as (L·D, B, units), a weight's rows last."""
    if name.endswith(("output", "inputs")):
        return in_order(array, layout)
    if name.endswith(("_n", "_0")):
        return array[:, None] if layout == "single" else array
    return array.reshape((1,) * (3 - array.ndim) + array.shape)
