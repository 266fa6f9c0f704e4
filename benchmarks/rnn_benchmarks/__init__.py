"""Speed of ways to run the same Elman RNN, as ratios to `torch.nn.RNN`, and how far from a floor.

grid ← workload ← lines, rivals, agreement: what is run, and proof that all lines compute the same.
threads, machine, pairs, remarks: how it is timed. `benchmarks/bench_loops.py` puts these together.
tanh_study, memory_study ← studies: what is measured once, beside the times.
summary ← results ← ratios ← limit, growth, findings, evidence ← content ← markdown, html (with
plots) ← report: from the JSON that pytest-benchmark writes to a page. `compact` makes that JSON
small, `compare` sets two of them side by side. This half needs neither torch nor the reference.
"""
