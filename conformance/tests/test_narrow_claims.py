"""Narrow claims starve nothing: each bug that they can show is caught, right layers pass.

`python conformance/tests/test_narrow_claims.py FIRST LAST RIGHT [CELL] [gradients]` tries every
bug, and so many of the right layers in turn, on random sets of claims, of the seeds from FIRST to
LAST, and prints what is missed or rejected. CELL is tanh and relu, or a gated one. With
"gradients", these are claimed too, and the bugs and right layers are those of gradients.
"""

import sys
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from rnn_conformance.checks.plan import plan
from rnn_conformance.contract.call import DTYPES, GRADIENTS, LAYOUTS, NONLINEARITIES, OPTIONS
from rnn_conformance.run.score import fails_somewhere
from rnn_conformance.run.verdict import check
from rnn_conformance.variants.every import HEALTHY, MUTANTS, known_bugs

BUGS_OF_A_SET = 20
SOME = ("final_state", "output")  # of a gated cell, where all take a minute


def claims(rng: np.random.Generator, cells: Sequence[str] = NONLINEARITIES) -> frozenset[str]:
    """A random set of claims with batches in it, dropout apart."""

    def some(values: Iterable[str]) -> set[str]:
        drawn = rng.permutation(list(values))
        return set(map(str, drawn[: rng.integers(1, len(drawn) + 1)]))

    chosen = some(DTYPES) | some(LAYOUTS) | some(cells)
    chosen |= {option for option in OPTIONS if rng.random() < 0.4} - {"dropout"}
    return frozenset(chosen | some(("time_first", "batch_first")))


def shown(claimed: frozenset[str]) -> list[str]:
    """The bugs of the claimed cells that these claims can show; of gradients alone, if claimed."""
    bugs = [bug for bug in known_bugs(claimed) if bug.needs <= claimed]
    return [bug.name for bug in bugs if GRADIENTS in bug.needs or GRADIENTS not in claimed]


def caught(name: str, claimed: frozenset[str]) -> bool:
    mutant = MUTANTS[name]
    for checks in ([mutant.caught_by], None):
        wrong = mutant.make()
        wrong.claims = claimed
        if fails_somewhere(plan(wrong, checks=checks)):
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "cells"),
    [*((seed, NONLINEARITIES) for seed in range(6)), (6, ("lstm",)), (7, ("gru",))],
)
def test_every_bug_that_the_claims_can_show_is_caught(seed: int, cells: Sequence[str]) -> None:
    rng = np.random.default_rng(seed)
    claimed = claims(rng, cells)
    drawn = rng.permutation([*shown(claimed)])[:BUGS_OF_A_SET]
    assert [str(name) for name in drawn if not caught(str(name), claimed)] == [], sorted(claimed)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "cells"), [(8, NONLINEARITIES), (9, ("lstm",))])
def test_every_bug_of_gradients_that_the_claims_can_show_is_caught(
    seed: int, cells: Sequence[str]
) -> None:
    rng = np.random.default_rng(seed)
    claimed = claims(rng, cells) | {GRADIENTS}
    drawn = rng.permutation([*shown(claimed)])[:BUGS_OF_A_SET]
    assert [str(name) for name in drawn if not caught(str(name), claimed)] == [], sorted(claimed)


@pytest.mark.parametrize(
    ("seed", "cell"),
    [
        (0, ""),
        (1, ""),
        pytest.param(2, "lstm", marks=[pytest.mark.slow, pytest.mark.weekly]),
        (3, "gru"),
    ],
)
def test_a_right_layer_conforms_with_narrow_claims(
    seed: int, cell: str, record_property: Callable[[str, object], None]
) -> None:
    name = f"FusedProduct ({cell})" if cell else "FusedProduct"
    right = HEALTHY[name]()
    right.claims = claims(np.random.default_rng(seed), (cell,) if cell else NONLINEARITIES)
    report = check(right, checks=SOME if cell else None, diagnosed=False)
    assert report.conforms, report.in_vain
    record_property("healthy implementation accepted", name)


def test_a_state_kept_between_calls_is_seen_with_the_narrowest_claims() -> None:
    assert caught("StateOfLastCall", frozenset(("float64", "time_first", "tanh")))


def main(first: str, last: str, turns: str, *others: str) -> None:
    """A line for each set, with its claims where something is wrong."""
    also = {*others} & {GRADIENTS}
    cells, of_right = [*{*others} - also] or NONLINEARITIES, int(turns)
    names = [n for n, made in HEALTHY.items() if made.claims & {*cells} and also <= made.claims]
    for seed in range(int(first), int(last) + 1):
        claimed = claims(np.random.default_rng(seed), cells) | also
        bugs = [*shown(claimed)]
        missed = [name for name in bugs if not caught(name, claimed)]
        rejected = []
        for turn in range(of_right):
            name = names[(seed * of_right + turn) % len(names)]
            right = HEALTHY[name]()
            right.claims = claimed
            if not check(right, diagnosed=False).conforms:
                rejected.append(name)
        wrong = (missed, rejected, sorted(claimed)) if missed or rejected else ""
        line = f"{seed}: {len(bugs) - len(missed)} of {len(bugs)} caught {wrong}"
        sys.stdout.write(f"{line.strip()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        main(*sys.argv[1:])
