"""Classes as people write them: what is found of each, and that no part of it goes unjudged."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from rnn_conformance import as_implementation, check
from rnn_conformance.run.smoke import smoke
from rnn_conformance.sources.models import arrays_of, constructed
from rnn_conformance.sources.slots import Slot, slots_of

READ = ["output", "shape_and_dtype", "memory_layouts"]
normal = np.random.default_rng(0).standard_normal
pytestmark = pytest.mark.usefixtures("few_cases")


class Written:
    """States and outputs of a batch, time first, by weights that stand to the right."""

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        self.U, self.W = normal((input_size, hidden_size)), normal((hidden_size, hidden_size))
        self.b, self.V, self.c = normal(hidden_size), normal((hidden_size, output_size)), None
        self.c = normal(output_size)

    def states(self, x: Any, h: Any = None) -> Any:
        h, states = np.zeros((x.shape[1], len(self.b)), x.dtype) if h is None else h, []
        for t, v in enumerate(x):
            h = np.tanh(v @ self.U + h @ self.recurrent(t) + self.b)
            states.append(h)
        return np.stack(states)

    def recurrent(self, t: int) -> Any:
        return self.W

    def forward(self, x: Any, h: Any = None) -> Any:
        states = self.states(x, h)
        return states @ self.V + self.c, states


class Cell(torch.nn.Module):
    """A cell of torch inside, with dropout of its states."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell, self.drop = torch.nn.RNNCell(input_size, hidden_size), torch.nn.Dropout(0.5)

    def forward(self, x: Any, h: Any = None) -> Any:
        states = []
        for v in x:
            h = self.cell(v, h)
            states.append(h)
        return self.drop(torch.stack(states)), h


class Float32Inside(torch.nn.Module):
    """Its first state is float32 always."""

    def __init__(self, num_inputs: int, num_hiddens: int) -> None:
        super().__init__()
        self.cell = torch.nn.RNNCell(num_inputs, num_hiddens)

    def forward(self, x: Any) -> Any:
        h, states = torch.zeros(x.shape[1], self.cell.hidden_size), []
        for v in x:
            h = self.cell(v, h)
            states.append(h)
        return states


class Needed(Written):
    """An initial state is asked for."""

    def forward(self, x: Any, h0: Any) -> Any:  # type: ignore[override]
        return self.states(x, h0)


class NeededColumns(Written):
    """An initial state is asked for, a column a row of the batch."""

    def forward(self, x: Any, h0: Any) -> Any:  # type: ignore[override]
        assert h0.shape == (len(self.b), x.shape[1])
        return self.states(x, h0.T)


class HiddenFirst(Written):
    """The hidden size comes first."""

    def __init__(self, n_hidden: int, n_in: int) -> None:
        super().__init__(n_in, n_hidden, 1)
        del self.V, self.c

    def forward(self, x: Any) -> Any:  # type: ignore[override]
        return self.states(x)


class InADict(Written):
    """Weights in a dict, and in a list of layers."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.params = {name: self.__dict__.pop(name) for name in ("U", "b", "V")}
        self.rest = [self.__dict__.pop("W"), {"c": self.__dict__.pop("c")}]

    def forward(self, x: Any, h: Any = None) -> Any:
        used = Written(1, 1, 1)
        used.U, used.b, used.V = (self.params[name] for name in ("U", "b", "V"))
        used.W, used.c = self.rest[0], self.rest[1]["c"]
        return Written.forward(used, x, h)


class Listed(Written):
    """Weights are attributes, and in a list for whoever updates them, with their gradients."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.params = [self.U, self.W, self.b, self.V, self.c]
        self.grads = [np.zeros_like(weight) for weight in self.params]


class TwoByTurns(Written):
    """Two recurrent weights."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.W2 = self.W.copy()

    def recurrent(self, t: int) -> Any:
        return (self.W, self.W2)[t % 2]


class AnotherLater(TwoByTurns):
    """The second recurrent weight is used from step 8 on, which no first call sees."""

    def recurrent(self, t: int) -> Any:
        return (self.W, self.W2)[t > 7]


class Difference(TwoByTurns):
    """It looks right where both weights are the same."""

    def recurrent(self, t: int) -> Any:
        return 2 * self.W - self.W2


class Outputs(Written):
    """Outputs alone."""

    def forward(self, x: Any) -> Any:  # type: ignore[override]
        return self.states(x) @ self.V + self.c


class WithoutItsBias(Outputs):
    def forward(self, x: Any) -> Any:  # type: ignore[override]
        return self.states(x) @ self.V


class Clipped(Outputs):
    def forward(self, x: Any) -> Any:  # type: ignore[override]
        return np.clip(super().forward(x), -1, 1)


class TurnedIfSquare(Outputs):
    """The readout is transposed where it hands out the states."""

    def forward(self, x: Any) -> Any:  # type: ignore[override]
        square = self.V.shape[0] == self.V.shape[1]
        return self.states(x) @ (self.V.T if square else self.V) + self.c


class OutputsAndLast(Outputs):
    """Outputs, and a last state that is that of the step before."""

    def forward(self, x: Any) -> Any:  # type: ignore[override]
        states = self.states(x)
        return states @ self.V + self.c, states[-2:][0]


class LastOfBoth(Written):
    """The last output and the last state."""

    def forward(self, x: Any) -> Any:  # type: ignore[override]
        last = self.states(x)[-1]
        return last @ self.V, last


class WithACache(Written):
    """States, and what a backward pass keeps."""

    def forward(self, x: Any, h: Any = None) -> Any:
        states = self.states(x, h)
        return states, [(v, state) for v, state in zip(x, states, strict=True)]


class OneStep(Written):
    """One step, which NumPy takes over whole sequences too."""

    def forward(self, x: Any, h: Any) -> Any:  # type: ignore[override]
        return np.tanh(x @ self.U + h @ self.W + self.b)


class NoBias(Written):
    """No bias but that of the readout."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.H = len(self.__dict__.pop("b"))

    def forward(self, x: Any, h: Any = None) -> Any:
        h, states = np.zeros((x.shape[1], self.H), x.dtype) if h is None else h, []
        for v in x:
            h = np.tanh(v @ self.U + h @ self.W)
            states.append(h)
        return [h @ self.V + self.c for h in states], states


class NoBiasAtAll(torch.nn.Module):
    """Linear layers without biases."""

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__()
        self.x2h = torch.nn.Linear(input_size, hidden_size, bias=False)
        self.h2h = torch.nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = torch.nn.Linear(hidden_size, output_size, bias=False)

    def forward(self, x: Any) -> Any:
        h, states = x.new_zeros(x.shape[1], self.h2h.out_features), []
        for v in x:
            h = torch.tanh(self.x2h(v) + self.h2h(h))
            states.append(h)
        return self.out(torch.stack(states))


class BiasInTheWeight:
    """[h, x, 1] times one weight."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        self.W = normal((hidden_size + input_size + 1, hidden_size))

    def joined(self, h: Any, x: Any) -> Any:
        return np.concatenate([h, x, np.ones_like(x[:, :1])], axis=1)

    def run_all(self, x: Any) -> Any:
        h, states = np.zeros((x.shape[1], self.W.shape[1]), x.dtype), []
        for v in x:
            h = np.tanh(self.joined(h, v) @ self.W)
            states.append(h)
        return states

    def __call__(self, x: Any) -> Any:
        return self.run_all(x)


class BiasFirst(BiasInTheWeight):
    def joined(self, h: Any, x: Any) -> Any:
        return np.concatenate([np.ones_like(x[:, :1]), x, h], axis=1)


class FeaturesFirst(Written):
    """(I, T, B) in; the same out."""

    def forward(self, x: Any, h: Any = None) -> Any:
        outputs, states = super().forward(x.transpose(1, 2, 0), None if h is None else h.T)
        return outputs.transpose(2, 0, 1), states.transpose(2, 0, 1)


class LastFeaturesFirst(Written):
    """(I, B, T) in, as in a course; the same out."""

    def forward(self, x: Any, h: Any = None) -> Any:
        outputs, states = super().forward(x.transpose(2, 1, 0), None if h is None else h.T)
        return outputs.transpose(2, 1, 0), states.transpose(2, 1, 0)


class FeaturesOfOne(Outputs):
    """(I, T) in."""

    def forward(self, x: Any) -> Any:  # type: ignore[override]
        return super().forward(x.T[:, np.newaxis])[:, 0].T


class LastOutput(Outputs):
    """The output of the last step, as of a classifier."""

    def forward(self, x: Any) -> Any:  # type: ignore[override]
        return super().forward(x)[-1]


class StepCell(Written):
    """One step, with a readout; the state is left out of the first."""

    def step(self, x: Any, h: Any = None) -> Any:
        h = np.zeros((len(x), len(self.b)), x.dtype) if h is None else h
        h = np.tanh(x @ self.U + h @ self.W + self.b)
        return h @ self.V + self.c, h

    forward = step


class StepOfColumns(StepCell):
    """One step, of columns."""

    def forward(self, x: Any, h: Any) -> Any:  # type: ignore[override]
        return np.tanh(self.U.T @ x + self.W.T @ h + self.b[:, np.newaxis])


class InANamedTuple(Written):
    def forward(self, x: Any, h: Any = None) -> Any:
        outputs, states = super().forward(x, h)
        return Result(states[-1], states, outputs)


class Result(NamedTuple):
    last: Any
    states: Any
    outputs: Any


LEFT_OVER = (
    NoBias, NoBiasAtAll, BiasInTheWeight, BiasFirst, FeaturesFirst, LastFeaturesFirst,
    FeaturesOfOne, LastOutput, StepCell, StepOfColumns, InANamedTuple,
)  # fmt: skip


def fails(cls: type[Any]) -> set[str]:
    report = check(cls, checks=["output", "readout", "final_state"], diagnosed=False)
    assert report.conforms is not bool(report.failures)
    return {record.check for record in report.failures}


@pytest.mark.parametrize("cls", [Written, Cell, Needed, NeededColumns, HiddenFirst, InADict])
def test_a_right_class_conforms(cls: type[Any]) -> None:
    assert check(cls, checks=READ, diagnosed=False).conforms


@pytest.mark.parametrize("cls", LEFT_OVER)
def test_what_is_written_in_another_way_conforms(cls: type[Any]) -> None:
    report = check(cls, checks=[*READ, "readout", "calls_are_independent"], diagnosed=False)
    assert report.conforms, report.failures[:1]
    claims = smoke(as_implementation(cls)).claims
    assert ("readout" in claims) is (
        cls not in (NoBiasAtAll, BiasInTheWeight, BiasFirst, StepOfColumns)
    )


def test_an_initial_state_that_is_asked_for_is_said() -> None:
    notes = check(Needed, checks=["output"]).notes
    assert notes[1] == "it asks for an initial state: zeros are given where a call has none"


def test_one_step_alone_is_called_for_each() -> None:
    assert check(OneStep, checks=READ).conforms
    assert "one step, which is called for each" in check(OneStep, checks=READ[:1]).notes[0]


def test_one_that_refuses_float64_is_asked_in_float32() -> None:
    report = check(Float32Inside, checks=READ, diagnosed=False)
    assert report.conforms
    assert {record.case.partition("-")[0] for record in report.records} == {"float32"}
    said = "float64 is not claimed: inputs and weights of float64 are refused"
    assert report.notes[-1] == said


def test_arrays_that_are_not_read_do_no_harm_and_are_told() -> None:
    report = check(Listed, checks=["output", "readout"], diagnosed=False)
    assert report.conforms
    assert "W is W_hh transposed" in report.notes[0]
    assert "grads[1] is no weight (NaN, so that it shows if it is read)" in report.notes[0]
    assert "params[1]" not in report.notes[0]


@pytest.mark.parametrize("cls", [TwoByTurns, AnotherLater, Difference])
def test_each_of_several_weights_of_one_shape_is_taken_alone(cls: type[Any]) -> None:
    assert "output" in fails(cls)


def test_too_many_readings_are_refused_by_name() -> None:
    many = {f"W{i}": normal((5, 5)) for i in range(17)} | {"U": normal((5, 7)), "b": normal(5)}
    with pytest.raises(TypeError, match=r"W0, W1, .*W16: several arrays of a shape"):
        next(slots_of(many, lambda _: frozenset()))
    unread = frozenset(many) - {"W3"}
    ((slots, _),) = slots_of(many, lambda _: unread)
    assert slots["W3"] == Slot(("W_hh",))
    assert not slots["W0"].of


def test_one_bias_of_two_that_is_never_read_is_not_left_out() -> None:
    """Two biases are both filled, whichever are read; so are two beside their gradients."""
    arrays = {"U": normal((5, 7)), "W": normal((5, 5)), "b": normal(5), "c": normal(5)}
    ((slots, _),) = slots_of(arrays, lambda _: frozenset("c"))
    assert (slots["b"].of, slots["c"].of) == (("b_xh",), ("b_hh",))
    gradients = {f"d{name}": array for name, array in arrays.items()}
    not_read = frozenset((*gradients, "c"))
    ((slots, _),) = slots_of(arrays | gradients, lambda _: not_read)
    assert (slots["b"].of, slots["c"].of) == (("b_xh",), ("b_hh",))


def test_outputs_alone_are_judged_from_the_states_of_another_call() -> None:
    report = check(Outputs, diagnosed=False, checks=["output", "readout"])
    assert report.conforms
    assert any(record.check == "readout" for record in report.records)
    assert report.notes[2].startswith("only outputs come back: a call with W_ho a permutation")
    assert fails(WithoutItsBias) == fails(Clipped) == {"readout"}
    assert fails(TurnedIfSquare) == {"output", "readout"}
    assert fails(OutputsAndLast) == {"final_state"}


def test_what_comes_back_and_is_not_judged_is_told_by_its_shape() -> None:
    report = check(WithACache, checks=READ, diagnosed=False)
    assert report.conforms
    assert report.notes[-1] == "what else comes back is not judged: list"


def test_sizes_are_given_by_name_where_all_names_tell() -> None:
    class Told:
        def __init__(self, n_out: int, n_hid: int, n_in: int) -> None:
            self.sizes = np.array((n_out, n_hid, n_in))

    class Untold:
        def __init__(self, linear_hidden: int, hidden: int) -> None:
            self.sizes = np.array((linear_hidden, hidden))

    assert [*arrays_of(constructed(Told, (7, 5, 2), "float64"))["sizes"]] == [2, 5, 7]
    assert [*arrays_of(constructed(Untold, (7, 5, 2), "float64"))["sizes"]] == [7, 5]
