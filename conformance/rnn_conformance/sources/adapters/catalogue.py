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


TORCH = ("torch", "torch", "torch")
ONNX = ("onnx", "onnx", "onnx")
ONNXRUNTIME = ("onnxruntime", "onnxruntime", "onnxruntime")
OPENVINO = ("openvino", "openvino", "openvino")
KERAS = ("keras", "keras", "keras")
FLAX = ("flax", "flax", "flax")

CATALOGUE = {
    "torch.nn.RNN": Adapter("torch_layer:TorchLayer", *TORCH),
    "rnn_reference.BatchRNN": Adapter("reference:BATCH", "rnn_reference", "", ""),
    "rnn_reference.SingleSequenceRNN": Adapter("reference:SINGLE", "rnn_reference", "", ""),
    "torch.nn.RNNCell": Adapter("torch_cell:TorchCell", *TORCH),
    "torch.nn.RNNCell-compiled": Adapter("torch_compiled:CompiledTorchCell", *TORCH),
    "torch.nn.RNN-cuda": Adapter("torch_cuda:TorchCuda", *TORCH, gpu=True),
    "torch.nn.RNN-cuda-tf32": Adapter("torch_cuda:TorchCudaTF32", *TORCH, gpu=True),
    "onnxruntime": Adapter("onnxruntime_rnn:ONNXRUNTIME", *ONNXRUNTIME),
    "onnx.reference": Adapter("onnx_reference:ONNX_REFERENCE", *ONNX),
    "openvino": Adapter("openvino_rnn:OPENVINO", *OPENVINO),
    "openvino-fixed-sizes": Adapter("openvino_rnn:OPENVINO_FIXED", *OPENVINO),
    "ncnn": Adapter("ncnn_rnn:NcnnLayer", "ncnn", "ncnn", "ncnn"),
    "keras.SimpleRNN-numpy": Adapter("keras_rnn:KerasNumpy", *KERAS),
    "keras.SimpleRNN-jax": Adapter("keras_rnn:KerasJax", *KERAS),
    "keras.SimpleRNN-torch": Adapter("keras_rnn:KerasTorch", *KERAS),
    "flax.nnx.RNN": Adapter("flax_rnn:NnxRNN", *FLAX),
    "flax.linen.RNN": Adapter("flax_rnn:LinenRNN", *FLAX),
    "mlx.nn.RNN": Adapter("mlx_rnn:MlxRNN", "mlx", "mlx", "mlx"),
    "paddle.nn.SimpleRNN": Adapter("paddle_rnn:PaddleRNN", "paddle", "paddlepaddle", "paddle"),
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
