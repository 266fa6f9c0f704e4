"""Calls and answers survive as files; malformed ones are refused in one line."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from rnn_conformance import catalogue, exchange, layer_catalogue
from rnn_conformance.exchange import AnyCall


def _calls() -> list[AnyCall]:
    core = [case.call() for case in catalogue(0)[::60]]
    layer = [case.call() for case in layer_catalogue(0)[::60]]
    return [*core, *layer]


@pytest.mark.parametrize("call", _calls())
def test_a_call_survives_as_files(call: AnyCall, tmp_path: Path) -> None:
    exchange.write_call(tmp_path, call)
    fields = json.loads((tmp_path / exchange.CALL).read_text())
    tensors = exchange.read_tensors(tmp_path / exchange.TENSORS, 10**6)
    again = exchange.call_of(fields, tensors)
    assert exchange.fields_of(again) == exchange.fields_of(call) == fields
    assert exchange.tensors_of(again).keys() == exchange.tensors_of(call).keys()
    for name, value in exchange.tensors_of(call).items():
        assert tensors[name].dtype == value.dtype
        np.testing.assert_array_equal(tensors[name], value)


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6.0).reshape(2, 3).T, "b": np.zeros((0, 2), np.float32)}
    exchange.write_tensors(tmp_path / "one", arrays)
    exchange.write_tensors(tmp_path / "two", dict(reversed(arrays.items())))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def _file(header: object, numbers: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def _one(dtype: str, shape: list[int], numbers: bytes) -> bytes:
    return _file(
        {"output": {"dtype": dtype, "shape": shape, "data_offsets": [0, len(numbers)]}}, numbers
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "header too small"),
        (b"\xff" * 8, "header too large"),
        (_file([]), "invalid JSON"),
        (_one("F32", [2**62, 8], b""), "overflow"),
        (_one("F32", [3], bytes(4)), "answer.safetensors: "),
        (_one("BF16", [1], bytes(2)), "numbers of type 'BF16', which NumPy lacks"),
        (_one("F32", [300_000], bytes(1_200_000)), "expected at most 1000000 bytes"),
        (_one("F32", [1], bytes(4)), "expected output, h_n; got output"),
        (None, "No such file"),
    ],
)
def test_a_malformed_answer_is_refused(content: bytes | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / exchange.ANSWER).write_bytes(content)
    with pytest.raises(ValueError, match=r"^answer\.safetensors: ") as refused:
        exchange.read_answer(tmp_path, layer_catalogue(0)[0].call(), 10**6)
    assert said in str(refused.value)
