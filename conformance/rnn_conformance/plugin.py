"""The pytest plugin: it only registers; what it calls lives elsewhere."""

from typing import Any

import pytest
from rich.console import Console

from rnn_conformance import environment
from rnn_conformance.isolation import Isolation, Workers
from rnn_conformance.loading import CannotBeJudged
from rnn_conformance.pytest_face import diagnoses, parameters, records_of
from rnn_conformance.run import Planned
from rnn_conformance.source import ADAPTERS, Source
from rnn_conformance.terminal import circumstances, explanation, table
from rnn_conformance.verdict import can_crash, in_vain

DEFAULT = "torch.nn.RNN"
FIXTURE = "rnn_check"
IN_VAIN = (
    "ERROR: no check of the implementation was executed (they are in --pyargs rnn_conformance)"
)
PLANNED = pytest.StashKey[dict[Source, list[Any]]]()
WORKERS = pytest.StashKey[list[Workers]]()
COLLECTED = pytest.StashKey[list[Planned]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rnn-conformance")
    group.addoption(
        "--rnn-implementation",
        action="append",
        metavar="NAME",
        help=f"the implementation to judge (repeatable; default {DEFAULT}): a built-in name, "
        "package.module:object, or file.py:object",
    )
    group.addoption(
        "--rnn-exec",
        action="append",
        metavar="COMMAND",
        help="a program to judge (repeatable), that reads and writes files as exchange.md says",
    )
    group.addoption(
        "--rnn-isolated",
        action="store_true",
        default=None,
        help="judge in a child process: a crash or a hang is one failed check (the default for "
        "what says that it can crash, as adapters of some frameworks do)",
    )
    group.addoption(
        "--rnn-not-isolated",
        action="store_false",
        dest="rnn_isolated",
        help="judge in the process itself, whatever it says",
    )
    group.addoption(
        "--rnn-time-limit",
        type=float,
        default=60.0,
        metavar="S",
        help="seconds for each isolated check, or each answer of a program (60)",
    )
    group.addoption(
        "--rnn-like",
        default="",
        metavar="NAME",
        help=f"what every implementation named stands in for: {', '.join(ADAPTERS)}",
    )
    group.addoption(
        "--rnn-claims",
        default="",
        metavar="FILE",
        help="TOML: what every implementation named claims, and its known failures",
    )
    group.addoption(
        "--rnn-no-diagnosis",
        action="store_false",
        dest="rnn_diagnosis",
        help="do not search for the cause of failures, which can take a minute",
    )
    group.addoption(
        "--rnn-seed", type=int, default=0, metavar="N", help="seed of the cases' numbers (0)"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("rnn_seed") < 0:
        raise pytest.UsageError("--rnn-seed: expected an integer from 0 on")
    config.stash[PLANNED] = {}
    config.stash[COLLECTED] = []
    config.stash[WORKERS] = []
    for source in _named(config):
        try:
            _parameters(config, source)
        except (CannotBeJudged, ValueError) as error:
            raise pytest.UsageError(str(error)) from error


def pytest_unconfigure(config: pytest.Config) -> None:
    for workers in config.stash.get(WORKERS, []):
        workers.end()


def pytest_report_header(config: pytest.Config) -> str | None:
    if not _named(config):
        return None  # who does not ask for a verdict does not hear of it
    names = ", ".join(source.name for source in _named(config))
    return f"{_circumstances(config)}; judging {names}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if FIXTURE in metafunc.fixturenames:
        try:
            sources = _named(metafunc.config) or [Source(DEFAULT)]
            lists = [_parameters(metafunc.config, source) for source in sources]
        except CannotBeJudged as error:
            raise pytest.Collector.CollectError(str(error)) from error
        metafunc.parametrize(FIXTURE, [parameter for some in lists for parameter in some])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        parameters_of_it = getattr(item, "callspec", None)
        if parameters_of_it is not None:
            values = parameters_of_it.params.values()
            config.stash[COLLECTED] += [value for value in values if isinstance(value, Planned)]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run that was asked for a verdict and executed no check is a failure."""
    vain = _in_vain(session.config) or _declared_in_vain(session.config)
    if exitstatus == pytest.ExitCode.OK and vain:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    records = records_of(terminalreporter.stats)
    seen_with = _circumstances(config) if records else ""
    for name in dict.fromkeys(record.implementation for record in records):
        terminalreporter.section(f"rnn-conformance: {name}")
        terminalreporter.write_line(seen_with)
        console = Console(
            width=max(terminalreporter._tw.fullwidth, 80),
            force_terminal=terminalreporter.hasmarkup,
        )
        own = [record for record in records if record.implementation == name]
        with console.capture() as text:
            console.print(table(own))
        terminalreporter.write(text.get())
        if config.getoption("rnn_diagnosis"):
            for diagnosis in diagnoses(_planned(config, name), own):
                terminalreporter.write_line(f"{explanation(diagnosis)}\n")
    if _in_vain(config):
        terminalreporter.section("rnn-conformance")
        terminalreporter.write_line(IN_VAIN, red=True)
    for declared in _declared_in_vain(config):
        terminalreporter.write_line(f"ERROR: declared, but never asked for: {declared}", red=True)


def _circumstances(config: pytest.Config) -> str:
    return circumstances(environment.describe(), config.getoption("rnn_seed"))


def _named(config: pytest.Config) -> list[Source]:
    """What options name."""
    like, claims = config.getoption("rnn_like"), config.getoption("rnn_claims")
    limit = config.getoption("rnn_time_limit")
    named = [Source(name, like, claims) for name in config.getoption("rnn_implementation") or ()]
    named += [
        Source(command, declaration=claims, program=True, time_limit=limit)
        for command in config.getoption("rnn_exec") or ()
    ]
    return list(dict.fromkeys(named))


def _parameters(config: pytest.Config, source: Source) -> list[Any]:
    planned, seed = config.stash[PLANNED], config.getoption("rnn_seed")
    if source in planned:
        return planned[source]
    isolated = config.getoption("rnn_isolated") and not source.program
    found = None if isolated else source.implementation()
    if isolated or (config.getoption("rnn_isolated") is None and can_crash(found)):
        isolation = Isolation(time_limit=config.getoption("rnn_time_limit"))
        config.stash[WORKERS].append(workers := Workers(source, isolation, seed=seed))
        planned[source] = [pytest.param(item, id=item.id) for item in workers.planned]
    else:
        planned[source] = parameters(found, seed=seed)
    return planned[source]


def _planned(config: pytest.Config, name: str) -> list[Planned]:
    """The planned checks of an implementation, where this process knows it.

    Where pytest-xdist's workers collect, it knows only what an option names.
    """
    named = [parameter.values[0] for some in config.stash[PLANNED].values() for parameter in some]
    known = [*named, *config.stash[COLLECTED]]
    items = {item.id: item for item in known if isinstance(item, Planned)}
    return [item for item in items.values() if item.subject.implementation.name == name]


def _in_vain(config: pytest.Config) -> bool:
    """Whether a verdict was asked for, and none of its checks was executed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.getoption("collectonly"):
        return False
    records = records_of(reporter.stats)
    asked = bool(records or _named(config))
    return asked and all(record.outcome == "not_claimed" for record in records)


def _declared_in_vain(config: pytest.Config) -> list[str]:
    """What is claimed, or known to fail, and was never asked for though every check was run."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.getoption("collectonly"):
        return []
    records = {record.id: record for record in records_of(reporter.stats)}
    found: list[str] = []
    for source in _named(config):
        items = [each.values[0] for each in config.stash[PLANNED].get(source, ())]
        if items and all(isinstance(item, Planned) and item.id in records for item in items):
            found += in_vain(items, [records[item.id] for item in items])
    return found
