"""What the report says, in words and tables, whatever it is printed as."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import geometric_mean

from rnn_benchmarks.grid import Point
from rnn_benchmarks.ratios import CONFIDENCE, NOISE_LIMIT, Comparison, Verdict, compare, is_noisy
from rnn_benchmarks.results import Results

MICROSECONDS = 1e6
MOST_LISTED = 6


@dataclass(frozen=True)
class Table:
    """A heading, a remark, and rows of text; all columns but the first `text_columns` hold numbers.

    `long` is a table that a page may fold away.
    """

    heading: str
    remark: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1
    long: bool = False


@dataclass(frozen=True)
class Content:
    """The report, in the order in which it is read."""

    title: str
    findings: tuple[str, ...]
    warnings: tuple[str, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    command: str
    comparisons: tuple[Comparison, ...]
    yardstick: str
    yardstick_title: str


def write(results: Results) -> Content:
    """The content of the report on a run."""
    comparisons = compare(results)
    lines = [each for each in comparisons if each.line != results.yardstick]
    floors = [each for each in comparisons if each.line == results.yardstick]
    return Content(
        title=f"RNN loops: speed against {results.yardstick_title}",
        findings=_findings(lines, floors, results),
        warnings=_warnings(lines, floors, results),
        tables=tuple(
            table
            for table in (_by_line(lines), _by_hidden_size(lines), _points(comparisons, results))
            if table.rows
        ),
        notes=_notes(comparisons, results),
        facts=_facts(results),
        command=shlex.join(("python", "-m", "pytest", *results.arguments)),
        comparisons=comparisons,
        yardstick=results.yardstick,
        yardstick_title=results.yardstick_title,
    )


def number(value: float) -> str:
    """Three digits or so, never with an exponent."""
    digits = 3 if value < 0.1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"


def percent(share: float, digits: int = 0) -> str:
    """A share of 1 as a percentage."""
    return f"{100 * share:.{digits}f} %"


def plural(count: int, noun: str) -> str:
    """The count and the noun, with an s unless there is one."""
    return f"{count} {noun}{'s' * (count != 1)}"


def label(point: Point) -> str:
    """The point in words: its dtype and sizes."""
    return f"{point.dtype} T={point.T} B={point.B} I={point.I} H={point.H}"


def by_title(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    """The comparisons of each line, in the order in which the lines first come."""
    groups: dict[str, list[Comparison]] = {}
    for each in comparisons:
        groups.setdefault(each.title, []).append(each)
    return groups


def thread_counts(results: Results) -> str:
    """The threads in force, in words."""
    counts = set(results.threads.values())
    return " or ".join(plural(count, "thread") for count in sorted(counts))


def _findings(
    lines: Sequence[Comparison], floors: Sequence[Comparison], results: Results
) -> tuple[str, ...]:
    if not lines:
        return (f"Only {results.yardstick_title} itself was measured.",)
    means = [f"{title} {number(_mean(group))}" for title, group in by_title(lines).items()]
    return (
        f"Speed against {results.yardstick_title}, with {thread_counts(results)} for each line, "
        f"geometric mean over {plural(len(floors), 'point')}: {', '.join(means)}. "
        "(2 is twice as fast, 0.5 half as fast.)",
    )


def _warnings(
    lines: Sequence[Comparison], floors: Sequence[Comparison], results: Results
) -> tuple[str, ...]:
    warnings = []
    noisy = [each for each in floors if is_noisy(each.floor)]
    if noisy:
        listed = [label(each.point) for each in noisy[:MOST_LISTED]]
        listed += ["…"] * (len(noisy) > MOST_LISTED)
        warnings.append(
            f"Machine too noisy to say at {len(noisy)} of {plural(len(floors), 'point')}: there "
            f"the interval of {results.yardstick_title} against itself reaches more than "
            f"{percent(NOISE_LIMIT - 1)} from 1. Repeat on a quiet machine. "
            f"({'; '.join(listed)})"
        )
    titles = by_title(lines)
    missing = len(titles) * len(floors) - len(lines)
    if missing:
        warnings.append(
            f"{plural(missing, 'result')} missing: a line that was not run at every point, or "
            "failed there. Means are over the points that each line has."
        )
    return tuple(warnings)


def _by_line(lines: Sequence[Comparison]) -> Table:
    dtypes = list(dict.fromkeys(each.point.dtype for each in lines))
    verdicts = (Verdict.FASTER, Verdict.SLOWER, Verdict.LEVEL, Verdict.NOISY)
    rows = []
    for title, group in by_title(lines).items():
        ratios = [each.ratio for each in group]
        rows.append(
            (
                title,
                number(_mean(group)),
                *(_cell(group, dtype=dtype) for dtype in dtypes),
                number(min(ratios)),
                number(max(ratios)),
                *(str(sum(each.verdict is verdict for each in group)) for verdict in verdicts),
            )
        )
    return Table(
        heading="Ratio by line",
        remark="Geometric mean of the ratios, overall and by dtype, the lowest and the highest; "
        "and at how many points the line is faster or slower by more than the noise, level (no "
        "difference shown), or the machine too noisy to say.",
        columns=(
            "Line",
            "Mean",
            *dtypes,
            "Lowest",
            "Highest",
            *(verdict.value.capitalize() for verdict in verdicts),
        ),
        rows=tuple(rows),
    )


def _by_hidden_size(lines: Sequence[Comparison]) -> Table:
    sizes = sorted({each.point.H for each in lines})
    return Table(
        heading="Ratio by hidden size",
        remark="Geometric mean of the ratios at each H. Different H may have been run at "
        "different T, B and I.",
        columns=("Line", *(f"H={size}" for size in sizes)),
        rows=tuple(
            (title, *(_cell(group, H=size) for size in sizes))
            for title, group in by_title(lines).items()
        ),
    )


def _points(comparisons: Sequence[Comparison], results: Results) -> Table:
    return Table(
        heading="Every point",
        remark="Medians over the rounds. µs: microseconds a step, the whole batch in it.",
        columns=(
            "Point",
            "Line",
            "Shows",
            "Ratio",
            percent(CONFIDENCE),
            "µs",
            f"{results.yardstick_title} µs",
            "Rounds",
        ),
        rows=tuple(
            (
                label(each.point),
                each.title,
                each.verdict.value,
                number(each.ratio),
                f"{number(each.interval.low)} to {number(each.interval.high)}",
                number(each.step.median * MICROSECONDS),
                number(each.yardstick_step.median * MICROSECONDS),
                str(each.rounds),
            )
            for each in comparisons
        ),
        text_columns=3,
        long=True,
    )


def _notes(comparisons: Sequence[Comparison], results: Results) -> tuple[str, ...]:
    title = results.yardstick_title
    rounds = [each.rounds for each in comparisons]
    coverage = min(each.interval.coverage for each in comparisons)
    widths = [each.interval.high / each.interval.low - 1 for each in comparisons]
    floors = [each.floor for each in comparisons if each.line == results.yardstick]
    furthest = max(max(floor.high, 1 / floor.low) for floor in floors) - 1
    return (
        f"Ratio: the time of {title} over the line's, both with the readout of every step "
        f"(O={results.output_size}), within one round; the two calls of a round follow each other "
        "at once. The ratio of a point is the median over its rounds.",
        f"Interval: for that median, from order statistics, without assuming a distribution; "
        f"coverage at least {percent(coverage, 1)} if rounds were independent.",
        f"Noise: {title} is also timed against itself. At the worst point its interval reaches "
        f"{percent(furthest, 1)} from 1. A line counts as faster or slower only where its interval "
        f"lies wholly outside that one; beyond {percent(NOISE_LIMIT - 1)} nothing is said.",
        f"Spread: intervals of the ratio are from {percent(min(widths), 1)} to "
        f"{percent(max(widths), 1)} wide; {min(rounds)} to {max(rounds)} rounds a point and line.",
        "Before it was timed, each line's states and outputs were held against those of "
        f"{title}, over the whole trajectory, within what rounding explains.",
        "Times per step of two lines are not from the same rounds: compare lines by their ratios.",
        "The means sum up these points; other sizes and other machines will differ.",
    )


def _facts(results: Results) -> tuple[tuple[str, str], ...]:
    threads = ", ".join(f"{name} {count}" for name, count in results.threads.items())
    return (
        *results.machine.items(),
        ("Threads, as read back", threads),
        ("Commit", results.commit),
        ("Date", results.date),
    )


def _mean(group: Iterable[Comparison]) -> float:
    return geometric_mean(each.ratio for each in group)


def _cell(group: Iterable[Comparison], **wanted: object) -> str:
    """The mean over the points that have this dtype or these sizes."""
    members = [each for each in group if wanted.items() <= asdict(each.point).items()]
    return number(_mean(members)) if members else "-"
