"""Calls and answers as files: JSON for what is asked, safetensors for the numbers.

A call is a folder with `call.json` and `call.safetensors`, an answer the file `answer.safetensors`
in it; `exchange.md` says what they hold. Whatever is read is taken for hostile: no pickle, no more
bytes than were to be expected, one ValueError for anything malformed.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import Answer, Call, Options, Upstream
from rnn_conformance.contract.documents import content_of
from rnn_conformance.contract.refusal import need, printable

FORMAT = 2
CALL, TENSORS, ANSWER = "call.json", "call.safetensors", "answer.safetensors"
HEADER_BYTES = 100_000  # more than the header of any file of the suite
NOT_WEIGHTS = ("inputs", "h_0", "c_0", "lengths")
UPSTREAM, GRADIENT = "upstream.", "gradient."  # before the name of what it is the gradient of

Tensors = dict[str, npt.NDArray[Any]]


def fields_of(call: Call) -> dict[str, Any]:
    """What is asked, as it stands in call.json."""
    options = call.options.arguments
    if not call.options.output_size:
        del options["output_size"]
    return {
        "format": FORMAT,
        "layout": call.layout,
        "dtype": "bfloat16" if call.bfloat16 else call.dtype.name,
        "options": options,
        "training": call.training,
    }


def tensors_of(call: Call) -> Tensors:
    """Every array of a call by name: inputs, the rest where it is given, the weights."""
    given = {name: getattr(call, name) for name in NOT_WEIGHTS}
    upstream = {} if call.upstream is None else vars(call.upstream)
    given |= {UPSTREAM + name: value for name, value in upstream.items()}
    return {**{name: value for name, value in given.items() if value is not None}, **call.weights}


def call_of(fields: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]) -> Call:
    """The call of which `fields_of` and `tensors_of` gave these."""
    upstream, others = apart(tensors, UPSTREAM)
    weights = {name: value for name, value in others.items() if name not in NOT_WEIGHTS}
    return Call(
        Options(**{"cell" if n == "nonlinearity" else n: v for n, v in fields["options"].items()}),
        weights,
        tensors["inputs"],
        tensors.get("h_0"),
        tensors.get("lengths"),
        fields["layout"],
        fields["training"],
        fields["dtype"] == "bfloat16",
        tensors.get("c_0"),
        Upstream(**upstream) if upstream else None,
    )


def apart(tensors: Mapping[str, npt.NDArray[Any]], start: str) -> tuple[Tensors, Tensors]:
    """Those whose names start so, by the rest of the name, and the others."""
    found = {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}
    return found, {name: value for name, value in tensors.items() if not name.startswith(start)}


def answered(answer: Answer) -> Tensors:
    """Every array of an answer by name, as it stands in a file."""
    given = {name: value for name, value in vars(answer).items() if value is not None}
    gradients: Mapping[str, npt.NDArray[Any]] = given.pop("gradients", {})
    return given | {GRADIENT + name: value for name, value in gradients.items()}


def write_call(folder: Path, call: Call) -> None:
    """Write call.json and call.safetensors. Raises OSError."""
    write_tensors(folder / TENSORS, tensors_of(call))
    (folder / CALL).write_text(json.dumps(fields_of(call), indent=1) + "\n")


def write_tensors(path: Path, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays by name; the same arrays give the same bytes.

    Raises OSError, and CannotBeJudged without the extra.
    """
    need("files", path.name)
    from safetensors.numpy import save

    path.write_bytes(save({name: np.ascontiguousarray(value) for name, value in tensors.items()}))


def read_tensors(path: Path, most: int) -> Tensors:
    """The arrays of a file by name, which may hold `most` bytes of numbers.

    Raises ValueError, with one line that names the file, where it is none, or larger.
    """
    return arrays_of(path.name, content_of(path.name, path, most + HEADER_BYTES))


def arrays_of(name: str, content: bytes) -> Tensors:
    """The arrays of a safetensors file by name.

    Raises ValueError, which names the file, and CannotBeJudged without the extra.
    """
    need("files", name)
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(content)
    except (SafetensorError, ValueError) as error:
        raise ValueError(f"{name}: {printable(str(error))}") from error
    except KeyError as error:
        raise ValueError(f"{name}: numbers of type {error}, which NumPy lacks") from error


def read_answer(folder: Path, most: int) -> Answer:
    """The answer to a call. Raises ValueError where there is none, or it has other parts."""
    gradients, found = apart(read_tensors(folder / ANSWER, most), GRADIENT)
    if not {"output"} <= set(found) <= {field.name for field in fields(Answer)} - {"gradients"}:
        raise ValueError(
            f"{ANSWER}: expected output, and h_n, c_n, y and gradients where there are any; "
            f"got {', '.join(sorted(found)) or 'nothing'}"
        )
    return Answer(**found, gradients=gradients or None)
