"""What a check is, and the list of all of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import getdoc

from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases.case import Case
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import DTYPES, LAYOUTS

Judge = Callable[[Subject, Case], Iterator[Judgement]]
Applies = Callable[[Case, frozenset[str]], bool]


@dataclass(frozen=True)
class Check:
    """One question to a layer.

    Attributes:
        name: its id, such as "output".
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


CHECKS: dict[str, Check] = {}


def always(_: Case, __: frozenset[str]) -> bool:
    """Every case."""
    return True


def check(
    *clauses: str, applies: Applies = always, needs: tuple[str, ...] = ()
) -> Callable[[Judge], Check]:
    """Register a check, which cites these clauses."""

    def register(judge: Judge) -> Check:
        title, _, advice = (getdoc(judge) or "").partition("\n\n")
        found = Check(
            judge.__name__,
            title,
            " ".join(advice.split()),
            clauses,
            applies,
            frozenset(needs),
            judge,
        )
        CHECKS[found.name] = found
        return found

    return register


def of_usual_size(case: Case) -> bool:
    """Whether it has the steps, inputs and units of the cases that relations are asked in."""
    return (case.T, case.I, case.H) == (7, 5, 3)


def relational(case: Case, claimed: frozenset[str]) -> bool:
    """The cases in which two runs can be compared as a whole: contractive, of the usual sizes."""
    usual = of_usual_size(case) and case.bias == "nonzero"
    given = case.h_0 == ("nonzero" if "h_0" in claimed else "none")
    contractive = case.weights == "contractive" and not case.padding_nan
    return usual and given and contractive and case.dtype in DTYPES


def usual(case: Case, claimed: frozenset[str]) -> bool:
    """A selection for what need not be asked of all: one dtype, one nonlinearity."""
    dtype = next((d for d in DTYPES if d in claimed), None)
    nonlinearity = "tanh" if "tanh" in claimed else "relu"
    return relational(case, claimed) and (case.dtype, case.nonlinearity) == (dtype, nonlinearity)


def usual_or_short(case: Case, claimed: frozenset[str]) -> bool:
    """Those, and one layer of every other size in which several calls take little time.

    A kernel or a buffer of its own for some size may write, keep or lose what others do not. Each
    size is asked in every dtype, and in one layout after the other.
    """
    weights = "normal" if "tanh" in claimed else "contractive"
    other = case.L == 1 and case.weights == weights and not of_usual_size(case)
    short = case.T <= 50 and case.B <= 64 and case.dtype in DTYPES
    layouts = [layout for layout in LAYOUTS if layout in claimed]
    turn = case.T + case.I + case.H + DTYPES.index(case.dtype) if short else 0
    in_turn = case.layout == layouts[turn % len(layouts)]
    return (other and short and in_turn) or usual(case, claimed)
