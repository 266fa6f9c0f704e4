"""Implementations that are right but for one thing, which the harness has to get along with."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rnn_conformance import FEATURES, Answer, Call, Record, Report, plan
from rnn_conformance.checks.every import CHECKS, OF_GRADIENTS
from rnn_conformance.checks.plan import Planned
from rnn_conformance.checks.subject import parts_of
from rnn_conformance.contract.call import Array, Implementation
from rnn_conformance.contract.conventions import declared
from rnn_conformance.variants.recurrence import Recurrence
from rnn_reference import BatchRNN

MAIN = "float32-T7-B3-I5-H4-O2-L1-tanh-h0-normal"
BARE = MAIN.replace("-O2", "")  # of what claims no readout
PARTS = ("output", "h_n", "y")
SOME_CASES = 10  # of a check
Command = Callable[..., tuple[int, str, str]]  # gives exit status, output, error output


class Miniature(Recurrence):
    """A right implementation that does something to each answer before it gives it away."""

    name = "miniature"

    def __init__(
        self,
        change: Callable[[Answer, Call], Any] = lambda answer, call: answer,
        claims: frozenset[str] = FEATURES - {"dropout"},
    ) -> None:
        self.change = change
        self.claims = claims

    def run(self, call: Call) -> Any:
        return self.change(super().run(call), call)


def in_part(name: str, change: Callable[[Any], Any]) -> Miniature:
    """One part of the answer is another."""

    def changed(answer: Answer, call: Call) -> Answer:
        return replace(answer, **{name: change(getattr(answer, name))})

    return Miniature(changed)


def in_every_part(change: Callable[[Array], Any]) -> Miniature:
    return Miniature(
        lambda answer, call: Answer(**{n: change(part) for n, part in parts_of(answer).items()})
    )


def instead(result: Any) -> Miniature:
    """Something else than an `Answer` is given."""
    return Miniature(lambda answer, call: result)


def function(change: Callable[[dict[str, Any], Any], object]) -> Callable[..., Any]:
    """A right function, but for what is done in the end to its result, and to the weights."""

    def rnn(weights: Any, inputs: Array, h_0: Array | None) -> Any:
        model, steps = BatchRNN.from_weights(weights), range(len(inputs))
        outputs, states = model.forward(inputs, None if h_0 is None else h_0.T)
        by_name = {"hidden_states": states, "outputs": outputs}
        found = {name: np.stack([of[t].T for t in steps]) for name, of in by_name.items()}
        found["h_n"] = states[len(inputs) - 1].T.copy()
        change(found, weights)
        return found

    return rnn


class Raising(Recurrence):
    """Raises at every call, or at this one alone, counted from 1."""

    name = "raising"

    def __init__(self, error: BaseException, *, at_call: int | None = None) -> None:
        self.error = error
        self.at_call = at_call
        self.calls = 0

    def run(self, call: Call) -> Answer:
        self.calls += 1
        if self.at_call in (None, self.calls):
            raise self.error.with_traceback(None)
        return super().run(call)


def at_step(step: int, value: float) -> Miniature:
    """From this time step on, the states are this value."""

    def changed(states: Array) -> Array:
        states = states.copy()
        states[step:] = value
        return states

    return in_part("output", changed)


class Mute(Exception):
    """An exception whose message cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError


class Subclass(np.ndarray[Any, Any]):
    """An array of a class of its own."""


def read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def in_one_case(implementation: Any, checks: Sequence[str] | None = None, case: str = "") -> Report:
    """The report of one case alone: the main one, or this one."""
    items = [item for item in plan(implementation, checks=checks) if item.case.id == (case or MAIN)]
    name = items[0].subject.implementation.name
    return Report(name, 0, {}, tuple(item.execute() for item in items))


def by_check(records: Sequence[Record]) -> dict[str, Record]:
    """The records of one case."""
    found = {record.check: record for record in records}
    assert len(found) == len(records)
    return found


def conforms_to_every_check(right: Implementation) -> None:
    """Fails unless it passes some cases of every check that its claims permit.

    Statistics are derived for the plain RNN alone, and no toy cell has equations of gradients.
    """
    by_name: dict[str, list[Planned]] = {}
    for item in plan(right):
        by_name.setdefault(item.check.name, []).append(item)
    claimed = right.claims | declared(right)
    asked = {name for name, one in CHECKS.items() if one.needs <= claimed}
    of_gradients = {*OF_GRADIENTS}
    assert {*by_name} == asked - {"systematic_error"} - of_gradients
    for items in by_name.values():
        records = [item.execute() for item in items[:: len(items) // SOME_CASES + 1]]
        assert [f"{r.id}: {r.message}" for r in records if r.outcome != "passed"] == []
