"""The smoke check: it accepts what works at all, and says of an adapter where its slip is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rnn_conformance import Answer, Call, CannotBeJudged, as_implementation, check
from rnn_conformance.contract.call import Answer, Call
from rnn_conformance.mutants import MUTANTS
from rnn_conformance.recurrence import Recurrence
from rnn_conformance.run.smoke import smoke
from rnn_conformance.variants.every import HEALTHY_OF
from rnn_conformance.variants.recurrence import Recurrence


@pytest.mark.parametrize(
    ("profile", "name"), [(profile, name) for profile, some in HEALTHY_OF.items() for name in some]
)
def test_a_right_implementation_passes(profile: str, name: str) -> None:
    smoke(HEALTHY_OF[profile][name]())


class Adapter(Recurrence):
    """The right recurrence, as an adapter."""

    adapter = True


class Transposed(Adapter):
    """W_hh is handed over transposed."""

    def run(self, call: Call) -> Answer:
        weights = {**call.weights, "W_hh": call.weights["W_hh"].T.copy()}
        return super().run(Call(weights, call.inputs, call.h_0, call.layout))


class ReadoutForgotten(Adapter):
    """The readout has no bias."""

    def run(self, call: Call) -> Answer:
        weights = {**call.weights, "b_ho": 0 * call.weights["b_ho"]}
        return super().run(Call(weights, call.inputs, call.h_0, call.layout))


class BatchFirst(Recurrence):
    """The layer, its results always batch first."""

    def run(self, call: Call) -> Answer:
        answer = super().run(call)
        return Answer(answer.output.swapaxes(0, 1), answer.h_n)


def _two_arguments(weights: Any, inputs: Any) -> None: ...


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Transposed, "most likely: W_hh is used transposed"),
        (ReadoutForgotten, "outputs: step 0"),
        (BatchFirst, "expected shape (2, 3, 5), got (3, 2, 5), the same axes in another order"),
        (
            lambda: as_implementation(_two_arguments),
            "takes 2 positional arguments but 3 were given",
        ),
    ],
)
def test_a_slip_is_named_and_there_is_no_verdict(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(CannotBeJudged, match="there is no verdict: ") as refused:
        smoke(make())
    assert said in str(refused.value)


class OneSequence:
    """A first RNN: one sequence, vectors, dictionaries by step."""

    def __init__(self, input_size: int, hidden_size: int, output_size: int, **_: Any) -> None:
        self.hidden_size = hidden_size

    def forward(self, inputs: Any, h_0: Any = None) -> Any:
        w = vars(self)
        h = np.zeros(self.hidden_size, inputs.dtype) if h_0 is None else h_0[:, 0]
        states, outputs = {}, {}
        for t, x in enumerate(inputs):
            h = np.tanh(w["W_xh"] @ x + w["b_xh"][:, 0] + w["W_hh"] @ h + w["b_hh"][:, 0])
            states[t], outputs[t] = h, w["W_ho"] @ h + w["b_ho"][:, 0]
        return outputs, states


def test_what_takes_single_sequences_alone_is_asked_for_them_alone() -> None:
    found: Any = smoke(as_implementation(OneSequence))
    assert found.claims.layouts == ("single",)
    report = check(found, checks=["hidden_states", "outputs"])
    assert report.conforms
    assert report.executed > 50


def test_wrong_numbers_of_ones_own_rnn_are_left_to_the_checks() -> None:
    smoke(MUTANTS["RecurrentWeightTransposed"].make())
    smoke(Adapter())
