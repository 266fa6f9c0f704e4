"""The floor: how fast a compiled loop is through the BLAS and the tanh that NumPy itself calls.

What NumPy's loop takes beyond this is the interpreter's. It does what every line does: it reads
the inputs as they are given and returns states and outputs in new memory.
"""

import ctypes
import subprocess
import tempfile
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int64, c_ubyte, c_void_p
from functools import partial
from pathlib import Path

import numpy as np
from rnn_reference.weights import Array
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from rnn_benchmarks.lines import Line
from rnn_benchmarks.measure import Call
from rnn_benchmarks.workload import Workload

SOURCE = Path(__file__).with_name("floor.c")
KINDS = {"float32": ("s", "float"), "float64": ("d", "double")}  # of the BLAS, and of C
BLOCK_BYTES = 1 << 18  # of projected inputs at once, so that they are still in the cache when used


class Problem(Structure):
    """`problem_t` of floor.c."""

    _fields_ = (
        *((name, c_void_p) for name in ("gemm", "gemv", "tanh", "tanh_data")),
        *((name, c_int64) for name in ("T", "B", "I", "H", "O", "block")),
        *((name, c_void_p) for name in ("x", "W_hh", "W_xh", "b", "W_ho", "b_ho")),
    )


class UFunc(Structure):
    """The head of a PyUFuncObject, behind the object's own: NumPy's header ufuncobject.h."""

    _fields_ = (
        *((name, c_int) for name in ("nin", "nout", "nargs", "identity")),
        *((name, POINTER(c_void_p)) for name in ("functions", "data")),
        *((name, c_int) for name in ("ntypes", "reserved")),
        ("name", c_char_p),
        ("types", POINTER(c_ubyte)),
    )


def load(_threads: int) -> Line:
    """The line; its threads are those of NumPy's BLAS. ImportError where it cannot be built."""
    built = {}
    for dtype, (letter, real) in KINDS.items():
        addresses = (*_blas(letter), *_tanh(np.dtype(dtype).num))
        built[dtype] = partial(prepare, library=_compiled(real), addresses=addresses)
    return Line(lambda workload: built[workload.inputs.dtype.name](workload))


def prepare(workload: Workload, library: ctypes.CDLL, addresses: tuple[int, ...]) -> Call:
    """A call that returns outputs (T, B, O) and states (T, B, H), as views of new memory."""
    w, x = workload.weights, workload.inputs
    (T, B, I), (O, H), dtype = x.shape, w["W_ho"].shape, x.dtype
    read = (x, w["W_hh"].T, w["W_xh"].T, w["b_xh"] + w["b_hh"], w["W_ho"], w["b_ho"])
    arrays = [np.ascontiguousarray(array) for array in read]
    block = max(1, BLOCK_BYTES // (B * H * x.itemsize))
    argument = byref(Problem(*addresses, T, B, I, H, O, block, *map(_address, arrays)))
    function = library["rnn"]
    function.argtypes, function.restype = (c_void_p, c_void_p, c_void_p), None

    # The arrays are a default, as the struct that is passed holds their addresses alone.
    def forward(_kept: object = arrays) -> tuple[Array, Array]:
        states, outputs = np.empty((T + 1, B, H), dtype), np.empty((T, B, O), dtype)
        function(argument, _address(states), _address(outputs))
        return outputs, states[1:]

    return forward


def _address(array: Array) -> int:
    """Of the data, which is the first field of a PyArrayObject; `array.ctypes` is slow to make."""
    return c_void_p.from_address(id(array) + object.__basicsize__).value or 0


def _blas(letter: str) -> tuple[int, int]:
    """?gemm and ?gemv of the OpenBLAS in NumPy's wheel, with integers of 64 bits."""
    loaded = [each["filepath"] for each in threadpool_info() if each["internal_api"] == "openblas"]
    own = next((path for path in loaded if "numpy" in path), None)
    if own is None:
        raise ImportError("NumPy has no OpenBLAS of its own")
    library, names = ctypes.CDLL(own), [f"scipy_cblas_{letter}{n}64_" for n in ("gemm", "gemv")]
    if not all(hasattr(library, name) for name in names):
        raise ImportError(f"NumPy's OpenBLAS has no {' or '.join(names)}")
    gemm, gemv = (ctypes.cast(library[name], c_void_p).value or 0 for name in names)
    return gemm, gemv


def _tanh(number: int) -> tuple[int, int]:
    """What np.tanh calls for an array of the dtype of this number, and is given as data."""
    found = UFunc.from_address(id(np.tanh) + object.__basicsize__)
    counts = (found.nin, found.nout, found.nargs, found.ntypes)
    if counts != (1, 1, 2, np.tanh.ntypes) or found.name != b"tanh":
        raise ImportError("np.tanh is laid out otherwise than NumPy's header says")
    types = [(found.types[2 * i], found.types[2 * i + 1]) for i in range(found.ntypes)]
    index = types.index((number, number))
    return found.functions[index] or 0, found.data[index] or 0


def _compiled(real: str) -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/floor.so"
        flags = ["-O3", "-march=native", "-shared", "-fPIC", f"-DREAL={real}"]
        try:
            subprocess.run(["cc", *flags, str(SOURCE), "-o", library], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ImportError(f"the C compiler failed: {error}") from error
        return ctypes.CDLL(library)  # once loaded, it needs its file no more
