"""How fast the same Elman RNN is in NumPy, beside `torch.nn.RNN`, and how far from a limit.

choices: which points and lines. workload, lines, rivals: what is run. agreement: proof that all
lines compute the same. measure, machine: how it is timed, and where. results, report, plots: from
the JSON that pytest-benchmark writes to one page. `bench_loops.py` puts the first half together.
"""
