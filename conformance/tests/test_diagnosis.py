"""A diagnosis names the cause, all that cannot be told from it, and never another one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rnn_conformance import BASIC, Diagnosis, as_implementation, check, plan
from rnn_conformance.contract.declaration import Declaration, declared
from rnn_conformance.explain.observation import alike_shares
from rnn_conformance.explain.search import diagnose
from rnn_conformance.variants.every import MUTANTS

from .miniatures import Raising
from .strangers import (
    DropsAndExchanges,
    HalfOfRecurrentBias,
    LastUnitOfLaterRowsShrunk,
    OneMaskForAllSteps,
    TanhTwoEpsSmall,
    TransposedWithoutInputBias,
    TwoBugs,
    drops_b_hh,
    one_unit_negated_once,
)

pytestmark = pytest.mark.slow

VALUES = ["output", "final_state", "readout", "shape_and_dtype"]
# One of each kind; `rnn-conformance mutants --thorough` gives all of them as strangers.
SOME = (
    "TanhClipsItsArgument", "ReadoutOneStepLate", "RowsBeyond512", "OutputInFloat64",
    "WeightsOfFirstCall", "InputsScaledInPlace", "StateInBfloat16", "ReverseOneStepLate",
    "LeakyRelu", "FinalStateReshaped", "BiasOfEarlierCall", "LengthsTakenAsSorted",
)  # fmt: skip


def diagnosed(implementation: Any, checks: Sequence[str], every: int = 1) -> Diagnosis:
    """The diagnosis from every so many-th check: no divisor of how many there are."""
    planned = plan(implementation, checks=checks)[::every]
    found = diagnose(planned, [item.execute() for item in planned])
    assert found is not None
    return found


def basic(implementation: Any) -> Any:
    """The same, claiming what functions claim: asked less, and explained by the same bugs."""
    return declared(implementation, Declaration(claims=BASIC))


def names(found: Diagnosis) -> list[tuple[str, ...]]:
    return [cause.names for cause in found.causes]


@pytest.mark.parametrize("name", SOME)
def test_a_known_bug_is_named_and_no_other(name: str) -> None:
    mutant = MUTANTS[name]
    found = diagnosed(mutant.make(), [*VALUES, mutant.caught_by], 23)
    assert names(found) == [(name,)]
    assert 0 < found.failing <= found.checks
    assert f"as if: {mutant.sentence} [{name}]" in str(found)


def test_a_stranger_need_not_sum_in_the_same_order() -> None:
    report = check(drops_b_hh)
    found = report.diagnosis
    assert found is not None
    assert names(found) == [("RecurrentBiasDropped",)]
    assert (found.failing, found.checks) == (len(report.failures), report.executed)


def test_what_checks_cannot_tell_apart_is_named_together() -> None:
    mutant = MUTANTS["NotScaled"]
    found = diagnosed(mutant.make(), [mutant.caught_by])
    assert {("NotScaled",), ("ScaledByRate",)} <= {*names(found)}
    assert "which nothing here tells apart" in str(found)


def test_a_bug_in_a_layer_that_drops_out_is_named() -> None:
    checks = [*VALUES, "dropout_not_after_the_last_layer"]
    assert names(diagnosed(DropsAndExchanges(), checks, 23)) == [("DirectionsExchanged",)]
    found = diagnosed(OneMaskForAllSteps(), [*VALUES, "dropout_between_layers"], 7)
    assert names(found) == [("SameMaskForAllSteps",)]


def test_two_bugs_in_one_piece_are_named_together() -> None:
    found = diagnosed(basic(TransposedWithoutInputBias()), VALUES, 3)
    assert names(found) == [("InputBiasDropped", "RecurrentWeightTransposed")]


def test_two_bugs_at_once_are_named_together() -> None:
    found = diagnosed(basic(TwoBugs()), VALUES, 3)
    assert names(found) == [("RecurrentBiasDropped", "InitialStateIgnored")]
    assert "b_hh is not added. And: h_0 is taken for zeros." in str(found)


@pytest.mark.parametrize("stranger", [HalfOfRecurrentBias(), Raising(RuntimeError("no"))])
def test_a_bug_that_nobody_has_listed_is_not_named(stranger: Any) -> None:
    found = diagnosed(basic(stranger), VALUES, 3)
    assert found.causes == ()
    assert str(found).startswith("no known bug reproduces these results")


def test_a_bug_of_another_step_is_not_named_where_rounding_decides_the_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near = ("StateResetAfter1024Steps", "RecurrentBiasDropped")  # the first errs in one step too
    some = {name: MUTANTS[name] for name in near}
    monkeypatch.setattr("rnn_conformance.explain.search.MUTANTS", some)
    implementation = as_implementation(one_unit_negated_once)
    long = [item for item in plan(implementation, checks=VALUES) if 1024 < item.case.T < 2000]
    found = diagnose(long, [item.execute() for item in long])
    assert found is not None
    assert found.causes == ()
    assert [place.partition(" (")[0] for place in found.places] == [
        "only in step 20",
        "only in unit 5",
    ]


def test_an_error_of_the_other_sign_is_not_named() -> None:
    planned = plan(basic(TanhTwoEpsSmall()), checks=["systematic_error"])
    some = [replace(i, case=replace(i.case, B=256)) for i in planned if i.case.T < 1000]
    found = diagnose(some, [item.execute() for item in some])
    assert found is not None
    assert ("TanhTooSmall",) in names(found)
    assert ("TanhTooLarge",) not in names(found)


def test_where_no_cause_is_known_the_places_are_told() -> None:
    found = diagnosed(LastUnitOfLaterRowsShrunk(), VALUES, 23)
    assert found.causes == ()
    assert [place.partition(" (")[0] for place in found.places] == [
        "only in the last unit",
        "only from row 2 on",
    ]


def test_failures_that_do_not_come_again_are_explained_by_their_order() -> None:
    found = diagnosed(basic(MUTANTS["WrongAtFirstCall"].make()), VALUES)
    assert not found.repeated
    assert names(found) == [("WrongAtFirstCall",)]
    assert "did not come again" in str(found)


def test_shares_are_alike_on_one_side_of_the_bound_or_near_each_other() -> None:
    assert alike_shares(1e3, 1e9)
    assert alike_shares(0.0, 0.9)
    assert alike_shares(0.6, 1.9)
    assert not alike_shares(0.1, 1.1)
    assert not alike_shares(0.0, float("inf"))
