"""The heat of a check: where its errors lie, what is left out, and how it is drawn."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest
from rnn_conformance import Planned, plan
from rnn_conformance.findings import Heat
from rnn_conformance.heat import heat_of, worst_heat
from rnn_conformance.judgement import Judgement
from rnn_conformance.protocol import Array
from rnn_conformance.reports.heat_map import EDGES, WITHIN, class_of, draw
from rnn_conformance.reports.html import html

from .miniatures import MAIN, Miniature, Raising, at_step, in_part
from .report_samples import HEAT, Tags, right


def asked(implementation: Any, check: str, case: str = MAIN) -> Planned:
    (found,) = [i for i in plan(implementation, checks=[check]) if i.case.id == case]
    return found


def off_from(step: int, unit: int) -> Miniature:
    """One unit of row 1 is wrong from this step on."""

    def changed(states: Array) -> Array:
        states = states.copy()
        states[step:, 1, unit] += 1
        return states

    return in_part("hidden_states", changed)


def of_judgements(*judgements: Judgement) -> Planned:
    """A check that makes these, whatever the case."""

    def judge(subject: Any, case: Any) -> Iterator[Judgement]:
        return iter(judgements)

    item = asked(off_from(0, 0), "hidden_states")
    return replace(item, check=replace(item.check, judge=judge))  # type: ignore[type-var]


def of_shares(shares: Any, what: str = "made up", first_step: int = 0) -> Judgement:
    found = np.asarray(shares, float)
    return Judgement(what, np.zeros_like(found), found, 1.0, "made up", first_step)


def test_heat_shows_where_the_states_leave_their_bound() -> None:
    item = asked(off_from(4, 2), "hidden_states")
    heat = heat_of(item)
    assert heat is not None
    assert (heat.id, heat.what, heat.first_step) == (item.id, "hidden_states", 0)
    outside = np.asarray(heat.shares) > 1
    assert outside.shape == (heat.of_steps, heat.of_units) == (7, 4)
    assert np.argwhere(outside[:5]).tolist() == [[4, 2]]
    assert max(map(max, heat.shares)) == item.execute().worst_share
    assert heat.left_out == ""


def test_nothing_is_outside_in_a_right_result() -> None:
    heat = heat_of(asked("rnn_reference.BatchRNN", "hidden_states"))
    assert heat is not None
    assert 0 < max(map(max, heat.shares)) <= 1


@pytest.mark.parametrize(
    "item",
    [
        asked(Raising(ValueError("no")), "hidden_states"),
        asked(in_part("h_n", lambda _: None), "final_state"),
        asked(off_from(0, 0), "shape_and_dtype"),
    ],
    ids=["raises", "not given", "nothing compared"],
)
def test_there_is_no_heat_where_nothing_is_compared(item: Planned) -> None:
    assert heat_of(item) is None


def test_it_is_the_worst_over_the_rows_of_the_result_that_failed() -> None:
    one = of_shares([[[0.5, 0.9]]])
    two = of_shares([[[0.1, 1.5], [0.3, np.nan]], [[0.2, 0.0], [0.0, 0.4]]], "two", 5)
    three = of_shares([[[7.0]]])
    heat = heat_of(of_judgements(one, two, three))
    assert heat is not None
    assert (heat.what, heat.first_step, heat.shares) == ("two", 5, ((0.3, inf), (0.2, 0.4)))
    heat = heat_of(of_judgements(of_shares([[[0.2]]]), one))
    assert heat is not None
    assert heat.shares == ((0.5, 0.9),)


def test_of_a_large_result_a_part_is_kept() -> None:
    shares = np.zeros((1000, 2, 100))
    shares[600, 1, 90] = 3.0
    heat = heat_of(of_judgements(of_shares(shares, first_step=7)))
    assert heat is not None
    assert np.shape(heat.shares) == (200, 64)
    assert (heat.first_step, heat.first_unit) == (7 + 550, 36)
    assert heat.shares[600 + 7 - heat.first_step][90 - heat.first_unit] == 3.0
    assert heat.left_out == "Only 200 of 1000 steps and 64 of 100 units are shown."
    assert len(json.dumps(heat.to_json())) < 400_000


def test_the_worst_heat_is_of_a_failure_and_finite_if_it_can_be() -> None:
    for implementation, check in ((at_step(2, inf), "hidden_states"), (off_from(4, 2), None)):
        checks = ["hidden_states", "trajectory", "inputs_unchanged"]
        planned = [i for i in plan(implementation, checks=checks) if "-T7-" in i.case.id][:30]
        records = [item.execute() for item in planned]
        heat = worst_heat(planned, records)
        failures = {r.id: r.worst_share for r in records if r.outcome == "failed"}
        finite = [s for s in failures.values() if s is not None and s < inf]
        assert heat is not None
        assert failures[heat.id] == max(finite or [inf])
        assert check is None or heat.id.startswith(check)
    assert worst_heat([], []) is None
    item = of_judgements(of_shares([[[7.0]]]))  # a single step is no map
    assert worst_heat([item], [item.execute()]) is None


def test_heat_goes_into_json() -> None:
    assert json.loads(json.dumps(HEAT.to_json(), allow_nan=False)) == {
        "id": "hidden_states[a-b]",
        "what": "hidden_states",
        "first_step": 3,
        "first_unit": 1,
        "shares": [[0.0, 0.5], [1.0, "inf"], [1.1, 0.05]],
        "of_steps": 9,
        "of_units": 4,
    }
    assert HEAT.left_out == "Only 3 of 9 steps and 2 of 4 units are shown."


@pytest.mark.parametrize(
    ("share", "number"), [(0.0, 0), (0.03, 0), (1.0, WITHIN), (1.0000001, WITHIN + 1), (inf, 6)]
)
def test_a_share_of_1_is_still_within(share: float, number: int) -> None:
    assert class_of(share) == number


def test_every_number_has_its_box_in_its_class() -> None:
    drawing = draw(HEAT)
    wide, high = drawing.width // 3, drawing.height // 2
    boxes = {
        (int(x) // wide + i, int(y) // high): kind
        for kind, path in drawing.paths
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", path)
        for i in range(int(length) // wide)
    }
    assert boxes == {
        (t, unit): class_of(share)
        for t, row in enumerate(HEAT.shares)
        for unit, share in enumerate(row)
    }
    assert [label for _, label in drawing.units] == [1, 2]
    assert drawing.steps[0] == (1.5 * wide, 4)


@pytest.mark.parametrize(("T", "units"), [(1, 1), (200, 64), (200, 1), (1, 64), (37, 13)])
def test_a_map_of_any_size_fits_a_page(T: int, units: int) -> None:
    heat = Heat("a", "b", 0, 0, tuple(tuple([0.5] * units) for _ in range(T)), T, units)
    drawing = draw(heat)
    assert T * 3 <= drawing.width <= 720
    assert units * 6 <= drawing.height <= 480
    for labels, size in ((drawing.steps, drawing.width), (drawing.units, drawing.height)):
        assert all(0 < at < size for at, _ in labels)
        assert labels[0][1] == 0


def test_the_page_has_map_and_scale_and_marks_what_is_outside() -> None:
    page = html(replace(right(), heat=HEAT))
    found = Tags(page)
    fills = [value for name, value in found.attributes if name == "fill"]
    outside = len(EDGES) - WITHIN
    assert fills.count("url(#hatch)") == outside + 2  # in the scale, and two classes in the map
    assert {f"var(--heat-{kind})" for kind in range(len(EDGES) + 1)} <= set(fills)
    assert HEAT.left_out in " ".join(found.text.split())
    assert "1.0" in found.text
    assert "svg" not in Tags(html(replace(right(), heat=None))).tags
