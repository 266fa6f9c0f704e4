"""What a check of the profile "layer" is, and the list of all of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import getdoc

from rnn_conformance.judgement import Judgement
from rnn_conformance.layer.cases import LayerCase
from rnn_conformance.layer.subject import LayerSubject
from rnn_conformance.protocol import DTYPES

Judge = Callable[[LayerSubject, LayerCase], Iterator[Judgement]]
Applies = Callable[[LayerCase, frozenset[str]], bool]


@dataclass(frozen=True)
class LayerCheck:
    """One question to a layer.

    Attributes:
        name: its id, such as "layer_output".
        title, advice: what it asks, and where to look when it fails.
        clauses: the ids of the clauses that it holds.
        applies: the cases in which it is asked of whoever claims this.
        needs: features that it asks for beside the case's own.
        judge: the judgements of a case; raises Violation where there is nothing to compare.
    """

    name: str
    title: str
    advice: str
    clauses: tuple[str, ...]
    applies: Applies
    needs: frozenset[str]
    judge: Judge


LAYER_CHECKS: dict[str, LayerCheck] = {}


def always(_: LayerCase, __: frozenset[str]) -> bool:
    """Every case."""
    return True


def check(
    *clauses: str, applies: Applies = always, needs: tuple[str, ...] = ()
) -> Callable[[Judge], LayerCheck]:
    """Register a check, which cites these clauses."""

    def register(judge: Judge) -> LayerCheck:
        title, _, advice = (getdoc(judge) or "").partition("\n\n")
        found = LayerCheck(
            judge.__name__,
            title,
            " ".join(advice.split()),
            clauses,
            applies,
            frozenset(needs),
            judge,
        )
        LAYER_CHECKS[found.name] = found
        return found

    return register


def relational(case: LayerCase, claimed: frozenset[str]) -> bool:
    """The cases in which two runs can be compared as a whole: contractive, of the usual sizes."""
    usual = (case.T, case.I, case.H) == (7, 5, 3) and case.bias == "nonzero"
    given = case.h_0 == ("nonzero" if "h_0" in claimed else "none")
    contractive = case.weights == "contractive" and not case.padding_nan
    return usual and given and contractive and case.dtype in DTYPES


def usual(case: LayerCase, claimed: frozenset[str]) -> bool:
    """A selection for what need not be asked of all: one dtype, one nonlinearity."""
    dtype = next((d for d in DTYPES if d in claimed), None)
    nonlinearity = "tanh" if "tanh" in claimed else "relu"
    return relational(case, claimed) and (case.dtype, case.nonlinearity) == (dtype, nonlinearity)
