"""What a report says to people, whatever it is written in."""

import json
from dataclasses import replace

from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.records import by_clause
from rnn_conformance.faces.reports.badge import badge
from rnn_conformance.faces.reports.content import (
    by_clause_in_order,
    command,
    extent,
    findings,
    headline,
    overall,
)
from rnn_conformance.faces.reports.specification import clauses, clauses_in

from .report_samples import SOME, interrupted, known, right, wrong


def test_a_clause_is_read_with_its_sentence() -> None:
    text = "## Title\n\n**RNN-A-1** One `x`\nand two.\n\nBetween.\n\n**RNN-B-12** Last."
    assert clauses_in(text) == {"RNN-A-1": "One `x` and two.", "RNN-B-12": "Last."}
    assert clauses()["RNN-STATE-1"] == "An omitted `h_0` is zeros."
    assert next(iter(clauses())) == "RNN-CELL-1"
    assert len(clauses()) > 30


def test_clauses_stand_in_the_order_of_the_specification() -> None:
    found = by_clause_in_order(right())
    assert list(found) == [name for name in clauses() if name in found]
    recorded = by_clause(right().records)
    assert {name: found[name] for name in recorded} == recorded
    assert {found[name].run for name in found if name not in recorded} == {0}
    (record, *_) = right().records
    unknown = replace(
        right(), records=(replace(record, clauses=("RNN-A-9", "RNN-CELL-1")),), not_claimed={}
    )
    assert list(by_clause_in_order(unknown)) == ["RNN-CELL-1", "RNN-A-9"]


def test_findings_are_the_first_failure_of_each_check() -> None:
    found = findings(wrong())
    assert [each.check for each in found] == ["output"]
    first = found[0]
    assert first.record == wrong().failures[0]
    assert first.failing == sum(r.check == "output" for r in wrong().failures)
    assert first.diagnosis == wrong().diagnosis
    assert findings(right()) == []
    assert findings(wrong(), clause="RNN-READ-1") == []
    assert [each.check for each in findings(known(), "known_failure")] == ["lengths_refused"]


def test_the_command_repeats_the_run() -> None:
    named = command(right())
    assert named == (
        "rnn-conformance check rnn_reference.BatchRNN --seed 0 --check output "
        "--check readout --check single_equals_column"
    )
    assert command(replace(right(), implementation="a b;c.py:f", records=(), not_claimed={})) == (
        "rnn-conformance check 'a b;c.py:f' --seed 0"
    )
    asked = list(dict.fromkeys(record.check for record in wrong().records))
    assert {*asked} == {*SOME}
    assert command(wrong()).splitlines()[1:] == [
        "implementation = ...  # what was judged as RecurrentWeightTransposed",
        f"rnn_conformance.check(implementation, seed=0, checks={asked})",
    ]
    assert "--check" not in command(interrupted())
    assert command(replace(right(), command="rnn-conformance check x")) == "rnn-conformance check x"


def test_what_was_never_asked_for_leaves_no_verdict() -> None:
    report = replace(right(), in_vain=("bidirectional",))
    assert overall(report) == "not judged"
    assert (
        headline(report) == "could not be judged: something is declared that was never asked for."
    )


def test_how_much_was_asked() -> None:
    assert extent(right()) == f"2 of {len(CHECKS)} checks"
    assert extent(known()) == f"1 of {len(CHECKS)} checks"
    assert extent(replace(right(), records=(), not_claimed={})) == f"0 of {len(CHECKS)} checks"
    assert json.loads(json.dumps(badge(right()))) == badge(right())
