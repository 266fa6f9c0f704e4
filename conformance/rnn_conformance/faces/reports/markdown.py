"""A report as Markdown for a pull request: the verdict first, the details folded."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from rnn_conformance.checks.records import Report, Tally
from rnn_conformance.faces.reports import content
from rnn_conformance.faces.terminal import doubt, share

MOST_LENGTH = 60_000  # a comment on GitHub has 65,536 characters at most
LONGEST_REPRODUCTION = 4_000
LONGEST_TEXT = 2_000
TITLES = ("clause", "", "run", "passed", "failed", "known", "worst share")


def markdown(report: Report) -> str:
    """The whole report, cut to the length of a comment; nothing of it is taken for Markdown."""
    name = f"{content.SYMBOLS[content.overall(report)]} {code(report.implementation)}"
    head = [f"## {name} {content.headline(report)}"]
    head += [fenced(f"WHY: {report.diagnosis}")] * (report.diagnosis is not None)
    head += [f"Declared, never asked for: {code(declared)}." for declared in report.in_vain]
    head += [f"No cause was found: {code(report.undiagnosed)}."] * bool(report.undiagnosed)
    head += [f"Note: {code(note)}." for note in report.notes]
    rows = [_row(clause, tally) for clause, tally in content.by_clause_in_order(report).items()]
    clauses = [table(TITLES, rows, text_columns=2)] if rows else []
    clauses += [code(content.not_claimed(report))] * bool(report.not_claimed)
    folded = [details(finding, "failed") for finding in content.findings(report)]
    known = content.findings(report, "known_failure")
    folded += [details(finding, "known failure") for finding in known]
    facts = {"judged": content.extent(report), **report.environment, "seed": str(report.seed)}
    tail = ["Seen with " + ", ".join(f"{code(k)} {code(v)}" for k, v in facts.items()) + "."]
    tail += ["To repeat it:", fenced(content.command(report))]
    kept = fitting([*head, *tail, *clauses, *folded], MOST_LENGTH)
    blocks = [block for block in (*head, *clauses, *folded, *tail) if block in kept]
    if len(kept) < len({*head, *tail, *clauses, *folded}):
        blocks.append("The rest is left out here, where it is too long; the JSON has all.")
    return "\n\n".join(blocks) + "\n"


def fitting(blocks: Sequence[str], room: int) -> set[str]:
    """Those blocks for which there is room, the first ones first."""
    kept: set[str] = set()
    for block in blocks:
        if block not in kept and len(block) + 2 <= room:
            kept.add(block)
            room -= len(block) + 2
    return kept


def _row(clause: str, t: Tally) -> tuple[str, ...]:
    counts, kind = map(str, (t.run, t.passed, t.failed, t.known_failure)), content.status(t)
    return cell(clause), f"{content.SYMBOLS[kind]} {kind}", *counts, share(t.worst_share)


def details(finding: content.Finding, kind: str) -> str:
    """A check that failed, folded under its name, with what is known of it."""
    record = finding.record
    name = f"<code>{escape(content.one_line(finding.check))}</code>"
    summary = f"{name}: {kind} in {finding.failing} of {finding.run} cases"
    lines = [f"{code(record.id)}: {code(record.message)}"]
    if finding.where:
        said = f"It fails just where {', or '.join(map(code, finding.where))}"
        lines.append(f"{said}{doubt(finding.failing)}.")
    if record.bound:
        lines.append(f"Bound: {code(record.bound)}")
    if finding.title:
        lines.append(f"Asked: {code(f'{finding.title} {finding.advice}')}")
    if finding.diagnosis is not None and kind == "failed":
        lines.append(f"Why: {code(str(finding.diagnosis))}")
    if len(record.reproduction) > LONGEST_REPRODUCTION:
        lines.append("The lines that repeat it are too long to stand here; the JSON has them.")
    elif record.reproduction:
        lines += ["To repeat it:", fenced(record.reproduction, "python")]
    inside = "\n\n".join(lines)
    return f"<details><summary>{summary}</summary>\n\n{inside}\n\n</details>"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int) -> str:
    """Cells that are Markdown already, without pipes; numbers stand on the right."""
    rules = ["---" if index < text_columns else "---:" for index in range(len(titles))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, rules, *rows))


def cell(text: str) -> str:
    """As `code`, in a table, which a pipe would leave even there."""
    return _entities(text) if re.search(r"[|\\]", _cut(text)) else code(text)


def code(text: str) -> str:
    """Text as code in a line, which no Markdown, HTML, mention or link in it can leave."""
    line = _cut(text)
    return f"`{line}`" if line and "`" not in line else _entities(text)


def _entities(text: str) -> str:
    return f"<code>{entities(_cut(text))}</code>"


def entities(text: str, pattern: str = r"[^A-Za-z0-9 ]") -> str:
    """A line in which nothing that fits the pattern is Markdown or HTML."""
    return re.sub(pattern, lambda c: f"&#{ord(c[0])};", text)


def _cut(text: str) -> str:
    line = content.one_line(text)
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]} …"


def fenced(text: str, language: str = "") -> str:
    """Lines as they are, in a fence that is longer than any in them."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{content.plain(text)}\n{fence}"
