"""How fast an RNN, an LSTM and a GRU are in NumPy, beside torch's, and how far from a limit.

workload, lines, rivals: what is run. agreement: proof that all lines compute the same. measure: how
it is timed. results, report, plots: from the JSON that pytest-benchmark writes to one page.
`bench_loops.py` puts the first half together.
"""
