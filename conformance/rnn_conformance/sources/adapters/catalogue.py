"""The adapters of frameworks, one line each: what else names them reads it here.

It imports nothing of the suite, so that the nox sessions can read it without the suite.
"""

from typing import NamedTuple


class Adapter(NamedTuple):
    """One implementation that comes with the suite.

    Attributes:
        target: module:object, in this folder.
        framework: what it imports.
        package: the distribution whose version a report shows.
        extra: of this package, that installs the framework; empty where none is needed.
        gpu: whether it needs one.
    """

    target: str
    framework: str
    package: str
    extra: str
    gpu: bool = False


def _of(framework: str, target: str, *, gpu: bool = False) -> Adapter:
    """Of a framework whose distribution and extra have its name."""
    return Adapter(target, framework, framework, framework, gpu)


KINDS = ("RNN", "LSTM", "GRU")
CATALOGUE = {
    "torch.nn.RNN": _of("torch", "torch_layer:TorchLayer"),
    "torch.nn.LSTM": _of("torch", "torch_layer:TorchLSTM"),
    "torch.nn.GRU": _of("torch", "torch_layer:TorchGRU"),
    "rnn_reference.BatchRNN": Adapter("reference:BATCH", "rnn_reference", "", ""),
    "rnn_reference.SingleSequenceRNN": Adapter("reference:SINGLE", "rnn_reference", "", ""),
    "rnn_reference.RNN": Adapter("reference:LAYER", "rnn_reference", "", ""),
    "rnn_reference.LSTM": Adapter("reference:LSTM_LAYER", "rnn_reference", "", ""),
    "rnn_reference.GRU": Adapter("reference:GRU_LAYER", "rnn_reference", "", ""),
    "torch.nn.RNNCell": _of("torch", "torch_cell:TorchCell"),
    "torch.nn.LSTMCell": _of("torch", "torch_cell:LSTM_CELL"),
    "torch.nn.GRUCell": _of("torch", "torch_cell:GRU_CELL"),
    "torch.nn.RNNCell-compiled": _of("torch", "torch_compiled:CompiledTorchCell"),
    "torch.nn.LSTMCell-compiled": _of("torch", "torch_compiled:COMPILED_LSTM_CELL"),
    "torch.nn.GRUCell-compiled": _of("torch", "torch_compiled:COMPILED_GRU_CELL"),
    "torch.nn.RNN-cuda": _of("torch", "torch_cuda:TorchCuda", gpu=True),
    "torch.nn.RNN-cuda-tf32": _of("torch", "torch_cuda:TorchCudaTF32", gpu=True),
    **{f"torch.export-{kind}": _of("torch", f"torch_export:{kind}") for kind in KINDS},
    **{
        f"{path}-{kind}": Adapter(
            f"torch_onnx:{prefix}{kind}", "onnxscript", "onnxscript", "export"
        )
        for path, prefix in (("torch.onnx", ""), ("torch.onnx-torchscript", "SCRIPT_"))
        for kind in KINDS
    },
    "onnxruntime": _of("onnxruntime", "onnxruntime_rnn:ONNXRUNTIME"),
    "onnx.reference": _of("onnx", "onnx_reference:ONNX_REFERENCE"),
    "openvino": _of("openvino", "openvino_rnn:OPENVINO"),
    "openvino-fixed-sizes": _of("openvino", "openvino_rnn:OPENVINO_FIXED"),
    "ncnn": _of("ncnn", "ncnn_rnn:NcnnLayer"),
    **{
        f"keras.{kind}-{backend}": Adapter(
            f"keras_rnn:Keras{backend.capitalize()}{kind.removeprefix('SimpleRNN')}",
            framework,
            package,
            extra,
        )
        for backend, framework, package, extra in (
            ("numpy", "keras", "keras", "keras"),
            ("jax", "keras", "keras", "keras"),
            ("torch", "keras", "keras", "keras"),
            ("tensorflow", "tensorflow", "tensorflow-cpu", "tensorflow"),
        )
        for kind in ("SimpleRNN", "LSTM", "GRU")
    },
    "flax.nnx.RNN": _of("flax", "flax_rnn:NnxRNN"),
    "flax.linen.RNN": _of("flax", "flax_rnn:LinenRNN"),
    "mlx.nn.RNN": _of("mlx", "mlx_rnn:RNN"),
    "mlx.nn.LSTM": _of("mlx", "mlx_rnn:LSTM"),
    "mlx.nn.GRU": _of("mlx", "mlx_rnn:GRU"),
    "paddle.nn.SimpleRNN": Adapter("paddle_rnn:RNN", "paddle", "paddlepaddle", "paddle"),
    "paddle.nn.LSTM": Adapter("paddle_rnn:LSTM", "paddle", "paddlepaddle", "paddle"),
    "paddle.nn.GRU": Adapter("paddle_rnn:GRU", "paddle", "paddlepaddle", "paddle"),
}
# What else an adapter imports, and the package that has its version.
ALSO = {"jax": ("jax", "flax")}


def extra_of(module: str) -> str:
    """The extra that installs a module which could not be imported; empty if none does."""
    of = {adapter.framework: adapter.extra for adapter in CATALOGUE.values()}
    return of.get(module, "") or (ALSO[module][1] if module in ALSO else "")


def packages() -> dict[str, str]:
    """By what a framework is imported, and the distribution that has its version."""
    own = {a.framework: a.package for a in CATALOGUE.values() if a.package}
    return own | {module: package for module, (package, _) in ALSO.items()}
