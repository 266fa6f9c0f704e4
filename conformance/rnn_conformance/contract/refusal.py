"""What is refused: an answer that is none, and what lacks a library that an extra installs."""

import json
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from traceback import format_exception_only, walk_tb
from typing import Any, TypeVar

import numpy as np

from rnn_conformance.contract.call import Array, Dtype, Layout
from rnn_conformance.contract.dtypes import bfloat16, carrier

C = TypeVar("C")
A = TypeVar("A")
TAKEN = "expected an exception, got a result"
LIBRARIES = {
    "reports": ("jinja2", "jsonschema"),  # HTML pages, and reading reports
    "onnx": ("onnx",),
    "files": ("jsonschema", "safetensors"),  # programs and test vectors
}


class CannotBeJudged(Exception):
    """There is nothing to judge: unknown name, failed import, an object of no known kind."""


class Violation(Exception):
    """The implementation gave no result that could be compared; the message says what came.

    Attributes:
        call: as that of a `Judgement`.
    """

    call = ""


class Broken(Violation):
    """The implementation ended, hung, or said what is no answer: that refuses nothing either."""


def installing(extra: str) -> str:
    """The command that installs an extra, in a clone or elsewhere."""
    try:
        url = distribution("rnn-conformance").read_text("direct_url.json") or "{}"
    except PackageNotFoundError:
        url = "{}"
    clone = json.loads(url).get("dir_info", {}).get("editable", False)
    return f'pip install -e ".[{extra}]"' if clone else f'pip install "rnn-conformance[{extra}]"'


def need(extra: str, what: str) -> None:
    """Raises CannotBeJudged, naming the extra, where a library is missing that `what` needs."""
    install = f"to install it: {installing(extra)}"
    for library in LIBRARIES[extra]:
        try:
            import_module(library)
        except ImportError as error:
            raise CannotBeJudged(f"{what}: {library} is missing; {install}") from error


def attempt(run: Callable[[C], object], call: C, kind: type[A]) -> A:
    """What `run` gives for a call. Raises Violation where it raises, or gives another kind."""
    try:
        # Numbers tell what it would warn of; products may warn of memory that is not their own.
        with np.errstate(all="ignore"):
            answer = run(call)
    except (KeyboardInterrupt, Violation):
        raise
    except BaseException as error:  # a stranger's code may raise anything
        raise Violation(f"raised {one_line(error)}{_place(error)}") from error
    if not isinstance(answer, kind):
        raise Violation(f"expected {kind.__name__}, got {type(answer).__name__}")
    return answer


def _place(error: BaseException) -> str:
    """Where it was raised, unless that is in the suite itself."""
    *_, (frame, line) = [(None, 0), *walk_tb(error.__traceback__)]
    if frame is None:  # another thread has raised this very exception since
        return ""
    place = Path(frame.f_code.co_filename)
    if place.parent.name in ("sources", "adapters"):
        return ""
    return f" ({place.name}, line {line}, in {frame.f_code.co_name})"


def array_of(name: str, value: object, shape: tuple[int, ...]) -> Array:
    """`value` as a plain array. Raises Violation unless it is one, of this shape and floating."""
    if not isinstance(value, np.ndarray):
        raise Violation(f"{name}: expected a NumPy array, got {type(value).__name__}")
    array: Array = np.asarray(value)  # a subclass may hide numbers, as a masked array does
    if array.shape != shape:
        turned = ", the same axes in another order" * (sorted(array.shape) == sorted(shape))
        raise Violation(f"{name}: expected shape {shape}, got {array.shape}{turned}")
    if array.dtype.kind != "f":
        raise Violation(f"{name}: expected floating-point numbers, got dtype {array.dtype}")
    return array


def in_the_dtype(what: str, array: Array, dtype: Dtype) -> None:
    """Raises Violation unless these are numbers of this dtype."""
    if array.dtype != carrier(dtype):
        raise Violation(f"{what}: expected dtype {carrier(dtype)}, got {array.dtype}")
    if dtype == "bfloat16" and not np.array_equal(bfloat16(array), array, equal_nan=True):
        raise Violation(f"{what}: expected numbers of bfloat16 in float32, got some of more bits")


def in_order(array: Any, layout: Layout) -> Any:
    """A result of every step as (T, B, units), whatever the layout."""
    if layout == "single":
        return array[:, np.newaxis]
    return array.swapaxes(0, 1) if layout == "batch_first" else array


def one_line(error: BaseException) -> str:
    """An exception's type and message, in one line without control characters."""
    return printable("".join(format_exception_only(error)))


def printable(text: str) -> str:
    """A stranger's text in one line, cut short and without control characters."""
    line = " ".join(text.split())[:300]
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
