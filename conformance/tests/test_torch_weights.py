"""Weights of the reference in torch."""

import numpy as np
import pytest
from rnn_conformance import Case
from rnn_conformance.contract.call import DTYPES, Dtype
from rnn_conformance.sources.adapters.torch_rnn import to_torch
from rnn_conformance.sources.seed_model import NAMES, seed_call


@pytest.mark.parametrize("dtype", DTYPES)
def test_drawn_weights_go_to_torch_exactly(dtype: Dtype) -> None:
    weights = seed_call(Case(1, 1, 5, 4, O=3, dtype=dtype).call()).weights
    rnn, readout = to_torch({name: value.copy() for name, value in weights.items()})
    found = {NAMES[name]: value.numpy() for name, value in rnn.state_dict().items()}
    found |= {"W_ho": readout.weight.detach().numpy(), "b_ho": readout.bias.detach().numpy()}
    for name, value in found.items():
        assert value.dtype == weights[name].dtype
        assert np.array_equal(value, weights[name][:, 0] if name.startswith("b") else weights[name])
