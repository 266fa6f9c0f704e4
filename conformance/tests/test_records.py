"""Counting records, the verdict over them, and their way through JSON."""

import json
from dataclasses import fields, replace
from math import inf
from typing import Any

import pytest
from rnn_conformance import KnownFailure, Record, Report, check
from rnn_conformance.bounds.judgement import ErrorMap, Place
from rnn_conformance.checks.plan import with_known_failures
from rnn_conformance.checks.records import (
    PRECISION,
    Outcome,
    Tally,
    breached,
    by_check,
    by_clause,
    total,
)
from rnn_conformance.contract.call import HALF_DTYPES
from rnn_conformance.faces.terminal import verdict
from rnn_conformance.variants.every import MUTANTS

EVERY_FIELD = Record(
    id="readout[mine-case]",
    check="readout",
    clauses=("RNN-READ-1",),
    case="case",
    implementation="mine",
    outcome="failed",
    worst_share=12.5,
    bound="a bound",
    message='"quoted" über\nlines',
    reproduction="import numpy as np\nprint(1)",
    error_map=ErrorMap((3,), (0, 7), ((0.5, inf),)),
)


def record(check: str, outcome: Outcome, worst_share: float | None = None) -> Record:
    return Record(f"{check}[mine-case]", check, (), "case", "mine", outcome, worst_share)


def report(*records: Record, complete: bool = True) -> Report:
    return Report("mine", 3, {"numpy": "2.0"}, records, complete)


PASSED, FAILED, NOT_CLAIMED = (
    record("readout", "passed", 0.25),
    record("readout", "failed", 7.0),
    record("readout", "not_claimed"),
)


def test_records_are_counted_by_check_in_the_order_of_their_first() -> None:
    records = [
        record("b", "passed", 0.5),
        record("a", "not_claimed"),
        record("b", "failed", inf),
        record("a", "not_claimed"),
        record("c", "failed"),
        record("b", "passed", 0.75),
        record("c", "passed", 0.0),
    ]
    counted = by_check(records)
    assert list(counted.items()) == [
        ("b", Tally(passed=2, failed=1, known_failure=0, not_claimed=0, worst_share=inf)),
        ("a", Tally(passed=0, failed=0, known_failure=0, not_claimed=2, worst_share=None)),
        ("c", Tally(passed=1, failed=1, known_failure=0, not_claimed=0, worst_share=0.0)),
    ]
    assert [tally.run for tally in counted.values()] == [3, 0, 2]
    assert total(records) == Tally(3, 2, 0, 2, inf)
    assert by_check([]) == {}
    left_out = by_check(records, {"c": 5, "d": 6})
    assert [(check, tally.not_claimed) for check, tally in left_out.items()] == [
        ("b", 0), ("a", 2), ("c", 5), ("d", 6),
    ]  # fmt: skip


def test_records_are_counted_for_each_clause_that_they_hold() -> None:
    records = [
        replace(record("b", "passed", 0.5), clauses=("RNN-B-1", "RNN-A-1")),
        replace(record("a", "known_failure"), clauses=("RNN-A-1",)),
    ]
    assert list(by_clause(records).items()) == [
        ("RNN-A-1", Tally(1, 0, 1, 0, 0.5)),
        ("RNN-B-1", Tally(1, 0, 0, 0, 0.5)),
    ]


@pytest.mark.parametrize(("both", "blamed"), [(3, {"RNN-A-1"}), (4, {"RNN-A-1", "RNN-B-1"})])
def test_a_clause_of_which_all_fails_is_blamed_before_one_of_which_a_few_more_fail(
    both: int, blamed: set[str]
) -> None:
    """A fails in 6 of 8 records, B in each of its own: 6 (6/8)^2 is between 3 and 4."""
    a, of_both = ("RNN-A-1",), ("RNN-A-1", "RNN-B-1")
    records = [replace(record("a", "passed"), clauses=a)] * 2
    records += [replace(record("a", "failed"), clauses=a)] * (6 - both)
    records += [replace(record("b", "failed"), clauses=of_both)] * both
    assert breached(records) == blamed


@pytest.mark.parametrize(("asked", "blamed"), [(6, "RNN-A-1"), (7, PRECISION)])
def test_the_clause_of_every_number_is_blamed_after_others(asked: int, blamed: str) -> None:
    """All of its records fail, and 2 of those asked hold the other one: (2/6)^2 > 0.1 > (2/7)^2."""
    a = record("a", "passed"), record("a", "failed")
    records = [replace(a[0], clauses=("RNN-A-1",))] * (asked - 2)
    assert breached([*records, *[replace(a[1], clauses=("RNN-A-1", PRECISION))] * 2]) == {blamed}


def failing(wrong: type[Any]) -> set[str]:
    """The clauses that are blamed for a wrong layer."""
    layer = wrong()
    layer.claims -= {*HALF_DTYPES, "float64", "batch_first", "single"}
    records = check(layer, checks=BLAMING, diagnosed=False).records
    return {clause for clause, tally in by_clause(records).items() if tally.failed}


BLAMING = ("output", "final_state", "calls_are_independent", "split_and_carry", "directions_apart")


@pytest.mark.usefixtures("few_cases")
@pytest.mark.parametrize(
    ("name", "blamed"),
    [
        ("RecurrentWeightTransposed", {"RNN-CELL-1", "RNN-CELL-2"}),
        ("AlwaysRelu", {"RNN-CELL-1"}),
        ("StateOfLastCall", {"RNN-STATE-1", "RNN-CALL-1"}),
    ],
)
def test_no_clause_is_blamed_that_another_explains(name: str, blamed: set[str]) -> None:
    assert failing(MUTANTS[name].make) == blamed


def test_a_known_failure_that_passes_fails() -> None:
    known = [KnownFailure("b", "a reason", link="a link")]
    passes, fails = record("b", "passed", 0.5), record("b", "failed", 7.0)
    assert with_known_failures(passes, known).outcome == "failed"
    assert "is known to fail: a reason; a link" in with_known_failures(passes, known).message
    assert with_known_failures(fails, known).outcome == "known_failure"
    assert with_known_failures(fails, [KnownFailure("c", "another")]) == fails
    assert with_known_failures(fails, [KnownFailure("b", "another", "!ca*")]) == fails
    elsewhere = with_known_failures(fails, [KnownFailure("*", "another", "!x*")])
    assert elsewhere.outcome == "known_failure"
    assert with_known_failures(record("b", "not_claimed"), known).outcome == "not_claimed"
    assert report(record("a", "passed"), with_known_failures(fails, known)).conforms


@pytest.mark.parametrize(
    ("records", "executed", "failures", "conforms", "worst"),
    [
        ((), 0, 0, False, None),
        ((NOT_CLAIMED,), 0, 0, False, None),
        ((PASSED,), 1, 0, True, 0.25),
        ((PASSED, FAILED, NOT_CLAIMED), 2, 1, False, 7.0),
        ((record("a", "failed"),), 1, 1, False, None),
    ],
)
def test_a_report_conforms_if_something_ran_and_nothing_failed(
    records: tuple[Record, ...], executed: int, failures: int, conforms: bool, worst: float | None
) -> None:
    found = report(*records)
    assert (found.executed, len(found.failures)) == (executed, failures)
    assert (found.conforms, found.worst_share) == (conforms, worst)
    assert all(failure.outcome == "failed" for failure in found.failures)
    assert not report(*records, complete=False).conforms


@pytest.mark.parametrize(
    "changes",
    [
        *({"worst_share": share} for share in (None, 0.0, 0.1, 1e300, inf)),
        *({"first_outside": Place(1, 2, 3, 0.25, found, 1e-7)} for found in (0.5, inf, -inf)),
    ],
)
def test_a_record_comes_back_from_json_as_it_was(changes: dict[str, Any]) -> None:
    given = replace(EVERY_FIELD, **changes)
    text = json.dumps(given.to_json(), allow_nan=False)
    assert Record.from_json(json.loads(text)) == given


def test_json_has_every_field_of_a_record() -> None:
    assert EVERY_FIELD.to_json() == {
        **{field.name: getattr(EVERY_FIELD, field.name) for field in fields(Record)},
        "clauses": ["RNN-READ-1"],
        "error_map": {"steps": [3], "units": [0, 7], "shares": [[0.5, "inf"]]},
    }
    assert "error_map" not in replace(EVERY_FIELD, error_map=None).to_json()
    assert replace(EVERY_FIELD, worst_share=inf).to_json()["worst_share"] == "inf"


def test_json_of_a_report_says_what_comes_of_its_records() -> None:
    records = (PASSED, FAILED, NOT_CLAIMED)
    found = report(*records).to_json()
    assert found["records"] == [each.to_json() for each in records]
    assert (found["format"], found["executed"], found["failed"]) == (3, 2, 1)
    assert (found["conforms"], found["known_failures"], found["worst_share"]) == (False, 0, 0.25)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (report(PASSED), "mine conforms: 1 checks passed, the worst error is 0.25 of its bound."),
        (
            report(*[FAILED] * 5, record("a", "failed")),
            "mine DOES NOT CONFORM: 6 of 6 checks failed (2 shown; --json FILE keeps all).",
        ),
    ],
)
def test_the_verdict_is_one_sentence(found: Report, sentence: str) -> None:
    assert verdict(found) == sentence
