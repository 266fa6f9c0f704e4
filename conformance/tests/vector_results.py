"""Results for a set of vectors, computed by an implementation."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rnn_conformance import Implementation
from rnn_conformance.contract.call import GRADIENTS
from rnn_conformance.sources import exchange
from rnn_conformance.vectors.manifest import read_manifest

STORED = ("expected.", "bound.")
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
OF_GRADIENTS = (
    "float32-T4-B3-I5-H3-L1-tanh-bidirectional-h0-batch_first-loss_of_all",
    "float64-T4-I5-H3-L2-tanh-h0-loss_of_all",
    "float64-T4-B3-I5-H3-L2-lstm-unsorted-h0-loss_of_all",
    "float32-T8-B3-I27-H5-L1-gru-h0-marked-loss_of_all",
    "float64-T4-B3-I5-H3-L2-gru_reset_before-no_bias-no_h0-loss_of_all",
)


def compute(implementation: Implementation, vectors: Path, results: Path) -> Path:
    """Write the answers to every vector of a cell that is claimed, and return their folder."""
    results.mkdir()
    for case in read_manifest(vectors).cases:
        arrays = exchange.read_tensors(vectors / case.file, 2_000_000)
        call = exchange.call_of(
            case.call, {n: a for n, a in arrays.items() if not n.startswith(STORED)}
        )
        if GRADIENTS not in implementation.claims:
            call = replace(call, upstream=None)
        if call.options.cell in implementation.claims:
            write(results, case.id, **exchange.answered(implementation.run(call)))
    return results


def write(results: Path, case: str, **arrays: Any) -> None:
    """Write one result."""
    exchange.write_tensors(results / f"{case}.safetensors", arrays)


def read(results: Path, case: str) -> dict[str, Any]:
    """The arrays of one result, writable."""
    found = exchange.read_tensors(results / f"{case}.safetensors", 2_000_000)
    return {name: array.copy() for name, array in found.items()}
