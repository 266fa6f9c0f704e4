"""What is done otherwise in single steps is named with its place, and nothing else is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from rnn_conformance import Call, as_implementation, plan
from rnn_conformance.cells.changes import mixtures, told_apart
from rnn_conformance.cells.elman.effective import Solved, otherwise
from rnn_conformance.checks.findings import Finding
from rnn_conformance.contract.call import DTYPES, Array
from rnn_conformance.explain.stepwise import findings
from rnn_conformance.explain.where import Condition, Rule
from rnn_conformance.variants.recurrence import Recurrence

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of what is wrong
LONG = [pytest.mark.slow, pytest.mark.weekly]  # another case of the same stays
Weights = Mapping[str, Array]


def preactivation(w: Weights, x: Array, h: Array, b_xh: float = 1, b_hh: float = 1) -> Array:
    a: Array = x @ w["W_xh"].T + h @ w["W_hh"].T + b_xh * w["b_xh"].T + b_hh * w["b_hh"].T
    return a.astype(x.dtype)


def function(
    step: Callable[..., Array] = lambda w, x, h, t, h_0: np.tanh(preactivation(w, x, h)),
    y: Callable[[Array], Array] = lambda y: y,
    last: Callable[[Array], Array] = lambda states: states[-1],
) -> Callable[[Weights, Array, Array | None], Any]:
    """A loop of its own round a step, of (weights, x_t, h_{t-1}, t, h_0)."""

    def rnn(weights: Weights, inputs: Array, h_0: Array | None) -> Any:
        w, found = weights, []
        h = np.zeros((inputs.shape[1], len(w["W_hh"])), inputs.dtype) if h_0 is None else h_0
        for t, x in enumerate(inputs):
            h = step(w, x, h, t, h_0)
            found.append(h)
        states = np.stack(found)
        outputs = y(states @ w["W_ho"].T + w["b_ho"].T)
        return {"hidden_states": states, "h_n": last(states), "outputs": outputs}

    return rnn


def found(
    implementation: Any, every: int = 1, dtypes: Sequence[str] = ("float64",)
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What is found in every so many-th case of these dtypes."""
    subject = as_implementation(implementation)
    planned = plan(subject)
    every_case = dict.fromkeys(item.case for item in planned if item.case.dtype in dtypes)
    cases = [*every_case][::every]
    failing = frozenset(case for case in cases if case.weights == "extreme")
    return findings(subject, planned[0].subject.claimed, cases, failing)


def said(implementation: Any, *some: Any) -> list[tuple[str, str]]:
    """What is found where; everything is explained by it, and nothing contradicts it."""
    one_by_one, unexplained = found(implementation, *some)
    assert not unexplained
    assert all(one.contradicts == 0 for one in one_by_one)
    return [(one.what, one.where) for one in one_by_one]


def last_unit_kept(w: Weights, x: Array, h: Array, t: int, h_0: Any) -> Array:
    new = np.tanh(preactivation(w, x, h))
    new[:, -1] = h[:, -1]
    return new


def three_at_once(w: Weights, x: Array, h: Array, t: int, h_0: Any) -> Array:
    rows = np.arange(len(h))
    a = preactivation(w, x, h[np.where(rows % 2, 0, rows)], b_xh=0)
    new = np.tanh(a)
    new[:, -1] = np.maximum(a[:, -1], 0)
    return new


TABLE = np.linspace(-40, 40, 20_481)


def interpolated(a: Array) -> Array:
    inside = np.clip(a, -40, 40)
    return np.interp(inside, TABLE, np.tanh(TABLE)).astype(a.dtype)


def in_blocks(W: Array) -> Array:
    block = np.arange(len(W)) // 4
    return np.where(block[:, np.newaxis] == block, W, 0)


def rational(a: Array) -> Array:
    r: Array = a * (27 + a * a) / (27 + 9 * a * a)
    return np.clip(r, -1, 1)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "the new state is clamped to ±0.9": lambda a: np.clip(np.tanh(a), -0.9, 0.9).astype(a.dtype),
    "tanh is a rational function, a (27 + a^2) / (27 + 9 a^2), clipped to [-1, 1]": rational,
    "tanh loses its digits near 0, as 2σ(2a) - 1 and (e^2a - 1)/(e^2a + 1) do": (
        lambda a: 2 / (1 + np.exp(-2 * np.clip(a, -40, 40))) - 1
    ),
}


def each_but(later: Sequence[Any], every: Iterable[Any]) -> list[Any]:
    """All of them as parameters; those that are later run weekly."""
    return [pytest.param(*one, marks=LONG if one in later else ()) for one in every]


@pytest.mark.parametrize("what", ACTIVATIONS)
def test_another_activation(what: str) -> None:
    def step(w: Weights, x: Array, h: Array, t: int, h_0: Any) -> Array:
        return ACTIVATIONS[what](preactivation(w, x, h))

    some = (1, DTYPES) if "near 0" in what else (11,)  # one case in all shows it
    assert said(function(step), *some) == [(what, "everywhere")]


STEPS: dict[tuple[str, str], Callable[..., Array]] = {
    ("b_hh is missing", "h_0 = omitted"): lambda w, x, h, t, h_0: np.tanh(
        preactivation(w, x, h, b_hh=float(h_0 is not None))
    ),
    ("b_xh is added twice", "step ≥ 32"): lambda w, x, h, t, h_0: np.tanh(
        preactivation(w, x, h, b_xh=1 + (t >= 32))
    ),
    ("W_hh is transposed", "dtype = float64"): lambda w, x, h, t, h_0: np.tanh(
        preactivation({**w, "W_hh": w["W_hh"].T} if x.dtype == np.float64 else w, x, h)
    ),
    ("W_hh h_{t-1} counts 0.99 times", "everywhere"): lambda w, x, h, t, h_0: np.tanh(
        preactivation({**w, "W_hh": 0.99 * w["W_hh"]}, x, h)
    ),
    ("the state stays as it was", "last unit"): last_unit_kept,
    ("the new state is rounded to multiples of 2^-11", "everywhere"): lambda w, x, h, t, h_0: (
        np.rint(np.tanh(preactivation(w, x, h)) * 2048) / 2048
    ).astype(x.dtype),
    ("W_hh has nothing but its diagonal blocks of 4", "everywhere"): lambda w, x, h, t, h_0: (
        np.tanh(preactivation({**w, "W_hh": in_blocks(w["W_hh"])}, x, h))
    ),
}


def standardised(a: Array) -> Array:
    off = a - a.mean(axis=1, keepdims=True)
    found: Array = off / np.sqrt((off * off).mean(axis=1, keepdims=True) + 1e-5)
    return found.astype(a.dtype)


def odd_negated(W: Array) -> Array:
    return np.where(np.arange(W.shape[1]) % 2, -W, W)


def limited(W: Array) -> Array:
    found: Array = W / np.fmax(np.linalg.norm(W, 2), 1)
    return found.astype(W.dtype)


GENERAL: dict[tuple[str, str], Callable[..., Array]] = {
    ("W_xh x_t and b_xh are added after the activation", "everywhere"): lambda w, x, h, t, h_0: (
        np.tanh(preactivation(w, 0 * x, h, b_xh=0)) + x @ w["W_xh"].T + w["b_xh"].T
    ).astype(x.dtype),
    ("the pre-activation is standardised, with 1e-5 in its variance", "everywhere"): (
        lambda w, x, h, t, h_0: np.tanh(standardised(preactivation(w, x, h)))
    ),
    ("h_t is 1 f(a) + 0.1 a", "everywhere"): lambda w, x, h, t, h_0: (
        np.tanh(preactivation(w, x, h)) + 0.1 * preactivation(w, x, h)
    ).astype(x.dtype),
    ("W_hh is negated in odd columns", "everywhere"): lambda w, x, h, t, h_0: np.tanh(
        preactivation({**w, "W_hh": odd_negated(w["W_hh"])}, x, h)
    ),
    ("W_hh is divided by its spectral norm where that is above 1", "everywhere"): (
        lambda w, x, h, t, h_0: np.tanh(preactivation({**w, "W_hh": limited(w["W_hh"])}, x, h))
    ),
    ("h_{t-1} has 0.1 added", "first step"): lambda w, x, h, t, h_0: np.tanh(
        preactivation(w, x, h + h.dtype.type(0.1 * (t == 0)))
    ),
}


@pytest.mark.parametrize(("what", "where"), each_but([*GENERAL][0::3], GENERAL))
def test_what_is_solved_for_or_done_to_rows(what: str, where: str) -> None:
    assert said(function(GENERAL[what, where]), 11) == [(what, where)]


def test_sequences_and_rows_of_results() -> None:
    def log_softmax(y: Array) -> Array:
        off = y - y.max(axis=2, keepdims=True)
        found: Array = off - np.log(np.exp(off).sum(axis=2, keepdims=True))
        return found

    wrong = function(y=log_softmax, last=lambda states: states.mean(axis=0))
    assert said(wrong, 7) == [
        ("h_n is the mean of all steps", "everywhere"),
        ("outputs goes through log-softmax", "everywhere"),
    ]
    right = function()

    def one_bias(weights: Weights, inputs: Array, h_0: Array | None) -> Any:
        b_ho = np.full_like(weights["b_ho"], weights["b_ho"][0, 0])
        return right({**weights, "b_ho": b_ho}, inputs, h_0)

    assert said(one_bias, 7) == [("b_ho of unit 0 is added to every unit", "everywhere")]
    between = function(last=lambda states: (states[-1] + states[max(len(states) - 2, 0)]) / 2)
    ((what, _),) = said(between, 7)
    assert what == "h_n is 0.5 times the last state + 0.5 times the state before it"


def shown_as(change: Callable[[Array], Array]) -> Callable[..., Any]:
    """Right states that are changed where they show."""
    right = function()

    def rnn(weights: Weights, inputs: Array, h_0: Array | None) -> Any:
        found = right(weights, inputs, h_0)
        return {**found, "hidden_states": change(found["hidden_states"])}

    return rnn


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("goes through relu", lambda h: np.maximum(h, 0)),
        pytest.param("is rounded to 3 decimals", lambda h: np.round(h, 3), marks=LONG),
    ],
)
def test_states_that_are_right_and_show_otherwise(
    what: str, change: Callable[[Array], Array]
) -> None:
    assert said(shown_as(change), 15) == [(f"what shows of h_t {what}", "everywhere")]


@pytest.mark.slow
@pytest.mark.weekly
def test_factors_at_random_of_what_shows_are_not_named() -> None:
    rng = np.random.default_rng(0)
    one_by_one, unexplained = found(shown_as(lambda h: h * rng.uniform(0.5, 1, h.shape)), 25)
    assert one_by_one == ()
    assert "wrong numbers of states" in unexplained[0]


def test_what_is_solved_for_says_nothing_of_numbers_at_random() -> None:
    rng = np.random.default_rng(0)
    parts = {name: rng.normal(size=400) for name in ("a", "b", "c")}
    assert [*mixtures(rng.normal(size=400), parts, 8)] == []
    assert next(mixtures(0.5 * parts["a"] - parts["c"], parts, 8)) == {"a": 0.5, "c": -1}
    W = rng.normal(size=(6, 6))
    some = {"h": [Solved(W, W * rng.uniform(0.5, 1, W.shape))], "x": [Solved(W, W)]}
    assert [*otherwise(some)] == []
    (edit, *_) = otherwise({"h": [Solved(W, np.where(W < 0, 0, W))]})
    assert edit.says == "W_hh is 0 of negative entries"


def test_a_change_within_its_own_bound_explains_nothing() -> None:
    near, far = np.array([1 + 1e-9]), np.array([2.0])
    usual = np.ones(1), np.full(1, 1e-12)
    assert told_apart((near, np.full(1, 1e-8)), usual) == usual
    assert told_apart((far, np.full(1, 1e-8)), usual)[0] == far


@pytest.mark.parametrize(("what", "where"), each_but([*STEPS][3::2], STEPS))
def test_an_edit_with_its_place(what: str, where: str) -> None:
    some = (5, DTYPES) if "dtype" in where or "32" in where else (11,)  # few cases are as long
    assert said(function(STEPS[what, where]), *some) == [(what, where)]


def test_three_at_once_are_named_each_with_its_place() -> None:
    assert sorted(said(function(three_at_once), 7)) == [
        ("b_xh is missing", "everywhere"),
        ("h_{t-1} is taken from row 0 in every row", "odd row"),
        ("tanh is relu", "last unit"),
    ]


def test_what_is_wrong_with_results_alone() -> None:
    def reshaped(y: Array) -> Array:
        T, B, O = y.shape
        return y.reshape(B, T, O).swapaxes(0, 1)

    assert said(function(y=reshaped), 11) == [
        ("y_t is taken as (B, T), which is (T, B)", "everywhere")
    ]
    short = function(last=lambda states: states[max(len(states) // 4 * 4 - 1, 0)])
    (finding, *_), _ = found(short, 11)
    assert finding.what == "h_n is taken from the start of its block of 4 steps"


@pytest.mark.parametrize("name", ["W_hh", pytest.param("b_xh", marks=LONG)])
def test_a_weight_that_is_kept(name: str) -> None:
    kept: dict[Any, Array] = {}

    def step(w: Weights, x: Array, h: Array, t: int, h_0: Any) -> Array:
        one = kept.setdefault((w[name].shape, x.dtype), w[name])
        return np.tanh(preactivation({**w, name: one}, x, h))

    wrong = function(step)
    for case in [*dict.fromkeys(item.case for item in plan(as_implementation(wrong)))][::3]:
        as_implementation(wrong).run(case.call())  # as it is asked before a cause is looked for
    ((what, where),) = said(wrong, 3, DTYPES)
    assert what.startswith(f"{name} is that of ")
    assert where == "everywhere"


def test_pre_activations_in_place_of_states() -> None:
    def rnn(weights: Weights, inputs: Array, h_0: Array | None) -> Any:
        w, before, sums = weights, list[Array](), list[Array]()
        h = np.zeros((inputs.shape[1], len(w["W_hh"])), inputs.dtype) if h_0 is None else h_0
        for x in inputs:
            sums.append(preactivation(w, x, h) + (sums[-1] if sums else 0))
            h = np.tanh(sums[-1])
            before.append(h)
        states, y = np.stack(before), np.stack(sums) @ w["W_ho"].T + w["b_ho"].T
        return {"hidden_states": states, "h_n": h, "outputs": y}

    one_by_one, _ = found(rnn, 11)
    assert [(one.what, one.where) for one in one_by_one] == [
        ("the pre-activations of the steps before are added", "everywhere"),
        ("y_t is that of the pre-activation", "everywhere"),
    ]
    assert all(one.explains > 0.95 * one.wrong for one in one_by_one)


def test_inputs_of_another_step_are_found_by_where_they_come_from() -> None:
    def short_buffer(weights: Weights, inputs: Array, h_0: Array | None) -> Any:
        kept = inputs[np.minimum(np.arange(len(inputs)), 40)]
        return function()(weights, kept, h_0)

    assert said(short_buffer, 4) == [("x_t is taken from position 40", "step ≥ 41")]


def test_a_table_is_told_with_its_steps() -> None:
    def step(w: Weights, x: Array, h: Array, t: int, h_0: Any) -> Array:
        return interpolated(preactivation(w, x, h))

    (first, *_), _ = found(function(step), 11, DTYPES)
    assert first.what.startswith("tanh is interpolated in a table, with steps of about 0.004")
    assert first.explains > 0.95 * first.wrong


def test_a_factor_of_the_readout_and_an_overflow() -> None:
    def overflowing(w: Weights, x: Array, h: Array, t: int, h_0: Any) -> Array:
        e: Array = np.exp(2 * preactivation(w, x, h))
        tanh: Array = (e - 1) / (e + 1)
        return tanh

    one_by_one, _ = found(function(overflowing, y=lambda y: 0.9 * y), 11, DTYPES)
    whats = {one.what: one.where for one in one_by_one}
    assert whats["the new state is NaN"] == "e^2a overflows"
    assert whats["outputs is 0.9 times as large"] == "everywhere"


def test_refusals_are_told_with_their_place() -> None:
    def only_three(w: Weights, x: Array, h: Array, t: int, h_0: Any) -> Array:
        rows = np.zeros((3, len(w["W_hh"])), x.dtype) if h_0 is None and t == 0 else h
        return np.tanh(preactivation(w, x, rows))

    (finding,) = [one for one in found(function(only_three), 11)[0] if one.result == "calls"]
    assert finding.where == "h_0 = omitted and not B is 3, as in the first call"


def test_nothing_is_found_in_what_is_right() -> None:
    assert found(function(), 11) == ((), ())
    assert found(Recurrence(), 40) == ((), ())


@pytest.mark.parametrize("noise", [pytest.param(0.0, marks=LONG), 1e-3])
def test_what_is_in_no_library_is_said_to_be_unexplained(noise: float) -> None:
    rng = np.random.default_rng(0)

    def step(w: Weights, x: Array, h: Array, t: int, h_0: Any) -> Array:
        if not noise:
            return np.tanh(preactivation(w, x * np.sin(7 * x), h))
        new = np.tanh(preactivation(w, x, h)) + noise * rng.standard_normal(h.shape)
        return new.astype(x.dtype)

    one_by_one, unexplained = found(function(step), 11)
    assert one_by_one == ()
    assert len(unexplained) == 1
    by_chance = "; the same call gives other numbers each time, about 0.0014 apart"
    assert unexplained[0].endswith(by_chance) == bool(noise)
    assert "wrong numbers of states" in unexplained[0]


class Layer(Recurrence):
    """Bugs of a layer, in the pieces of a right one."""

    name = "layer"
    claims = frozenset(
        ("float64", "time_first", "tanh", "no_bias", "layers", "bidirectional", "h_0", "h_n")
    )

    def __init__(self, changes: Mapping[str, Any]) -> None:
        self.changes = changes

    def activation(self, call: Call, a: Array) -> Array:
        change = self.changes.get("activation", super().activation)
        result: Array = change(call, a)
        return result

    def steps(self, call: Call, x: Array) -> Any:
        steps = super().steps(call, x)
        return np.full_like(steps, len(x)) if "lengths" in self.changes else steps

    def cell(self, call: Call, layer: int, d: int) -> Mapping[str, Array]:
        w = super().cell(call, layer, d)
        change: Mapping[str, Array] = self.changes.get("cell", lambda *_: {})(w, layer, d)
        return {**w, **change}

    def without_padding(self, x: Array, steps: Any) -> Array:
        return x if "lengths" in self.changes else super().without_padding(x, steps)

    def stacked(self, h_n: list[Array], o: Any) -> Array:
        change: Callable[..., Array] = self.changes.get("h_n", lambda h_n, _: h_n)
        return change(super().stacked(h_n, o), o)


def reversed_above(h_n: Array, o: Any) -> Array:
    return np.concatenate([h_n[: o.directions], h_n[o.directions :, ::-1]])


LAYERS: dict[tuple[str, str], Mapping[str, Any]] = {
    ("b_hh is missing", "layer ≠ 0"): {
        "cell": lambda w, layer, d: {"b_hh": 0 * w["b_hh"]} if layer else {}
    },
    ("W_hh is transposed", "direction = reverse"): {
        "cell": lambda w, layer, d: {"W_hh": w["W_hh"].T} if d else {}
    },
    ("h_n is taken with its rows in reverse order", "layer ≠ 0"): {"h_n": reversed_above},
}


@pytest.mark.parametrize(("what", "where"), LAYERS)
def test_a_place_in_a_layer(what: str, where: str) -> None:
    assert said(Layer(LAYERS[what, where]), 13) == [(what, where)]


class ByDirection(Layer):
    """h_0 is read as all layers of one direction, then of the other."""

    def initial(self, call: Call, x: Array) -> Array:
        o, h_0 = call.options, super().initial(call, x)
        places = np.arange(o.num_layers * o.directions).reshape(o.directions, -1).T.ravel()
        return h_0[places]


def test_what_is_wrong_below_the_last_layer_alone() -> None:
    layer = ByDirection({})
    planned = plan(layer, checks=["output"])
    cases = [item.case for item in planned if item.case.L == 2 and item.case.bidirectional][:12]
    ((finding,), unexplained) = findings(layer, planned[0].subject.claimed, cases, frozenset(cases))
    assert finding.what.startswith("h_0 of the place with all layers of one direction first goes")
    assert finding.where == "the step read, from 0 = 0"
    assert not unexplained


class UnturnedAndEmptyAbove(Layer):
    """Two things that hide each other in the first step of a reverse direction."""

    def turned_back(self, states: Array, steps: Any, d: int) -> Array:
        return states

    def start(self, initial: Array, layer: int, d: int, o: Any) -> Array:
        return super().start(initial, layer, d, o) * (layer == 0)


class ReluBelowAlone(Layer):
    """Layers above the first do not hand on what is below them, and add what they read."""

    above = False

    def direction(self, call: Call, w: Mapping[str, Array], x: Array, h: Array) -> Array:
        return super().direction(call, w, x, h) + (x if self.above else 0)

    def cell(self, call: Call, layer: int, d: int) -> Mapping[str, Array]:
        self.above = layer > 0
        return super().cell(call, layer, d)

    def activation(self, call: Call, a: Array) -> Array:
        return np.tanh(a) if self.above else super().activation(call, a)


SEVERAL: dict[type[Layer], tuple[frozenset[str], set[tuple[str, str]]]] = {
    UnturnedAndEmptyAbove: (
        Layer.claims - {"h_n"},
        {
            ("the states stand from the last step to the first", "direction = reverse"),
            ("W_hh h_{t-1} is missing", "layer ≠ 0 and first step"),
        },
    ),
    ReluBelowAlone: (
        Layer.claims - {"h_n", "bidirectional"} | {"relu"},
        {
            ("relu is tanh", "layer ≠ 0"),
            ("x_t is added to what shows of it after the activation", "layer ≠ 0"),
        },
    ),
}


@pytest.mark.parametrize(
    "wrong",
    [pytest.param(UnturnedAndEmptyAbove, marks=LONG), ReluBelowAlone],
)
def test_several_things_in_several_layers(wrong: type[Layer]) -> None:
    layer = wrong({})
    layer.claims, expected = SEVERAL[wrong]
    one_by_one, _ = found(layer, 11)
    assert {(one.what, one.where) for one in one_by_one} == expected


def test_relu_ignored_and_tanh_clamped() -> None:
    def clamped(call: Call, a: Array) -> Array:
        limit = a.dtype.type(0.99999928)
        return np.clip(np.tanh(a), -limit, limit)

    layer = Layer({"activation": clamped})
    layer.claims = layer.claims - {"layers", "bidirectional"} | {"relu"}
    assert said(layer, 9) == [
        ("relu is tanh", "everywhere"),
        ("the new state is clamped to ±0.99999928", "everywhere"),
    ]


@pytest.mark.parametrize(
    ("feature", "sign", "value", "said"),
    [
        ("units before the end", "=", 0, "last unit"),
        ("steps before the end", "≠", 0, "not last step"),
        ("rows before the end", "≥", 1, "not last row"),
        ("step", "=", 0, "first step"),
        ("step", "≥", 2, "step ≥ 2"),
        ("units before the end", "=", 1, "units before the end = 1"),
        ("h_0", "=", "omitted", "h_0 = omitted"),
        ("odd step", "=", True, "odd step"),
    ],
)
def test_a_condition_is_said_in_plain_words(
    feature: str, sign: str, value: object, said: str
) -> None:
    assert str(Rule((Condition(feature, sign, value),))) == said
