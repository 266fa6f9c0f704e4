"""Cases of a node RNN, LSTM or GRU are laid out as ONNX's own, and what runs them agrees."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_conformance import Case
from rnn_conformance.contract.call import GATED, NONLINEARITIES

onnx = pytest.importorskip("onnx", reason='the extra "onnx" is not installed')
from onnx import TensorProto, checker, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402
from rnn_conformance.vectors.onnx_cases import onnx_cases, write_onnx_cases  # noqa: E402

CASES = [case for case in onnx_cases() if case.T * case.B < 50]
# What ONNX's own evaluator does: one direction, no relu, no sequence_lens.
PLAIN = [
    case
    for case in CASES
    if not case.bidirectional and case.cell != "relu" and case.lengths == "none"
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    ids = tuple(case.id for case in CASES)
    assert write_onnx_cases(folder, only=ids) == ids
    return folder


def arrays(folder: Path, case: Case, kind: str) -> dict[str, Any]:
    found = {}
    data_set = folder / case.id / "test_data_set_0"
    for i in range(len([*data_set.glob(f"{kind}_*.pb")])):
        tensor = TensorProto()
        tensor.ParseFromString((data_set / f"{kind}_{i}.pb").read_bytes())
        found[tensor.name] = numpy_helper.to_array(tensor)
    return found


def wrong(found: list[Any], expected: dict[str, Any]) -> list[str]:
    """The outputs of another shape or dtype, or farther off than some roundings."""
    return [
        name
        for array, (name, value) in zip(found, expected.items(), strict=True)
        if (array.shape, array.dtype) != (value.shape, value.dtype)
        or not np.allclose(array, value, rtol=0, atol=64 * np.finfo(value.dtype).eps)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_model_is_valid_and_takes_the_inputs_in_this_order(case: Case, folder: Path) -> None:
    model = onnx.load(folder / case.id / "model.onnx")
    checker.check_model(model, full_check=True)
    asked = arrays(folder, case, "input")
    assert [value.name for value in model.graph.input] == [*asked]
    assert [name for name in model.graph.node[0].input if name] == [*asked]
    assert ("B" in asked) == (case.bias != "off")
    assert ("initial_h" in asked) == (case.h_0 != "none")
    assert ("initial_c" in asked) == (case.h_0 != "none" and case.cell == "lstm")
    assert ("sequence_lens" in asked) == (case.lengths != "none")


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.id)
def test_the_evaluator_of_onnx_agrees(case: Case, folder: Path) -> None:
    model = onnx.load(folder / case.id / "model.onnx")
    asked, expected = arrays(folder, case, "input"), arrays(folder, case, "output")
    evaluator = ReferenceEvaluator(model)
    assert wrong(evaluator.run(None, asked), expected) == []
    gates = asked["R"].reshape(len(asked["R"]), -1, case.H, case.H)
    turned = {**asked, "R": gates.swapaxes(2, 3).reshape(asked["R"].shape)}
    assert wrong(evaluator.run(None, turned), expected) == ([*expected] if case.H > 1 else [])
    in_another_order = {**asked, "W": np.roll(asked["W"], case.H, axis=1)}
    shows = [*expected] if case.cell in GATED else []
    assert wrong(evaluator.run(None, in_another_order), expected) == shows


def test_every_case_of_float32_passes_in_onnxruntime(folder: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    cases = [case for case in CASES if case.dtype == "float32"]
    assert {(case.bidirectional, case.cell, case.lengths) for case in cases} >= {
        (True, "relu", "unsorted"), (False, "relu", "none"), (True, "lstm", "unsorted"),
    }  # fmt: skip
    assert {case.cell for case in cases} == {*NONLINEARITIES, *GATED}
    for case in cases:
        session = runtime.InferenceSession(
            folder / case.id / "model.onnx", providers=["CPUExecutionProvider"]
        )
        found = session.run(None, arrays(folder, case, "input"))
        assert wrong(found, arrays(folder, case, "output")) == [], case.id
