"""The weights of the reference as torch.nn.RNN and a torch.nn.Linear have them.

W_xh  weight_ih_l0 (H, I)        W_hh  weight_hh_l0 (H, H)        W_ho  weight (O, H)
b_xh  bias_ih_l0 (H,)            b_hh  bias_hh_l0 (H,)            b_ho  bias (O,)
"""

from collections.abc import Mapping

import torch

from rnn_conformance.contract.call import Array
from rnn_conformance.sources.seed_model import NAMES


def to_torch(
    weights: Mapping[str, Array], *, batch_first: bool = False
) -> tuple[torch.nn.RNN, torch.nn.Linear]:
    """A torch.nn.RNN and its readout with copies of these six weights, in their dtype."""
    hidden_size, input_size = weights["W_xh"].shape
    dtype = torch.from_numpy(weights["W_xh"]).dtype
    tensors = {theirs: torch.from_numpy(weights[ours]) for theirs, ours in NAMES.items()}
    tensors = {name: t[:, 0] if name.startswith("b") else t for name, t in tensors.items()}
    of_readout = {"weight": tensors.pop("W_ho"), "bias": tensors.pop("b_ho")}
    rnn = torch.nn.RNN(input_size, hidden_size, batch_first=batch_first, dtype=dtype).eval()
    rnn.load_state_dict(tensors)
    readout = torch.nn.Linear(hidden_size, len(weights["W_ho"]), dtype=dtype)
    readout.load_state_dict(of_readout)
    return rnn, readout
