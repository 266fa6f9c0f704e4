"""The smoke check: whether there is anything to judge, before all else is asked."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from rnn_conformance.cases.case import H0, Case, Loss
from rnn_conformance.cells import first_claimed
from rnn_conformance.checks.conduct import backwards, changed
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.plan import Planned, in_words_of, known_failures
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import (
    DTYPES,
    GRADIENTS,
    HALF_DTYPES,
    LAYOUTS,
    Answer,
    Array,
    Dtype,
    Implementation,
)
from rnn_conformance.contract.conventions import ANY_MEMORY
from rnn_conformance.contract.declaration import Declaration, declared
from rnn_conformance.contract.refusal import CannotBeJudged, Violation, attempt
from rnn_conformance.sources.derivatives import NOTES, NOTHING
from rnn_conformance.sources.first_call import USUAL_FIRST
from rnn_conformance.sources.seed_model import NOT_READ

T, B, I, H = 2, 3, 4, 5  # all different, so that every exchange of axes shows
FIRST_STEPS = ("output", "readout")
NO_VERDICT = "there is no verdict: "
SINGLE_ALONE = "batches are not asked: a batch was refused, a single sequence was not"
SLOW, AGAIN = 0.05, 10  # seconds of a first call, and how many times as long as a second
NEW_STEPS = (T + 1, T + 3, T + 2)
COMPILED = (
    "each first call of sizes takes long, as where code is compiled for them: fewer sizes are "
    'asked; conventions = {"shapes": "any"} asks all'
)
VIEWS_REFUSED = "views of other arrays are not asked, since one was refused"
PARTS = {"h_n": "h_n", "y": "readout"}  # of an answer, and what claims them


def smoke(implementation: Implementation) -> Implementation:
    """Ask for the simplest there is, two steps from no h_0: shapes, and of an adapter numbers.

    What has `adapter = True` stands between the suite and somebody else's RNN: where its first
    steps are wrong, the weights are not where they belong, which says nothing about the RNN.

    Returns:
        the implementation. What it does not claim itself but was assumed is narrowed to what it
        does: single sequences if it takes no batches, the parts of an answer that it gives, one
        dtype if it answers in nothing else, arrays without strides if it refuses others, few sizes
        if it takes long over each that is new.

    Raises CannotBeJudged with what is most likely the slip.
    """
    found = _narrowed_to_memory(_as_it_can_be_asked(implementation))
    found = _with_gradients(found)
    return _of_few_shapes(found) if _is_slow_at_first(found) else found


def _as_it_can_be_asked(implementation: Implementation) -> Implementation:
    """Raises CannotBeJudged."""
    refused: dict[str, CannotBeJudged] = {}
    for reading in _readings(implementation):
        try:
            found = _with_its_parts(reading)
            _asked(found)
        except CannotBeJudged as error:
            refused.setdefault(str(error), error)
            continue
        return _narrowed_to_a_dtype(_as_it_reads(implementation, found) or found)
    try:
        if (read := _as_it_reads(implementation)) is not None:
            return _narrowed_to_a_dtype(read)
    except TypeError as error:
        refused.setdefault(_told(implementation, str(error)), CannotBeJudged(str(error)))
    first, *more = refused
    details = "".join(f"; and, asked in another way, {m.split(NO_VERDICT)[1]}" for m in more)
    raise CannotBeJudged(f"{first}{details}") from refused[first]


def _readings(implementation: Implementation) -> Iterator[Implementation]:
    """The implementation as it is, then with claims that are narrower where they were assumed."""
    if "nothing" in _assumed(implementation):
        return
    yield implementation
    if "layouts" in _assumed(implementation):
        claims = implementation.claims - {*LAYOUTS} | {"single"}
        yield _narrowed(implementation, claims, SINGLE_ALONE)


def _as_it_reads(
    implementation: Implementation, usual: Implementation | None = None
) -> Implementation | None:
    """Of all ways to read a class that was written for itself, that which gives the right numbers.

    Of a wrong class, that with the most of them. None where there is no better way than the usual.

    Raises TypeError where there is no way, and no usual one.
    """
    readings = getattr(implementation, "readings", None)
    at_all = "readings" if usual else "readings where refused"
    if readings is None or not _assumed(implementation) & {"readings", at_all}:
        return None
    right = -1.0 if usual is None else _right_of_both(usual)
    if right == 2:
        return None
    try:
        best = max(readings(), key=lambda way: _share_right(way, "none") or 0)
    except TypeError:
        if usual is None:
            raise
        return None  # it can be asked as it is, however wrong the numbers are
    right_of = {way: _share_right(way, "nonzero") for way in best.with_states()}
    taken = {way: share for way, share in right_of.items() if share is not None}
    chosen: Implementation = max(taken, key=taken.__getitem__, default=best)
    return _as_said(implementation, chosen) if _right_of_both(chosen) > right else None


def _meant(read: Any) -> tuple[str, ...]:
    """What else could be meant, where the numbers are wrong as it is read and right so alone."""
    if _right_of_both(read) == 2:
        return ()
    fitting = [other.line for other in read.otherwise() if _right_of_both(other) == 2]
    said = "its first numbers are wrong as it is read; if it is meant so, write above it: "
    return (f"{said}{fitting[0]}",) if len(fitting) == 1 else ()


def _as_said(implementation: Implementation, read: Implementation) -> Implementation:
    """What was read, with what is declared of it."""
    said = getattr(implementation, "said", Declaration())
    loaded = f"load({implementation.name!r})" if ":" in implementation.name else ""
    code = getattr(implementation, "code", loaded)
    return declared(read, said, f"smoke({code})" if code else "", _meant(read))


def _right_of_both(way: Implementation) -> float:
    """How many states are right without an initial state, and how many with one."""
    states: tuple[H0, ...] = ("none", "nonzero") if "h_0" in way.claims else ("none", "none")
    return sum(_share_right(way, h_0) or 0 for h_0 in states)


def _share_right(implementation: Implementation, h_0: H0) -> float | None:
    """How many of its first states are right; None where it gives none."""
    case = replace(_simplest(implementation), h_0=h_0)
    try:
        (judged,) = CHECKS["output"].judge(Subject(implementation), case)
    except Violation:
        return None
    return float(np.mean(judged.shares() <= 1))


def _narrowed(implementation: Implementation, claims: frozenset[str], note: str) -> Implementation:
    said = Declaration(claims=claims)
    return declared(implementation, said, notes=(note,), assumed=_assumed(implementation))


def _with_its_parts(implementation: Implementation) -> Implementation:
    """Without the claim to give what its first answer lacks, if that was assumed."""
    if "parts" not in _assumed(implementation):
        return implementation
    answer = _simplest_answer(implementation)
    for part, feature in PARTS.items():
        if getattr(answer, part) is None and feature in implementation.claims:
            note = in_words_of(implementation, f"{part} is not given, so not judged")
            implementation = _narrowed(implementation, implementation.claims - {feature}, note)
    return implementation


def _narrowed_to_a_dtype(implementation: Implementation) -> Implementation:
    """Without the dtype that it answers in the other one, whatever the call's, if that was assumed.

    Raises CannotBeJudged if it does not read the weights that it is given.
    """
    if "dtypes" not in _assumed(implementation):
        return implementation
    asked = [dtype for dtype in DTYPES if dtype in implementation.claims]
    answers = {dtype: _simplest_answer(implementation, dtype) for dtype in asked}
    _refuse_ignored_weights(implementation, asked[-1], answers[asked[-1]])
    for dtype, other in zip(DTYPES, reversed(DTYPES), strict=True):
        parts = vars(answers[dtype]).values() if dtype in answers else ()
        if any(getattr(part, "dtype", None) == other for part in parts):
            note = f"{dtype} is not claimed: a {dtype} call was answered in {other}"
            return _narrowed(implementation, implementation.claims - {dtype}, note)
    return implementation


def _narrowed_to_memory(implementation: Implementation) -> Implementation:
    """For arrays of usual memory alone, if it refuses a view and that was not declared."""
    subject = Subject(implementation)
    if "memory" not in _assumed(implementation) or ANY_MEMORY not in subject.claimed:
        return implementation
    try:
        subject.answer(changed(_simplest(implementation).call(), backwards))
    except Violation as refused:
        said = Declaration(conventions={"memory": "contiguous"})
        return declared(implementation, said, notes=(f"{VIEWS_REFUSED}: {refused}",))
    return implementation


def _with_gradients(implementation: Implementation) -> Implementation:
    """With what its first gradients follow; claimed where that was left open and there are any.

    Raises CannotBeJudged where they are claimed, and do not come.
    """
    follow = getattr(implementation, "gradients_follow", None)
    is_claimed = GRADIENTS in implementation.claims
    if follow is None or "gradients" not in _assumed(implementation):
        return implementation
    h_0: H0 = "nonzero" if "h_0" in implementation.claims else "none"
    loss: Loss = "all" if "h_n" in implementation.claims else "output"
    case = replace(_simplest(implementation), h_0=h_0, loss=loss, O=0)
    try:
        said = attempt(follow, case.call(), object)
    except Violation as why:
        if is_claimed:
            raise CannotBeJudged(_told(implementation, str(why))) from why
        note = f"gradients are not asked: {why}"
        return declared(implementation, Declaration(), notes=(note,))
    if not isinstance(said, Mapping):
        if is_claimed:
            raise CannotBeJudged(_told(implementation, NOTHING))
        return implementation
    conventions = {**said, **getattr(implementation, "conventions", {})}
    claims = implementation.claims | {GRADIENTS}
    declaration = Declaration(claims=claims, conventions=conventions)
    notes, kept = tuple(NOTES[what] for what in said), _assumed(implementation) - {"gradients"}
    return declared(implementation, declaration, notes=notes, assumed=kept)


def _is_slow_at_first(implementation: Implementation) -> bool:
    """Whether each call of sizes that are new takes long, and the same call again does not.

    It is measured of what leaves the choice: no adapter, no failures known by their cases.
    """
    given = getattr(implementation, "conventions", {})
    if "shapes" in given or getattr(implementation, "adapter", False):
        return False
    if known_failures(implementation):
        return False
    case, subject = _simplest(implementation), Subject(implementation)

    def seconds(T: int) -> float:
        call = replace(case, T=T).call()
        start = perf_counter()
        subject.answer(call)
        return perf_counter() - start

    try:
        return all(SLOW < seconds(T) > AGAIN * seconds(T) for T in NEW_STEPS)
    except Violation:  # of which the checks will tell
        return False


def _of_few_shapes(implementation: Implementation) -> Implementation:
    said = Declaration(conventions={"shapes": "few"})
    return declared(implementation, said, notes=(COMPILED,))


def _simplest_answer(
    implementation: Implementation, dtype: Dtype | None = None, **weights: Array
) -> Answer:
    """The answer to the simplest call, with some weights changed. Raises CannotBeJudged."""
    case = _simplest(implementation)
    call = replace(case, dtype=dtype or case.dtype).call()
    call = replace(call, weights={**call.weights, **weights})
    try:
        return Subject(implementation).answer(call)
    except Violation as violation:
        raise CannotBeJudged(_told(implementation, str(violation))) from violation


def _refuse_ignored_weights(implementation: Implementation, dtype: Dtype, before: Answer) -> None:
    """Raises CannotBeJudged if other weights give the same answer as those before."""
    weights = replace(_simplest(implementation), dtype=dtype).call().weights
    changed = {name: -value for name, value in weights.items() if name.startswith("weight")}
    after = _simplest_answer(implementation, dtype, **changed)
    if np.array_equal(before.output, after.output):
        raise CannotBeJudged(_told(implementation, NOT_READ))


def _assumed(implementation: Implementation) -> frozenset[str]:
    return getattr(implementation, "assumed", frozenset())


def _asked(implementation: Implementation) -> None:
    """Raises CannotBeJudged."""
    case, subject = _simplest(implementation), Subject(implementation)
    try:
        subject.result(case)
    except Violation as violation:
        raise CannotBeJudged(_told(implementation, str(violation))) from violation
    if getattr(implementation, "adapter", False):
        for name in FIRST_STEPS:
            _right(Planned(subject, CHECKS[name], case))


def _right(item: Planned) -> None:
    if item.lacking or not item.check.presumes(item.case, item.subject.claimed):
        return
    record = item.execute()
    if record.outcome != "failed":
        return
    from rnn_conformance.explain.search import reproduced_by  # it imports every mutant

    slips = reproduced_by(item)
    likely = f"; most likely: {', or '.join(slips[:2])}" if slips else ""
    raise CannotBeJudged(_told(item.subject.implementation, f"{record.message}{likely}"))


def _told(implementation: Implementation, what: str) -> str:
    return (
        f"implementation {implementation.name!r}: the smoke check failed, so nothing else was "
        f"asked and {NO_VERDICT}{in_words_of(implementation, what)}"
    )


def _simplest(implementation: Implementation) -> Case:
    """The simplest case that is claimed."""
    claims = implementation.claims
    layout = next(layout for layout in USUAL_FIRST if layout in claims)
    dtype: Dtype = next(d for d in (*DTYPES, *HALF_DTYPES) if d in claims)
    cell = first_claimed(claims).name
    rows, O = 1 if layout == "single" else B, 2 if "readout" in claims else 0
    # H + 1 inputs: another size than any of the catalogue, for which a module is made anew.
    return Case(T, rows, H + 1, H, cell=cell, layout=layout, dtype=dtype, h_0="none", O=O)
