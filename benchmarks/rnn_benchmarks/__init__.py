"""Speed of four ways to run the same Elman RNN, as ratios to `torch.nn.RNN`.

grid ← workload ← lines, agreement: what is run, and proof that all lines compute the same.
threads, machine, pairs: how it is timed. `benchmarks/bench_loops.py` puts these together.
results ← ratios ← content ← markdown, html (with plots) ← report: from the JSON that
pytest-benchmark writes to a page. This half needs neither torch nor the reference.
"""
