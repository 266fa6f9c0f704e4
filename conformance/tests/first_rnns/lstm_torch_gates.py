"""LSTM from scratch as an nn.Module, with two nn.Linear layers for each gate."""

import torch
from torch import nn


class MyLSTM(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.input_gate_x = nn.Linear(input_size, hidden_size)
        self.input_gate_h = nn.Linear(hidden_size, hidden_size, bias=False)
        self.forget_gate_x = nn.Linear(input_size, hidden_size)
        self.forget_gate_h = nn.Linear(hidden_size, hidden_size, bias=False)
        self.cell_gate_x = nn.Linear(input_size, hidden_size)
        self.cell_gate_h = nn.Linear(hidden_size, hidden_size, bias=False)
        self.output_gate_x = nn.Linear(input_size, hidden_size)
        self.output_gate_h = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x, init_states=None):
        # x: (batch, seq_len, input_size)
        batch_size, seq_len, _ = x.size()
        if init_states is None:
            h_t = x.new_zeros(batch_size, self.hidden_size)
            c_t = x.new_zeros(batch_size, self.hidden_size)
        else:
            h_t, c_t = init_states
        hidden_seq = []
        for t in range(seq_len):
            x_t = x[:, t, :]
            i_t = torch.sigmoid(self.input_gate_x(x_t) + self.input_gate_h(h_t))
            f_t = torch.sigmoid(self.forget_gate_x(x_t) + self.forget_gate_h(h_t))
            g_t = torch.tanh(self.cell_gate_x(x_t) + self.cell_gate_h(h_t))
            o_t = torch.sigmoid(self.output_gate_x(x_t) + self.output_gate_h(h_t))
            c_t = f_t * c_t + i_t * g_t
            h_t = o_t * torch.tanh(c_t)
            hidden_seq.append(h_t.unsqueeze(1))
        return torch.cat(hidden_seq, dim=1), (h_t, c_t)
