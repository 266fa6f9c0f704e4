"""One session for each adapter: its framework is judged in an environment of its own.

`nox -f conformance/noxfile.py` judges every adapter, and `-s "adapters(onnxruntime)"` this one. A
session fails where its adapter does not conform, which includes a known failure that passes. What
follows `--`, such as `-- --seed 7`, goes to `rnn-conformance check`. Each session writes a report
to the folder `reports`; the session `scoreboard`, which comes last, puts all that are there side by
side: as a page there, and as the scoreboard of this repository.
"""

from pathlib import Path
from runpy import run_path

import nox

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "reports"
SCOREBOARD = ROOT / "conformance/scoreboard/scoreboard.md"
CATALOGUE = run_path(str(ROOT / "conformance/rnn_conformance/sources/adapters/catalogue.py"))
ADAPTERS = {name: one.extra for name, one in CATALOGUE["CATALOGUE"].items() if not one.gpu}


@nox.session
@nox.parametrize("adapter", [nox.param(name, id=name) for name in ADAPTERS])
def adapters(session: nox.Session, adapter: str) -> None:
    """Judge one adapter."""
    extra = ADAPTERS[adapter]
    package = f"{ROOT}[{extra}]" if extra else str(ROOT)
    session.install("-c", str(ROOT / "constraints.txt"), package)
    REPORTS.mkdir(exist_ok=True)
    report = str(REPORTS / f"{adapter}.json")
    limit = ["--time-limit", "300"]  # a first call may compile
    session.run("rnn-conformance", "check", adapter, "--json", report, *limit, *session.posargs)


@nox.session
def scoreboard(session: nox.Session) -> None:
    """Put all reports side by side."""
    session.install(f"{ROOT}[reports]")
    places = [str(REPORTS / f"{name}.json") for name in ADAPTERS]
    places = [place for place in places if Path(place).exists()]
    out = ["--html", str(REPORTS / "scoreboard.html"), "--markdown", str(SCOREBOARD)]
    session.run("rnn-conformance", "scoreboard", *places, *out)
