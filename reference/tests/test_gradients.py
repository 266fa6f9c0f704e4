"""What `BatchRNN.backward` computes: the slope of the loss, in every weight, h_0 and input."""

from collections.abc import Callable
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from rnn_conformance import to_torch
from rnn_reference import BatchRNN
from rnn_reference.gradients import Gradients
from rnn_reference.weights import Array

from .equations import Steps
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


WRONG: dict[str, Backward] = {  # the bugs of other people's backpropagation
    "other weights": lambda m, *given: backward(
        BatchRNN.from_weights({name: w + 2**-8 for name, w in m.weights.items()}), *given
    ),
    "last step only": lambda m, x, h, dy, dh: backward(m, x, h, {max(dy): dy[max(dy)]}, dh),
    "states ignored": lambda m, x, h, dy, dh: backward(m, x, h, dy, {}),
    "states a step late": lambda m, x, h, dy, dh: backward(
        m, x, {t: h[max(t - 1, -1)] for t in h}, dy, dh
    ),
}


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
    """The gradients of which an entry is further from torch's than 64 roundings of the largest.

    W_hh contracts, so that errors die away: right ones are up to 10 such roundings apart. A bound
    from the number of roundings would allow more than 64 at each of the sizes here.
    """
    inputs, h_0 = drawn_inputs(model, steps, batch_size), drawn_state(model, batch_size)
    of_outputs, of_states = drawn_gradients(model, steps, batch_size)
    _, states = model.forward(inputs, h_0)
    g = backward(model, inputs, states, of_outputs, of_states)
    ours: dict[str, Any] = {**g.weights, "h_0": g.h_0, "inputs": g.inputs}
    theirs = of_autograd(model, inputs, h_0, of_outputs, of_states)
    assert {found.dtype for found in ours.values()} == {model.dtype}
    off = {name: abs(found - theirs[name].reshape(found.shape)) for name, found in ours.items()}
    u = np.finfo(model.dtype).eps / 2
    return [name for name, d in off.items() if not d.max() <= 64 * u * abs(theirs[name]).max()]


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
