"""Files of weights: every bit comes back, and what holds none is refused by name."""

import pickle
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_reference import load_weights, save_weights

from .models import KINDS, bits, drawn_model, every_dtype

WEIGHTS = drawn_model(KINDS[0], 3, 4, 2).weights
W_XH = WEIGHTS["W_xh"]


def npy(array: Any) -> bytes:
    """`array` in npy format."""
    stream = BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**changed: bytes) -> bytes:
    """A file of weights with some members replaced or added."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in ({n: npy(w) for n, w in WEIGHTS.items()} | changed).items():
            archive.writestr(f"{name}.npy", data)
    return stream.getvalue()


class Trap:
    """Unpickled, it leaves a mark."""

    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Call `setattr` when unpickled."""
        return setattr, (Trap, "sprung", True)


TRAP = np.array([[Trap()]], dtype=object)
HUGE = npy(W_XH).replace(b"(4, 3), }" + b" " * 18, b"(4, %d), }" % 10**18)
DAMAGED = {
    "empty": (b"", "not a zip file"),
    "text": (b"W_xh: 1\n", "not a zip file"),
    "one array": (npy(W_XH), "not a zip file"),
    "pickle": (pickle.dumps(TRAP), "not a zip file"),
    "cut off": (npz()[:-30], "not a zip file"),
    "a bit changed": (npz().replace(W_XH.tobytes(), (-W_XH).tobytes()), "Bad CRC-32"),
    "no members": (b"PK\5\6" + bytes(18), "missing W_xh, b_xh, W_hh, b_hh, W_ho, b_ho"),
    "unknown member": (npz(W_hx=npy(W_XH)), "unknown 'W_hx'; expected W_xh"),
    "no npy": (npz(W_xh=b"1 2 3"), "W_xh: expected a NumPy array, got bytes"),
    "object": (npz(W_xh=npy(TRAP)), "Object arrays cannot be loaded"),
    "huge": (npz(W_xh=HUGE), "array is too big"),
    "empty shape": (npz(W_xh=npy(W_XH[:, :0])), r"W_xh: .* neither empty, got shape \(4, 0\)"),
    "other shape": (npz(b_ho=npy(W_XH)), r"b_ho: expected shape \(2, 1\), got \(4, 3\)"),
    "NaN": (npz(b_ho=npy(np.full((2, 1), np.nan))), r"b_ho: .* finite numbers, got nan"),
    "other dtype": (npz(b_ho=npy(np.ones((2, 1), ">f8"))), "b_ho: .* float64, got >f8"),
    "integers": (npz(W_xh=npy(W_XH.astype(int))), "W_xh: .* float64 or float32, got int64"),
    "open bracket": (npz(W_xh=npy(W_XH).replace(b"3)", b"3,")), "EOF|header"),
}


@every_dtype
@pytest.mark.parametrize("file_name", ["weights", "weights.npz"])
def test_round_trip(dtype: type[np.floating], file_name: str, tmp_path: Path) -> None:
    """Every bit comes back, from exactly the file named; the same weights make the same file."""
    info = np.finfo(dtype)
    weights = drawn_model(KINDS[0], 3, 5, 2, dtype=dtype).weights
    extremes = [-0.0, info.max, -info.max, info.tiny, info.smallest_subnormal]
    weights["W_hh"][0] = np.array(extremes, dtype)
    weights["W_ho"] = np.asfortranarray(weights["W_ho"])
    paths = [tmp_path / file_name, tmp_path / "again"]
    for path in (paths[0], str(paths[1])):
        save_weights(path, weights)
        assert bits(load_weights(path)) == bits(weights)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_refused_weights_neither_overwrite_a_file_nor_leave_an_empty_one(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    save_weights(old, WEIGHTS)
    for path in (old, new):
        with pytest.raises(ValueError, match="missing b_ho"):
            save_weights(path, {name: a for name, a in WEIGHTS.items() if name != "b_ho"})
    assert bits(load_weights(old)) == bits(WEIGHTS)
    assert not new.exists()


@pytest.mark.parametrize(("data", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    """One line names the file and the reason, and no pickle is read."""
    path = tmp_path / "weights"
    path.write_bytes(data)
    with pytest.raises((ValueError, TypeError)) as refused:
        load_weights(path)
    text = str(refused.value)
    assert text.startswith(f"{path}: not a file of weights: ")
    assert re.search(reason, text), text
    assert "\n" not in text
    assert not Trap.sprung


@pytest.mark.parametrize("name", ["", "no such file"])
def test_not_opened(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=tmp_path.name):
        load_weights(tmp_path / name)
