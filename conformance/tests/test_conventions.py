"""What an implementation declares where practice differs is what it is asked for."""

from typing import Any, ClassVar

import pytest
from rnn_conformance import CannotBeJudged, as_implementation, check
from rnn_conformance.checks.records import by_check
from rnn_conformance.contract.call import HALF_DTYPES
from rnn_conformance.contract.conventions import CONVENTIONS, UNDEFINED
from rnn_conformance.variants.healthy import PaddingLeft, Permissive
from rnn_conformance.variants.recurrence import Recurrence

EDGES = (
    "no_steps_refused", "no_steps_give_h_0", "no_rows_refused", "no_rows_give_none",
    "length_0_refused", "length_0_gives_h_0", "padding_is_zero",
)  # fmt: skip


class Undefined(Recurrence):
    conventions: ClassVar[dict[str, str]] = {
        what: UNDEFINED for what, options in CONVENTIONS.items() if UNDEFINED in options
    }


def narrow(make: type[Recurrence]) -> Recurrence:
    """A layer of one dtype, tanh alone."""
    layer = make()
    layer.claims -= {*HALF_DTYPES, "float64", "relu"}
    return layer


def asked(implementation: Any) -> set[str]:
    report = check(implementation, checks=EDGES, diagnosed=False)
    assert not report.failures
    return {name for name, tally in by_check(report.records).items() if tally.run}


@pytest.mark.usefixtures("few_cases")
@pytest.mark.slow
def test_where_nothing_is_declared_torch_is_followed() -> None:
    usual = {"no_steps_refused", "no_rows_give_none", "length_0_refused", "padding_is_zero"}
    assert asked(narrow(Recurrence)) == asked("torch.nn.RNN") == usual


def test_what_is_declared_is_asked() -> None:
    other = {"no_steps_give_h_0", "no_rows_refused", "length_0_gives_h_0", "padding_is_zero"}
    assert asked(narrow(Permissive)) == other


def test_what_is_undefined_is_not_asked_and_is_shown_so() -> None:
    assert asked(narrow(Undefined)) == set()
    report = check(narrow(Undefined), checks=["padding_is_zero", "output"])
    assert report.conforms
    assert report.not_claimed.keys() == {"padding_is_zero"}
    assert {record.check for record in report.records} == {"output"}


@pytest.mark.usefixtures("few_cases")
@pytest.mark.slow
def test_padding_that_is_undefined_is_not_looked_at_elsewhere() -> None:
    class Declaring(PaddingLeft):
        conventions: ClassVar[dict[str, str]] = {}

    relations = ["output", "padding_added", "rows_permuted", "padding_is_zero"]
    assert check(narrow(PaddingLeft), checks=relations, diagnosed=False).conforms
    report = check(narrow(Declaring), checks=relations, diagnosed=False)
    failed = {record.check for record in report.failures}
    assert failed == {"padding_is_zero"}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"T = 1": "refused"}, "conventions: expected a mapping with some of T = 0, B = 0"),
        ({"memory": "undefined"}, "memory: expected one of any, contiguous, got 'undefined'"),
        ({"length 0": "zeros"}, "length 0: expected one of refused, h_0, undefined, got 'zeros'"),
    ],
)
def test_unknown_conventions_are_refused(bad: Any, message: str) -> None:
    class Bad(Recurrence):
        conventions = bad

    with pytest.raises(CannotBeJudged, match=message):
        as_implementation(Bad())
