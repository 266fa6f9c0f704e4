"""What a check is, and where it is asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import getdoc
from itertools import chain
from zlib import crc32

from rnn_conformance.bounds.judgement import Judgement
from rnn_conformance.cases.case import Case
from rnn_conformance.cells import CELLS, first_claimed
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import DTYPES, HALF_DTYPES, LAYOUTS
from rnn_conformance.contract.conventions import FEW_SHAPES

Judge = Callable[[Subject, Case], Iterator[Judgement]]
Condition = Callable[[Case, frozenset[str]], bool]
EQUATION = "the equation of the cell"
SHARE = 24  # a check is asked in one of so many random cases for which it is not meant


@dataclass(frozen=True)
class Check:
    """One question to an implementation.

    Attributes:
        name: its id, such as "output".
        title, advice: what it asks, and where to look when it fails.
        cites: the ids of the clauses that it holds; `EQUATION` for that of the cell.
        presumes: the cases in which it must hold, and has a point, of whoever claims this.
        among: those of the catalogue in which it is asked, since all would take too long.
        needs: features that it asks for beside the case's own.
        judge: the judgements of a case; raises Violation where there is nothing to compare.
    """

    name: str
    title: str
    advice: str
    cites: tuple[str, ...]
    presumes: Condition
    among: Condition
    needs: frozenset[str]
    judge: Judge

    @property
    def clauses(self) -> tuple[str, ...]:
        """All that it cites, of every cell."""
        equations = tuple(dict.fromkeys(cell.clause for cell in CELLS.values()))
        cited = (equations if clause == EQUATION else (clause,) for clause in self.cites)
        return tuple(chain.from_iterable(cited))

    def holds(self, case: Case) -> tuple[str, ...]:
        """The clauses that it cites, of which it can show a breach in this case.

        A check of one clause always can.
        """
        one = len(self.cites) == 1
        return tuple(
            case.equation.clause if clause == EQUATION else clause
            for clause in self.cites
            if one or clause == EQUATION or case.concerns(clause)
        )

    def asked(self, case: Case, claimed: frozenset[str]) -> bool:
        """Whether it is asked in a case of the catalogue: of random ones, in a share.

        Relations are asked without gradients.
        """
        if self.among is always:
            chosen = True
        elif case.drawn and case.loss == "none":
            chosen = crc32(f"{self.name} {case.id}".encode()) % SHARE == 0
        else:
            chosen = self.among(case, claimed)
        return chosen and self.presumes(case, claimed)


def always(_: Case, __: frozenset[str]) -> bool:
    """Every case."""
    return True


def check(
    *clauses: str,
    presumes: Condition = always,
    among: Condition = always,
    needs: tuple[str, ...] = (),
) -> Callable[[Judge], Check]:
    """Make a check of its judge, which cites these clauses."""

    def register(judge: Judge) -> Check:
        title, _, advice = (getdoc(judge) or "").partition("\n\n")
        return Check(
            judge.__name__,
            title,
            " ".join(advice.split()),
            clauses,
            presumes,
            among,
            frozenset(needs),
            judge,
        )

    return register


def comparable(case: Case) -> bool:
    """Whether two runs can be compared as a whole."""
    return case.weights == "contractive" and case.dtype in DTYPES


def in_whole(condition: Callable[[Case], bool] = lambda _: True) -> Condition:
    """The comparable cases for which this holds."""
    return lambda case, _: comparable(case) and condition(case)


def of_usual_size(case: Case) -> bool:
    """Whether it has the steps, inputs and units of the cases that relations are asked in."""
    return (case.T, case.I, case.H) == (7, 5, 3)


def relational(case: Case, claimed: frozenset[str]) -> bool:
    """The cases in which two runs can be compared as a whole: contractive, of the usual sizes."""
    usual = of_usual_size(case) and case.bias == "nonzero"
    given = case.h_0 == ("nonzero" if "h_0" in claimed else "none")
    return usual and given and comparable(case) and not case.padding_nan


def usual(case: Case, claimed: frozenset[str]) -> bool:
    """A selection for what need not be asked of all: one dtype, one cell."""
    dtype = next((d for d in DTYPES if d in claimed), None)
    cell = first_claimed(claimed)
    return relational(case, claimed) and (case.dtype, case.cell) == (dtype, cell.name)


def usual_or_short(case: Case, claimed: frozenset[str]) -> bool:
    """Those, and one layer of every other size in which several calls take little time.

    A kernel or a buffer of its own for some size may write, keep or lose what others do not. Each
    size is asked in every dtype, and in one layout after the other. Where sizes that are new take
    long, those of the relations have to do.
    """
    cell = first_claimed(claimed)
    usual_weights = "normal" if "normal" in cell.kinds else "contractive"
    weights = "moderate" if case.dtype in HALF_DTYPES else usual_weights
    other = (
        FEW_SHAPES not in claimed
        and case.L == 1
        and (case.cell, case.weights) == (cell.name, weights)
        and not of_usual_size(case)
    )
    short = case.T <= 50 and case.B <= 64
    layouts = [layout for layout in LAYOUTS if layout in claimed]
    turn = case.T + case.I + case.H + (*DTYPES, *HALF_DTYPES).index(case.dtype) if short else 0
    in_turn = case.layout == layouts[turn % len(layouts)]
    return (other and short and in_turn) or usual(case, claimed)
