"""`RNN` beside `torch.nn.RNN`, in float64, where torch is installed."""

from typing import Any

import numpy as np
import pytest
from rnn_reference import RNN
from rnn_reference.weights import Array

from .layer_cases import LENGTHS, STEPS, drawn_batch, drawn_layers
from .layer_equations import apart
from .one_step import U64

torch = pytest.importorskip("torch", reason="torch is not installed, nothing to compare with")

PLAIN: dict[str, Any] = {"num_layers": 1, "nonlinearity": "tanh", "bias": True}
CASES: dict[str, dict[str, Any]] = {
    "one layer": {},
    "relu": {"nonlinearity": "relu"},
    "no bias": {"bias": False},
    "batch first": {"batch_first": True},
    "both directions": {"bidirectional": True},
    "three layers": {"num_layers": 3},
    "three layers, both": {"num_layers": 3, "bidirectional": True},
    "three layers, both, relu, no bias, batch first": {
        "num_layers": 3,
        "bidirectional": True,
        "nonlinearity": "relu",
        "bias": False,
        "batch_first": True,
    },
    "lengths": {"lengths": LENGTHS},
    "lengths, two layers, both": {"lengths": LENGTHS, "num_layers": 2, "bidirectional": True},
    "lengths, two layers, both, relu, batch first": {
        "lengths": LENGTHS,
        "num_layers": 2,
        "bidirectional": True,
        "nonlinearity": "relu",
        "batch_first": True,
    },
    "one sequence": {"one": True, "num_layers": 2, "bidirectional": True},
    "one sequence, batch first": {"one": True, "num_layers": 2, "batch_first": True},
    "h_0 omitted": {"h_0": None, "num_layers": 2, "bidirectional": True},
    "all dropped": {"dropout": 1.0, "training": True, "num_layers": 3, "bidirectional": True},
    "dropout, not in training": {"dropout": 0.5, "num_layers": 2},
}


def of_torch(model: RNN, x: Array, h_0: Array | None, lengths: Array | None, train: bool) -> Any:
    """Output and h_n of `torch.nn.RNN` with the model's weights, packed where there are lengths."""
    theirs = torch.nn.RNN(
        model.input_size,
        model.hidden_size,
        model.num_layers,
        model.nonlinearity,
        model.bias,
        model.batch_first,
        model.dropout,
        model.bidirectional,
        dtype=torch.float64,
    )
    theirs.load_state_dict({name: torch.from_numpy(w) for name, w in model.weights.items()})
    theirs.train(train)
    inputs = torch.from_numpy(x)
    states = None if h_0 is None else torch.from_numpy(h_0)
    with torch.no_grad():
        if lengths is None:
            output, h_n = theirs(inputs, states)
        else:
            pack, unpack = (
                torch.nn.utils.rnn.pack_padded_sequence,
                torch.nn.utils.rnn.pad_packed_sequence,
            )
            cut, first = torch.from_numpy(lengths), model.batch_first
            packed = pack(inputs, cut, batch_first=first, enforce_sorted=False)
            packed, h_n = theirs(packed, states)
            output, _ = unpack(packed, batch_first=first, total_length=STEPS)
    return output.numpy(), h_n.numpy()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_torch(case: dict[str, Any]) -> None:
    """Within what two right evaluations in float64 may differ (see `apart`); another model is not.

    Torch sums in an order of its own, which the bound leaves open, and its vectorised tanh is
    within the 4 ulps that it allows.
    """
    options = PLAIN | case
    lengths, one = options.pop("lengths", None), options.pop("one", False)
    without_h_0, training = "h_0" in options, options.pop("training", False)
    options.pop("h_0", None)
    model = drawn_layers(**options)
    inputs, h_0 = drawn_batch(model)
    bound = apart(model.weights, inputs, np.zeros_like(h_0) if without_h_0 else h_0, U64, U64)
    assert bound < 2**-40, "the bound must stay small beside the signal"

    x = inputs[:, 0].copy() if one else inputs
    x = np.ascontiguousarray(x.swapaxes(0, 1)) if model.batch_first and not one else x
    h = None if without_h_0 else h_0[:, 0].copy() if one else h_0
    theirs = of_torch(model, x, h, lengths, training)

    def near(weights: dict[str, Array]) -> bool:
        ours = RNN.from_weights(
            weights,
            nonlinearity=model.nonlinearity,
            batch_first=model.batch_first,
            dropout=model.dropout,
        ).forward(x, h, lengths=lengths, training=training, rng=1)
        return all(
            a.shape == b.shape and bool((abs(a - b) <= bound).all())
            for a, b in zip(ours, theirs, strict=True)
        )

    assert near(model.weights)
    for name, weight in model.weights.items():
        changed = weight.copy()
        changed.flat[0] += 2**-24
        unread = model.dropout == 1 and name.startswith("weight_ih") and "l0" not in name
        assert near(model.weights | {name: changed}) == unread, name
