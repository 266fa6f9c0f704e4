"""LSTM as an nn.Module with all gates in two nn.Linear layers, and a readout."""

import torch
from torch import nn


class FusedLSTM(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.ih = nn.Linear(input_size, 4 * hidden_size)
        self.hh = nn.Linear(hidden_size, 4 * hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, state=None):
        # x: (seq_len, batch, input_size)
        if state is None:
            h = torch.zeros(x.shape[1], self.hidden_size, dtype=x.dtype)
            c = torch.zeros(x.shape[1], self.hidden_size, dtype=x.dtype)
        else:
            h, c = state
        hs = []
        for x_t in x.unbind(0):
            gates = self.ih(x_t) + self.hh(h)
            i, f, o, g = gates.chunk(4, dim=1)
            i, f, o = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o)
            c = f * c + i * torch.tanh(g)
            h = o * torch.tanh(c)
            hs.append(h)
        hs = torch.stack(hs)
        return self.fc(hs), hs, (h, c)
