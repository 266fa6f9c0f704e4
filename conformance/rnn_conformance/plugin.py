"""The pytest plugin. It is loaded in every run of pytest: what it calls is imported when asked."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rnn_conformance.checks.records import Record
    from rnn_conformance.faces.pytest_face import Face

FIXTURE, PARAMETER, PROPERTY = "rnn_check", "rnn_planned", "rnn_conformance"
FACE = pytest.StashKey["Face"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    add = parser.getgroup("rnn-conformance").addoption
    named = (
        "the implementation to judge (repeatable; default torch.nn.RNN): a built-in name, "
        "package.module:object, or file.py:object"
    )
    program = "a program to judge (repeatable), that reads and writes files as exchange.md says"
    isolated = (
        "judge in a child process: a crash or a hang is one failed check (the default for "
        "what says that it can crash, as adapters of some frameworks do)"
    )
    here = "judge in the process itself, whatever it says"
    limit = "seconds for each isolated check, or each answer of a program (60)"
    like = "what every implementation named stands in for, as rnn-conformance check --like"
    claims = "TOML: what every implementation named claims, and its known failures"
    undiagnosed = "do not search for the cause of failures, which can take a minute"
    add("--rnn-implementation", action="append", metavar="NAME", help=named)
    add("--rnn-exec", action="append", metavar="COMMAND", help=program)
    add("--rnn-isolated", action="store_true", default=None, help=isolated)
    add("--rnn-not-isolated", action="store_false", dest="rnn_isolated", help=here)
    add("--rnn-time-limit", type=float, default=60.0, metavar="S", help=limit)
    add("--rnn-like", default="", metavar="NAME", help=like)
    add("--rnn-claims", default="", metavar="FILE", help=claims)
    add("--rnn-no-diagnosis", action="store_false", dest="rnn_diagnosis", help=undiagnosed)
    add("--rnn-seed", type=int, default=0, metavar="N", help="seed of the cases' numbers (0)")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("rnn_seed") < 0:
        raise pytest.UsageError("--rnn-seed: expected an integer from 0 on")
    if _is_asked(config):
        _face(config).load()


def pytest_unconfigure(config: pytest.Config) -> None:
    if FACE in config.stash:
        config.stash[FACE].end()


def pytest_report_header(config: pytest.Config) -> str | None:
    return _face(config).header() if _is_asked(config) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if FIXTURE in metafunc.fixturenames:
        metafunc.parametrize(FIXTURE, _face(metafunc.config).default_parameters())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    of_items = (item.callspec.params for item in items if hasattr(item, "callspec"))
    checks = [params[PARAMETER] for params in of_items if PARAMETER in params]
    if checks:
        _face(config).add(checks)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run that was asked for a verdict and executed no check is a failure."""
    config = session.config
    passed = exitstatus == pytest.ExitCode.OK
    if passed and _has_result(config) and _face(config).errors(_records(config)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None]:
    """After what pytest says of each failure: the cause stands last."""
    yield
    if _has_result(terminalreporter.config):
        config = terminalreporter.config
        _face(config).summary(terminalreporter, _records(config))


def _is_asked(config: pytest.Config) -> bool:
    """Whether options name something to judge."""
    return bool(config.getoption("rnn_implementation") or config.getoption("rnn_exec"))


def _face(config: pytest.Config) -> "Face":
    """What judges; it imports the suite."""
    if FACE not in config.stash:
        from rnn_conformance.faces.pytest_face import Face

        config.stash[FACE] = Face(config)
    return config.stash[FACE]


def _has_result(config: pytest.Config) -> bool:
    """Whether this process, not a worker of pytest-xdist, has something to tell of a verdict."""
    told = config.pluginmanager.has_plugin("terminalreporter")
    asked = _is_asked(config) and not config.getoption("collectonly")
    return told and (asked or any(_texts(config)))


def _records(config: pytest.Config) -> "list[Record]":
    from rnn_conformance.checks.records import Record

    return [Record.from_json(json.loads(text)) for text in _texts(config)]


def _texts(config: pytest.Config) -> Iterator[str]:
    """The JSON of every record of the session, from workers of pytest-xdist too."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    for reports in reporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                yield from (text for name, text in report.user_properties if name == PROPERTY)
