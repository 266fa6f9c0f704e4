"""What torch.onnx.export makes of a layer of torch, in ONNX Runtime, as a layer.

By the exporter of torch.export (dynamo=True) and by that of TorchScript (dynamo=False). Weights are
initializers of the model under the names that torch has, for which those of each call are put.
"""

import warnings
from io import BytesIO
from typing import Any

import onnx
import torch
from onnx.numpy_helper import from_array

from rnn_conformance.sources.adapters import onnxruntime_rnn
from rnn_conformance.sources.adapters.torch_export import Given, Run, TorchExport, clones, tensors


class TorchOnnx(TorchExport):
    """By way of torch.export. What would fold weights into constants is left to ONNX Runtime."""

    path = "torch.onnx"

    def export(self, layer: torch.nn.Module, given: Given) -> Run:
        model = self.model(layer, clones(given))
        names = [value.name for value in model.graph.input]

        def run(weights: dict[str, torch.Tensor], given: Given) -> tuple[object, object]:
            loaded = onnx.ModelProto()
            loaded.CopyFrom(model)
            for initializer in loaded.graph.initializer:
                if (name := initializer.name) in weights:
                    initializer.CopyFrom(from_array(weights[name].numpy(), name))
            session = onnxruntime_rnn.session(loaded.SerializeToString())
            values = (tensor.numpy() for tensor in tensors(given))
            output, *last = map(torch.from_numpy, session(dict(zip(names, values, strict=True))))
            return output, tuple(last) if len(last) > 1 else last[0]

        return run  # type: ignore[return-value]

    def model(self, layer: torch.nn.Module, given: Given) -> onnx.ModelProto:
        program = torch.onnx.export(layer, given, dynamo=True, optimize=False, verbose=False)
        assert program is not None
        return program.model_proto


class TorchScriptOnnx(TorchOnnx):
    """By way of TorchScript."""

    path = "torch.onnx-torchscript"

    def model(self, layer: torch.nn.Module, given: Given) -> onnx.ModelProto:
        file: Any = BytesIO()  # which the signature leaves out
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is the older exporter, and of sizes
            torch.onnx.export(layer, given, file, dynamo=False, do_constant_folding=False)
        return onnx.load_from_string(file.getvalue())


RNN, SCRIPT_RNN = TorchOnnx(), TorchScriptOnnx()
LSTM = TorchOnnx(torch.nn.LSTM, ("lstm",))
GRU = TorchOnnx(torch.nn.GRU, ("gru",))
SCRIPT_LSTM = TorchScriptOnnx(torch.nn.LSTM, ("lstm",))
SCRIPT_GRU = TorchScriptOnnx(torch.nn.GRU, ("gru",))
