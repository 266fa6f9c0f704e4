"""Write cases with exact results and bounds as files, the same bytes on every machine."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Context
from functools import lru_cache
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Precision
from rnn_conformance.cases import gradients
from rnn_conformance.cases.case import PLAIN, Case
from rnn_conformance.cases.catalogue import PAIRS, every_option
from rnn_conformance.cases.expected import as_a_whole
from rnn_conformance.cases.showing import MARKED, gradient_cases
from rnn_conformance.cases.vacuity import refuse_vacuous
from rnn_conformance.cells import CELLS, alike
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.subject import by_part
from rnn_conformance.contract.call import DTYPES, FEATURES, Answer, Array, Layout
from rnn_conformance.sources.exchange import (
    GRADIENT,
    Tensors,
    fields_of,
    tensors_of,
    write_tensors,
)
from rnn_conformance.vectors.exact import Exact, exact
from rnn_conformance.vectors.flags import FLAGS, flags_of
from rnn_conformance.vectors.manifest import INDEX, MANIFEST, Manifest, Vector, digest, file_of

__all__ = ["digest", "export", "vector_cases"]

HELD = ("shape_and_dtype", "output", "final_state", "padding_is_zero")
OF_GRADIENTS = ("gradient_of_weights", "gradient_of_inputs", "gradient_of_states")
MOST_STATES = 10_000  # of a layer and direction: a set of some megabytes
MOST_PRODUCTS = 5_000  # of a layer and direction: a tenth of a second in digits with gradients
THREE_DIGITS = Context(prec=3, rounding=ROUND_CEILING)


def vector_cases(seed: int = 0) -> tuple[Case, ...]:
    """The cases of a set, by id: those with a bounded whole result, but the largest.

    Of a plain RNN all but `PAIRS`; of each other cell those that show a pair of options. Of each
    whose gradients are judged also those that show a pair with gradients, and one in which each
    step's part of the gradient of a weight is a number of its own.
    """
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: expected an integer from 0 on, got {seed!r}")
    plain, kept = alike(PLAIN), set[Case]()
    for cell in CELLS:
        if cell not in plain:
            kept |= {*showing_pairs(replace(c, cell=cell) for c in _small((cell,)))}
        if CELLS[cell].adjoint is not None:
            asked = [case for case in gradient_cases(cell) if _is_short(case)]
            kept |= {*showing_pairs(case for case in asked if case.weights == "contractive")}
            kept |= {case for case in asked if MARKED[0] == (case.T, case.B, case.I, case.H)}
    kept |= {c for c in _small(plain) if c.weights == "contractive" and c not in PAIRS}
    return tuple(sorted((replace(c, seed=seed) for c in kept), key=lambda case: case.id))


def _small(cells: Sequence[str]) -> Iterator[Case]:
    for case in every_option(cells):
        if case.dtype in DTYPES and case.T * case.B <= MOST_STATES:
            yield case


def _is_short(case: Case) -> bool:
    products = case.T * case.B * case.H * (case.I + case.H)
    return products <= MOST_PRODUCTS and not case.reverse


def showing_pairs(cases: Iterable[Case]) -> Iterator[Case]:
    """Those, contractive, that show two options together that none before shows together.

    The sizes are one option, beside the dtype alone.
    """
    seen = set[tuple[object, ...]]()
    for c in cases:
        options = (
            c.dtype, c.layout, c.L, c.bias, c.bidirectional, c.h_0, c.lengths, c.padding_nan,
            c.loss,
        )  # fmt: skip
        shown = {*combinations(enumerate(options), 2), (c.T, c.B, c.I, c.H, c.dtype)}
        if not shown <= seen:
            yield replace(c, weights="contractive")
        seen |= shown


def export(folder: Path | str, *, seed: int = 0, only: Collection[str] | None = None) -> Manifest:
    """Write cases/ID.safetensors for each case, manifest.json and index.txt.

    Args:
        folder: a new or an empty one.
        seed: what the numbers are drawn from.
        only: the ids of the cases to write; all where it is None.

    Raises ValueError for a folder that holds something, an unknown id, a seed that is none or makes
    a case vacuous, and OSError.
    """
    cases, folder = chosen(vector_cases(seed), only), empty(folder)
    for case in cases:
        refuse_vacuous(case)
    (folder / "cases").mkdir()
    vectors = tuple(_write(folder, case) for case in cases)
    index = "".join(f"{_index_line(case)}\n" for case in cases).encode()
    (folder / INDEX).write_bytes(index)
    flags = {flag: FLAGS[flag] for vector in vectors for flag in vector.flags}
    manifest = Manifest(seed, vectors, flags, sha256(index).hexdigest())
    (folder / MANIFEST).write_bytes(manifest.to_bytes())
    return manifest


def chosen(cases: tuple[Case, ...], only: Collection[str] | None) -> tuple[Case, ...]:
    """The cases of these ids, all where it is None. Raises ValueError for an unknown one."""
    if only is None:
        return cases
    if isinstance(only, str) or not only or not {*only} <= {case.id for case in cases}:
        raise ValueError(f"only: expected ids of cases, got {only!r}")
    return tuple(case for case in cases if case.id in only)


def empty(folder: Path | str) -> Path:
    """A folder, made if need be. Raises ValueError for one that holds something."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ValueError(f"folder: expected a new or an empty one, got {folder}")
    return folder


def _write(folder: Path, case: Case) -> Vector:
    call, path = case.call(), folder / file_of(case.id)
    write_tensors(path, {**tensors_of(call), **_results(case)})
    held = [CHECKS[name] for name in HELD + OF_GRADIENTS if CHECKS[name].presumes(case, FEATURES)]
    clauses = {clause for check in held for clause in check.holds(case)}
    hashed = sha256(path.read_bytes()).hexdigest()
    return Vector(
        case.id, fields_of(call), tuple(sorted(clauses)), flags_of(case), file_of(case.id), hashed
    )


def _results(case: Case) -> Tensors:
    """What is expected, and how far from it rounding may lead, as the caller gets the results."""
    e, found = as_a_whole(case), _exact(replace(case, layout="time_first"))
    bounds = by_part(Answer(e.output_bound, e.h_n_bound), case.options)
    results = by_part(Answer(found.output, found.h_n), case.options)
    if case.loss != "none":
        right = gradients.whole(case.data(), Precision.of(case.dtype))
        bounds |= _by_name({n: ball.bound for n, ball in right.parts.items()}, case)
        results |= _by_name(found.gradients, case)
    parts: dict[str, Array] = {}
    for name, expected in results.items():
        parts[f"expected.{name}"] = expected
        parts[f"bound.{name}"] = rounded_up(bounds[name], expected)
    return {name: _laid_out(name, value, case.layout) for name, value in parts.items()}


def _by_name(found: Mapping[str, Array], case: Case) -> dict[str, Array]:
    """Gradients as they stand in an answer: those of the parts of a state that is given apart."""
    each = {name: value for name, value in found.items() if name != "h_0"}
    if case.h_0 != "none":
        names = [f"{part}_0" for part in case.options.parts]
        each |= zip(names, np.split(found["h_0"], len(names), axis=-1), strict=True)
    return {GRADIENT + name: value for name, value in each.items()}


@lru_cache(maxsize=1024)
def _exact(case: Case) -> Exact:
    """In one layout for all of them."""
    return exact(case.data())


def rounded_up(bound: Array, expected: Array) -> npt.NDArray[np.float64]:
    """Bounds with half an ulp of what is expected added, rounded up to three significant digits.

    The last bits of a bound are a machine's own, three digits are not. A bound of 0 stays 0.
    """
    wide = np.where(bound > 0, bound + np.spacing(np.abs(expected)) / 2, 0)
    rounded = [float(THREE_DIGITS.create_decimal_from_float(value)) for value in wide.flat]
    return np.array(rounded).reshape(bound.shape)


def _laid_out(name: str, value: Array, layout: Layout) -> Array:
    of_steps = name.endswith(("output", "inputs"))
    if layout == "single" and (of_steps or name.endswith(("_n", "_0"))):
        return value[:, 0]
    return value.swapaxes(0, 1) if of_steps and layout == "batch_first" else value


def _index_line(case: Case) -> str:
    """A case for readers without JSON: id, file, dtype, layout, cell, T B I H L D bias."""
    o = case.options
    sizes = (case.T, case.B, case.I, case.H, case.L, o.directions, int(o.bias))
    words = (case.id, file_of(case.id), case.dtype, case.layout, case.cell, *sizes)
    return " ".join(map(str, words))
