"""What `forward` computes: the equations, to within a derived rounding error."""

import numpy as np
import pytest
from rnn_reference import WEIGHT_NAMES, BatchRNN, SingleSequenceRNN
from rnn_reference.weights import Array

from .drawn import DTYPES, RNNS, AnyRNN, bits, columns, drawn_inputs, drawn_model, drawn_state
from .one_step import gamma, outside_bound

SIZES = {
    "distinct": (3, 5, 2, 6, 4),
    "equal": (4, 4, 4, 4, 4),
    "one input": (1, 5, 2, 6, 4),
    "one unit": (3, 1, 2, 6, 4),
    "one output": (3, 5, 1, 6, 4),
    "one step": (3, 5, 2, 1, 4),
    "one sequence": (3, 5, 2, 6, 1),
    "all one": (1, 1, 1, 1, 1),
    "wide": (40, 70, 20, 3, 2),
}
every_kind = pytest.mark.parametrize("kind", RNNS)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@every_kind
@every_dtype
@pytest.mark.parametrize("initial", ["omitted", "zeros", "drawn"])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_equations(
    kind: type[AnyRNN], dtype: type[np.floating], initial: str, sizes: tuple[int, ...]
) -> None:
    """Every entry of every step, its key, shape and dtype, and the initial state bit for bit."""
    *layer, steps, batch_size = sizes
    model = drawn_model(kind, *layer, dtype=dtype)
    inputs = drawn_inputs(model, steps, batch_size)
    h_0 = drawn_state(model, batch_size)
    if initial != "drawn":
        h_0[:] = 0
    step_output, states = model.forward(inputs, *([] if initial == "omitted" else [h_0]))

    assert list(step_output) == list(range(steps))
    assert str(states.keys()) == f"dict_keys({list(range(-1, steps))})"
    width = columns(model, batch_size)
    assert {(y.shape, y.dtype) for y in step_output.values()} == {((layer[2], width), model.dtype)}
    assert {(h.shape, h.dtype) for h in states.values()} == {((layer[1], width), model.dtype)}
    assert bits({"": states[-1]}) == bits({"": h_0})
    assert outside_bound(model, inputs, step_output, states) == []


@every_kind
@every_dtype
@pytest.mark.parametrize("name", WEIGHT_NAMES)
def test_comparison_can_fail(kind: type[AnyRNN], dtype: type[np.floating], name: str) -> None:
    """A change of 2**14 unit roundoffs to any single entry of any weight is seen."""
    model = drawn_model(kind, 3, 4, 2, dtype=dtype)
    inputs = drawn_inputs(model)
    results = model.forward(inputs, drawn_state(model))
    right = getattr(model, name).copy()
    for entry in np.ndindex(right.shape):
        wrong = right.copy()
        wrong[entry] += 2**13 * np.finfo(dtype).eps
        setattr(model, name, wrong)
        assert outside_bound(model, inputs, *results), f"{name}{entry}"
    setattr(model, name, right)
    assert not outside_bound(model, inputs, *results)


def contractive(
    kind: type[AnyRNN], dtype: type[np.floating], sizes: tuple[int, ...] = (3, 5, 2)
) -> AnyRNN:
    """A model whose W_hh shrinks distances to less than half: its absolute row sums are 1/4."""
    model = drawn_model(kind, *sizes, dtype=dtype)
    model.W_hh = model.W_hh / (4 * abs(model.W_hh).sum(axis=1, keepdims=True))
    return model


def carried_bound(model: AnyRNN, inputs: Array, step: int) -> tuple[float, float]:
    """How far two right evaluations of h_t and y_t may be apart, the same h_{-1} given.

    Each evaluation of a step errs by at most eps = gamma(I + H + 3, u) S + 4 ulps (see one_step),
    where |h| ≤ 1. What was there before is at least halved, tanh not stretching distances and W_hh
    being contractive: d_t ≤ d_{t-1} / 2 + 2 eps. At the first step nothing was there before, so
    d_t ≤ 2 eps (1 + 1/2 + … + 1/2**t). An output carries d_t on and adds twice its own error.
    """
    weights = {name: abs(value.astype(np.float64)) for name, value in model.weights.items()}
    u = float(np.finfo(model.dtype).eps) / 2
    driven = (abs(inputs.astype(np.float64)) @ weights["W_xh"].T).reshape(-1, model.hidden_size)
    given = driven + (weights["b_xh"] + weights["b_hh"]).T
    size = given.max() + 0.5  # 0.5 is more than |W_hh| |h|
    eps = gamma(model.input_size + model.hidden_size + 3, u) * size + 8 * u
    state = 2 * eps * (2 - 0.5**step)
    row = weights["W_ho"].sum(axis=1)
    output = row * state + 2 * gamma(model.hidden_size + 2, u) * (row + weights["b_ho"][:, 0])
    return state, float(output.max())


@every_dtype
@pytest.mark.parametrize("repaid", [0, 2**30])
@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("sizes", [(3, 7, 2), (7, 3, 2)], ids=["few inputs", "many inputs"])
def test_weights_side_by_side_or_not(
    dtype: type[np.floating],
    repaid: int,
    alone: bool,
    sizes: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The four weights of a step are views of one array until one is assigned, and right always."""
    monkeypatch.setattr("rnn_reference.recurrence.BYTES_REPAID", repaid)
    model = drawn_model(BatchRNN, *sizes, dtype=dtype)
    model.weights = model.weights
    if alone:
        model.b_hh = model.b_hh
    inputs, h_0 = drawn_inputs(model), drawn_state(model)
    for _ in range(2):  # reading them changes nothing
        held = {id(getattr(model, name).base) for name in ("W_hh", "W_xh", "b_xh", "b_hh")}
        assert len(held) == 1 + alone
        assert outside_bound(model, inputs, *model.forward(inputs, h_0)) == []


def test_vectors_of_every_kind() -> None:
    """One sequence may come as an array, as vectors, as columns or as numbers, all the same."""
    model = SingleSequenceRNN.from_weights(drawn_model(SingleSequenceRNN, 3, 5, 2).weights)
    inputs = drawn_inputs(model)
    for given in (list(inputs), tuple(inputs[..., np.newaxis]), inputs.tolist()):
        assert outside_bound(model, inputs, *model.forward(given)) == []
