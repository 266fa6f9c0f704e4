"""Each comparison of gradients counts: some wrong implementation is caught by it alone."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from rnn_conformance.cases.case import Case
from rnn_conformance.cases.catalogue import catalogue
from rnn_conformance.checks.every import CHECKS, OF_GRADIENTS
from rnn_conformance.checks.subject import Subject
from rnn_conformance.variants.every import MUTANTS

pytestmark = pytest.mark.slow

OF_FIRST_LAYER = ("weight_ih_l0 in training", "weight_ih_l0_reverse in training")
LATER = (" in a later call", " of a large loss")  # of which each is a call after another
FEW_NUMBERS = 1000  # rows times steps times units
Condition = Callable[[Case], bool]


def anywhere(_: Case) -> bool:
    return True


# By bug: the one result whose gradient is wrong, and the cases in which it is.
ALONE: tuple[tuple[str, str | tuple[str, ...], Condition], ...] = (
    ("TruncatedAfterSixteenSteps", "the pre-activations", anywhere),
    ("MiddleInputsOverwritten", "weight_ih_l1", lambda case: case.L > 2),
    ("FactorsOfSumsInTF32", "weight_hh_l", anywhere),
    ("InputBiasConstant", "bias_ih_l", anywhere),
    ("RecurrentBiasConstant", "bias_hh_l", anywhere),
    ("CandidateBiasWithoutReset", "bias_hh_l", anywhere),
    ("InputsOfPadding", "inputs", lambda case: case.lengths != "none"),
    ("PaddedInputsTimesZero", "", lambda case: case.padding_nan),
    ("InputGradientReshaped", "inputs", lambda case: case.layout == "batch_first"),
    ("InitialHiddenDetached", "h_0", anywhere),
    ("InitialCellDetached", "c_0", anywhere),
    ("InitialRowsLeftSorted", "h_0", lambda case: case.lengths != "none"),
    ("FirstStateForZeros", "weight_hh_l", lambda case: case.h_0 == "nonzero"),
    ("LastStateForOmittedFirst", "weight_hh_l", lambda case: case.h_0 == "none"),
    ("FinalStateUnset", "", lambda case: case.loss == "output"),
    ("FinalStateScaled", "", lambda case: case.loss == "output_zeros"),
    ("OutputUnset", "", lambda case: case.loss == "h_n"),
    ("OutputUnsetBesideCell", "", lambda case: case.loss == "c_n"),
    ("FinalStateAtLastPaddedStep", "", lambda case: case.lengths != "none"),
    ("FinalStateUnseenOfASequence", "", lambda case: case.layout == "single"),
    ("ReverseFinalStateAtTheWrongEnd", "", lambda case: case.bidirectional),
    ("LowerLayersDetached", "", lambda case: case.L > 1),
    ("GradientsOfFirstCall", (*LATER, "from broadcast memory"), anywhere),
    ("HalvedInTraining", " in training", anywhere),
    ("WeightsOfFirstLayerWithoutInputs", OF_FIRST_LAYER, anywhere),
    ("OutputScaledInTraining", " in training", anywhere),
    ("StridedLossReadAsContiguous", ("from strided memory", "from backwards memory"), anywhere),
    ("LossOfStrideZeroReadAsContiguous", "from broadcast memory", anywhere),
)


def caught(name: str) -> Iterator[tuple[str, Case]]:
    """What is outside its bound where; a new implementation is asked in each case."""
    make = MUTANTS[name].make
    cell = next(cell for cell in ("tanh", "lstm", "gru") if cell in make.claims)
    for case in catalogue(claimed=Subject(make()).claimed):
        listed = case.T * case.B * case.H <= FEW_NUMBERS and not case.drawn
        if (case.cell, case.dtype) != (cell, "float32") or case.loss == "none":
            continue
        if not (listed or (name == "TruncatedAfterSixteenSteps" and case.weights == "passing")):
            continue
        subject = Subject(make())
        for check in map(CHECKS.__getitem__, OF_GRADIENTS):
            if check.asked(case, subject.claimed):
                for judgement in check.judge(subject, case):
                    if judgement.worst()[0] > 1:
                        yield judgement.what.removeprefix("gradient of "), case


@pytest.mark.parametrize(("name", "what", "where"), ALONE, ids=[row[0] for row in ALONE])
def test_a_bug_is_caught_by_one_comparison_alone(
    name: str, what: str | tuple[str, ...], where: Condition
) -> None:
    with np.errstate(all="ignore"):
        found = list(caught(name))
    assert found
    shown = (what,) if isinstance(what, str) else what
    other = [(p, c.id) for p, c in found if not any(one in p for one in shown) or not where(c)]
    assert other == []
