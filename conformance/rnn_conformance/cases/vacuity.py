"""No case may be easy to pass by accident: one that is vacuous is an error, not a case."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rnn_conformance.bounds.balls import Ball, Float64, Precision
from rnn_conformance.cases import expected, gradients
from rnn_conformance.cases.case import Case
from rnn_conformance.cells.drawing import PLAIN_FEEDBACK, WITHOUT_BIAS
from rnn_conformance.cells.weights import degenerate, of_cell
from rnn_conformance.contract.call import Array

ALIVE = 0.1  # the least share of states in which an error shows
SHARP = 0.25  # the most that a bound may be of the number that it bounds, in half of them
SHARP_BACKWARDS = 1e-3  # the same of gradients, of the median bound and the median number
SHARP_THROUGH = 1e-3  # where a layer shows through others, in no half precision


class Vacuous(ValueError):
    """A case that a wrong implementation could pass; the message says why."""


@lru_cache(maxsize=8192)
def why_vacuous(case: Case) -> str | None:
    """Saturated, symmetric, constant, or with too wide a bound; None where it is none of these."""
    return next(_reasons(case), None)


def refuse_vacuous(case: Case) -> None:
    """Raises Vacuous for a case that is one.

    No layout changes its numbers, nor whether an initial state of zeros is given.
    """
    why = why_vacuous(case.in_one_order)
    if why is not None:
        raise Vacuous(f"case {case.id} with seed {case.seed} is vacuous, take another seed: {why}")


def _reasons(case: Case) -> Iterator[str]:
    if case.weights in PLAIN_FEEDBACK:
        return  # they are there for their zeros and symmetries
    data, o = case.data(), case.options
    for layer in [case.dense] if case.transparent else range(o.num_layers):
        for d in range(o.directions):
            biased = case.bias == "nonzero" and case.weights not in WITHOUT_BIAS
            yield from degenerate(of_cell(data.weights, layer, d, o), biased)
    if case.h_0 == "nonzero":
        parts = len(o.parts) if case.weights == "special" else 1  # one of which is zero there
        yield from _distinct("h_0", data.initial.reshape(-1, parts * case.H))
    real_steps = data.real[..., 0]
    if case.lengths in ("sorted", "unsorted") and len(np.unique(data.steps)) < min(case.B, case.T):
        yield f"lengths {data.steps.tolist()} are not as different as they can be"
    if (data.inputs[~real_steps] == 0).any():
        yield "there are zeros in the padding"
    if case.weights in ("extreme", "special"):
        return  # they are there for what lies beyond the usual
    answer = expected.computed(data)
    found = expected.of_answer(case, answer)
    states = found.output[real_steps]
    if case.transparent:
        precision = Precision.of(case.dtype)
        shown = expected.shown_through(data, precision, answer.output, case.dense)
        states = shown.value[:, real_steps]
    yield from _dead(case.equation.alive(states))
    most = SHARP_THROUGH if case.transparent else SHARP
    yield from _blunt(found.output[real_steps], found.output_bound[real_steps], most)
    if case.loss != "none":
        yield from _of_gradients(gradients.of_exact(case))


def _distinct(name: str, rows: Array) -> Iterator[str]:
    if len(np.unique(rows, axis=0)) < len(rows):
        yield f"two rows of {name} are equal"


def _dead(alive: npt.NDArray[np.bool_]) -> Iterator[str]:
    """Where an activation is flat, errors before it do not show."""
    share = float(np.mean(alive))
    if share < ALIVE:
        yield f"an error shows in {share:.0%} of the states only"


def _blunt(found: Float64, bound: Float64, most: float) -> Iterator[str]:
    signal = np.abs(found[found != 0])
    wide = float(np.median(bound[found != 0] / signal)) if signal.size else np.inf
    if wide > most:
        yield f"the bound is {wide:.2g} of the number that it bounds, in the median"


def _of_gradients(right: gradients.Expected) -> Iterator[str]:
    for name, part in right.parts.items():
        yield from _vague(name, part)
    if right.adjoints is not None:
        d, _ = right.adjoints
        yield from _vague("the pre-activations", d)
        size, least = np.abs(d.value), d.precision.eta / d.precision.u
        if ((size > 0) & (size < least)).any():
            yield "the gradient of a pre-activation is too small for its bits"


def _vague(name: str, right: Ball) -> Iterator[str]:
    size = np.abs(right.value)
    if not size.any():
        yield f"the gradient of {name} is zero"
        return
    wide = float(np.median(right.bound[size > 0]) / np.median(size[size > 0]))
    if wide > SHARP_BACKWARDS:
        yield f"the bound on the gradient of {name} is {wide:.2g} of it, in the median"
