"""A diagnosis names the cause, all that cannot be told from it, and never another one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rnn_conformance import Case, Diagnosis, as_implementation, check, plan
from rnn_conformance.contract.call import Array
from rnn_conformance.explain import diagnose
from rnn_conformance.explain.observation import alike_shares
from rnn_conformance.variants.every import MUTANTS_OF
from rnn_reference import BatchRNN
from tests.strangers import (
    DropsAndExchanges,
    HalfOfRecurrentBias,
    LastUnitOfLaterRowsShrunk,
    NoBiases,
    OneMaskForAllSteps,
    Raising,
    TanhTwoEpsSmall,
    TorchWithFinalStatesFromTheTop,
    TorchWithoutRecurrentBias,
    TwoBugs,
    drops_b_hh,
    one_unit_negated_once,
)

VALUES = ["hidden_states", "final_state", "outputs", "shape_and_dtype"]
LAYER_VALUES = ["output", "final_state", "shape_and_dtype"]
# One of each kind; `rnn-conformance mutants --thorough` gives all of them as strangers.
SOME = {
    "core": (
        "TanhClipsItsArgument", "ReadoutOneStepLate", "RowsBeyond512", "ResultInFloat64",
        "WeightsOfFirstCall", "InputsScaledInPlace", "StateInBfloat16",
    ),
    "layer": (
        "ReverseOneStepLate", "LeakyRelu", "FinalStateReshaped", "BiasOfEarlierCall",
        "LengthsTakenAsSorted",
    ),
}  # fmt: skip


def diagnosed(implementation: Any, checks: Sequence[str], every: int = 1) -> Diagnosis:
    """The one diagnosis, from every so many-th check: no divisor of how many there are."""
    planned = plan(implementation, checks=checks)[::every]
    (found,) = diagnose(planned, [item.execute() for item in planned])
    return found


def names(found: Diagnosis) -> list[tuple[str, ...]]:
    return [cause.names for cause in found.causes]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "name"), [(profile, name) for profile, some in SOME.items() for name in some]
)
def test_a_known_bug_is_named_and_no_other(profile: str, name: str) -> None:
    mutant = MUTANTS_OF[profile][name]
    values, every = (VALUES, 7) if profile == "core" else (LAYER_VALUES, 11)
    found = diagnosed(mutant.make(), [*values, mutant.caught_by], every)
    assert names(found) == [(name,)]
    assert 0 < found.failing <= found.checks
    assert f"as if: {mutant.sentence} [{name}]" in str(found)


@pytest.mark.slow
def test_a_stranger_need_not_sum_in_the_same_order() -> None:
    report = check(drops_b_hh)
    (found,) = report.diagnoses
    assert names(found) == [("RecurrentBiasDropped",)]
    assert (found.failing, found.checks) == (len(report.failures), report.executed)


class TransposedByStep(BatchRNN):
    """A class like the reference's: W_hh is transposed, and there is no h_n."""

    def forward(self, inputs: Array, h_0: Array | None = None) -> Any:
        right, self.W_hh = self.W_hh, self.W_hh.T
        try:
            return super().forward(inputs, h_0)
        finally:
            self.W_hh = right


def test_what_is_not_given_hides_no_cause() -> None:
    checks = ["hidden_states", "omitted_h_0_is_zeros", "earlier_results_kept"]
    found = diagnosed(as_implementation(TransposedByStep), checks)
    assert names(found) == [("RecurrentWeightTransposed",)]


@pytest.mark.slow
def test_a_changed_framework_is_explained() -> None:
    found = diagnosed(TorchWithoutRecurrentBias(), LAYER_VALUES, 23)
    assert names(found) == [("RecurrentBiasDropped",)]
    found = diagnosed(TorchWithFinalStatesFromTheTop(), LAYER_VALUES, 23)
    assert names(found) == [("FinalStatesFromTheTop",)]


@pytest.mark.slow
def test_what_checks_cannot_tell_apart_is_named_together() -> None:
    mutant = MUTANTS_OF["layer"]["NotScaled"]
    found = diagnosed(mutant.make(), [mutant.caught_by])
    assert {("NotScaled",), ("ScaledByRate",)} <= {*names(found)}
    assert "which nothing here tells apart" in str(found)


@pytest.mark.slow
def test_a_bug_in_a_layer_that_drops_out_is_named() -> None:
    checks = [*LAYER_VALUES, "dropout_not_after_the_last_layer"]
    assert names(diagnosed(DropsAndExchanges(), checks, 23)) == [("DirectionsExchanged",)]
    found = diagnosed(OneMaskForAllSteps(), [*LAYER_VALUES, "dropout_between_layers"], 7)
    assert names(found) == [("SameMaskForAllSteps",)]


@pytest.mark.slow
def test_two_bugs_in_one_piece_are_named_together() -> None:
    found = diagnosed(NoBiases(), VALUES, 3)
    assert names(found) == [("RecurrentBiasDropped", "InputBiasDropped")]


def test_two_bugs_at_once_are_named_together() -> None:
    found = diagnosed(TwoBugs(), VALUES, 3)
    assert names(found) == [("RecurrentBiasDropped", "InitialStateIgnored")]
    assert "b_hh is not added. And: h_0 is taken for zeros." in str(found)


@pytest.mark.parametrize("stranger", [HalfOfRecurrentBias, Raising])
def test_a_bug_that_nobody_has_listed_is_not_named(stranger: Any) -> None:
    found = diagnosed(stranger(), VALUES, 3)
    assert found.causes == ()
    assert str(found).startswith("no known bug reproduces these results")


def test_a_bug_of_another_step_is_not_named_where_rounding_decides_the_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near = ("StateResetAfter1024Steps", "RecurrentBiasDropped")  # the first errs in one step too
    some = {name: MUTANTS_OF["core"][name] for name in near}
    monkeypatch.setattr("rnn_conformance.explain.search.MUTANTS_OF", {"core": some})
    implementation = as_implementation(one_unit_negated_once)
    failing = [
        item for item in plan(implementation, checks=VALUES) if getattr(item.case, "T", 0) > 1024
    ]
    (found,) = diagnose(failing, [item.execute() for item in failing])
    assert found.causes == ()
    assert [place.partition(" (")[0] for place in found.places] == [
        "only in step 20",
        "only in unit 5",
    ]


@pytest.mark.slow
def test_an_error_of_the_other_sign_is_not_named() -> None:
    planned = plan(TanhTwoEpsSmall(), checks=["systematic_error"])
    some = [
        replace(item, case=replace(item.case, B=256))
        for item in planned
        if isinstance(item.case, Case) and item.case.layout == "time_first"
    ]
    (found,) = diagnose(some, [item.execute() for item in some])
    assert ("TanhTooSmall",) in names(found)
    assert ("TanhTooLarge",) not in names(found)


@pytest.mark.slow
def test_where_no_cause_is_known_the_places_are_told() -> None:
    found = diagnosed(LastUnitOfLaterRowsShrunk(), LAYER_VALUES, 23)
    assert found.causes == ()
    assert [place.partition(" (")[0] for place in found.places] == [
        "only in the last unit",
        "only from row 2 on",
    ]


@pytest.mark.slow
def test_failures_that_do_not_come_again_are_explained_by_their_order() -> None:
    found = diagnosed(MUTANTS_OF["core"]["WrongAtFirstCall"].make(), VALUES)
    assert not found.repeated
    assert names(found) == [("WrongAtFirstCall",)]
    assert "did not come again" in str(found)


def test_nothing_is_diagnosed_where_nothing_fails_or_nobody_asks() -> None:
    assert check("rnn_reference.BatchRNN", checks=["trajectory"]).diagnoses == ()
    assert check(TwoBugs(), checks=["trajectory"], diagnosed=False).diagnoses == ()


def test_shares_are_alike_on_one_side_of_the_bound_or_near_each_other() -> None:
    assert alike_shares(1e3, 1e9)
    assert alike_shares(0.0, 0.9)
    assert alike_shares(0.6, 1.9)
    assert not alike_shares(0.1, 1.1)
    assert not alike_shares(0.0, float("inf"))
