"""Which cases a check is for, each condition at its edge, and which process asks it."""

from dataclasses import replace

import pytest
from rnn_conformance.cases.case import Case
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.plan import Planned, shares
from rnn_conformance.checks.registry import Condition, relational, usual, usual_or_short
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import FEATURES
from rnn_conformance.variants.healthy import Plain

CASE = Case()
DEEP = Case(L=2, lengths="unsorted", bidirectional=True)
NORMAL, HALF, DOUBLE = (
    replace(CASE, weights="normal"),
    replace(CASE, dtype="bfloat16"),
    replace(CASE, dtype="float64"),
)
RAGGED, TWO = replace(CASE, lengths="unsorted"), replace(CASE, L=2)
SINGLE, BATCH_FIRST = replace(CASE, layout="single", B=1), replace(CASE, layout="batch_first")
RELU, BOTH = replace(CASE, cell="relu"), replace(CASE, bidirectional=True)
BACK = replace(CASE, reverse=True)
MODERATE = replace(CASE, weights="moderate")
MARKED = Case(T=2, B=2, weights="marked", loss="all")
SMALL = Case(T=2, B=2, I=2, H=2, L=2)
WIDE_READOUT = replace(SMALL, O=2)

# Of each check, cases that it is for, and cases that it is not for.
FOR: dict[str, tuple[list[Case], list[Case]]] = {
    "readout": ([replace(CASE, O=1)], [CASE]),
    "trajectory": ([CASE, BOTH], [TWO, NORMAL, HALF]),
    "systematic_error": (
        [MODERATE, replace(MODERATE, dtype="float64")],
        [CASE, replace(MODERATE, drawn=True), replace(MODERATE, dtype="float16")],
    ),
    "split_and_carry": (
        [replace(CASE, T=2), TWO],
        [replace(CASE, T=1), BOTH, BACK, RAGGED, NORMAL],
    ),
    "chain_of_layers": ([TWO, DEEP], [CASE, replace(TWO, weights="normal")]),
    "directions_apart": ([BOTH, BACK], [CASE, replace(BOTH, L=2), replace(BOTH, weights="normal")]),
    "rows_permuted": ([replace(CASE, B=2)], [replace(CASE, B=1), NORMAL, HALF]),
    "units_permuted": ([replace(CASE, H=2)], [replace(CASE, H=1), NORMAL]),
    "negated": ([CASE], [RELU, NORMAL]),
    "padding_added": ([RAGGED], [CASE]),
    "powers_of_two": ([CASE, DEEP], [NORMAL, HALF]),
    "union_of_two": ([CASE, BOTH], [TWO]),
    "options_matter": (
        [CASE, replace(CASE, T=8)],
        [
            NORMAL,
            RELU,
            replace(CASE, bias="off"),
            replace(CASE, h_0="zeros"),
            replace(CASE, bias="zeros", h_0="zeros"),
        ],
    ),
    "single_equals_column": ([CASE, TWO], [RAGGED, BATCH_FIRST, SINGLE]),
    "batch_first_equals_time_first": ([BATCH_FIRST], [CASE, SINGLE]),
    "omitted_h_0_is_zeros": ([CASE], [NORMAL]),
    "memory_layouts": ([CASE, RAGGED], [replace(RAGGED, padding_nan=True), NORMAL]),
    "calls_are_independent": ([NORMAL, TWO, HALF], [replace(TWO, weights="normal")]),
    "changes_in_place_are_seen": ([NORMAL, TWO, HALF], [replace(TWO, weights="normal")]),
    "repeatable": ([CASE, DOUBLE], [NORMAL, HALF]),
    "threads": ([CASE, DOUBLE], [NORMAL, HALF]),
    "large_preactivations": ([CASE, DEEP], [NORMAL]),
    "nan_is_propagated": ([CASE, NORMAL], [TWO, HALF]),
    "infinities_are_kept": ([CASE, RELU], [TWO, NORMAL]),
    "wrong_inputs_refused": (
        [SMALL, WIDE_READOUT, replace(SMALL, layout="single", B=1)],
        [*(replace(SMALL, **{size: 1}) for size in "BIHOL"), replace(SMALL, h_0="none")],  # type: ignore[arg-type]
    ),
    "wrong_states_refused": ([SMALL], [replace(SMALL, h_0="none"), replace(SMALL, L=1)]),
    "wrong_rows_refused": ([SMALL], [replace(SMALL, h_0="none"), replace(SMALL, B=1)]),
    "wrong_weights_refused": ([SMALL], [replace(SMALL, H=1), replace(SMALL, L=1)]),
    "lengths_refused": ([replace(RAGGED, B=2, lengths="equal")], [replace(RAGGED, B=1), CASE]),
    "no_steps_refused": ([CASE, SINGLE], [RAGGED]),
    "no_steps_give_h_0": ([CASE, SINGLE], [RAGGED]),
    "no_rows_refused": ([CASE, BATCH_FIRST], [RAGGED, SINGLE]),
    "no_rows_give_none": ([CASE, BATCH_FIRST], [RAGGED, SINGLE]),
    "length_0_refused": (
        [replace(RAGGED, B=2)],
        [replace(RAGGED, B=1), replace(RAGGED, lengths="sorted"), replace(RAGGED, dtype="float64")],
    ),
    "length_0_gives_h_0": ([RAGGED], [CASE, replace(RAGGED, weights="normal")]),
    "padding_is_zero": ([RAGGED, replace(RAGGED, lengths="equal")], [CASE]),
    "dropout_off_in_evaluation": ([TWO], [CASE]),
    "training_without_dropout": ([CASE, TWO], [NORMAL, HALF]),
    "dropout_between_layers": (
        [TWO, DEEP],
        [CASE, *(replace(TWO, **{size: 2}) for size in "TIH"), replace(TWO, weights="normal")],  # type: ignore[arg-type]
    ),
    "dropout_not_on_the_inputs": ([CASE], [TWO, NORMAL]),
    "dropout_not_after_the_last_layer": ([TWO], [CASE, replace(TWO, T=8)]),
    "gradient_of_steps": (
        [MARKED, replace(MARKED, weights="passing")],
        [replace(MARKED, loss="none"), replace(MARKED, weights="contractive")],
    ),
    "gradient_of_weights": ([MARKED, replace(TWO, loss="h_n")], [CASE]),
    "gradient_of_inputs": ([MARKED, replace(TWO, loss="h_n")], [CASE]),
    "gradient_of_states": ([MARKED], [CASE, replace(MARKED, h_0="none")]),
    "gradient_of_large_losses": (
        [replace(TWO, loss="all")],
        [MARKED, *(replace(TWO, loss=loss) for loss in ("none", "h_n"))],
    ),
    "gradients_in_training": (
        [replace(TWO, loss="all")],
        [MARKED, replace(TWO, loss="h_n"), CASE],
    ),
    "gradients_from_memory_layouts": (
        [replace(TWO, loss="all")],
        [MARKED, replace(TWO, loss="h_n"), CASE],
    ),
    "gradients_of_calls": ([MARKED], [CASE, replace(MARKED, loss="none")]),
}
EVERYWHERE = {
    "shape_and_dtype",
    "output",
    "final_state",
    "inputs_unchanged",
    "earlier_results_kept",
}


def test_every_check_is_listed() -> None:
    assert {*FOR} | EVERYWHERE == {*CHECKS}


@pytest.mark.parametrize("name", FOR)
def test_cases_that_a_check_is_for(name: str) -> None:
    fit, unfit = FOR[name]
    presumes = CHECKS[name].presumes
    assert [case.id for case in fit if not presumes(case, FEATURES)] == []
    assert [case.id for case in unfit if presumes(case, FEATURES)] == []


def test_what_is_claimed_decides_too() -> None:
    split, refused = CHECKS["split_and_carry"].presumes, CHECKS["wrong_inputs_refused"].presumes
    assert not split(TWO, FEATURES - {"h_n"})
    assert split(CASE, FEATURES - {"h_n"})
    assert refused(replace(SMALL, h_0="none"), FEATURES - {"h_0"})
    assert refused(replace(SMALL, L=1), FEATURES - {"layers"})
    assert not refused(SMALL, FEATURES - {"layers"})
    lengths = CHECKS["length_0_refused"].presumes
    assert lengths(replace(RAGGED, dtype="float64"), FEATURES - {"float32"})


def short(T: int, B: int = 64) -> Case:
    """Of a size other than the usual, in the layout whose turn it is: T + I + H is 2 mod 3."""
    return Case(T, B, 3, 4, weights="normal", layout="batch_first")


SHORT_RELU = replace(short(49), cell="relu", weights="contractive")
AMONG: list[tuple[Condition, Case, frozenset[str], bool]] = [
    (relational, CASE, FEATURES, True),
    (relational, TWO, FEATURES, True),
    (relational, DOUBLE, FEATURES, True),
    *((relational, replace(CASE, **{size: 2}), FEATURES, False) for size in "TIH"),  # type: ignore[arg-type]
    (relational, replace(CASE, bias="zeros"), FEATURES, False),
    (relational, replace(CASE, h_0="zeros"), FEATURES, False),
    (relational, replace(CASE, h_0="none"), FEATURES, False),
    (relational, replace(CASE, h_0="none"), FEATURES - {"h_0"}, True),
    (relational, NORMAL, FEATURES, False),
    (relational, HALF, FEATURES, False),
    (relational, replace(RAGGED, padding_nan=True), FEATURES, False),
    (usual, CASE, FEATURES, True),
    (usual, DOUBLE, FEATURES, False),
    (usual, DOUBLE, FEATURES - {"float32"}, True),
    (usual, RELU, FEATURES, False),
    (usual, RELU, FEATURES - {"tanh"}, True),
    (usual, replace(CASE, T=8), FEATURES, False),
    (usual_or_short, CASE, FEATURES, True),
    (usual_or_short, short(49), FEATURES, True),
    (usual_or_short, short(52), FEATURES, False),
    (usual_or_short, short(49, 65), FEATURES, False),
    (usual_or_short, replace(short(50), layout="single", B=1), FEATURES, True),
    (usual_or_short, replace(short(49), layout="time_first"), FEATURES, False),
    (usual_or_short, replace(short(49), dtype="float64"), FEATURES, False),
    (usual_or_short, replace(short(48), dtype="float64"), FEATURES, True),
    (usual_or_short, replace(short(49), L=2), FEATURES, False),
    (usual_or_short, replace(short(49), weights="contractive"), FEATURES, False),
    (usual_or_short, SHORT_RELU, FEATURES - {"tanh"}, True),
    (usual_or_short, replace(short(49), dtype="float16"), FEATURES, False),
]


@pytest.mark.parametrize(("among", "case", "claimed", "asked"), AMONG)
def test_cases_among_which_a_check_is_asked(
    among: Condition, case: Case, claimed: frozenset[str], asked: bool
) -> None:
    assert among(case, claimed) is asked


def test_in_random_cases_a_check_is_asked_wherever_it_must_hold_or_in_a_share() -> None:
    drawn = [replace(CASE, drawn=True, T=T) for T in range(2, 1202)]
    assert all(CHECKS["output"].asked(case, FEATURES) for case in drawn)
    share = sum(CHECKS["repeatable"].asked(case, FEATURES) for case in drawn) / len(drawn)
    assert 1 / 48 < share < 1 / 12
    assert not any(CHECKS["chain_of_layers"].asked(case, FEATURES) for case in drawn)


def test_processes_get_as_much_work_as_others_and_all_layouts_of_a_case() -> None:
    """By hand: 100 and the steps of all layers for each check; 600, then 150 + 140 + 112 + 350."""
    deep = Case(T=100, L=2)
    cases = [deep, *(Case(T=T) for T in (50, 40, 12, 250, 7)), replace(deep, layout="batch_first")]
    planned = [Planned(Subject(Plain()), CHECKS["output"], case) for case in cases]
    assert shares(planned, 2) == (0, 1, 1, 1, 1, 0, 0)
    assert shares(planned, 1) == (0,) * len(cases)
