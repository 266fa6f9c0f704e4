"""The report's sentences: which sizes NumPy wins, by how much, why, and where others win."""

from collections.abc import Iterator, Sequence

from rnn_benchmarks.limit import Distance, mean_distance
from rnn_benchmarks.names import LIMIT, OURS
from rnn_benchmarks.ratios import Comparison, Verdict
from rnn_benchmarks.results import Results
from rnn_benchmarks.table import MICROSECONDS, by_title, label, mean, number, plural

NOTABLE = 1.05
SPELLINGS = {"mkl": "MKL", "openblas": "OpenBLAS"}


def findings(
    lines: Sequence[Comparison],
    floors: Sequence[Comparison],
    far: Sequence[Distance],
    results: Results,
) -> tuple[str, ...]:
    """What is to be read first, from `lines`, without the yardstick, whose own are `floors`."""
    if not lines:
        return (f"Only {results.yardstick_title} itself was measured.",)
    means = [f"{title} {number(mean(group))}" for title, group in by_title(lines).items()]
    ours = [each for each in lines if each.line == OURS]
    return (
        f"Speed against {results.yardstick_title}, with {threads(results)} for each line, "
        f"geometric mean over {plural(len(floors), 'point')}: {', '.join(means)}. "
        "(2 is twice as fast, 0.5 half as fast.)",
        *_where_we_win(ours, results),
        *_why(ours, lines, results),
        *_distance(far),
        *_where_others_win(ours, lines),
    )


def threads(results: Results) -> str:
    """The threads in force, in words."""
    counts = set(results.threads.values())
    return " or ".join(plural(count, "thread") for count in sorted(counts))


def _where_we_win(ours: Sequence[Comparison], results: Results) -> Iterator[str]:
    groups: dict[tuple[int, int], list[Comparison]] = {}
    for each in ours:
        groups.setdefault((each.point.H, each.point.B), []).append(each)
    if len(groups) < 2:
        return
    counts = {verdict: sum(each.verdict is verdict for each in ours) for verdict in Verdict}
    ordered = sorted(groups, key=lambda sizes: mean(groups[sizes]))
    ends = [f"H={H}, B={B} ({number(mean(groups[H, B]))})" for H, B in (ordered[-1], ordered[0])]
    noisy = counts[Verdict.NOISY]
    yield (
        f"{ours[0].title} is faster than {results.yardstick_title} at {counts[Verdict.FASTER]} of "
        f"{plural(len(ours), 'point')}, slower at {counts[Verdict.SLOWER]} and level at "
        f"{counts[Verdict.LEVEL]}{f'; at {noisy} noise forbids to say' * bool(noisy)}. By most at "
        f"{ends[0]}, by least at {ends[1]}."
    )


def _why(
    ours: Sequence[Comparison], lines: Sequence[Comparison], results: Results
) -> Iterator[str]:
    """What a step costs at both ends of the sizes, where the smaller is not arithmetic."""
    floor = {each.point: each for each in lines if each.line == LIMIT}
    both = sorted(
        (each for each in ours if each.point in floor),
        key=lambda each: each.point.B * each.point.H * (each.point.H + each.point.I),
    )
    if len(both) < 2:
        return
    small, large = both[0], both[-1]
    if floor[small.point].step.median * 2 > small.step.median:
        return

    def costs(each: Comparison) -> str:
        times = (each.yardstick_step, each.step, floor[each.point].step)
        yardstick, line, limit = (number(time.median * MICROSECONDS) for time in times)
        return (
            f"{results.yardstick_title} {yardstick} µs, {each.title} {line} µs and the C loop "
            f"{limit} µs"
        )

    blas = [
        SPELLINGS.get(name, name)
        for key in ("torch's BLAS", "NumPy's BLAS")
        for name in results.machine.get(key, "a BLAS").split()[:1]
    ]
    yield (
        f"Why: at {label(small.point)} a step takes {costs(small)}. What is computed is next to "
        "nothing; the time goes into getting there, call by call, and the loop with fewer calls "
        f"wins. At {label(large.point)} a step takes {costs(large)}: there it goes into "
        f"products, and {blas[0]}, which torch calls, stands against NumPy's {blas[1]}."
    )


def _distance(far: Sequence[Distance]) -> Iterator[str]:
    own = [each for each in far if each.line == OURS]
    if own:
        sizes = sorted({each.point.H for each in own})
        by_size = [
            f"{number(mean_distance(each for each in own if size == each.point.H))} at H={size}"
            for size in sizes
        ]
        yield (
            f"{own[0].title} takes {number(mean_distance(own))} times as long as a C loop over the "
            f"same BLAS and tanh ({', '.join(by_size)}), the fastest of several: so much is known "
            "to be left to gain without another BLAS."
        )


def _where_others_win(ours: Sequence[Comparison], lines: Sequence[Comparison]) -> Iterator[str]:
    """By line and batch size: wherever another is faster in the mean and at half of the points."""
    own = {each.point: each for each in ours}
    others = [each for each in lines if each.line not in (OURS, LIMIT) and each.point in own]
    if not others:
        return
    won = []
    for title, group in by_title(others).items():
        for B in sorted({each.point.B for each in group}):
            members = [each for each in group if each.point.B == B]
            factor = mean(members) / mean(own[each.point] for each in members)
            clear = [
                each
                for each in members
                if each.verdict is not Verdict.NOISY
                and each.interval.low > own[each.point].interval.high
            ]
            if factor > NOTABLE and 2 * len(clear) >= len(members):
                count = plural(len(members), "point")
                won.append(f"{title} at B={B} ({number(factor)} times as fast, {count})")
    if won:
        yield f"Others win: faster than {ours[0].title} are {'; '.join(won)}."
    else:
        yield f"No other line is clearly faster than {ours[0].title} at any batch size."
