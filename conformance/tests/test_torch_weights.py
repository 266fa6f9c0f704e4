"""Weights between the reference and torch, both ways, drawn and trained."""

import numpy as np
import pytest
import torch
from rnn_conformance import Case
from rnn_conformance.bounds.certificate import Precision, trajectory_bound
from rnn_conformance.contract.call import DTYPES, Array, Dtype
from rnn_conformance.sources.adapters.torch_rnn import from_torch, to_torch
from rnn_conformance.sources.seed_model import seed_call
from rnn_reference import BatchRNN

T, B, H = 8, 32, 16


def _delayed_echo(steps: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Inputs (T, B, 2) and targets (T, B, 1): what the first input was two steps before, signed by
    the second of now. It cannot be done without a memory."""
    inputs = rng.choice([-1.0, 1.0], size=(steps, B, 2)).astype(np.float32)
    targets = np.zeros((steps, B, 1), np.float32)
    targets[2:, :, 0] = inputs[:-2, :, 0] * inputs[2:, :, 1]
    return inputs, targets


@pytest.fixture
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


@pytest.mark.parametrize("dtype", DTYPES)
def test_reference_to_torch_and_back_is_exact(dtype: Dtype) -> None:
    weights = seed_call(Case(1, 1, 5, 4, O=3, dtype=dtype).call()).weights
    rnn, readout = to_torch({name: value.copy() for name, value in weights.items()})
    back = from_torch(rnn, readout)
    assert list(back) == list(weights)
    for name, value in weights.items():
        assert back[name].dtype == value.dtype
        assert np.array_equal(back[name], value)


def test_trained_network_computes_the_same_in_the_reference(
    trained: tuple[torch.nn.RNN, torch.nn.Linear],
) -> None:
    """Every state of the trained network, by the one-step bound carried through time."""
    rnn, readout = trained
    weights = from_torch(rnn, readout)
    for ours, theirs in zip(to_torch(weights), trained, strict=True):
        for name, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[name], value), name
    inputs, targets = _delayed_echo(T, np.random.default_rng(1))
    with torch.inference_mode():
        states = rnn(torch.from_numpy(inputs))[0]
        outputs = readout(states).numpy()
    model = BatchRNN.from_weights({name: w.astype(np.float64) for name, w in weights.items()})
    step_output, hidden_states = model.forward(inputs.astype(np.float64))
    wide = np.stack([hidden_states[t].T for t in range(T)]).astype(np.float64)
    bound = trajectory_bound(
        weights, inputs, np.zeros((B, H), np.float32), wide, Precision.of("float32")
    )
    assert bound.max() < 0.01, "the bound says nothing here"
    assert (np.abs(states.numpy() - wide) <= bound).all()
    # What the network learned, the reference computes too.
    mine = np.stack([step_output[t].T for t in range(T)])
    assert (np.sign(mine[2:]) == targets[2:]).mean() > 0.99
    assert (np.sign(outputs[2:]) == targets[2:]).mean() > 0.99


def test_missing_bias_is_zeros() -> None:
    weights = from_torch(torch.nn.RNN(3, 4, bias=False), torch.nn.Linear(4, 2, bias=False))
    for name, shape in {"b_xh": (4, 1), "b_hh": (4, 1), "b_ho": (2, 1)}.items():
        assert np.array_equal(weights[name], np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("options", "of_readout", "message"),
    [
        ({"num_layers": 2}, 4, "num_layers: expected 1, got 2"),
        ({"bidirectional": True}, 4, "bidirectional: expected False, got True"),
        ({"nonlinearity": "relu"}, 4, "nonlinearity: expected 'tanh', got 'relu'"),
        ({}, 5, "readout: expected in_features 4, got 5"),
    ],
)
def test_another_recurrence_is_refused(
    options: dict[str, object], of_readout: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        from_torch(torch.nn.RNN(3, 4, **options), torch.nn.Linear(of_readout, 2))
