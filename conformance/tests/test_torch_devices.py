"""torch elsewhere: compiled, and on a device, for which the CPU stands in where there is no GPU."""

from typing import Any

import numpy as np
import pytest
import torch
from rnn_conformance.cases.case import Case
from rnn_conformance.checks.subject import given
from rnn_conformance.faces.cli import main
from rnn_conformance.sources.adapters import torch_cuda
from rnn_conformance.sources.adapters.torch_cell import TorchCell
from rnn_conformance.sources.adapters.torch_compiled import CompiledTorchCell
from rnn_conformance.sources.adapters.torch_cuda import OnDevice, TorchCuda, TorchCudaTF32
from rnn_conformance.sources.adapters.torch_layer import TorchLayer
from rnn_conformance.sources.loading import load


class Traced(CompiledTorchCell):
    """Traced as a whole, and run without a compiler."""

    backend = "eager"


def test_what_is_compiled_is_the_cell() -> None:
    cell, compiled = TorchCell(), Traced()
    for case in (Case(T=3), Case(T=2, B=2, I=3, H=6)):
        expected, found = cell.run(case.call()), compiled.run(case.call())
        np.testing.assert_allclose(found.output, expected.output, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(given(found, "h_n")[0], found.output[-1])


@pytest.mark.parametrize(("own", "kind"), [(torch.nn.LSTMCell, "lstm"), (torch.nn.GRUCell, "gru")])
def test_the_cells_with_gates_are_compiled_too(own: Any, kind: str) -> None:
    cell, compiled = TorchCell(own, (kind,)), Traced(own, (kind,))
    assert compiled.name == f"{cell.name}-compiled"
    call = Case(cell=kind, T=3).call()
    expected, found = cell.run(call), compiled.run(call)
    np.testing.assert_allclose(found.output, expected.output, rtol=1e-5, atol=1e-6)
    assert (found.c_n is None) == (kind == "gru")


def test_a_cell_that_needs_two_graphs_raises() -> None:
    class Broken(torch.nn.RNNCell):
        def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> torch.Tensor:
            torch._dynamo.graph_break()
            return super().forward(x, h)

    with pytest.raises(torch._dynamo.exc.Unsupported):
        Traced().step(Broken(2, 3))(torch.ones(1, 2), None)


@pytest.mark.parametrize(
    "case",
    [
        Case(L=2, bidirectional=True, lengths="unsorted", layout="batch_first"),
        Case(cell="relu", bias="off", h_0="none", dtype="float64"),
    ],
    ids=lambda case: case.id,
)
def test_what_goes_to_a_device_comes_back_right(case: Case) -> None:
    expected, found = (each.run(case.call()) for each in (TorchLayer(), TorchCuda("cpu")))
    np.testing.assert_array_equal(found.output, expected.output, strict=True)
    np.testing.assert_array_equal(found.h_n, expected.h_n, strict=True)
    assert TorchCuda("cpu").name == "torch.nn.RNN-cpu"


@pytest.mark.parametrize(("adapter", "allowed"), [(TorchCuda, False), (TorchCudaTF32, True)])
def test_tf32_is_allowed_where_the_name_says_so(
    adapter: type[TorchCuda], allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Watched(OnDevice):
        def forward(self, *given: Any) -> Any:
            seen.append(torch.backends.cudnn.allow_tf32)
            return super().forward(*given)

    monkeypatch.setattr(torch_cuda, "OnDevice", Watched)
    before = torch.backends.cudnn.allow_tf32
    adapter("cpu").run(Case(T=1, B=1).call())
    assert seen == [allowed]
    assert torch.backends.cudnn.allow_tf32 == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_there_is_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert load("torch.nn.RNN-cuda").name == "torch.nn.RNN-cuda"
    assert main(["check", "torch.nn.RNN-cuda-tf32", "--processes", "0"]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert "'torch.nn.RNN-cuda-tf32': the smoke check failed" in told
    assert "CUDA" in told
