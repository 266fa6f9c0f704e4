"""What the compiled loop shares with NumPy, as addresses: its BLAS, and the loop of its tanh."""

import ctypes
import shutil
import subprocess
import tempfile
from ctypes import POINTER, Structure, c_char_p, c_int, c_ubyte, c_void_p
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from rnn_benchmarks.lines import UnavailableError

SOURCE = Path(__file__).parent / "floor.c"
# How NumPy's wheels, and OpenBLAS itself, name the C interface with integers of 64 and of 32 bits.
SPELLINGS = {
    "scipy_cblas_{}64_": "int64_t",
    "cblas_{}64_": "int64_t",
    "scipy_cblas_{}": "int32_t",
    "cblas_{}": "int32_t",
}
LETTERS = {"float32": "s", "float64": "d"}
REALS = {"float32": "float", "float64": "double"}


class Native(NamedTuple):
    """floor.c compiled for a dtype, and the addresses that it calls."""

    library: ctypes.CDLL
    gemm: int
    gemv: int
    tanh: int
    tanh_data: int


def native(dtype: str) -> Native:
    """The loop in this dtype. UnavailableError where it cannot be built."""
    gemm, gemv, integer = _blas(LETTERS[dtype])
    tanh, data = _tanh(np.dtype(dtype).num)
    return Native(_compiled(REALS[dtype], integer), gemm, gemv, tanh, data)


def _blas(letter: str) -> tuple[int, int, str]:
    """?gemm and ?gemv of the OpenBLAS that NumPy has loaded, and the integer that they take."""
    loaded = [each for each in threadpool_info() if each["internal_api"] == "openblas"]
    own = [each["filepath"] for each in loaded if "numpy" in each["filepath"]]
    if not own:
        raise UnavailableError("NumPy has no OpenBLAS of its own")
    library = ctypes.CDLL(own[0])
    for spelling, integer in SPELLINGS.items():
        names = [spelling.format(letter + kind) for kind in ("gemm", "gemv")]
        if all(hasattr(library, name) for name in names):
            gemm, gemv = (ctypes.cast(library[name], c_void_p).value or 0 for name in names)
            return gemm, gemv, integer
    raise UnavailableError("NumPy's OpenBLAS has no C interface under a name that is known")


class _UFunc(Structure):
    """The head of a PyUFuncObject, behind the object's own: NumPy's header ufuncobject.h."""

    _fields_ = (
        ("nin", c_int),
        ("nout", c_int),
        ("nargs", c_int),
        ("identity", c_int),
        ("functions", POINTER(c_void_p)),
        ("data", POINTER(c_void_p)),
        ("ntypes", c_int),
        ("reserved", c_int),
        ("name", c_char_p),
        ("types", POINTER(c_ubyte)),
    )


def _tanh(number: int) -> tuple[int, int]:
    """What np.tanh calls for an array of the dtype of this number, and is given as data."""
    found = _UFunc.from_address(id(np.tanh) + object.__basicsize__)
    counts = (found.nin, found.nout, found.nargs, found.ntypes)
    if counts != (1, 1, 2, np.tanh.ntypes) or found.name != b"tanh":
        raise UnavailableError("np.tanh is laid out otherwise than NumPy's header says")
    types = [(found.types[2 * i], found.types[2 * i + 1]) for i in range(found.ntypes)]
    index = types.index((number, number))
    return found.functions[index] or 0, found.data[index] or 0


def _compiled(real: str, integer: str) -> ctypes.CDLL:
    compiler = shutil.which("cc")
    if compiler is None:
        raise UnavailableError("no C compiler was found")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "floor.so"
        flags = ["-O3", "-march=native", "-shared", "-fPIC", f"-DREAL={real}", f"-DINT={integer}"]
        command = [compiler, *flags, str(SOURCE), "-o", str(library)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise UnavailableError(f"the C compiler failed: {last}")
        return ctypes.CDLL(str(library))  # once loaded, it needs its file no more
