"""What `BatchRNN.backward` computes: the slope of the loss, in every weight, h_0 and input."""

from collections.abc import Callable
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from rnn_conformance import to_torch
from rnn_conformance.bounds.balls import gamma
from rnn_reference import BatchRNN
from rnn_reference.gradients import Gradients
from rnn_reference.weights import Array

from .equations import Steps, apart
from .models import bits, drawn_inputs, drawn_model, drawn_state, every_dtype
from .test_forward import every_size

IN_TORCH = ("W_xh", "W_hh", "b_xh", "b_hh", "W_ho", "b_ho")  # the order of its parameters
Backward = Callable[[BatchRNN, Array, Steps, Steps, Steps], Gradients]
backward: Backward = partial(BatchRNN.backward, of_inputs=True)


def contractive(dtype: type[np.floating] = np.float64, sizes: Any = (3, 5, 2)) -> BatchRNN:
    """A model whose W_hh has absolute row sums of 1/4, so that errors die away."""
    model: BatchRNN = drawn_model(BatchRNN, *sizes, dtype=dtype)
    model.W_hh = model.W_hh / (4 * abs(model.W_hh).sum(axis=1, keepdims=True))
    return model


def drawn_gradients(model: BatchRNN, steps: int = 6, batch_size: int = 4) -> tuple[Steps, Steps]:
    """dL/dy of all steps, and dL/dh of the third and of the last."""
    generator = np.random.default_rng(4)

    def drawn(units: int) -> dict[int, Array]:
        shape = (units, batch_size)
        return {t: generator.standard_normal(shape).astype(model.dtype) for t in range(steps)}

    of_states = drawn(model.hidden_size)
    return drawn(model.output_size), {t: of_states[t] for t in {min(2, steps - 1), steps - 1}}


def changed(model: BatchRNN, **weights: Array) -> BatchRNN:
    return BatchRNN.from_weights(model.weights | weights)


WRONG: dict[str, Backward] = {  # the bugs of other people's backpropagation
    "other weights": lambda m, *given: backward(
        changed(m, **{name: w + 2**-4 for name, w in m.weights.items()}), *given
    ),
    "last step only": lambda m, x, h, dy, dh: backward(m, x, h, {max(dy): dy[max(dy)]}, dh),
    "states ignored": lambda m, x, h, dy, dh: backward(m, x, h, dy, {}),
    "transposed": lambda m, *given: backward(changed(m, W_hh=m.W_hh.T), *given),
    "cut after one step": lambda m, *given: backward(changed(m, W_hh=0 * m.W_hh), *given),
    "states a step late": lambda m, x, h, dy, dh: backward(
        m, x, {t: h[max(t - 1, -1)] for t in h}, dy, dh
    ),
}


def absolute(model: BatchRNN, x: Array, h: Steps, dy: Steps, dh: Steps) -> dict[str, Array]:
    """The gradients' sums over absolute values, with 1 + h² for 1 - h², in plain float64."""
    W = {name: abs(value.astype(np.float64)) for name, value in model.weights.items()}
    x, carried = abs(x.astype(np.float64)), np.zeros(h[-1].shape)
    h, dy, dh = ({t: abs(a * 1.0) for t, a in given.items()} for given in (h, dy, dh))
    sums: dict[str, Array] = {name: np.zeros(w.shape) for name, w in W.items()}
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
    return sums | {"b_hh": sums["b_xh"], "h_0": carried, "inputs": dx}


def of_autograd(
    model: BatchRNN, inputs: Array, h_0: Array, of_outputs: Steps, of_states: Steps
) -> dict[str, Array]:
    """The gradients of torch.nn.RNN and torch.nn.Linear with the model's weights."""
    torch = pytest.importorskip("torch")
    x, h = (torch.from_numpy(a.copy()).requires_grad_() for a in (inputs, h_0.T[np.newaxis]))
    rnn, readout = to_torch(model.weights)
    states, _ = rnn(x, h)
    losses = [
        (torch.from_numpy(g.T.copy()) * value[t]).sum()
        for value, given in ((readout(states), of_outputs), (states, of_states))
        for t, g in given.items()
    ]
    sum(losses).backward()
    parameters: Any = zip(IN_TORCH, (*rnn.parameters(), *readout.parameters()), strict=True)
    theirs = {name: p.grad.numpy() for name, p in parameters}
    return theirs | {"h_0": h.grad.numpy()[0].T, "inputs": x.grad.numpy()}


def apart_from_autograd(
    model: BatchRNN, steps: int, batch_size: int, backward: Backward = backward
) -> list[str]:
    """The gradients that differ from those of torch's autograd by more than rounding may.

    A term of a gradient is a product of one factor a step, each the sum of at most H + O + 1
    terms times 1 - h², and then one of at most T B terms in a sum. A state is itself off by d at
    most (see `apart`), which is 2 d of 1 + h². Over T steps each, two right evaluations differ
    by at most 2 gamma_m(u) times the sum over absolute values,
    m = T (H + O + 5 + 2 d / u) + T B + I + 2.
    """
    inputs, h_0 = drawn_inputs(model, steps, batch_size), drawn_state(model, batch_size)
    of_outputs, of_states = drawn_gradients(model, steps, batch_size)
    _, states = model.forward(inputs, h_0)
    g = backward(model, inputs, states, of_outputs, of_states)
    ours: dict[str, Any] = {**g.weights, "h_0": g.h_0, "inputs": g.inputs}
    theirs = of_autograd(model, inputs, h_0, of_outputs, of_states)
    scale = absolute(model, inputs, states, of_outputs, of_states)

    u, (_, I), (O, H) = float(np.finfo(model.dtype).eps) / 2, model.W_xh.shape, model.W_ho.shape
    d = apart(model, inputs, h_0)
    m = int(steps * (H + O + 5 + 2 * d / u) + steps * batch_size + I + 2)
    assert {found.dtype for found in ours.values()} == {model.dtype}
    return [
        name
        for name, found in ours.items()
        if not (
            abs(found - theirs[name].reshape(found.shape)) <= 2 * gamma(m, u) * scale[name]
        ).all()
    ]


@every_dtype
@every_size
def test_autograd(dtype: type[np.floating], sizes: tuple[int, ...]) -> None:
    *layer, steps, batch_size = sizes
    model = contractive(dtype, layer)
    assert apart_from_autograd(model, steps, batch_size) == []
    assert apart_from_autograd(model, steps, batch_size, WRONG["other weights"])


@every_dtype
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_comparison_can_fail(dtype: type[np.floating], wrong: Backward) -> None:
    assert apart_from_autograd(contractive(dtype), 6, 4, wrong)


@every_dtype
@pytest.mark.parametrize("steps_at_a_time", [1, 2, 4])
def test_blocks_do_not_matter(
    dtype: type[np.floating], steps_at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = contractive(dtype)
    of_a_step = (model.hidden_size + model.output_size) * 4 * model.dtype.itemsize
    monkeypatch.setattr("rnn_reference.gradients.CACHE_BYTES", steps_at_a_time * of_a_step)
    assert apart_from_autograd(model, 7, 4) == []


def test_what_is_given_is_left_alone() -> None:
    """Nothing given is written to, two calls share nothing, nor do two gradients of one."""
    model = contractive()
    inputs, (of_outputs, of_states) = drawn_inputs(model), drawn_gradients(model)
    _, states = model.forward(inputs)
    given: dict[Any, Array] = {"inputs": inputs, **model.weights}
    for steps in (states, of_outputs, of_states):
        given |= {(id(steps), t): array for t, array in steps.items()}
    before = bits(given)
    calls: list[Any] = [backward(model, inputs, states, of_outputs, of_states) for _ in range(2)]
    found, later = ([*g.weights.values(), g.h_0, g.inputs] for g in calls)
    pairs = [*combinations(found, 2), *product(found, [*later, *given.values()])]
    assert not any(np.shares_memory(a, b) for a, b in pairs)
    assert bits(given) == before
    assert model.backward(inputs, states, of_outputs).inputs is None
