"""Every check over the space of specifications, of two right layers: torch.nn.RNN, rnn_reference.

Hypothesis draws, and makes small what fails. What a check presumes of a case is said in the check.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rnn_conformance.cases.case import H0, Case, LengthsKind
from rnn_conformance.checks.every import CHECKS, OF_GRADIENTS
from rnn_conformance.checks.plan import known_failures
from rnn_conformance.checks.registry import Check, always
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import DTYPES, LAYOUTS, NONLINEARITIES
from rnn_conformance.faces import soak

NAMES = ("torch.nn.RNN", "rnn_reference.RNN")
SUBJECTS = {name: Subject(soak.layer_named(name)) for name in NAMES}
LEFT_OUT = ("systematic_error",)  # of one large case
EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=12)
USUAL = (7, 4, 5, 3)  # for which alone some checks are meant: T, B, I, H
SIZES = st.just(USUAL) | st.tuples(*(st.integers(1, most) for most in (9, 5, 6, 6)))


def every_option() -> Iterator[Case]:
    """All options with all others, in the usual sizes."""
    names = ("L", "cell", "bias", "bidirectional", "layout", "h_0", "lengths", "dtype",
             "padding_nan", "weights", "O")  # fmt: skip
    for values in product(
        (1, 2, 3), NONLINEARITIES, ("nonzero", "ih_alone", "off"), (False, True), LAYOUTS,
        get_args(H0), get_args(LengthsKind), DTYPES, (False, True), ("contractive", "normal"),
        (0, 2),
    ):  # fmt: skip
        case = Case(**dict(zip(names, values, strict=True)))
        laid_out = case.lengths == "none" or case.layout != "single"
        padded = case.lengths != "none" or not case.padding_nan
        judged = case.weights == "contractive" or (case.L, case.cell) == (1, "tanh")
        if laid_out and padded and judged:
            yield replace(case, B=1) if case.layout == "single" else case


OPTIONS = tuple(every_option())[::7]  # no number of values of any option is a multiple of it


def fits(check: Check, subject: Subject, case: Case) -> bool:
    """Whether the check must hold, known failures apart."""
    known = known_failures(subject.implementation)
    return (
        case.features | check.needs <= subject.claimed
        and check.presumes(case, subject.claimed)
        and not any(failure.fits(check.name, case.id) for failure in known)
    )


def sized(case: Case, sizes: tuple[int, int, int, int], seed: int) -> Case:
    T, B, I, H = sizes
    return replace(case, T=T, B=1 if case.layout == "single" else B, I=I, H=H, seed=seed)


ASKED = [
    pytest.param(
        *(check, subject, options),
        id=f"{check.name}-{name}",
        marks=[pytest.mark.slow] * (check.among is not always),
    )
    for name, subject in SUBJECTS.items()
    for check in CHECKS.values()
    if check.name not in LEFT_OUT
    if (options := [case for case in OPTIONS if fits(check, subject, case)])
]


@pytest.mark.parametrize(("check", "subject", "options"), ASKED)
@EXAMPLES
@given(data=st.data())
@np.errstate(all="ignore")  # of what NumPy would warn, the judgement tells
def test_it_holds_wherever_it_must(
    check: Check, subject: Subject, options: list[Case], data: st.DataObject
) -> None:
    cases = st.builds(sized, st.sampled_from(options), SIZES, st.integers(0, 2**32 - 1))
    case = data.draw(cases.filter(partial(fits, check, subject)))
    # An exception says what came instead of a result.
    for judgement in check.judge(subject, case):
        place = judgement.first_outside()
        assert place is None, judgement.describe(place)


def test_few_checks_are_left_out() -> None:
    asked = {parameters.values[0].name for parameters in ASKED}  # type: ignore[union-attr]
    assert {*CHECKS} - asked - {*OF_GRADIENTS} == {  # which have cases of their own
        *LEFT_OUT,
        "no_steps_give_h_0",
        "length_0_gives_h_0",
    }
