"""Weights of the reference in torch, drawn and trained."""

import numpy as np
import pytest
import torch
from rnn_conformance import Case
from rnn_conformance.bounds.balls import Precision, exactly
from rnn_conformance.cells import CELLS, CellWeights
from rnn_conformance.cells.running import trajectory
from rnn_conformance.contract.call import DTYPES, Array, Dtype
from rnn_conformance.sources.adapters.torch_rnn import to_torch
from rnn_conformance.sources.seed_model import NAMES, seed_call
from rnn_reference import BatchRNN

T, B, H = 8, 32, 16


def _delayed_echo(steps: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Inputs (T, B, 2) and targets (T, B, 1): what the first input was two steps before, signed by
    the second of now. It cannot be done without a memory."""
    inputs = rng.choice([-1.0, 1.0], size=(steps, B, 2)).astype(np.float32)
    targets = np.zeros((steps, B, 1), np.float32)
    targets[2:, :, 0] = inputs[:-2, :, 0] * inputs[2:, :, 1]
    return inputs, targets


@pytest.fixture(scope="module")
def trained() -> tuple[torch.nn.RNN, torch.nn.Linear]:
    rng = np.random.default_rng(0)
    generator = torch.Generator().manual_seed(0)
    rnn, readout = torch.nn.RNN(2, H), torch.nn.Linear(H, 1)
    parameters = [*rnn.parameters(), *readout.parameters()]
    with torch.no_grad():
        for parameter in parameters:
            parameter.uniform_(-(H**-0.5), H**-0.5, generator=generator)
    optimizer = torch.optim.Adam(parameters, lr=2e-2)
    for _ in range(150):
        inputs, targets = map(torch.from_numpy, _delayed_echo(T, rng))
        loss = torch.nn.functional.mse_loss(readout(rnn(inputs)[0])[2:], targets[2:])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert loss.item() < 0.05, "the task was not learned, so the weights have no structure"
    return rnn, readout


def _arrays(rnn: torch.nn.RNN, readout: torch.nn.Linear) -> dict[str, Array]:
    """The weights of both as the reference has them."""
    found = {NAMES[name]: value.numpy() for name, value in rnn.state_dict().items()}
    found |= {"W_ho": readout.weight.detach().numpy(), "b_ho": readout.bias.detach().numpy()}
    return {name: w[:, np.newaxis] if name.startswith("b") else w for name, w in found.items()}


@pytest.mark.parametrize("dtype", DTYPES)
def test_drawn_weights_go_to_torch_exactly(dtype: Dtype) -> None:
    weights = seed_call(Case(1, 1, 5, 4, O=3, dtype=dtype).call()).weights
    rnn, readout = to_torch({name: value.copy() for name, value in weights.items()})
    for name, value in _arrays(rnn, readout).items():
        assert value.dtype == weights[name].dtype
        assert np.array_equal(value, weights[name])


def test_a_trained_network_computes_the_same_in_the_reference(
    trained: tuple[torch.nn.RNN, torch.nn.Linear],
) -> None:
    """Every state of the trained network, by the one-step bound carried through time."""
    weights = _arrays(*trained)
    rnn, readout = to_torch(weights)
    inputs, targets = _delayed_echo(T, np.random.default_rng(1))
    with torch.inference_mode():
        states = rnn(torch.from_numpy(inputs))[0]
        outputs = readout(states).numpy()
    model = BatchRNN.from_weights({name: w.astype(np.float64) for name, w in weights.items()})
    step_output, hidden_states = model.forward(inputs.astype(np.float64))
    wide = np.stack([hidden_states[t].T for t in range(T)]).astype(np.float64)
    x = exactly(inputs, Precision.of("float32"))
    right = trajectory(CELLS["tanh"], CellWeights.of_seed_model(weights), x, np.zeros((B, H)))
    assert right.bound.max() < 0.01, "the bound says nothing here"
    for found in (states.numpy(), wide):
        assert (np.abs(found - right.value) <= right.bound).all()
    # What the network learned, the reference computes too.
    mine = np.stack([step_output[t].T for t in range(T)])
    assert (np.sign(mine[2:]) == targets[2:]).mean() > 0.99
    assert (np.sign(outputs[2:]) == targets[2:]).mean() > 0.99
