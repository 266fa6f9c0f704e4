"""What the report says, in words and tables, whatever it is printed as."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from rnn_benchmarks.findings import findings
from rnn_benchmarks.growth import growth_table
from rnn_benchmarks.limit import Distance, batch_size_table, distance_table, distances, worst_table
from rnn_benchmarks.names import OURS
from rnn_benchmarks.pairs import FEWEST_ROUNDS, SHORT_SECONDS
from rnn_benchmarks.ratio_tables import line_table, point_table, size_table
from rnn_benchmarks.ratios import NOISE_LIMIT, Comparison, compare, is_noisy
from rnn_benchmarks.results import Results
from rnn_benchmarks.table import Table, by_title, label, percent, plural

MOST_LISTED = 6


@dataclass(frozen=True)
class Content:
    """The report, in the order in which it is read."""

    title: str
    findings: tuple[str, ...]
    remarks: tuple[str, ...]
    warnings: tuple[str, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    command: str
    comparisons: tuple[Comparison, ...]
    distances: tuple[Distance, ...]
    yardstick: str
    yardstick_title: str


def write(results: Results, studies: Sequence[Table] = ()) -> Content:
    """The content of the report on a run, with the tables of `evidence` where there are any."""
    comparisons = compare(results)
    lines = [each for each in comparisons if each.line != results.yardstick]
    floors = [each for each in comparisons if each.line == results.yardstick]
    far = distances(comparisons, results.yardstick)
    tables = (
        line_table(lines),
        size_table(lines, "H"),
        size_table(lines, "B"),
        distance_table(far),
        batch_size_table(far),
        worst_table(comparisons, far, OURS),
        growth_table(comparisons),
        *studies,
        point_table(comparisons, results.yardstick_title),
    )
    return Content(
        title=f"RNN loops: speed against {results.yardstick_title}",
        findings=findings(lines, floors, far, results),
        remarks=_remarks(results),
        warnings=_warnings(lines, floors, results),
        tables=tuple(table for table in tables if table and table.rows),
        notes=_notes(comparisons, results),
        facts=_facts(results),
        command=shlex.join(("python", "-m", "pytest", *results.arguments)),
        comparisons=comparisons,
        distances=far,
        yardstick=results.yardstick,
        yardstick_title=results.yardstick_title,
    )


def _remarks(results: Results) -> tuple[str, ...]:
    """What is not in the report, and why."""
    remarks = []
    if results.absent:
        reasons = [f"{name} ({why})" for name, why in results.absent.items()]
        remarks.append(f"Lines that could not be run here: {'; '.join(reasons)}.")
    if results.left_out:
        least = min(each.seconds for each in results.left_out)
        remarks.append(
            f"{plural(len(results.left_out), 'point')} left out, as one call of "
            f"{results.yardstick_title} takes long there ({least:.1f} s and more): "
            f"{_listed([label(each.point) for each in results.left_out])}."
        )
    return tuple(remarks)


def _warnings(
    lines: Sequence[Comparison], floors: Sequence[Comparison], results: Results
) -> tuple[str, ...]:
    warnings = []
    noisy = [each for each in floors if is_noisy(each.floor)]
    if noisy:
        warnings.append(
            f"Machine too noisy to say at {len(noisy)} of {plural(len(floors), 'point')}: there "
            f"the interval of {results.yardstick_title} against itself reaches more than "
            f"{percent(NOISE_LIMIT - 1)} from 1. Repeat on a quiet machine. "
            f"({_listed([label(each.point) for each in noisy])})"
        )
    missing = 0
    for group in by_title(lines).values():
        dtypes = {each.point.dtype for each in group}
        missing += sum(each.point.dtype in dtypes for each in floors) - len(group)
    if missing:
        warnings.append(
            f"{plural(missing, 'result')} missing: a line that was not run at every point, or "
            "failed there. Means are over the points that each line has."
        )
    return tuple(warnings)


def _listed(labels: Sequence[str]) -> str:
    return "; ".join([*labels[:MOST_LISTED], *["…"] * (len(labels) > MOST_LISTED)])


def _notes(comparisons: Sequence[Comparison], results: Results) -> tuple[str, ...]:
    title = results.yardstick_title
    rounds = [each.rounds for each in comparisons]
    few = [each for each in comparisons if each.rounds < FEWEST_ROUNDS]
    enough = [each for each in comparisons if each.rounds >= FEWEST_ROUNDS] or few
    coverage = min(each.interval.coverage for each in enough)
    widths = [each.interval.high / each.interval.low - 1 for each in comparisons]
    floors = [each.floor for each in comparisons if each.line == results.yardstick]
    furthest = max(max(floor.high, 1 / floor.low) for floor in floors) - 1
    return (
        f"Ratio: the time of {title} over the line's, both with the readout of every step "
        f"(O={results.output_size}), within one round; the two follow each other at once, where "
        f"either takes less than {1e3 * SHORT_SECONDS:g} ms each after a call that is not timed. "
        "The ratio of a point is the median over its rounds.",
        f"Interval: for that median, from order statistics, without assuming a distribution; "
        f"coverage at least {percent(coverage, 1)} if rounds were independent."
        + _fewer(few, len(comparisons)),
        f"Noise: {title} is also timed against itself. At the worst point its interval reaches "
        f"{percent(furthest, 1)} from 1. A line counts as faster or slower only where its interval "
        f"lies wholly outside that one; beyond {percent(NOISE_LIMIT - 1)} nothing is said.",
        f"Spread: intervals of the ratio are from {percent(min(widths), 1)} to "
        f"{percent(max(widths), 1)} wide; {min(rounds)} to {max(rounds)} rounds a point and line.",
        "Before it was timed, each line's states and outputs were held against those of "
        f"{title}, over the whole trajectory, within what rounding explains.",
        "Times per step of two lines are not from the same rounds: compare lines by their ratios. "
        "A distance to the floor is the quotient of two ratios.",
        "The means sum up these points; other sizes and other machines will differ.",
    )


def _fewer(few: Sequence[Comparison], count: int) -> str:
    if not few:
        return ""
    least = min(each.interval.coverage for each in few)
    return (
        f" {len(few)} of {plural(count, 'measurement')} are of slow calls and have fewer than "
        f"{FEWEST_ROUNDS} rounds; there it reaches from the lowest to the highest, which covers "
        f"{percent(least)} or more."
    )


def _facts(results: Results) -> tuple[tuple[str, str], ...]:
    threads = ", ".join(f"{name} {count}" for name, count in results.threads.items())
    return (
        *results.machine.items(),
        ("Threads, as read back", threads),
        ("Commit", results.commit),
        ("Date", results.date),
    )
