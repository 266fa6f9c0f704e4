"""Reports as text for a terminal: the table of checks, the failures, the verdict."""

from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rnn_conformance.records import Record, Report, tally

FAILURES_SHOWN = 3


def print_report(console: Console, report: Report) -> None:
    """The whole report: versions, table, the first failures of each check, verdict."""
    seen_with = circumstances(report.environment, report.seed)
    console.print(Text(f"{report.implementation}: {seen_with}"), soft_wrap=True)
    console.print(table(report.records))
    for record in first_failures(report.records):
        console.print(Text(f"\n{describe(record)}"), soft_wrap=True)
    console.print(Text(f"\n{verdict(report)}"), soft_wrap=True)


def circumstances(environment: Mapping[str, str], seed: int) -> str:
    """With what it was seen: versions, threads, seed."""
    return ", ".join(f"{name} {value}" for name, value in {**environment, "seed": seed}.items())


def table(records: Iterable[Record]) -> Table:
    """One row a check, and a total; it fits into 80 columns."""
    tallies = tally(records)
    shown = Table(
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
        show_footer=True,
        caption="error/bound: the worst error as a share of its bound",
        caption_justify="left",
    )
    total = [sum(getattr(t, name) for t in tallies) for name in ("run", "passed", "failed")]
    total.append(sum(t.not_claimed for t in tallies))
    worst = max((t.worst_share for t in tallies if t.worst_share is not None), default=None)
    shown.add_column("check", "total", no_wrap=True)
    for title, number in zip(("run", "passed", "failed", "not claimed"), total, strict=True):
        shown.add_column(title, str(number), justify="right")
    shown.add_column("error/bound", share(worst), justify="right")
    for t in tallies:
        counts = (t.run, t.passed, t.failed, t.not_claimed)
        style = "bold red" if t.failed else None
        shown.add_row(t.check, *map(str, counts), share(t.worst_share), style=style)
    return shown


def first_failures(records: Iterable[Record]) -> list[Record]:
    """The first few failures of each check."""
    shown: dict[str, list[Record]] = {}
    for record in records:
        if record.outcome == "failed":
            shown.setdefault(record.check, []).append(record)
    return [record for group in shown.values() for record in group[:FAILURES_SHOWN]]


def describe(record: Record) -> str:
    """A failure with the reason for its bound, and the lines that repeat it."""
    lines = [f"FAILED {record.id}", f"  {record.message}"]
    if record.bound:
        lines.append(f"  bound: {record.bound}")
    if record.reproduction:
        lines += ["  to repeat it:", *(f"    {line}" for line in record.reproduction.splitlines())]
    return "\n".join(lines)


def verdict(report: Report) -> str:
    """One sentence: conforms, does not, or could not be judged."""
    name, executed, failed = report.implementation, report.executed, len(report.failures)
    if not report.complete:
        return f"{name} could not be judged: interrupted after {executed} checks, {failed} failed."
    if executed == 0:
        return f"{name} could not be judged: no check was executed."
    if failed:
        shown = len(first_failures(report.records))
        more = f" ({shown} are shown; --json FILE keeps all)" if shown < failed else ""
        return f"{name} DOES NOT CONFORM: {failed} of {executed} checks failed{more}."
    return (
        f"{name} conforms: {executed} checks passed, the worst error is "
        f"{share(report.worst_share)} of its bound."
    )


def share(value: float | None) -> str:
    """A share of the bound: two digits, `-` where nothing was compared."""
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 10 else f"{value:.2g}"
