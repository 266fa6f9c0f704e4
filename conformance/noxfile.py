"""One session for each framework: its adapters are judged in an environment of its own.

`nox -f conformance/noxfile.py` writes a report for each adapter to the folder `reports`, then the
scoreboard of all that are there.
"""

from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "reports"
ADAPTERS = {
    "torch": (
        "torch.nn.RNN",
        "torch.nn.RNNCell",
        "torch.nn.RNNCell-compiled",
        "rnn_reference.BatchRNN",
    ),
    "onnx": ("onnx.reference",),
    "onnxruntime": ("onnxruntime",),
    "openvino": ("openvino", "openvino-fixed-sizes"),
    "ncnn": ("ncnn",),
    "keras": ("keras.SimpleRNN-numpy", "keras.SimpleRNN-jax", "keras.SimpleRNN-torch"),
    "flax": ("flax.nnx.RNN", "flax.linen.RNN"),
    "mlx": ("mlx.nn.RNN",),
    "paddle": ("paddle.nn.SimpleRNN",),
}


@nox.session
@nox.parametrize("extra", list(ADAPTERS))
def adapters(session: nox.Session, extra: str) -> None:
    """Judge every adapter of one framework; all reports are written, whatever the verdict."""
    session.install("-c", str(ROOT / "constraints.txt"), f"{ROOT}[{extra}]")
    REPORTS.mkdir(exist_ok=True)
    for name in ADAPTERS[extra]:
        place = str(REPORTS / f"{name}.json")
        # 1 is a verdict too; 2 is none.
        session.run("rnn-conformance", "check", name, "--json", place, success_codes=[0, 1])


@nox.session
def scoreboard(session: nox.Session) -> None:
    """Put all reports side by side."""
    session.install(f"{ROOT}[reports]")
    places = sorted(map(str, REPORTS.glob("*.json")))
    out = ["--html", str(REPORTS / "scoreboard.html"), "--markdown", str(REPORTS / "scoreboard.md")]
    session.run("rnn-conformance", "scoreboard", *places, *out)
