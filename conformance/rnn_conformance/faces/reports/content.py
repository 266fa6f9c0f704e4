"""What a report says to people, whatever it is written in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from shlex import quote
from textwrap import shorten
from typing import Literal

from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.findings import Diagnosis
from rnn_conformance.checks.records import NOTHING, Outcome, Record, Report, Tally, by_clause
from rnn_conformance.faces.terminal import conforms, verdict
from rnn_conformance.sources.adapters.catalogue import CATALOGUE

Status = Literal["passed", "failed", "unclear", "known failure", "not claimed", "not judged"]
SYMBOLS: Mapping[Status, str] = {
    "passed": "✓",
    "failed": "✗",
    "unclear": "~",
    "known failure": "△",
    "not claimed": "–",
    "not judged": "?",
}
BRIEF = 48  # characters
CLAUSE = re.compile(
    r"^\*\*((?:RNN|LSTM|GRU)-[A-Z]+-\d+)\*\*\s+(.+?)(?=\n\s*\n|\Z)", re.MULTILINE | re.DOTALL
)


@cache
def clauses() -> dict[str, str]:
    """The sentence of each clause of specification.md by its id, in the order of the file."""
    text = files("rnn_conformance.contract").joinpath("specification.md").read_text("utf-8")
    return {name: " ".join(sentence.split()) for name, sentence in CLAUSE.findall(text)}


@dataclass(frozen=True)
class Finding:
    """A check that failed, with its first failing case.

    Attributes:
        title, advice: of the check; empty where this version of the suite does not know it.
        record: of the first failing case.
        failing, run: the number of cases.
        where: what the failing cases have in common and no passing one has.
        diagnosis: of the report.
    """

    check: str
    title: str
    advice: str
    record: Record
    failing: int
    run: int
    where: tuple[str, ...]
    diagnosis: Diagnosis | None


def findings(
    report: Report, outcome: Outcome = "failed", clause: str | None = None
) -> list[Finding]:
    """One for each check with this outcome in some case, of those that hold the clause."""
    by_check: dict[str, list[Record]] = {}
    for record in report.records:
        if record.outcome != "not_claimed" and (clause is None or clause in record.clauses):
            by_check.setdefault(record.check, []).append(record)
    found = []
    for name, records in by_check.items():
        failing = [record for record in records if record.outcome == outcome]
        if failing:
            asked = CHECKS.get(name)
            title, advice = (asked.title, asked.advice) if asked else ("", "")
            where = tuple(report.patterns.get(name, ())[:3])
            if outcome != "failed" or len(failing) == len(records):
                where = ()
            counts = len(failing), len(records)
            found.append(Finding(name, title, advice, failing[0], *counts, where, report.diagnosis))
    return found


def failing_clauses(found: Sequence[Finding]) -> list[str]:
    """The clauses of these, each once, in the order of the specification, unknown ones last."""
    names = {clause for finding in found for clause in finding.record.clauses}
    return [name for name in clauses() if name in names] + sorted(names - clauses().keys())


def by_clause_in_order(report: Report) -> dict[str, Tally]:
    """The records counted by clause, in the order of the specification, unknown ones last.

    A clause of which nothing is claimed counts nothing; it stands there if the run is complete.
    """
    left_out = CHECKS.keys() & report.not_claimed.keys() if report.complete else ()
    of_them = chain.from_iterable(CHECKS[check].clauses for check in left_out)
    tallies = dict.fromkeys(of_them, NOTHING) | by_clause(report.records)
    known = [name for name in clauses() if name in tallies]
    return {name: tallies[name] for name in (*known, *sorted(tallies.keys() - {*known}))}


def brief(clause: str) -> str:
    """The beginning of the sentence of a clause, as plain text; empty where it is unknown."""
    sentence = clauses().get(clause, "").replace("`", "")
    return shorten(sentence, BRIEF, placeholder=" …")


def not_claimed(report: Report) -> str:
    """How many checks were left out; empty where none was."""
    number = sum(report.not_claimed.values())
    each = ", ".join(f"{count} of {check}" for check, count in report.not_claimed.items())
    return f"Not claimed, so not asked: {number} checks ({each})." if number else ""


def status(tally: Tally) -> Status:
    """Of a clause or a check: the worst outcome in it; "unclear": another clause explains it."""
    if tally.failed:
        return "failed"
    if tally.unclear:
        return "unclear"
    if tally.known_failure:
        return "known failure"
    return "passed" if tally.passed else "not claimed"


def overall(report: Report) -> Status:
    """Of the whole report; "not judged" where there is no verdict."""
    if not report.judged:
        return "not judged"
    return "passed" if report.conforms else "failed"


def headline(report: Report) -> str:
    """The verdict in a sentence that follows the name of the implementation."""
    if overall(report) == "failed":
        return f"does not conform: {len(report.failures)} of {report.executed} checks failed."
    if report.in_vain:
        return "could not be judged: something is declared that was never asked for."
    return verdict(report).removeprefix(report.implementation).strip()


def in_short(report: Report) -> str:
    """The verdict in a few words."""
    return conforms(report) if report.conforms else headline(report).rstrip(".")


def claimed(report: Report) -> str:
    """Of how many clauses something was asked, which is what is claimed of the contract."""
    if not report.complete:
        return "not judged"
    asked = [name for name, tally in by_clause(report.records).items() if tally.run]
    number, of = len(clauses().keys() & {*asked}), len(clauses())
    return f"{number} of {of} ({number / of:.0%})"


def extent(report: Report) -> str:
    """How much was asked, such as "36 of 38 checks"."""
    asked = CHECKS.keys() & {record.check for record in report.records}
    return f"{len(asked)} of {len(CHECKS)} checks"


def command(report: Report) -> str:
    """What repeats the run: a line for a shell, or of Python where no name can be given."""
    if report.command:
        return plain(report.command)
    asked = dict.fromkeys([*(record.check for record in report.records), *report.not_claimed])
    selected = [] if not report.complete or CHECKS.keys() <= asked.keys() else list(asked)
    name = report.implementation
    if name in CATALOGUE or ":" in name:
        chosen = "".join(f" --check {quote(check)}" for check in selected)
        return f"rnn-conformance check {quote(name)} --seed {report.seed}{chosen}"
    chosen = f", checks={selected!r}" if selected else ""
    return (
        f"import rnn_conformance\nimplementation = ...  # what was judged as {one_line(name)}\n"
        f"rnn_conformance.check(implementation, seed={report.seed}{chosen})"
    )


def one_line(text: str) -> str:
    """`plain` text without new lines."""
    return " ".join(plain(text).split())


def plain(text: str) -> str:
    """Text of strangers with what is neither printable nor a new line spelled out, as \\x1b."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
