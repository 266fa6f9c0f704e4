"""A report as a picture of a terminal, for a page that shows no text of it."""

import re
from dataclasses import replace
from io import StringIO

from rich.console import Console
from rich.text import Text

from rnn_conformance.checks.records import Report, by_check
from rnn_conformance.faces.reports.content import command, headline, one_line, plain
from rnn_conformance.faces.terminal import explanation, first_failures, table, tally_table

WIDTH = 112  # characters
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # of the web, which nothing here may need


def svg(report: Report) -> str:
    """The checks that failed, else all, then the first failure, the cause and the verdict."""
    console = Console(record=True, file=StringIO(), width=WIDTH, force_terminal=True)
    console.print(Text(f"$ {one_line(command(report))}", "bold"))
    records = [replace(record, check=plain(record.check)) for record in report.records]
    failures = first_failures(records)
    if failures:
        failed = {record.check for record in failures}
        console.print(tally_table("check", by_check(r for r in records if r.check in failed)))
        console.print(Text(plain(f"\nFAILED {failures[0].id}"), "bold red"))
        console.print(Text(plain(f"{failures[0].message}\n")))
    else:
        console.print(table(records, report.not_claimed))
    if report.diagnosis is not None:
        console.print(Text(plain(f"{explanation(report.diagnosis)}\n"), "bold yellow"))
    verdict = f"{report.implementation} {headline(report)}"
    console.print(Text(plain(verdict), "bold green" if report.conforms else "bold red"))
    return FONTS.sub("", console.export_svg(title="rnn-conformance", unique_id="terminal"))
