"""Checks executed in child processes: what crashes, hangs or floods there harms no other check."""

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from operator import setitem
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from types import SimpleNamespace
from typing import Any

from rnn_conformance.cases.vacuity import Vacuous
from rnn_conformance.checks.findings import Diagnosis
from rnn_conformance.checks.plan import Planned, asked_of, refuse_wrong, shares
from rnn_conformance.checks.records import Record
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.contract.refusal import Broken, CannotBeJudged, printable
from rnn_conformance.explain.explaining import Watched, unwatched
from rnn_conformance.sources.conversation import Conversation, Silent
from rnn_conformance.sources.source import Source

COMMAND = (sys.executable, "-m", "rnn_conformance.run.worker")
STARTING = 30.0  # seconds more: a process starts, a framework is imported
LINE_BYTES = 2**22  # a record has the numbers that repeat a failure
ONE_THREAD = {"OMP_NUM_THREADS": "1"}  # in cases so small, several only wait for each other
EXPLAINING = 900.0
MOST_SILENCES, MOST_BROKEN = 5, 200  # checks; then nothing more is asked


@dataclass(frozen=True)
class Isolation:
    """How checks are isolated.

    Attributes:
        processes: among how many child processes the cases are shared. The same checks go to the
            same one in every run, and records come in one order.
        time_limit: seconds for each check, and half a minute more for loading and the first calls.

    Raises ValueError for a number that is none.
    """

    processes: int = 1
    time_limit: float = 60.0

    def __post_init__(self) -> None:
        if not isinstance(self.processes, int) or not 1 <= self.processes <= 64:
            raise ValueError(f"processes: expected a number from 1 to 64, got {self.processes!r}")
        if not 0 < self.time_limit < float("inf"):
            raise ValueError(f"time_limit: expected seconds above 0, got {self.time_limit!r}")


@dataclass(frozen=True)
class RemoteCheck(Planned):
    """A planned check that is executed in a child process."""

    index: int
    workers: "Workers"

    def execute(self) -> Record:
        return self.workers.execute(self)


class Workers(AbstractContextManager["Workers"]):
    """The child processes of one implementation; the parent never loads it.

    Raises CannotBeJudged where it cannot be loaded, or fails the smoke check, and what `plan`
    raises.
    """

    def __init__(
        self,
        source: Source,
        isolation: Isolation,
        *,
        seed: int = 0,
        checks: Sequence[str] | None = None,
    ) -> None:
        refuse_wrong(seed, checks)
        self._start: dict[str, Any] = {
            "source": asdict(source),
            "seed": seed,
            "checks": checks and [*checks],
        }
        self._isolation, self._ended = isolation, Event()
        self._silences = self._broken = 0
        self._no_answer: set[str] = set()
        self._conversations: list[Conversation | None] = [None] * isolation.processes
        told = self._all_started()
        self.environment: dict[str, str] = told["environment"]
        self._conventions: dict[str, str] = told["conventions"]
        asked = asked_of(_stub(told), seed=seed, checks=checks)
        self.planned = tuple(
            RemoteCheck(**vars(p), index=i, workers=self) for i, p in enumerate(asked.planned)
        )
        self.asked = replace(asked, planned=self.planned)
        self._of = shares(asked.planned, isolation.processes)

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End all processes, whatever they do."""
        self._ended.set()
        for conversation in self._conversations:
            if conversation is not None:
                conversation.kill()

    def records(self) -> Iterator[Record]:
        """What comes of every planned check, in their order. Raises Vacuous."""
        processes = range(len(self._conversations))
        own = [[item for item in self.planned if self._of[item.index] == n] for n in processes]
        came = [self._come_of(items, "from") for items in own]
        return (next(came[number]) for number in self._of)

    def execute(self, item: RemoteCheck) -> Record:
        """What comes of one check; a process that breaks is one failed check. Raises Vacuous."""
        (record,) = self._come_of([item], "execute")
        return record

    def _come_of(self, items: Sequence[RemoteCheck], request: str) -> Iterator[Record]:
        """What comes of one check ("execute") or of a process's own ("from"). Raises Vacuous."""
        rest = deque(items)
        while rest:
            number = self._of[rest[0].index]
            if self._silences >= MOST_SILENCES or self._broken >= MOST_BROKEN:
                why = f"not asked any more: {self._broken} checks ended the process or were slow"
                yield rest.popleft().not_asked(why)
                continue
            try:
                self._say(number, {request: rest[0].index, "conventions": self._conventions})
                while rest:
                    limit, item = self._isolation.time_limit, rest[0]
                    told = self._heard(number, limit, len(rest) > 1, of=item.id)
                    if "vacuous" in told:
                        raise Vacuous(told["vacuous"])
                    rest.popleft()
                    yield Record.from_json(told)
                return
            except Silent:
                self._broken, self._silences = self._broken + 1, self._silences + 1
                why = f"no result within {self._isolation.time_limit:g} s"
            except Broken as broken:
                self._broken += 1
                why = f"the process {broken}"
            yield self._unanswered(rest.popleft(), why)

    def diagnosis(
        self, records: Iterable[Record], watched: Watched = unwatched
    ) -> Diagnosis | None:
        """Why checks fail, those left out that ended the process. Raises Broken.

        Args:
            watched: as of `diagnosis_of`; what it wraps are numbers.
        """
        asked = [record for record in records if record.id not in self._no_answer]
        if not any(record.outcome == "failed" for record in asked):
            return None
        with TemporaryDirectory(prefix="rnn-conformance-") as folder:
            place = Path(folder, "records.json")
            place.write_text(json.dumps([record.to_json() for record in asked]))
            self._say(0, {"explain": str(place), "conventions": self._conventions})
            told = self._heard(0, EXPLAINING, more=True)
            if "trying" in told:
                for _ in watched(range(told["trying"]), told["trying"]):
                    told = self._heard(0, EXPLAINING, more=True)
        found = told["diagnosis"]
        return None if found is None else Diagnosis.from_json(found)

    def _unanswered(self, item: RemoteCheck, why: str) -> Record:
        self._no_answer.add(item.id)
        return item.failed(why)

    def _say(self, number: int, request: Any) -> None:
        if self._conversations[number] is None:
            try:
                self._started(number)
            except CannotBeJudged as error:
                raise Broken(str(error)) from error
        with self._dropped_unless_right(number) as conversation:
            conversation.say(json.dumps(request))

    def _heard(
        self, number: int, time_limit: float, more: bool = False, *, of: str = ""
    ) -> dict[str, Any]:
        """What a process tells; `of` is the check that it must be about, if any."""
        with self._dropped_unless_right(number) as conversation:
            line = conversation.hear(time_limit, more=more)
            try:
                told: dict[str, Any] = json.loads(line)
            except ValueError as error:  # it has written where only answers belong
                raise conversation.broken(f"gave no JSON: '{printable(line)}'") from error
            if of and (not isinstance(told, dict) or told.get("id") != of):
                raise conversation.broken(f"gave no record of this check: '{printable(line)}'")
        return told

    @contextmanager
    def _dropped_unless_right(self, number: int) -> Iterator[Conversation]:
        """A conversation, which ends with the first thing that goes wrong."""
        conversation = self._conversations[number]
        assert conversation is not None
        with ExitStack() as unless_right:
            unless_right.callback(conversation.kill)
            unless_right.callback(setitem, self._conversations, number, None)
            yield conversation
            unless_right.pop_all()

    def _all_started(self) -> dict[str, Any]:
        """Start all processes at once; what the first one tells.

        Another one that cannot load the implementation tells so when it is asked.
        """
        with ExitStack() as unless_started:
            unless_started.callback(self.end)
            with ThreadPoolExecutor(len(self._conversations)) as starting:
                unless_started.callback(self.end)  # those that wait for the others
                futures = [
                    starting.submit(self._started, number)
                    for number in range(len(self._conversations))
                ]
                told = futures[0].result()
            unless_started.pop_all()
        return told

    def _started(self, number: int) -> dict[str, Any]:
        if self._ended.is_set():
            raise CannotBeJudged("the run has ended")
        environment = {**ONE_THREAD, **os.environ}
        self._conversations[number] = Conversation(
            COMMAND, line_bytes=LINE_BYTES, environment=environment
        )
        name = self._start["source"]["name"]
        try:
            doing = "loading it"
            self._say(number, {**self._start, "share": [number, len(self._conversations)]})
            told = self._heard(number, STARTING + self._isolation.time_limit)
            if "loaded" in told:
                doing = "in the first calls of the smoke check"
                told = self._heard(number, STARTING + self._isolation.time_limit)
        except Broken as broken:
            raise CannotBeJudged(
                f"implementation {name!r}: {doing}, the process {broken}"
            ) from broken
        if "cannot" in told:
            raise CannotBeJudged(told["cannot"])
        return told


def _stub(told: dict[str, Any]) -> Any:
    """What the parent knows of an implementation that it has not loaded."""
    return SimpleNamespace(
        name=told["name"],
        claims=frozenset(told["claims"]),
        conventions=told["conventions"],
        known_failures=tuple(KnownFailure(**known) for known in told["known_failures"]),
        run=_elsewhere,
        **{name: told[name] for name in ("adapter", "called", "code", "notes") if name in told},
    )


def _elsewhere(_: object) -> None:
    raise RuntimeError("it is loaded in another process: execute its planned checks instead")
