"""Gradients of a forward pass of their own: judged as a whole, where two passes stay near."""

from typing import Any

import pytest
from rnn_conformance import plan
from rnn_conformance.checks.every import OF_GRADIENTS
from rnn_conformance.variants.every import HEALTHY
from rnn_conformance.variants.wrong.gradients import HandedBackNotTransposed

GRADIENTS = [*OF_GRADIENTS]
CELLS = ("", " (lstm)", " (gru)")


class Wrong(HandedBackNotTransposed):
    conventions = HEALTHY["StatesRecomputed"].conventions  # type: ignore[attr-defined]


def outcomes(implementation: Any) -> list[tuple[str, str, str]]:
    implementation.claims -= {"float64", "relu"}
    records = [item.execute() for item in plan(implementation, checks=GRADIENTS)]
    return [(record.outcome, record.check, record.case) for record in records]


@pytest.mark.parametrize("cell", CELLS)
def test_states_that_are_computed_again_in_another_order_are_right(cell: str) -> None:
    right = HEALTHY[f"StatesRecomputed{cell}"]
    found = outcomes(right())
    assert [one for one in found if one[0] != "passed"] == []
    assert {check for _, check, _ in found} == {*GRADIENTS} - {"gradient_of_steps"}
    assert any("marked" in case for _, _, case in found)


def test_they_would_not_be_as_those_of_the_states_that_show() -> None:
    right: Any = HEALTHY["StatesRecomputed"]()
    right.conventions = {}
    failed = {check for outcome, check, _ in outcomes(right) if outcome == "failed"}
    assert failed


def test_a_wrong_one_is_caught() -> None:
    failed = {check for outcome, check, _ in outcomes(Wrong()) if outcome == "failed"}
    assert failed == {*GRADIENTS} - {"gradient_of_steps"}
