"""Files that hold no weights: each is refused with its name, and costs neither time nor memory."""

import pickle
import random
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_reference import load_weights, save_weights

from .drawn import RNNS, bits, drawn_model

WEIGHTS = drawn_model(RNNS[0], 3, 4, 2).weights
MUTATIONS = 1000  # of each kind


def npy(array: Any, **header: Any) -> bytes:
    """`array` in npy format, with a header that may lie."""
    stream = BytesIO()
    if header:
        true = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(stream, true | header)
        stream.write(array.tobytes())
    else:
        np.lib.format.write_array(stream, array)
    return stream.getvalue()


W_XH = WEIGHTS["W_xh"]
MEMBERS = {name: npy(array) for name, array in WEIGHTS.items()}


def npz(compression: int = zipfile.ZIP_STORED, **changed: bytes) -> bytes:
    """A file of weights with some members replaced or added."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in (MEMBERS | changed).items():
            archive.writestr(f"{name}.npy", data)
    return stream.getvalue()


def patched(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """`data` with some bytes replaced in every record of a zip that starts with `signature`."""
    changed, at = bytearray(data), data.find(signature)
    while at >= 0:
        changed[at + offset : at + offset + len(value)] = value
        at = data.find(signature, at + 1)
    return bytes(changed)


class Trap:
    """Unpickled, it leaves a mark."""

    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Call `setattr` when unpickled."""
        return setattr, (Trap, "sprung", True)


TRAP = np.array([[Trap()]], dtype=object)
DAMAGED = {
    "empty": (b"", "not a zip file"),
    "text": (b"W_xh: 1\n", "not a zip file"),
    "one array": (npy(W_XH), "not a zip file"),
    "pickle": (pickle.dumps(TRAP), "not a zip file"),
    "no members": (b"PK\5\6" + bytes(18), "missing W_xh, b_xh, W_hh, b_hh, W_ho, b_ho"),
    "unknown member": (npz(W_hx=npy(W_XH)), "unknown 'W_hx'; expected W_xh"),
    "compressed": (npz(zipfile.ZIP_DEFLATED), "W_xh.npy: .* not compressed"),
    "encrypted": (patched(npz(), b"PK\1\2", 8, b"\1"), "W_xh.npy. is encrypted"),
    "later version of zip": (patched(npz(), b"PK\1\2", 6, b"\xff"), "zip file version 25.5"),
    "huge member": (
        patched(npz(), b"PK\1\2", 20, b"\xf0\xff\xff\x7f" * 2),
        "2147483632 bytes, the",
    ),
    "no npy": (npz(W_xh=b"1 2 3"), "magic"),
    "object": (npz(W_xh=npy(TRAP)), "W_xh.npy: expected 8 bytes"),
    "object, size right": (npz(W_xh=npy(W_XH, descr="|O")), "Object arrays cannot be loaded"),
    "huge shape": (npz(W_xh=npy(W_XH, shape=(2**40, 3))), r"bytes for shape \(1099511627776, 3\)"),
    "more bytes": (npz(W_xh=npy(W_XH) + b"0"), r"expected 96 bytes for shape \(4, 3\), got 97"),
    "negative shape": (npz(W_xh=npy(W_XH, shape=(-4, -3))), "negative|dimension"),
    "empty shape": (npz(W_xh=npy(W_XH[:, :0])), r"W_xh: .* neither empty, got shape \(4, 0\)"),
    "other shape": (npz(b_ho=npy(W_XH)), r"b_ho: expected shape \(2, 1\), got \(4, 3\)"),
    "NaN": (npz(b_ho=npy(np.full((2, 1), np.nan))), r"b_ho: .* finite numbers, got nan"),
    "other dtype": (npz(b_ho=npy(np.ones((2, 1), ">f8"))), "b_ho: .* float64, got >f8"),
    "integers": (npz(W_xh=npy(W_XH.astype(int))), "W_xh: .* float64 or float32, got int64"),
    "open bracket": (npz(W_xh=npy(W_XH).replace(b"3)", b"3,")), "EOF|header"),
}


@pytest.mark.parametrize(("data", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    """One line names the file and the reason; no pickle is read and no memory taken on trust."""
    path = tmp_path / "weights"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, TypeError)) as refused:
            load_weights(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    start, named, end = str(refused.value).partition(f"{path}: not a file of weights: ")
    assert named
    assert not start
    assert re.search(reason, end), end
    assert "\n" not in end
    assert not Trap.sprung


@pytest.mark.parametrize("name", ["", "no such file"])
def test_not_opened(name: str, tmp_path: Path) -> None:
    """What cannot be opened, a folder say, is an OSError with the path."""
    with pytest.raises(OSError, match=tmp_path.name):
        load_weights(tmp_path / name)


def mutations(data: bytes) -> Iterator[bytes]:
    """Seeded damage: cut off, bits or bytes changed, bytes lost or added."""
    draw = random.Random(1)
    for _ in range(MUTATIONS):
        changed, at = bytearray(data), draw.randrange(len(data))
        match draw.randrange(4):
            case 0:
                del changed[at:]
            case 1:
                changed[at] ^= 1 << draw.randrange(8)
            case 2:
                del changed[at : at + draw.randrange(1, 50)]
            case 3:
                changed[at:at] = bytes(draw.choices(b"(){}[]',:019\n\\ \0\xff", k=30))
        yield bytes(changed)


@pytest.mark.parametrize("where", ["file", "header"])
def test_mutations(where: str, tmp_path: Path) -> None:
    """A damaged file is refused by name, or still holds weights that fit together."""
    path, save = tmp_path / "weights", tmp_path / "again"
    whole, head, body = npz(), npy(W_XH)[:80], npy(W_XH)[80:]
    for data in mutations(whole if where == "file" else head):
        path.write_bytes(data if where == "file" else npz(W_xh=data + body))
        try:
            loaded = load_weights(path)
        except (ValueError, TypeError) as refused:
            assert str(refused).startswith(f"{path}: not a file of weights: ")  # noqa: PT017
            assert "\n" not in str(refused)  # noqa: PT017
        else:
            save_weights(save, loaded)
            assert bits(load_weights(save)) == bits(loaded)
