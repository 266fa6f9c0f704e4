"""The weights of the reference as torch.nn.RNN and torch.nn.Linear have them.

W_xh  weight_ih_l0 (H, I)        W_hh  weight_hh_l0 (H, H)        W_ho  weight (O, H)
b_xh  bias_ih_l0 (H,)            b_hh  bias_hh_l0 (H,)            b_ho  bias (O,)
"""

from collections.abc import Mapping

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


def _state_dict(weights: Mapping[str, Array], names: Mapping[str, str]) -> dict[str, torch.Tensor]:
    tensors = {theirs: torch.from_numpy(weights[ours]) for ours, theirs in names.items()}
    return {name: t[:, 0] if "bias" in name else t for name, t in tensors.items()}
