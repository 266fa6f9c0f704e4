"""A thousandth of the soak: right layers never raise a false alarm, a wrong one is caught."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from rnn_conformance.cases.case import H0, Bias, Case, LengthsKind
from rnn_conformance.contract.call import Answer, Array, Call
from rnn_conformance.faces import soak
from rnn_conformance.variants.recurrence import Recurrence

CASES = range(100)
RIGHT = ("torch.nn.RNN", "rnn_reference.RNN", "Recurrence")
HEALTHY = ("SummedBackwards", "Packed", "DropoutByKeeping")


pytestmark = pytest.mark.usefixtures("one_thread_of_torch")


class DirectionsExchanged(Recurrence):
    """Each direction of a bidirectional layer has the other's weights."""

    name = "DirectionsExchanged"

    def cell(self, call: Call, layer: int, d: int) -> Mapping[str, Array]:
        return super().cell(call, layer, call.options.directions - 1 - d)


class StateLeft(Recurrence):
    """An omitted h_0 is the state that the last call of the same shape left."""

    name = "StateLeft"

    def __init__(self) -> None:
        self.left: dict[tuple[int, ...], Array] = {}

    def initial(self, call: Call, x: Array) -> Array:
        h_0 = super().initial(call, x)
        return self.left.get(h_0.shape, h_0) if call.h_0 is None else h_0

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        self.left[h_n.shape] = h_n
        return super().answer(call, output, h_n)


class TanhAlone(Recurrence):
    """It says that it knows no other nonlinearity, nor a layer without bias."""

    name = "TanhAlone"
    claims = Recurrence.claims - {"relu", "no_bias"}

    def refuse(self, call: Call) -> None:
        assert call.options.nonlinearity == "tanh"
        assert call.options.bias


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT + HEALTHY)
def test_no_false_alarm(name: str) -> None:
    outcomes = list(soak.soak(soak.layer_named(name), CASES))
    assert [outcome for outcome in outcomes if outcome.failures] == []
    assert all(set(outcome.shares) >= set(soak.VALUES) for outcome in outcomes)
    for outcome in outcomes:
        relations = set(outcome.shares) & set(soak.PRECONDITIONS)
        assert len(relations) == (outcome.case.weights == "contractive")
        assert (soak.PADDING in outcome.shares) == (outcome.case.lengths != "none")
    assert sum(outcome.dead for outcome in outcomes) < 10


def test_wrong_layers_are_caught() -> None:
    for outcome in soak.soak(DirectionsExchanged(), CASES):
        assert bool(outcome.failures) == outcome.case.bidirectional, outcome
    assert any("output" in outcome.failures for outcome in soak.soak(StateLeft(), CASES))


def test_a_layer_that_raises_fails_and_the_soak_goes_on() -> None:
    class Raising(Recurrence):
        def run(self, call: Call) -> Answer:
            raise SystemExit(3)

    outcomes = list(soak.soak(Raising(), range(5)))
    assert len(outcomes) == 5
    for outcome in outcomes:
        assert outcome.failures["output"].startswith("raised SystemExit: 3")


def test_only_what_is_claimed_is_asked() -> None:
    outcomes = list(soak.soak(TanhAlone(), CASES))
    assert [outcome for outcome in outcomes if outcome.failures] == []
    for outcome in outcomes:
        claimed = outcome.case.nonlinearity == "tanh" and outcome.case.bias != "off"
        assert bool(outcome.shares) == claimed


def test_a_case_is_drawn_from_its_seed_and_number_alone() -> None:
    first = list(soak.soak(Recurrence(), range(10, 20), seed=3))
    again = list(soak.soak_in_processes(["Recurrence"], range(5, 20), seed=3, processes=2))
    assert first == again[5:]
    assert [outcome.number for outcome in again] == list(range(5, 20))
    other = next(soak.soak(Recurrence(), [10], seed=4))
    assert other.case != first[0].case


def test_cases_span_the_space() -> None:
    cases = [soak.random_case(np.random.default_rng([0, n])) for n in range(2000)]
    spans = {
        "T": range(1, 41),
        "B": range(1, 10),
        "I": range(1, 21),
        "H": range(1, 25),
        "L": range(1, 5),
        "bias": get_args(Bias),
        "h_0": get_args(H0),
        "lengths": get_args(LengthsKind),
        "nonlinearity": ("tanh", "relu"),
        "layout": ("single", "time_first", "batch_first"),
        "dtype": ("float32", "float64"),
        "weights": ("contractive", "normal"),
    } | dict.fromkeys(("bidirectional", "padding_nan"), (False, True))
    for name, span in spans.items():
        assert {getattr(case, name) for case in cases} == set(span), name
    assert len({case.seed for case in cases}) == len(cases)
    for case in cases:
        assert case.layout != "single" or (case.B, case.lengths) == (1, "none")
        assert case.weights == "contractive" or (case.L, case.nonlinearity) == (1, "tanh")
        assert not case.padding_nan or case.lengths != "none"


def test_options_are_changed_only_where_it_must_show() -> None:
    case = Case()
    assert soak.holds("options_matter", case)
    assert not soak.holds("options_matter", replace(case, weights="normal"))
    for change in ({"bias": "zeros"}, {"h_0": "zeros"}, {"h_0": "none"}, {"bias": "off"}):
        assert not soak.holds("options_matter", replace(case, **change))  # type: ignore[arg-type]


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    try:
        status = soak.main([str(argument) for argument in arguments])
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, *capsys.readouterr()


def test_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, err = run(capsys, "--implementation", "Recurrence", "--cases", 8)
    assert (status, err) == (0, "")
    assert "\n8 cases in " in out
    assert ": 0 failed, 0 not claimed, " in out

    monkeypatch.setattr(soak, "layer_named", lambda _: DirectionsExchanged())
    status, out, err = run(capsys, "--cases", 8)
    assert (status, err) == (1, "")
    failed = [line for line in out.splitlines() if line.startswith("FAILED case ")]
    assert any("output[DirectionsExchanged-float" in line for line in failed)
    assert all("expected" in line for line in failed)
    number = int(failed[0].split()[2])
    assert failed[0] in run(capsys, "--start", number, "--cases", 1)[1].splitlines()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--implementation", "nope"], "layer.healthy:nope'"),
        (["--implementation", "absent:f"], "implementation 'absent:f': importing absent failed"),
        (["--implementation", "math:sqrt"], "implementation 'math:sqrt': expected one with run_l"),
        (["--cases", "0"], "expected an integer from 1 on, got 0"),
    ],
)
def test_what_cannot_be_judged(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert line in err


def test_several_are_judged_in_the_same_cases(capsys: pytest.CaptureFixture[str]) -> None:
    both = ("--implementation", "Recurrence", "--implementation", "Packed")
    status, out, err = run(capsys, *both, "--cases", 6)
    assert (status, err) == (0, "")
    named = [line.removesuffix(":") for line in out.splitlines() if line.endswith(":")]
    assert named == ["Recurrence", "Packed"]
    assert out.count("\n6 cases in ") == 2


def test_interrupted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupting(Recurrence):
        calls = 0

        def run(self, call: Call) -> Answer:
            self.calls += 1
            if self.calls == 12:
                raise KeyboardInterrupt
            return super().run(call)

    monkeypatch.setattr(soak, "layer_named", lambda _: Interrupting())
    status, out, err = run(capsys, "--cases", 50, "--start", 7)
    assert status == 2
    done = int(out.splitlines()[-1].split()[0])
    assert f"interrupted before case {7 + done}" in err
