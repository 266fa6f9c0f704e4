"""`python -m rnn_benchmarks.compare old.json new.json`: what changed, as a Markdown table.

For information, never a verdict: the exit status is 0 whatever changed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_benchmarks.ratios import Comparison, compare
from rnn_benchmarks.results import Results, ResultsError, read_results
from rnn_benchmarks.table import Table, label, markdown_table, number, plural

BAD_INPUT = 2


@dataclass(frozen=True)
class Change:
    """A line at a point, in the older run and in the newer one."""

    old: Comparison
    new: Comparison

    @property
    def factor(self) -> float:
        """The newer ratio to the yardstick over the older one: above 1 the line got faster."""
        return self.new.ratio / self.old.ratio

    @property
    def is_shown(self) -> bool:
        """Whether the two intervals lie apart."""
        new, old = self.new.interval, self.old.interval
        return new.low > old.high or new.high < old.low


def changes(old: Results, new: Results) -> tuple[Change, ...]:
    """Every line and point that is in both runs, the yardstick itself left out."""
    before = {(each.point, each.line): each for each in compare(old)}
    return tuple(
        Change(before[each.point, each.line], each)
        for each in compare(new)
        if (each.point, each.line) in before and each.line != new.yardstick
    )


def write(old: Results, new: Results) -> str:
    """The comparison as Markdown, the largest change first."""
    both = changes(old, new)
    shown = sorted(
        (each for each in both if each.is_shown),
        key=lambda each: max(each.factor, 1 / each.factor),
        reverse=True,
    )
    faster = sum(each.factor > 1 for each in shown)
    blocks = [
        "## Speed against the last release",
        f"Of {plural(len(both), 'ratio')} to {new.yardstick_title} that both runs have, "
        f"{len(shown)} changed beyond both intervals: {faster} up (faster), "
        f"{len(shown) - faster} down. For information; machines and their noise differ.",
    ]
    blocks += [f"> {name}: {a}; now {b}" for name, a, b in _differences(old, new)]
    table = Table(
        heading="",
        remark="",
        columns=("Point", "Line", "Then", "Now", "Factor"),
        rows=tuple(
            (
                label(each.new.point),
                each.new.title,
                _ratio(each.old),
                _ratio(each.new),
                number(each.factor),
            )
            for each in shown
        ),
        text_columns=2,
    )
    blocks += [markdown_table(table)] if shown else []
    return "\n\n".join(blocks) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison; 0, or 2 with one line on standard error where a file is no results."""
    parser = argparse.ArgumentParser(
        prog="python -m rnn_benchmarks.compare",
        description="What changed between two runs of bench_loops.py, as Markdown.",
    )
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    options = parser.parse_args(arguments)
    try:
        text = write(read_results(options.old), read_results(options.new))
    except ResultsError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT
    sys.stdout.write(text)
    return 0


def _ratio(each: Comparison) -> str:
    return f"{number(each.ratio)} ({number(each.interval.low)} to {number(each.interval.high)})"


def _differences(old: Results, new: Results) -> list[tuple[str, str, str]]:
    """What of the two machines differs, beside what was measured."""
    return [
        (name, old.machine[name], value)
        for name, value in new.machine.items()
        if name in old.machine and old.machine[name] != value
    ]


if __name__ == "__main__":
    sys.exit(main())
