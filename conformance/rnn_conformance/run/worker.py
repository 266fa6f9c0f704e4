"""The child process in which an implementation is loaded and judged.

It is spoken to in lines of JSON: what to load, then one check to execute, or all of its share from
some check on; each gets a line in answer. Whatever the implementation prints goes to standard
error, so that no answer is mistaken.
"""

import gc
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from rnn_conformance.cases.vacuity import Vacuous
from rnn_conformance.checks.plan import Planned, known_failures, plan, shares
from rnn_conformance.checks.records import Record
from rnn_conformance.contract.conventions import CONVENTIONS
from rnn_conformance.contract.declaration import Declaration, declared
from rnn_conformance.contract.refusal import CannotBeJudged
from rnn_conformance.explain.explaining import diagnosis_of
from rnn_conformance.run import environment
from rnn_conformance.run.smoke import smoke
from rnn_conformance.sources.source import Source

SAID = ("name", "adapter", "called", "code", "notes")


def main() -> None:
    """Answer until standard input ends."""
    requests, answers = _streams()
    encode = json.JSONEncoder(allow_nan=False).encode

    def say(answer: Mapping[str, Any]) -> None:
        print(encode(answer), file=answers, flush=True)

    for answer in _answers((json.loads(line) for line in requests), say):
        say(answer)


def _streams() -> tuple[TextIO, TextIO]:
    """What was standard input and output; a stranger's code finds nothing to read there."""
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, answers


def _answers(
    requests: Iterator[Mapping[str, Any]], say: Callable[[Mapping[str, Any]], None]
) -> Iterator[Mapping[str, Any]]:
    start = next(requests, None)
    if start is None:
        return
    gc.disable()  # what is imported and planned stays: looking it through takes a tenth of the time
    try:
        loaded = Source(**start["source"]).implementation()
        yield {"loaded": True}
        found = smoke(loaded)
    except CannotBeJudged as error:
        yield {"cannot": str(error)}
        return
    yield _description(found)  # at once: the parent plans at the same time
    planned, own = _planned(found, start)
    gc.freeze()
    gc.enable()
    for request in requests:
        usual = {what: CONVENTIONS[what][0] for what in _conventions(found)}
        measured = {**usual, **request["conventions"]}  # in the first process
        if measured != {**usual, **_conventions(found)}:
            found = declared(found, Declaration(conventions=measured))
            planned, own = _planned(found, start)
        if "execute" in request:
            yield _executed(planned[request["execute"]])
        elif "from" in request:
            yield from (_executed(planned[i]) for i in own if i >= request["from"])
        else:
            records = map(Record.from_json, json.loads(Path(request["explain"]).read_text()))
            explained = diagnosis_of(planned, records, partial(_telling, say))
            yield {"diagnosis": None if explained is None else explained.to_json()}


def _planned(found: Any, start: Mapping[str, Any]) -> tuple[Sequence[Planned], Sequence[int]]:
    """All checks, and the numbers of this process's own."""
    planned = plan(found, seed=start["seed"], checks=start["checks"])
    number, processes = start["share"]
    return planned, [i for i, of in enumerate(shares(planned, processes)) if of == number]


def _conventions(found: Any) -> dict[str, str]:
    return dict(getattr(found, "conventions", {}))


def _telling(
    say: Callable[[Mapping[str, Any]], None], tried: Iterable[Any], number: int
) -> Iterator[Any]:
    """What is tried, with a line of its own for each: the parent shows how far it is."""
    for one in tried:
        say({"trying": number})
        yield one


def _description(found: Any) -> dict[str, Any]:
    said = {name: getattr(found, name) for name in SAID if hasattr(found, name)}
    return {
        **said,
        "called": dict(said.get("called", {})),
        "claims": sorted(found.claims),
        "conventions": _conventions(found),
        "known_failures": [asdict(known) for known in known_failures(found)],
        "environment": environment.describe(),
    }


def _executed(item: Planned) -> dict[str, Any]:
    try:
        return item.execute().to_json()
    except Vacuous as vacuous:
        return {"id": item.id, "vacuous": str(vacuous)}


if __name__ == "__main__":
    main()
