"""What the compiled loop shares with NumPy, as addresses: its BLAS, and the loop of its tanh."""

import ctypes
import shutil
import subprocess
import tempfile
from ctypes import POINTER, Structure, c_char_p, c_int, c_ubyte, c_void_p
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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


@dataclass(frozen=True)
class Blas:
    """Addresses of ?gemm and ?gemv, and C's name of the integers that they take."""

    gemm: int
    gemv: int
    integer: str


def numpy_blas(dtype: str) -> Blas:
    """The products of the OpenBLAS that NumPy has loaded; UnavailableError where it has none."""
    paths = [
        Path(library["filepath"])
        for library in threadpool_info()
        if library["internal_api"] == "openblas"
    ]
    own = [path for path in paths if any("numpy" in part for part in path.parts)]
    if not own:
        raise UnavailableError("NumPy has no OpenBLAS of its own")
    library = ctypes.CDLL(str(own[0]))
    for spelling, integer in SPELLINGS.items():
        names = [spelling.format(LETTERS[dtype] + kind) for kind in ("gemm", "gemv")]
        if all(hasattr(library, name) for name in names):
            gemm, gemv = (_address(library[name]) for name in names)
            return Blas(gemm, gemv, integer)
    raise UnavailableError(f"{own[0].name} has no C interface under a name that is known")


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


def tanh_loop(dtype: str) -> tuple[int, int]:
    """The function that np.tanh calls for an array of this dtype, and what it is given as data.

    UnavailableError where `np.tanh` does not look as NumPy's header says.
    """
    number = np.dtype(dtype).num
    found = _UFunc.from_address(id(np.tanh) + object.__basicsize__)
    counts = (found.nin, found.nout, found.nargs, found.ntypes)
    if counts != (1, 1, 2, np.tanh.ntypes) or found.name != b"tanh":
        raise UnavailableError("np.tanh is laid out otherwise than NumPy's header says")
    for index in range(found.ntypes):
        if (found.types[2 * index], found.types[2 * index + 1]) == (number, number):
            return found.functions[index] or 0, found.data[index] or 0
    raise UnavailableError(f"np.tanh has no loop for {dtype}")


@cache
def compiled(dtype: str, integer: str) -> ctypes.CDLL:
    """floor.c as a library, for this processor. UnavailableError where it cannot be compiled."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise UnavailableError("no C compiler was found")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "floor.so"
        flags = ["-O3", "-march=native", "-shared", "-fPIC"]
        macros = [f"-DREAL={REALS[dtype]}", f"-DINT={integer}"]
        command = [compiler, *flags, *macros, str(SOURCE), "-o", str(library)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise UnavailableError(f"the C compiler failed: {last}")
        return ctypes.CDLL(str(library))  # once loaded, it needs its file no more


def _address(function: object) -> int:
    return ctypes.cast(function, c_void_p).value or 0  # type: ignore[arg-type]
