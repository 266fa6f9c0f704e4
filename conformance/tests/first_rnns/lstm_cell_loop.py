"""A model around nn.LSTMCell: the loop over time is written by hand."""

import torch
from torch import nn


class SequenceModel(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.lstm = nn.LSTMCell(input_size, hidden_size)
        self.linear = nn.Linear(hidden_size, output_size)

    def forward(self, inputs, hx=None, cx=None):
        # inputs: (time, batch, features)
        if hx is None:
            hx = torch.zeros(inputs.size(1), self.hidden_size, dtype=inputs.dtype)
        if cx is None:
            cx = torch.zeros(inputs.size(1), self.hidden_size, dtype=inputs.dtype)
        outputs, hidden = [], []
        for i in range(inputs.size(0)):
            hx, cx = self.lstm(inputs[i], (hx, cx))
            hidden.append(hx)
            outputs.append(self.linear(hx))
        return torch.stack(outputs), torch.stack(hidden), hx, cx
