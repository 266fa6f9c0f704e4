"""The weights of torch.nn.RNN and a torch.nn.Linear, to and from the reference.

W_xh  weight_ih_l0 (H, I)        W_hh  weight_hh_l0 (H, H)        W_ho  weight (O, H)
b_xh  bias_ih_l0 (H,)            b_hh  bias_hh_l0 (H,)            b_ho  bias (O,)
"""

from collections.abc import Mapping

import numpy as np
import torch

from rnn_conformance.contract.call import Array

RNN_NAMES = {
    "W_xh": "weight_ih_l0",
    "b_xh": "bias_ih_l0",
    "W_hh": "weight_hh_l0",
    "b_hh": "bias_hh_l0",
}
READOUT_NAMES = {"W_ho": "weight", "b_ho": "bias"}


def to_torch(
    weights: Mapping[str, Array], *, batch_first: bool = False
) -> tuple[torch.nn.RNN, torch.nn.Linear]:
    """A torch.nn.RNN and its readout with copies of these six weights, in their dtype."""
    hidden_size, input_size = weights["W_xh"].shape
    dtype = torch.from_numpy(weights["W_xh"]).dtype
    rnn = torch.nn.RNN(input_size, hidden_size, batch_first=batch_first, dtype=dtype).eval()
    rnn.load_state_dict(_state_dict(weights, RNN_NAMES))
    readout = torch.nn.Linear(hidden_size, len(weights["W_ho"]), dtype=dtype)
    readout.load_state_dict(_state_dict(weights, READOUT_NAMES))
    return rnn, readout


def from_torch(rnn: torch.nn.RNN, readout: torch.nn.Linear) -> dict[str, Array]:
    """Copies of the weights of a layer and its readout, under the names of the reference.

    A missing bias becomes zeros. Raises ValueError where the layer is not the recurrence of the
    reference: more than one layer, bidirectional, relu, or a readout of another hidden size.
    """
    for option, wanted in {"num_layers": 1, "bidirectional": False, "nonlinearity": "tanh"}.items():
        if getattr(rnn, option) != wanted:
            raise ValueError(f"{option}: expected {wanted!r}, got {getattr(rnn, option)!r}")
    if readout.in_features != rnn.hidden_size:
        raise ValueError(
            f"readout: expected in_features {rnn.hidden_size}, got {readout.in_features}"
        )
    return {**_arrays(rnn, RNN_NAMES), **_arrays(readout, READOUT_NAMES)}


def _state_dict(weights: Mapping[str, Array], names: Mapping[str, str]) -> dict[str, torch.Tensor]:
    tensors = {theirs: torch.from_numpy(weights[ours]) for ours, theirs in names.items()}
    return {name: t[:, 0] if "bias" in name else t for name, t in tensors.items()}


def _arrays(module: torch.nn.Module, names: Mapping[str, str]) -> dict[str, Array]:
    tensors = module.state_dict()
    weight = tensors[next(iter(names.values()))]
    zeros = torch.zeros(weight.shape[0], dtype=weight.dtype)
    arrays = {ours: tensors.get(theirs, zeros).cpu().numpy() for ours, theirs in names.items()}
    return {
        name: np.array(value[:, np.newaxis] if name.startswith("b") else value)
        for name, value in arrays.items()
    }
