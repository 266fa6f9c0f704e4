"""Cells with gates: what ports do otherwise in a step of them, and trials of it."""
