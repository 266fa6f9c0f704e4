"""The smoke check: it accepts what works at all, and says of an adapter where its slip is."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from time import sleep
from typing import Any

import numpy as np
import pytest
from rnn_conformance import BASIC, Answer, Call, CannotBeJudged, as_implementation, check, claims
from rnn_conformance.cases.catalogue import catalogue
from rnn_conformance.checks.plan import plan
from rnn_conformance.contract.call import FEATURES, Array
from rnn_conformance.run.smoke import COMPILED, smoke
from rnn_conformance.run.verdict import notes_on
from rnn_conformance.variants.every import HEALTHY, MUTANTS
from rnn_conformance.variants.recurrence import Recurrence

from .miniatures import function


@pytest.mark.parametrize("name", HEALTHY)
def test_a_right_implementation_passes(name: str) -> None:
    right = HEALTHY[name]()
    assert smoke(right) is right


class Adapter(Recurrence):
    """The right recurrence, as an adapter."""

    adapter = True


class Transposed(Adapter):
    """W_hh is handed over transposed."""

    def cell(self, call: Call, layer: int, d: int) -> Mapping[str, Array]:
        w = super().cell(call, layer, d)
        return {**w, "W_hh": w["W_hh"].T}


class ReadoutForgotten(Adapter):
    """The readout has no bias."""

    def run(self, call: Call) -> Answer:
        weights = {name: 0 * w if name == "b_ho" else w for name, w in call.weights.items()}
        return super().run(replace(call, weights=weights))


class BatchFirst(Recurrence):
    """Results are always batch first."""

    def run(self, call: Call) -> Answer:
        answer = super().run(call)
        return replace(answer, output=answer.output.swapaxes(0, 1))


def _two_arguments(weights: Any, inputs: Any) -> None: ...


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Transposed, "most likely: W_hh is used transposed"),
        (ReadoutForgotten, "y: step 0, row 0, unit 0: expected"),
        (ReadoutForgotten, "most likely: b_ho is not added"),
        (BatchFirst, "expected shape (2, 3, 5), got (3, 2, 5), the same axes in another order"),
        (lambda: as_implementation(_two_arguments), "takes 2 positional arguments but 3 were"),
    ],
)
def test_a_slip_is_named_and_there_is_no_verdict(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(CannotBeJudged, match="there is no verdict: ") as refused:
        smoke(make())
    assert said in str(refused.value)


OTHERS = ("h_n", "outputs")
_states = function(lambda found, weights: [found.pop(name) for name in OTHERS])


def test_the_parts_that_a_function_does_not_give_are_not_asked_if_it_claims_nothing() -> None:
    found = smoke(as_implementation(_states))
    assert found.claims == BASIC - {"h_n", "readout"}
    notes = ("h_n is not given, so not judged", "outputs is not given, so not judged")
    assert notes_on(found) == check(_states, checks=["output"]).notes == notes


def test_what_a_function_claims_itself_is_asked_though_it_gives_it_never() -> None:
    claiming = claims(*BASIC)(function(lambda found, weights: [found.pop(n) for n in OTHERS]))
    assert smoke(as_implementation(claiming)).claims == BASIC


def test_wrong_numbers_of_ones_own_rnn_are_left_to_the_checks() -> None:
    smoke(MUTANTS["RecurrentWeightTransposed"].make())
    smoke(Adapter())


class Compiled(Recurrence):
    """Right; calls of sizes that are new take long."""

    claims = BASIC

    def __init__(self) -> None:
        self.known: set[object] = set()

    def run(self, call: Call) -> Answer:
        if call.inputs.shape not in self.known:
            sleep(0.06)
        self.known.add(call.inputs.shape)
        return super().run(call)


class AlwaysSlow(Compiled):
    def run(self, call: Call) -> Answer:
        self.known.clear()
        return super().run(call)


def test_what_is_compiled_for_each_size_is_asked_few() -> None:
    found = smoke(Compiled())
    assert notes_on(found) == (COMPILED,)
    assert found.conventions == {"shapes": "few"}  # type: ignore[attr-defined]
    for other in (
        AlwaysSlow(),
        type("Declared", (Compiled,), {"conventions": {"shapes": "any"}})(),
    ):
        assert smoke(other) is other


@pytest.mark.parametrize("claimed", [BASIC, FEATURES - {"dropout"}, BASIC - {"time_first"}])
def test_few_sizes_starve_no_check(claimed: frozenset[str]) -> None:
    claimed |= {"single"}
    asked = {}
    for shapes in ("any", "few"):
        layer = Recurrence()
        layer.claims, layer.conventions = claimed, {"shapes": shapes}  # type: ignore[attr-defined]
        asked[shapes] = plan(layer)
    names = [{item.check.name for item in planned} for planned in asked.values()]
    assert names[0] == names[1]
    sizes = [
        {(c.T, c.B, c.I, c.H, c.dtype) for c in (item.case for item in planned)}
        for planned in asked.values()
    ]
    assert sizes[1] <= sizes[0]
    assert len(asked["few"]) < len(asked["any"])


def test_few_sizes_are_as_many_calls_of_a_batch_as_claimed() -> None:
    cases = {shapes: catalogue(0, BASIC | {f"shapes: {shapes}"}) for shapes in ("any", "few")}
    sizes = {n: len({(c.T, c.B, c.I, c.H, c.dtype) for c in each}) for n, each in cases.items()}
    assert sizes["few"] < 0.75 * sizes["any"]


def of_tensors(weights: Any, inputs: Any, h_0: Any) -> Any:
    """Right; as torch.from_numpy does, it takes no views that are read backwards."""
    if any(min(array.strides) < 0 for array in (*weights.values(), inputs)):
        raise ValueError("negative strides")
    w, h, states = weights, h_0, []
    h = np.zeros((inputs.shape[1], len(w["W_hh"])), inputs.dtype) if h_0 is None else h_0
    for x in inputs:
        h = np.tanh(x @ w["W_xh"].T + w["b_xh"].T + h @ w["W_hh"].T + w["b_hh"].T)
        states.append(h)
    return {"hidden_states": np.stack(states), "h_n": h}


def test_who_refuses_views_is_not_asked_them_and_is_told_so() -> None:
    report = check(of_tensors, checks=["output", "memory_layouts"])
    assert report.conforms or report.in_vain == ()
    assert not any(record.check == "memory_layouts" for record in report.records)
    assert any("negative strides" in note for note in report.notes)
    of_tensors.conventions = {"memory": "any", "wrong sizes": "undefined"}  # type: ignore[attr-defined]
    try:
        failed = check(of_tensors, checks=["memory_layouts"], diagnosed=False)
    finally:
        del of_tensors.conventions  # type: ignore[attr-defined]
    assert failed.failures
