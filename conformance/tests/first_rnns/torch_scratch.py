"""RNN from scratch as an nn.Module, with three nn.Linear layers."""

import torch
from torch import nn


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)

    def init_hidden(self, x):
        return torch.zeros(x.size(1), self.hidden_size, dtype=x.dtype, device=x.device)

    def forward(self, x, hidden=None):
        # x: (seq_len, batch, input_size)
        if hidden is None:
            hidden = self.init_hidden(x)
        outputs, hiddens = [], []
        for x_t in x:
            hidden = torch.tanh(self.i2h(x_t) + self.h2h(hidden))
            hiddens.append(hidden)
            outputs.append(self.h2o(hidden))
        return torch.stack(outputs), torch.stack(hiddens)
