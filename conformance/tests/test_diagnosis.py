"""A diagnosis names the cause, all that cannot be told from it, and never another one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rnn_conformance import BASIC, Answer, Call, Diagnosis, check, plan
from rnn_conformance.checks.subject import given
from rnn_conformance.contract.call import Array
from rnn_conformance.contract.declaration import Declaration, declared
from rnn_conformance.explain import search
from rnn_conformance.explain.observation import alike_shares
from rnn_conformance.explain.search import diagnose
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.every import MUTANTS
from rnn_conformance.variants.gradient_ways import AddedFromTheFirst
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.gradients_of_gates import CellGradientAssigned

from .miniatures import Raising
from .strangers import (
    DropsAndExchanges,
    OneMaskForAllSteps,
    TanhTwoEpsSmall,
    drops_b_hh,
)

pytestmark = pytest.mark.slow

VALUES = ["output", "final_state", "readout", "shape_and_dtype"]
# Of what has no form in one step; `rnn-conformance mutants --thorough` gives all as strangers.
SOME = (
    "OutputInFloat64", "InputsScaledInPlace",
    "LengthsTakenAsSorted",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _known_bugs_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done otherwise in single steps has its own tests, and takes its time."""
    if "refused" not in request.node.name:
        monkeypatch.setattr(search, "findings", lambda *_: ((), ()))


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
    found = diagnosed(mutant.make(), [*VALUES, mutant.caught_by], 61)
    assert names(found) == [(name,)]
    assert 0 < found.failing <= found.checks
    assert f"as if: {mutant.sentence} [{name}]" in str(found)


def test_a_stranger_need_not_sum_in_the_same_order() -> None:
    report = check(drops_b_hh, checks=VALUES)
    found = report.diagnosis
    assert found is not None
    assert names(found) == [("RecurrentBiasDropped",)]
    assert (found.failing, found.checks) == (len(report.failures), report.executed)


def test_what_checks_cannot_tell_apart_is_named_together() -> None:
    mutant = MUTANTS["NotScaled"]
    found = diagnosed(mutant.make(), [mutant.caught_by], 5)
    assert {("NotScaled",), ("ScaledByRate",)} <= {*names(found)}
    assert "which nothing here tells apart" in str(found)


def test_a_bug_in_a_layer_that_drops_out_is_named() -> None:
    checks = [*VALUES, "dropout_not_after_the_last_layer"]
    assert names(diagnosed(DropsAndExchanges(), checks, 61)) == [("DirectionsExchanged",)]
    found = diagnosed(OneMaskForAllSteps(), [*VALUES, "dropout_between_layers"], 23)
    assert names(found) == [("SameMaskForAllSteps",)]


def test_what_is_refused_is_named_by_no_bug() -> None:
    found = diagnosed(basic(Raising(RuntimeError("no"))), VALUES, 3)
    assert found.causes == ()
    assert str(found).startswith("raised RuntimeError, everywhere: explains ")


class UnscaledAndTransposed(MUTANTS["NotScaled"].make):  # type: ignore[misc]
    """A bug of dropout beside one that every number shows."""

    name = "unscaled and transposed"

    def cell(self, call: Call, layer: int, d: int) -> Any:
        w = super().cell(call, layer, d)
        return {**w, "W_hh": w["W_hh"].T}


def test_a_bug_of_dropout_is_named_beside_another() -> None:
    found = diagnosed(UnscaledAndTransposed(), [*VALUES, "dropout_between_layers"], 23)
    assert found.causes == ()
    (finding,) = [one for one in found.findings if one.result == "dropout"]
    assert MUTANTS["NotScaled"].sentence.rstrip(".") in finding.what
    assert finding.explains == finding.wrong > 0


class AddsUpFromTheFirst(AddedFromTheFirst, CellGradientAssigned):
    """A bug of gradients in a layer that sums in another order."""

    name = "adds up from the first"


class HandsBackTooLittle(Differentiable):
    """No known bug."""

    name = "hands back too little"

    def handed_back(self, W_hh: Array, d: Array) -> Array:
        return super().handed_back(W_hh, d) * d.dtype.type(0.9)


class DropsRecurrentBias(Differentiable):
    """Wrong in what it gives, and so in its gradients."""

    name = "drops b_hh"

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        return super().preactivation({**w, "b_hh": 0 * w["b_hh"]}, x, h)


def test_a_bug_of_gradients_is_named_and_no_other() -> None:
    checks = ["gradient_of_steps", "gradient_of_weights", "gradient_of_states"]
    assert names(diagnosed(AddsUpFromTheFirst(), checks, 5)) == [("CellGradientAssigned",)]
    assert names(diagnosed(HandsBackTooLittle(), checks, 23)) == []


def test_wrong_results_are_explained_without_their_gradients() -> None:
    found = diagnosed(DropsRecurrentBias(), ["final_state", "gradient_of_weights"], 23)
    assert names(found) == [("RecurrentBiasDropped",)]


class OneRowForAll(Recurrence):
    """An h_0 of one row is taken for every row."""

    def run(self, call: Call) -> Answer:
        h_0, rows = call.h_0, call.inputs.shape[call.layout == "time_first"]
        if h_0 is not None and call.layout != "single" and h_0.shape[1] == 1 < rows:
            call = replace(call, h_0=np.repeat(h_0, rows, axis=1))
        return super().run(call)


def test_what_is_answered_and_should_be_refused_is_told() -> None:
    found = diagnosed(basic(OneRowForAll()), ["wrong_rows_refused"])
    assert [(one.result, one.where, one.contradicts) for one in found.findings] == [
        ("answers", "everywhere", 0)
    ]
    assert "answered, not refused" in str(found)


class ZerosForNoSteps(Recurrence):
    """A row of length 0 is computed as one of a step, and all of it is then zero."""

    name = "zeros for no steps"

    def run(self, call: Call) -> Answer:
        if call.lengths is None or call.lengths.min() != 0:
            return super().run(call)
        answer = super().run(replace(call, lengths=np.maximum(call.lengths, 1)))
        empty = call.lengths == 0
        states, output = given(answer, "h_n").copy(), answer.output.copy()
        states[:, empty] = 0
        (output if call.layout == "batch_first" else output.swapaxes(0, 1))[empty] = 0
        return Answer(output, states)


def test_a_cause_whose_numbers_are_others_is_not_named() -> None:
    found = diagnosed(ZerosForNoSteps(), ["length_0_refused", "final_state"], 3)
    assert found.failing
    assert ("LengthZeroGivesStateOfLastStep",) not in names(found)
    assert ("LengthZeroTaken",) not in names(found)


def test_an_error_of_the_other_sign_is_not_named() -> None:
    planned = plan(basic(TanhTwoEpsSmall()), checks=["systematic_error"])
    some = [replace(i, case=replace(i.case, B=256)) for i in planned if i.case.T < 1000]
    found = diagnose(some, [item.execute() for item in some])
    assert found is not None
    assert ("TanhTooSmall",) in names(found)
    assert ("TanhTooLarge",) not in names(found)


def test_failures_that_do_not_come_again_are_explained_by_their_order() -> None:
    found = diagnosed(basic(MUTANTS["WrongAtFirstCall"].make()), VALUES)
    assert not found.repeated
    assert names(found) == [("WrongAtFirstCall",)]
    assert "did not come again" in str(found)


def test_nothing_is_diagnosed_where_nothing_fails_or_nobody_asks() -> None:
    assert check("rnn_reference.BatchRNN", checks=["trajectory"]).diagnosis is None
    assert check(drops_b_hh, checks=["trajectory"], diagnosed=False).diagnosis is None


def test_shares_are_alike_on_one_side_of_the_bound_or_near_each_other() -> None:
    assert alike_shares(1e3, 1e9)
    assert alike_shares(0.0, 0.9)
    assert alike_shares(0.6, 1.9)
    assert not alike_shares(0.1, 1.1)
    assert not alike_shares(0.0, float("inf"))
