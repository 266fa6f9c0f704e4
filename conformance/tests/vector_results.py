"""Results for a set of vectors, computed by an implementation."""

from pathlib import Path
from typing import Any

from rnn_conformance import Implementation
from rnn_conformance.checks.subject import parts_of
from rnn_conformance.sources import exchange
from rnn_conformance.vectors.manifest import read_manifest

ONLY = (
    "float32-T7-B4-I5-H3-L3-tanh-bidirectional-unsorted-h0-batch_first",
    "float32-T7-B4-I5-H3-L2-tanh-bidirectional-unsorted-nan_padding-h0",
    "float32-T7-I5-H3-L3-tanh-no_bias-h0",
    "float64-T6-B3-I5-H5-L2-tanh-bidirectional-h0",
    "float64-T7-B4-I5-H3-L1-relu-unsorted-no_h0",
    "float64-T1-B1-I1-H1-L1-tanh-h0",
)
OF_GATES = (
    "float32-T7-B4-I5-H3-L2-lstm-bidirectional-unsorted-nan_padding-h0",
    "float32-T7-I5-H3-L3-lstm-no_bias-h0",
    "float64-T7-B4-I5-H3-L1-lstm-no_bias-no_h0-batch_first",
    "float32-T4-B4-I4-H4-L2-gru-unsorted-h0-batch_first",
    "float64-T7-B4-I5-H3-L1-gru_reset_before-zero_bias-sorted-no_h0",
)


def compute(implementation: Implementation, vectors: Path, results: Path) -> Path:
    """Write the answers to every vector of a cell that is claimed, and return their folder."""
    results.mkdir()
    for case in read_manifest(vectors).cases:
        arrays = exchange.read_tensors(vectors / case.file, 2_000_000)
        asked = {name: array for name, array in arrays.items() if "." not in name}
        call = exchange.call_of(case.call, asked)
        if call.options.cell in implementation.claims:
            write(results, case.id, **parts_of(implementation.run(call)))
    return results


def write(results: Path, case: str, **arrays: Any) -> None:
    """Write one result."""
    exchange.write_tensors(results / f"{case}.safetensors", arrays)


def read(results: Path, case: str) -> dict[str, Any]:
    """The arrays of one result, writable."""
    found = exchange.read_tensors(results / f"{case}.safetensors", 2_000_000)
    return {name: array.copy() for name, array in found.items()}
