"""The terms of a pre-activation: W_ih x_t, W_hh h_{t-1} and the biases, as they are or changed."""

from collections.abc import Callable

import numpy as np

from rnn_conformance.bounds.balls import Float64
from rnn_conformance.cells.edits import Steps, Term, product
from rnn_conformance.cells.moves import Move, at
from rnn_conformance.contract.call import Array

TermOf = Callable[[Steps], Term | None]  # None where an edit cannot be made
MATRICES = {"x": "W_ih", "h": "W_hh"}
VECTORS = {"x": "x_t", "h": "h_{t-1}"}
BIASES = ("b_ih", "b_hh")
NAMED = {**MATRICES, **{b: b for b in BIASES}}
TERMS = {**{slot: f"{W} {VECTORS[slot]}" for slot, W in MATRICES.items()}, **{b: b for b in BIASES}}


def right(slot: str, s: Steps) -> Term:
    """The term as it should be."""
    return bias(getattr(s.weights, slot), s) if slot in BIASES else product(*factors(slot, s), s.u)


def factors(slot: str, s: Steps) -> tuple[Float64, Array]:
    """The vectors and the weight of a product."""
    return (s.x, s.weights.W_ih) if slot == "x" else (s.before, s.weights.W_hh)


def bias(b: Array, s: Steps) -> Term:
    """One unit of a bias for each number."""
    return in_float64(b[s.u])


def in_float64(b: Array) -> Term:
    """Numbers as terms, and their sizes."""
    value = b.astype(np.float64)
    return value, np.abs(value)


def times(slot: str, s: Steps, factor: float) -> Term:
    """The right term, so many times."""
    if not factor:  # what is not computed shows no NaN either
        return np.zeros(len(s.u)), np.zeros(len(s.u))
    value, size = right(slot, s)
    return factor * value, abs(factor) * size


def shifted(c: float, s: Steps) -> Term:
    """The input bias and a number."""
    value, size = right("b_ih", s)
    return value + c, size + abs(c)


def with_vector(slot: str, change: Callable[[Float64], Float64]) -> TermOf:
    """What the weight multiplies is changed first."""

    def term(s: Steps) -> Term:
        rows, W = factors(slot, s)
        return product(change(rows), W, s.u)

    return term


def with_matrix(slot: str, change: Callable[[Array], Array]) -> TermOf:
    """The weight is changed, where its shape stays."""

    def term(s: Steps) -> Term | None:
        rows, W = factors(slot, s)
        changed = change(W)
        return product(rows, changed, s.u) if changed.shape == W.shape else None

    return term


def moved(slot: str, move: Move, s: Steps) -> Term:
    """What stands at another step or in another row goes in."""
    of, W = (s.inputs, s.weights.W_ih) if slot == "x" else (s.states, s.weights.W_hh)
    first = len(of) - len(s.inputs)
    return product(of[move(at(s.t, len(of), s.b, s.lengths, first, back=s.back))], W, s.u)
