"""What was asked: the reference's weights, copied into torch.nn.RNN, give the same numbers."""

import numpy as np
import pytest
import torch
from rnn_conformance.bounds.balls import Precision, exactly
from rnn_conformance.cells import CELLS, CellWeights
from rnn_conformance.cells.readout import readout
from rnn_conformance.cells.running import trajectory
from rnn_conformance.contract.call import Array
from rnn_reference import BatchRNN, SingleSequenceRNN

T, B, I, H, O = 10, 5, 9, 4, 3


def in_torch(weights: dict[str, Array], inputs: Array) -> list[Array]:
    """Outputs and states of torch.nn.RNN and torch.nn.Linear with copies of these weights."""
    w = {name: torch.tensor(value) for name, value in weights.items()}
    rnn = torch.nn.RNN(I, H, dtype=w["W_xh"].dtype)
    rnn.load_state_dict({
        "weight_ih_l0": w["W_xh"], "bias_ih_l0": w["b_xh"][:, 0],
        "weight_hh_l0": w["W_hh"], "bias_hh_l0": w["b_hh"][:, 0],
    })  # fmt: skip
    linear = torch.nn.Linear(H, O, dtype=w["W_ho"].dtype)
    linear.load_state_dict({"weight": w["W_ho"], "bias": w["b_ho"][:, 0]})
    states, _ = rnn(torch.from_numpy(inputs))
    return [y.detach().numpy().reshape(T, -1, y.shape[-1]) for y in (linear(states), states)]


def bounds(weights: dict[str, Array], inputs: Array) -> list[Array]:
    """How far outputs and states of two right programs can be apart: twice the derived bound."""
    x = exactly(inputs.reshape(T, -1, I), Precision.of(inputs.dtype))
    w, last = CellWeights.of_seed_model(weights), {**weights, "b_ho": weights["b_ho"][:, 0]}
    states = trajectory(CELLS["tanh"], w, x, np.zeros((x.value.shape[1], H)))
    return [2 * readout(last, states).ball().bound, 2 * states.bound]


def in_order(steps: dict[int, Array]) -> Array:
    """(T, B, units) of columns by time step."""
    return np.stack([steps[t].T for t in range(T)])


def within(bound: list[Array], one: list[Array], other: list[Array]) -> bool:
    return all((np.abs(a - b) <= c).all() for a, b, c in zip(one, other, bound, strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("model", "shape"), [(SingleSequenceRNN, (T, I)), (BatchRNN, (T, B, I))])
def test_torch_agrees_with_the_reference(model: type, shape: tuple[int, ...], dtype: str) -> None:
    rnn = model(I, H, O, dtype=dtype, rng=2024)
    inputs = np.random.default_rng(7).standard_normal(shape).astype(dtype)
    expected, found = [*map(in_order, rnn.forward(inputs))], in_torch(rnn.weights, inputs)
    bound = bounds(rnn.weights, inputs)
    print("\n t   y_t[0] NumPy   y_t[0] torch   difference   bound")
    for t, rows in enumerate(zip(expected[0], found[0], bound[0], strict=True)):
        y, of_torch, limit = (row[0, 0] for row in rows)
        print(f"{t:2}{y:15.9f}{of_torch:15.9f}{abs(y - of_torch):13.1e}{limit:10.1e}")
    assert within(bound, expected, found)
    wrong = {**rnn.weights, "W_hh": rnn.weights["W_hh"].T}
    assert not within(bound, expected, in_torch(wrong, inputs))
