"""Calls and answers as files: JSON for what is asked, safetensors for the numbers.

A call is a folder with `call.json` and `call.safetensors`, an answer the file `answer.safetensors`
in it; `exchange.md` says what they hold. Whatever is read is taken for hostile: no pickle, no more
bytes than were to be expected, one ValueError for anything malformed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.documents import content_of
from rnn_conformance.extras import need
from rnn_conformance.layer.call import LayerAnswer, LayerCall, Options
from rnn_conformance.protocol import Answer, Call
from rnn_conformance.subject import printable

FORMAT = 1
CALL, TENSORS, ANSWER = "call.json", "call.safetensors", "answer.safetensors"
HEADER_BYTES = 100_000  # more than the header of any file of the suite
NOT_WEIGHTS = ("inputs", "h_0", "lengths")

AnyCall = Call | LayerCall
Tensors = dict[str, npt.NDArray[Any]]


def fields_of(call: AnyCall) -> dict[str, Any]:
    """What is asked, as it stands in call.json."""
    dtype = "bfloat16" if call.bfloat16 else call.dtype.name
    fields = {"format": FORMAT, "profile": "core", "layout": call.layout, "dtype": dtype}
    if isinstance(call, Call):
        return fields
    return {
        **fields,
        "profile": "layer",
        "options": _options(call.options),
        "training": call.training,
    }


def _options(options: Options) -> dict[str, Any]:
    """The options by name, without the size of a readout if there is none."""
    fields = asdict(options)
    return fields if options.output_size else {n: fields[n] for n in fields if n != "output_size"}


def tensors_of(call: AnyCall) -> Tensors:
    """Every array of a call by name: inputs, h_0 and lengths where they are given, the weights."""
    given = {name: getattr(call, name, None) for name in NOT_WEIGHTS}
    return {**{name: value for name, value in given.items() if value is not None}, **call.weights}


def call_of(fields: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]) -> AnyCall:
    """The call of which `fields_of` and `tensors_of` gave these."""
    weights = {name: value for name, value in tensors.items() if name not in NOT_WEIGHTS}
    inputs, h_0, bfloat16 = tensors["inputs"], tensors.get("h_0"), fields["dtype"] == "bfloat16"
    if fields["profile"] == "core":
        return Call(weights, inputs, h_0, fields["layout"], bfloat16)
    return LayerCall(
        Options(**fields["options"]),
        weights,
        inputs,
        h_0,
        tensors.get("lengths"),
        fields["layout"],
        fields["training"],
        bfloat16,
    )


def write_call(folder: Path, call: AnyCall) -> None:
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
    """The arrays of a file by name.

    Args:
        most: how many bytes of numbers it may hold.

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


def read_answer(folder: Path, call: AnyCall, most: int) -> Answer | LayerAnswer:
    """The answer to a call. Raises ValueError where there is none, or it has other parts."""
    core = isinstance(call, Call)
    required = ("hidden_states",) if core else ("output", "h_n")
    optional = ("h_n", "outputs") if core else ("y",)
    found = read_tensors(folder / ANSWER, most)
    if not set(required) <= set(found) <= {*required, *optional}:
        raise ValueError(
            f"{ANSWER}: expected {', '.join(required)}"
            + (f", and {', '.join(optional)} where there are any" if optional else "")
            + f"; got {', '.join(sorted(found)) or 'nothing'}"
        )
    return Answer(**found) if core else LayerAnswer(**found)
