"""Random damage to files of strangers: in their bytes, and in what stands in their JSON."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

DEEP: Any = json.loads("[" * 500 + "]" * 500)
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, 1e308, -0.0, 10**400, 2**63, "", "inf", "nan", "passed",
    "../../x", "\ud800", "\x00", "x" * 10_000, [], {}, [[]], [None] * 300, {"": {}}, DEEP,
)  # fmt: skip
PIECES = (
    b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"NaN", b"-Infinity", b"1e999", b"[" * 50,
    b"\x00", b"\xff", b"null", b"-1", b'"F64"', b'"BF16"', b'"F4"', b"\\ud800", b"\x9e",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2**31, 2**62, 2**63, 2**64 - 1, 2**64)


def damaged_bytes(rng: np.random.Generator, content: bytes) -> bytes:
    """One to three changes, half of them near the start, where headers are; never empty."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        near = rng.random() < 0.5
        at = int(rng.integers(min(len(changed), 200) + 1 if near else len(changed) + 1))
        match rng.integers(6):
            case 0:
                changed[at : at + 3] = rng.bytes(int(rng.integers(1, 4)))
            case 1:
                del changed[at : at + int(rng.integers(1, 40))]
            case 2:
                changed[at:at] = changed[at : at + int(rng.integers(1, 200))]
            case 3:
                piece = PIECES[rng.integers(len(PIECES))]
                changed[at : at + len(piece) * int(rng.integers(2))] = piece
            case 4:
                del changed[at or 1 :]
            case _ if found := re.search(rb"\d+", changed[at:]):
                number = str(NUMBERS[rng.integers(len(NUMBERS))]).encode()
                changed[at + found.start() : at + found.end()] = number
    return bytes(changed) or b" "


def damaged_json(rng: np.random.Generator, content: bytes) -> bytes:
    """One to three values, at any depth, are others, are gone, or stand twice."""
    data = json.loads(content)
    for _ in range(rng.integers(1, 4)):
        data = _with_odd_value(rng, data)
    return json.dumps(data).encode()


def written_anew(path: Path, content: bytes) -> None:
    """Write a file in place of another; a disk waits longer where one is cut short."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def _with_odd_value(rng: np.random.Generator, data: Any) -> Any:
    if not isinstance(data, list | dict) or not data or rng.random() < 0.08:
        return _copy(ODD[rng.integers(len(ODD))])
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    key, other = (keys[rng.integers(len(keys))] for _ in range(2))
    draw = rng.random()
    if draw < 0.1:
        del data[key]
    elif draw < 0.2:
        data[other] = _copy(data[key])
    elif draw < 0.25 and isinstance(data, dict):
        data[f"{key}_"] = _copy(data[key])
    else:
        data[key] = _with_odd_value(rng, data[key])
    return data


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))
