"""What `BatchRNN.backward` computes: the slope of the loss, in every weight, h_0 and input."""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from rnn_reference import BatchRNN
from rnn_reference.gradients import Gradients
from rnn_reference.weights import Array

from .drawn import DTYPES, bits, drawn_inputs, drawn_state
from .one_step import gamma
from .refusal import refused
from .test_forward import SIZES, carried_bound, contractive, every_dtype

Steps = Mapping[int, Array]
Backward = Callable[[BatchRNN, Array, Steps, Steps, Steps], Gradients]


def drawn_gradients(model: BatchRNN, steps: int = 6, batch_size: int = 4) -> tuple[Steps, Steps]:
    """dL/dy of all steps, and dL/dh of the third and of the last."""
    generator = np.random.default_rng(4)

    def drawn(units: int) -> dict[int, Array]:
        shape = (units, batch_size)
        return {t: generator.standard_normal(shape).astype(model.dtype) for t in range(steps)}

    of_states = drawn(model.hidden_size)
    return drawn(model.output_size), {t: of_states[t] for t in {min(2, steps - 1), steps - 1}}


def backward(
    model: BatchRNN, inputs: Array, states: Steps, of_outputs: Steps, of_states: Steps
) -> Gradients:
    return model.backward(inputs, states, of_outputs, of_states, of_inputs=True)


def other_weights(
    model: BatchRNN, inputs: Array, states: Steps, of_outputs: Steps, of_states: Steps
) -> Gradients:
    other = BatchRNN.from_weights({name: w + 2**-4 for name, w in model.weights.items()})
    return backward(other, inputs, states, of_outputs, of_states)


def last_step_only(
    model: BatchRNN, inputs: Array, states: Steps, of_outputs: Steps, of_states: Steps
) -> Gradients:
    last = len(inputs) - 1
    return backward(model, inputs, states, {last: of_outputs[last]}, of_states)


def states_ignored(
    model: BatchRNN, inputs: Array, states: Steps, of_outputs: Steps, of_states: Steps
) -> Gradients:
    return backward(model, inputs, states, of_outputs, {})


def transposed(
    model: BatchRNN, inputs: Array, states: Steps, of_outputs: Steps, of_states: Steps
) -> Gradients:
    other = BatchRNN.from_weights({**model.weights, "W_hh": model.W_hh.T})
    return backward(other, inputs, states, of_outputs, of_states)


def cut_after_one_step(
    model: BatchRNN, inputs: Array, states: Steps, of_outputs: Steps, of_states: Steps
) -> Gradients:
    other = BatchRNN.from_weights({**model.weights, "W_hh": 0 * model.W_hh})
    return backward(other, inputs, states, of_outputs, of_states)


def states_a_step_late(
    model: BatchRNN, inputs: Array, states: Steps, of_outputs: Steps, of_states: Steps
) -> Gradients:
    late = {t: states[max(t - 1, -1)] for t in states}
    return backward(model, inputs, late, of_outputs, of_states)


def absolute_gradients(
    model: BatchRNN, inputs: Array, states: Steps, of_outputs: Steps, of_states: Steps
) -> Gradients:
    """The same sums over absolute values, with 1 + h^2 for 1 - h^2, in plain float64."""
    W = {name: np.abs(value.astype(np.float64)) for name, value in model.weights.items()}
    x, h = np.abs(inputs.astype(np.float64)), {t: np.abs(s * 1.0) for t, s in states.items()}
    dy = {t: np.abs(g * 1.0) for t, g in of_outputs.items()}
    dh = {t: np.abs(g * 1.0) for t, g in of_states.items()}
    carried = np.zeros(h[-1].shape)
    sums: dict[str, Array] = {name: np.zeros(W[name].shape) for name in W}
    dx = np.zeros(x.shape)
    for t in reversed(range(len(x))):
        d = (carried + W["W_ho"].T @ dy[t] + dh.get(t, 0)) * (1 + h[t] ** 2)
        sums["W_hh"] += d @ h[t - 1].T
        sums["W_xh"] += d @ x[t]
        sums["W_ho"] += dy[t] @ h[t].T
        sums["b_xh"] += d.sum(axis=1, keepdims=True)
        sums["b_ho"] += dy[t].sum(axis=1, keepdims=True)
        dx[t] = d.T @ W["W_xh"]
        carried = W["W_hh"].T @ d
    sums["b_hh"] = sums["b_xh"]
    return Gradients(sums, carried, dx)


def apart_from_autograd(
    model: BatchRNN, steps: int, batch_size: int, backward: Backward = backward
) -> list[str]:
    """The gradients that differ from those of torch's autograd by more than rounding may.

    A term of a gradient is a product of one factor a step, each the sum of at most H + O + 1
    terms times 1 - h^2, and then one of at most T B terms in a sum. A state is itself off by d at
    most (`carried_bound`), which is 2 d of 1 + h^2. Over T steps each, two right evaluations differ
    by at most 2 gamma_m(u) times the sum over absolute values,
    m = T (H + O + 5 + 2 d / u) + T B + I + 2.
    """
    torch = pytest.importorskip("torch")
    inputs, h_0 = drawn_inputs(model, steps, batch_size), drawn_state(model, batch_size)
    of_outputs, of_states = drawn_gradients(model, steps, batch_size)
    _, states = model.forward(inputs, h_0)
    ours = backward(model, inputs, states, of_outputs, of_states)

    dtype = torch.from_numpy(inputs).dtype
    rnn = torch.nn.RNN(model.input_size, model.hidden_size, dtype=dtype)
    readout = torch.nn.Linear(model.hidden_size, model.output_size, dtype=dtype)
    parameters = {
        "W_xh": rnn.weight_ih_l0,
        "b_xh": rnn.bias_ih_l0,
        "W_hh": rnn.weight_hh_l0,
        "b_hh": rnn.bias_hh_l0,
        "W_ho": readout.weight,
        "b_ho": readout.bias,
    }
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(torch.from_numpy(model.weights[name]).reshape(parameter.shape))
    x = torch.from_numpy(inputs).requires_grad_()
    h = torch.from_numpy(h_0.T[np.newaxis].copy()).requires_grad_()
    all_states, _ = rnn(x, h)
    total = sum(
        (torch.from_numpy(g.T.copy()) * value[t]).sum()
        for value, given in ((readout(all_states), of_outputs), (all_states, of_states))
        for t, g in given.items()
    )
    total.backward()
    theirs = {name: p.grad.numpy() for name, p in parameters.items()}
    theirs |= {"h_0": h.grad.numpy()[0].T, "inputs": x.grad.numpy()}

    scale = absolute_gradients(model, inputs, states, of_outputs, of_states)
    u = float(np.finfo(model.dtype).eps) / 2
    I, H, O = model.input_size, model.hidden_size, model.output_size
    d = carried_bound(model, inputs, steps)[0]
    m = int(steps * (H + O + 5 + 2 * d / u) + steps * batch_size + I + 2)
    wrong = []
    ours_all: dict[str, Any] = {**ours.weights, "h_0": ours.h_0, "inputs": ours.inputs}
    scale_all: dict[str, Any] = {**scale.weights, "h_0": scale.h_0, "inputs": scale.inputs}
    for name, found in ours_all.items():
        assert found.dtype == model.dtype, name
        difference = np.abs(found - theirs[name].reshape(found.shape))
        if not (difference <= 2 * gamma(m, u) * scale_all[name]).all():
            wrong.append(name)
    return wrong


@every_dtype
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_autograd(dtype: type[np.floating], sizes: tuple[int, ...]) -> None:
    """The gradients are those of torch.nn.RNN and torch.nn.Linear, for sizes of every kind."""
    *layer, steps, batch_size = sizes
    model = contractive(BatchRNN, dtype, tuple(layer))
    assert isinstance(model, BatchRNN)
    assert apart_from_autograd(model, steps, batch_size) == []
    assert apart_from_autograd(model, steps, batch_size, other_weights)


@every_dtype
@pytest.mark.parametrize(
    "wrong",
    [last_step_only, states_ignored, transposed, cut_after_one_step, states_a_step_late],
)
def test_comparison_can_fail(dtype: type[np.floating], wrong: Backward) -> None:
    """The bugs of other people's backpropagation are seen."""
    model = contractive(BatchRNN, dtype)
    assert isinstance(model, BatchRNN)
    assert apart_from_autograd(model, 6, 4, wrong)


@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks_do_not_matter(dtype: type[np.floating], monkeypatch: pytest.MonkeyPatch) -> None:
    """However few steps are taken at a time, with a last block of fewer, sums are the same."""
    model = contractive(BatchRNN, dtype)
    assert isinstance(model, BatchRNN)
    for steps_at_a_time in (1, 2, 4):
        of_a_step = (model.hidden_size + model.output_size) * 4 * model.dtype.itemsize
        monkeypatch.setattr(
            "rnn_reference.gradients.CACHE_BYTES", steps_at_a_time * of_a_step, raising=True
        )
        assert apart_from_autograd(model, 7, 4) == []


def test_what_is_given_is_left_alone() -> None:
    """Nothing given is written to, two calls share nothing, nor do two gradients of one."""
    model = contractive(BatchRNN, np.float64)
    assert isinstance(model, BatchRNN)
    inputs, (of_outputs, of_states) = drawn_inputs(model), drawn_gradients(model)
    _, states = model.forward(inputs)
    everything: dict[Any, Array] = {"inputs": inputs, **model.weights}
    for given in (states, of_outputs, of_states):
        everything |= {(id(given), t): array for t, array in given.items()}
    before = bits(everything)
    first = backward(model, inputs, states, of_outputs, of_states)
    right = bits(first.weights)
    for gradient in backward(model, inputs, states, of_outputs, of_states).weights.values():
        gradient[:] = 7
    assert (bits(everything), bits(first.weights)) == (before, right)
    assert first.inputs is not None
    arrays = {**first.weights, "h_0": first.h_0, "inputs": first.inputs}
    shared = [
        (one, other)
        for one, other in combinations({**arrays, **everything}.items(), 2)
        if (one[0] in arrays or other[0] in arrays) and np.shares_memory(one[1], other[1])
    ]
    assert not shared
    assert model.backward(inputs, states, of_outputs).inputs is None


def test_bad_input() -> None:
    """Each argument is named, with what came and what was expected."""
    model = contractive(BatchRNN, np.float64)
    assert isinstance(model, BatchRNN)
    inputs, (dy, dh) = drawn_inputs(model), drawn_gradients(model)
    _, h = model.forward(inputs)
    nan, infinite = dy[3].copy(), h[2].copy()
    nan[1, 2], infinite[4, 0] = np.nan, np.inf
    wrong: list[tuple[type[Exception], str, tuple[Any, ...]]] = [
        (ValueError, "inputs: expected …, got shape (4, 3)", (inputs[0], h, dy)),
        (TypeError, "hidden_states: expected a mapping by time step, got list", (inputs, [h], dy)),
        (
            ValueError,
            "hidden_states: expected time steps -1 … 5, got none for 4",
            (inputs, {t: s for t, s in h.items() if t != 4}, dy),
        ),
        (
            ValueError,
            "hidden_states: expected time steps -1 … 5, got 6",
            (inputs, h | {6: h[0]}, dy),
        ),
        (
            ValueError,
            "output_gradients[2]: expected shape (2, 4), got (5, 4)",
            (inputs, h, {2: dh[2]}),
        ),
        (
            TypeError,
            "output_gradients[1]: expected dtype float64, got float32",
            (inputs, h, {1: dy[1].astype(np.float32)}),
        ),
        (
            ValueError,
            "output_gradients[3]: expected finite numbers, got nan at (1, 2)",
            (inputs, h, {**dy, 3: nan}),
        ),
        (
            ValueError,
            "hidden_states[2]: expected finite numbers, got inf at (4, 0)",
            (inputs, {**h, 2: infinite}, dy),
        ),
        (
            ValueError,
            "state_gradients: expected time steps 0 … 5, got -1",
            (inputs, h, dy, {-1: dh[2]}),
        ),
        (TypeError, "state_gradients: expected a mapping …, got ndarray", (inputs, h, dy, dh[2])),
    ]
    for error, message, arguments in wrong:
        refused(error, message, model.backward, *arguments)
    refused(
        TypeError,
        "of_inputs: expected True or False, got 1",
        lambda: model.backward(inputs, h, dy, of_inputs=1),  # type: ignore[arg-type]
    )
