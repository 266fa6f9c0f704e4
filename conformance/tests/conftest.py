"""What several test files share."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from rnn_conformance.checks.plan import Asked, asked_of
from rnn_conformance.run import verdict
from rnn_conformance.vectors import export

from .miniatures import Command
from .programs import Started, workplace
from .vector_results import ONLY

of_check = attrgetter("check.name")


@pytest.fixture
def few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """`check` asks a fifth of the cases: for tests of what goes into a verdict or follows it."""

    def some(*args: Any, **named: Any) -> Asked:
        asked = asked_of(*args, **named)
        by_check = groupby(sorted(asked.planned, key=of_check), of_check)
        return replace(asked, planned=tuple(chain(*([*items][::5] for _, items in by_check))))

    monkeypatch.setattr(verdict, "asked_of", some)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few vectors, which no test changes."""
    folder = tmp_path_factory.mktemp("vectors")
    export(folder, only=ONLY)
    return folder


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Starts programs that misbehave as they are told."""
    with workplace(tmp_path) as start:
        yield start


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a main function with these arguments."""

    def run(main: Callable[[list[str]], int], *arguments: object) -> tuple[int, str, str]:
        try:
            status = main([*map(str, arguments)])
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert "\x1b" not in out
        return status, out, err

    return run
