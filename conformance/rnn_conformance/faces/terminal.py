"""Reports as text for a terminal: the table of checks, the failures, the verdict."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.findings import Diagnosis
from rnn_conformance.checks.records import Record, Report, Tally, Trial, by_check, by_clause, total

E = TypeVar("E")
FEW = 3  # failing cases, which many conditions tell from others


def print_report(console: Console, report: Report) -> None:
    """The whole report: versions, table, the first failures of each check, verdict."""
    seen_with = circumstances(report.environment, report.seed)
    console.print(Text(f"{report.implementation}: {seen_with}"), soft_wrap=True)
    for note in report.notes:
        console.print(Text(f"note: {note}"), soft_wrap=True)
    console.print(table(report.records, report.not_claimed))
    console.print(tally_table("clause", by_clause(report.records)))
    counts = by_check(report.records)
    for record in first_failures(report.records):
        console.print(Text(f"\n{describe(record)}"), soft_wrap=True)
        tally = counts[record.check]
        where = report.patterns.get(record.check, ()) if tally.failed < tally.run else ()
        said = f"  {record.check} fails in {tally.failed} of {tally.run} cases"
        said += f", just where {', or '.join(where[:3])}{doubt(tally.failed)}" if where else ""
        console.print(Text(said), soft_wrap=True)
    if report.diagnosis is not None:
        console.print(Text(f"\n{explanation(report.diagnosis)}"), soft_wrap=True)
    if report.undiagnosed:
        console.print(Text(f"\nWHY: no cause was found: {report.undiagnosed}"), soft_wrap=True)
    console.print(Text(f"\n{verdict(report)}"), soft_wrap=True)


def doubt(failing: int) -> str:
    """What to say of the place of so many failing cases, if they are few."""
    return " (so few cases may have that in common by chance)" if failing < FEW else ""


def print_score(console: Console, trials: Sequence[Trial]) -> None:
    """How many mutants of each class are caught, how many healthy ones accepted; what is not."""
    shown = _plain(show_footer=True)
    wrong = [trial for trial in trials if trial.kind != "healthy"]
    right = [trial for trial in trials if trial.kind == "healthy"]
    shown.add_column("class", "all mutants")
    shown.add_column("caught", str(sum(trial.right for trial in wrong)), justify="right")
    shown.add_column("of", str(len(wrong)), justify="right")
    caught = Counter(trial.kind for trial in wrong if trial.right)
    for kind, number in sorted(Counter(trial.kind for trial in wrong).items()):
        shown.add_row(kind, str(caught[kind]), str(number))
    console.print(shown)
    alarms = sum(not trial.right for trial in right)
    console.print(f"false alarms: {alarms} of {len(right)} healthy implementations")
    for trial in trials:
        if not trial.right:
            console.print(Text(f"{trial.name}: {trial.why}"), soft_wrap=True)


def print_power(console: Console, trials: Sequence[Trial]) -> None:
    """What each check adds, and how many mutants a diagnosis names, of thorough trials."""
    shown = _plain(
        caption="alone: mutants that no other check catches; 0: it adds a message, not power"
    )
    for title in ("check", "catches", "alone"):
        shown.add_column(title, justify="left" if title == "check" else "right", no_wrap=True)
    for name in CHECKS:
        catches = [trial for trial in trials if name in trial.caught_by]
        alone = [trial for trial in catches if len(trial.caught_by) == 1]
        shown.add_row(name, str(len(catches)), str(len(alone)))
    console.print(shown)
    stranger = [trial for trial in trials if trial.named is not None]
    rightly = [trial for trial in stranger if trial.named_rightly]
    wrongly = [trial for trial in stranger if trial.named and not trial.named_rightly]
    singly = sum(len(trial.named or ()) == 1 for trial in rightly)
    console.print(
        f"diagnosis: {len(rightly)} of {len(stranger)} named rightly, {singly} of them as the only "
        f"one; {len(wrongly)} named wrongly"
    )
    for trial in stranger:
        if trial not in rightly or len(trial.named or ()) > 1:
            names = ", ".join(" + ".join(names) for names in trial.named or ()) or "nothing"
            console.print(Text(f"  {trial.name}: named {names}"), soft_wrap=True)


def circumstances(environment: Mapping[str, str], seed: int) -> str:
    """With what it was seen: versions, threads, seed."""
    return ", ".join(f"{name} {value}" for name, value in {**environment, "seed": seed}.items())


def watched(items: Iterable[E], total: int | None, what: str) -> Iterator[E]:
    """The items, with a bar on standard error where that is a terminal, while they come."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with shown as bar:
        yield from bar.track(items, total=total)


def table(
    records: Iterable[Record], not_claimed: Mapping[str, int] = MappingProxyType({})
) -> Table:
    """One row a check, and a total; it fits into 80 columns."""
    found, in_all = by_check(records := tuple(records), not_claimed), total(records)
    in_order = [name for name in CHECKS if name in found]
    rows = {name: found[name] for name in (*in_order, *(found.keys() - in_order))}
    left_out = in_all.not_claimed + sum(not_claimed.values())
    return tally_table("check", rows, replace(in_all, not_claimed=left_out))


def tally_table(what: str, tallies: Mapping[str, Tally], in_all: Tally | None = None) -> Table:
    """One row for each name; with `in_all`, a last row of everything."""
    any_known = any(tally.known_failure for tally in tallies.values())
    any_unclear = any(tally.unclear for tally in tallies.values())
    shown = _plain(
        show_footer=in_all is not None,
        caption="share: the worst error as a share of its bound; skipped: not claimed"
        + ("; known: failures that are known, with their reason" if any_known else "")
        + ("; unclear: failed, and another clause explains it" if any_unclear else ""),
    )
    shown.add_column(what, "total", no_wrap=True)
    titles = ("run", "passed", "failed", "unclear", "known", "skipped", "share")
    footers = _cells(in_all) if in_all is not None else [""] * len(titles)
    rows = {name: _cells(tally) for name, tally in tallies.items()}
    left_out = {
        title for title, any_ in (("known", any_known), ("unclear", any_unclear)) if not any_
    }
    kept = [i for i, title in enumerate(titles) if title not in left_out]
    for i in kept:
        shown.add_column(titles[i], footers[i], justify="right")
    for name, cells in rows.items():
        style = "bold red" if tallies[name].failed else None
        shown.add_row(name, *(cells[i] for i in kept), style=style)
    return shown


def _plain(**options: Any) -> Table:
    """A narrow table without frame; what is said of it stands below, on the left."""
    return Table(
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
        caption_justify="left",
        **options,
    )


def _cells(t: Tally) -> list[str]:
    counts = (t.run, t.passed, t.failed, t.unclear, t.known_failure, t.not_claimed)
    return [*map(str, counts), share(t.worst_share)]


def first_failures(records: Iterable[Record]) -> list[Record]:
    """The first failure of each check."""
    shown: dict[str, Record] = {}
    for record in records:
        if record.outcome == "failed":
            shown.setdefault(record.check, record)
    return [*shown.values()]


def describe(record: Record) -> str:
    """A failure with the reason for its bound, and the lines that repeat it."""
    lines = [f"FAILED {record.id}", f"  {record.message}"]
    if record.bound:
        lines.append(f"  bound: {record.bound}")
    if record.check in CHECKS:
        lines.append(f"  asked: {CHECKS[record.check].title} {CHECKS[record.check].advice}")
    if record.reproduction:
        lines += ["  to repeat it:", *(f"    {line}" for line in record.reproduction.splitlines())]
    return "\n".join(lines)


def explanation(diagnosis: Diagnosis) -> str:
    """Why checks fail."""
    return f"WHY: {diagnosis}".replace("\n", "\n  ")


def verdict(report: Report) -> str:
    """One sentence: conforms, does not, or could not be judged."""
    name, executed, failed = report.implementation, report.executed, len(report.failures)
    if not report.complete:
        return f"{name} could not be judged: interrupted after {executed} checks, {failed} failed."
    if executed == 0:
        why = ": what they ask for is not claimed" if report.not_claimed else ""
        return f"{name} could not be judged: no check was executed{why}."
    if report.in_vain:
        asked_for = "; ".join(report.in_vain)
        return f"{name} could not be judged: declared, but never asked for: {asked_for}."
    if failed:
        shown = len(first_failures(report.records))
        more = f" ({shown} shown; --json FILE keeps all)" if shown < failed else ""
        left = len(report.records) - executed
        rest = f" {left} were not asked any more." if left else ""
        return f"{name} DOES NOT CONFORM: {failed} of {executed} checks failed{more}.{rest}"
    known = total(report.records).known_failure
    but = f", {known} failed as they are known to" if known else ""
    passed = (record for record in report.records if record.outcome == "passed")
    return (
        f"{name} {conforms(report)}: {executed - known} checks passed{but}, the worst error is "
        f"{share(total(tuple(passed)).worst_share)} of its bound."
        f"{' The notes above say how it was read, and what was not asked.' if report.notes else ''}"
    )


def conforms(report: Report) -> str:
    """What a report without failures says first; known defects are part of it."""
    number = report.known_defects
    return f"conforms, with {number} known defect{'s' * (number > 1)}" if number else "conforms"


def share(value: float | None) -> str:
    """A share of the bound: two digits, `-` where nothing was compared."""
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 10 else f"{value:.2g}"
