"""Layers of torch that are exported: by torch.export, and into ONNX Runtime where that is there."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rnn_conformance import load
from rnn_conformance.cases.case import Case
from rnn_conformance.contract.call import GATED
from rnn_conformance.sources.adapters import torch_export
from rnn_conformance.variants.recurrence import Recurrence

pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns of much while it exports


def assert_right(layer: Any, case: Case) -> None:
    call = case.call()
    found, expected = layer.run(call), Recurrence().run(call)
    for name in ("output", *(f"{part}_n" for part in call.options.parts)):
        wanted, got = getattr(expected, name), getattr(found, name)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5, strict=True)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_an_export_computes_with_the_weights_of_each_call(name: str) -> None:
    layer = load(f"torch.export-{name}")
    cell = next(iter(layer.claims & {*GATED}), "relu")
    case = Case(cell=cell, T=3)
    for each in (case, replace(case, seed=1), replace(case, L=2, bidirectional=True)):
        assert_right(layer, each)


@pytest.mark.parametrize("path", ["torch.onnx", "torch.onnx-torchscript"])
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_what_is_exported_to_onnx_does_so_too(path: str, name: str) -> None:
    for module in ("onnxruntime", "onnxscript"):
        pytest.importorskip(module, reason="the extra export is not installed")
    layer, case = load(f"{path}-{name}"), Case(cell=name.lower(), T=3, L=2, bidirectional=True)
    for each in (case, replace(case, seed=1)):
        assert_right(layer, each)


def test_shapes_are_exported_once_and_no_more_than_are_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exported = []

    class Counting(torch_export.TorchExport):
        def export(self, layer: Any, given: Any) -> Any:
            exported.append(given[0].shape)
            return super().export(layer, given)

    monkeypatch.setattr(torch_export, "EXPORTS", 2)
    layer, case = Counting(), Case(T=3)
    for T in (3, 4, 3):
        assert_right(layer, replace(case, T=T))
    assert [shape[0] for shape in exported] == [3, 4]
    with pytest.raises(RuntimeError, match="shapes: expected at most 2 of the same options"):
        layer.run(replace(case, T=5).call())
