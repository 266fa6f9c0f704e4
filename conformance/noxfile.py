"""One session for each framework: its adapters are judged in an environment of its own.

`nox -f conformance/noxfile.py` writes a report for each adapter to the folder `reports`.
"""

from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent.parent
ADAPTERS = {
    "torch": ("torch_rnn:TorchRNN", "torch_cell:TorchCell"),
    "keras": ("keras_rnn:KerasNumpy", "keras_rnn:KerasJax", "keras_rnn:KerasTorch"),
    "flax": ("flax_rnn:NnxRNN", "flax_rnn:LinenRNN"),
    "mlx": ("mlx_rnn:MlxRNN",),
    "paddle": ("paddle_rnn:PaddleRNN", "paddle_rnn:PaddleRelu"),
}


@nox.session
@nox.parametrize("extra", list(ADAPTERS))
def adapters(session: nox.Session, extra: str) -> None:
    """Judge every adapter of one framework; all reports are written, whatever the verdict."""
    session.install("-c", str(ROOT / "constraints.txt"), f"{ROOT}[{extra}]")
    reports = ROOT / "reports"
    reports.mkdir(exist_ok=True)
    for adapter in ADAPTERS[extra]:
        place = f"rnn_conformance.implementations.{adapter}"
        report = reports / f"{adapter.replace(':', '.')}.json"
        # 1 is a verdict too; 2 is none.
        session.run("rnn-conformance", "check", place, "--json", str(report), success_codes=[0, 1])
