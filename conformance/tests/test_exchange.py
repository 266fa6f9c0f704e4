"""Calls and answers survive as files; malformed ones are refused in one line."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from rnn_conformance import Call, Case, catalogue
from rnn_conformance.contract.call import GATED
from rnn_conformance.sources import exchange
from rnn_conformance.variants.differentiable import Differentiable

SCHEMA = Path(exchange.__file__).with_name("exchange.schema.json")
CASES = catalogue(0)
SMALL = CASES[0]


OTHERS = (*(Case(cell=cell) for cell in GATED), Case(cell="lstm", loss="all"), Case(loss="h_n"))


@pytest.mark.parametrize("case", [*CASES[::60], *OTHERS], ids=lambda case: case.id)
def test_a_call_survives_as_files(case: Case, tmp_path: Path) -> None:
    call = case.call()
    exchange.write_call(tmp_path, call)
    fields = json.loads((tmp_path / exchange.CALL).read_text())
    tensors = exchange.read_tensors(tmp_path / exchange.TENSORS, 10**7)
    again = exchange.call_of(fields, tensors)
    assert exchange.fields_of(again) == exchange.fields_of(call) == fields
    assert exchange.tensors_of(again).keys() == exchange.tensors_of(call).keys()
    for name, value in exchange.tensors_of(call).items():
        assert tensors[name].dtype == value.dtype
        np.testing.assert_array_equal(tensors[name], value)


def test_an_answer_survives_as_a_file(tmp_path: Path) -> None:
    case = Case(cell="lstm", loss="all")
    answer = Differentiable().run(case.call())
    exchange.write_tensors(tmp_path / exchange.ANSWER, exchange.answered(answer))
    again = exchange.read_answer(tmp_path, 10**6)
    assert answer.gradients is not None
    assert again.gradients is not None
    assert again.gradients.keys() == answer.gradients.keys()
    assert {"inputs", "h_0", "c_0", "weight_ih_l0"} < again.gradients.keys()
    for name, value in exchange.answered(answer).items():
        np.testing.assert_array_equal(exchange.answered(again)[name], value)


def _every_kind_of_call() -> Iterator[Call]:
    """A call of every layout, dtype and set of options, in training too."""
    different = {(case.options, case.layout, case.dtype): case for case in CASES}
    for case in different.values():
        call = case.call()
        yield call
        yield replace(call, training=True, options=replace(call.options, dropout=0.5))


def test_every_call_is_valid_by_the_schema() -> None:
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    asked = [exchange.fields_of(call) for call in _every_kind_of_call()]
    assert {fields["dtype"] for fields in asked} == {"float32", "float64", "float16", "bfloat16"}
    for name in ("output_size", "reverse"):
        assert {name in fields["options"] for fields in asked} == {False, True}
    assert {fields["options"].get("cell") for fields in asked} == {None, *GATED}
    for fields in asked:
        validator.validate(json.loads(json.dumps(fields)))


FIELDS = exchange.fields_of(SMALL.call())
WITHOUT_CELL = {n: value for n, value in FIELDS["options"].items() if n != "nonlinearity"}


@pytest.mark.parametrize(
    "wrong",
    [
        {name: value for name, value in FIELDS.items() if name != "layout"},
        {**FIELDS, "format": 1},
        {**FIELDS, "options": {"input_size": 1}},
        {**FIELDS, "options": {**FIELDS["options"], "output_size": 0}},
        {**FIELDS, "options": {**FIELDS["options"], "reverse": False}},
        {**FIELDS, "options": {**FIELDS["options"], "cell": "lstm"}},
        {**FIELDS, "options": {**WITHOUT_CELL, "cell": "tanh"}},
        {**FIELDS, "options": WITHOUT_CELL},
        {**FIELDS, "another": 1},
    ],
)
def test_the_schema_refuses_what_is_no_call(wrong: Mapping[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.validate(FIELDS, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


@pytest.mark.parametrize("made", ["pipe", "endless", "folder", "sparse"])
def test_what_is_no_plain_file_of_the_right_size_is_not_read(made: str, tmp_path: Path) -> None:
    answer, said = tmp_path / exchange.ANSWER, "expected a regular file"
    if made == "pipe":
        os.mkfifo(answer)
    elif made == "endless":
        answer.symlink_to("/dev/zero")
    elif made == "folder":
        answer.mkdir()
    else:
        answer.touch()
        os.truncate(answer, 2**40)
        said = f"expected at most {1000 + exchange.HEADER_BYTES} bytes, got more"
    with pytest.raises(ValueError, match=rf"^answer\.safetensors: {said}$"):
        exchange.read_answer(tmp_path, 1000)


def test_numbers_that_numpy_lacks_are_refused(tmp_path: Path) -> None:
    entry = {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}
    header = json.dumps({"output": entry}).encode()
    content = len(header).to_bytes(8, "little") + header + bytes(2)
    (tmp_path / exchange.ANSWER).write_bytes(content)
    with pytest.raises(ValueError, match=r"^answer\.safetensors: numbers of type 'BF16', which"):
        exchange.read_answer(tmp_path, 10**6)
