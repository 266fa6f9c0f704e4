"""The profile "layer": the whole contract of `torch.nn.RNN`, clause by clause."""
