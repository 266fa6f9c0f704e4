"""Results for a set of vectors, computed by an implementation, and files spoiled at random."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from rnn_conformance import Call, Implementation
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


def compute(implementation: Implementation, vectors: Path, results: Path) -> Path:
    """Write the answer of an implementation to every vector, and return the folder of them."""
    results.mkdir()
    for case in read_manifest(vectors).cases:
        arrays = exchange.read_tensors(vectors / case.file, 2_000_000)
        asked = {name: array for name, array in arrays.items() if "." not in name}
        call = exchange.call_of(case.call, asked)
        assert isinstance(call, Call)
        answer = implementation.run(call)
        write(results, case.id, output=answer.output, h_n=answer.h_n)
    return results


def write(results: Path, case: str, **arrays: Any) -> None:
    """Write one result."""
    exchange.write_tensors(results / f"{case}.safetensors", arrays)


def read(results: Path, case: str) -> dict[str, Any]:
    """The arrays of one result, writable."""
    found = exchange.read_tensors(results / f"{case}.safetensors", 2_000_000)
    return {name: array.copy() for name, array in found.items()}


def spoiled_bytes(rng: np.random.Generator, content: bytes) -> bytes:
    """Some bytes changed, cut out, doubled or put in."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        at = (
            int(rng.integers(0, len(changed) + 1))
            if rng.random() < 0.5
            else int(rng.integers(0, 300))
        )
        width = int(rng.integers(1, 9))
        some = rng.bytes(width) if rng.random() < 0.5 else b'{["\\u9e,:]}'[:width]
        kind = rng.integers(0, 4)
        if kind == 0:
            changed[at : at + width] = some
        elif kind == 1:
            del changed[at : at + width * 10]
        elif kind == 2:
            changed[at:at] = changed[max(at - 50, 0) : at]
        else:
            changed[at:at] = some
    return bytes(changed)


def spoiled_json(rng: np.random.Generator, content: bytes) -> bytes:
    """One value, anywhere, replaced, removed or given twice."""
    fields = json.loads(content)
    places: list[tuple[Any, Any]] = []
    waiting = [fields]
    while waiting:
        node = waiting.pop()
        for key in range(len(node)) if isinstance(node, list) else list(node):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                waiting.append(node[key])
    node, key = places[int(rng.integers(0, len(places)))]
    deep: Any = 0
    for _ in range(500):
        deep = [deep]
    junk: tuple[Any, ...] = (
        None,
        True,
        -1,
        0,
        1.5,
        1e308,
        10**400,
        "",
        "../../x",
        "\x00",
        "x" * 10_000,
        [],
        {},
        deep,
    )
    kind = rng.integers(0, 3)
    if kind == 0:
        node[key] = junk[int(rng.integers(0, len(junk)))]
    elif kind == 1:
        del node[key]
    elif isinstance(node, list):
        node.append(node[key])
    else:
        node[f"{key}_"] = node[key]
    return json.dumps(fields).encode()
