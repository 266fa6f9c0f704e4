"""The adapter of ncnn, which comes with an extra."""

from typing import Any

import numpy as np
import pytest
from rnn_conformance import check, load
from rnn_conformance.cases.case import Case
from rnn_conformance.variants.recurrence import Recurrence

pytest.importorskip("ncnn", reason="the extra ncnn is not installed")

NAME = "rnn_conformance.sources.adapters.ncnn_rnn:NcnnLayer"


@pytest.mark.parametrize(
    "case",
    [
        Case(B=1, layout="single"),
        Case(B=1, layout="single", L=3, bidirectional=True),
        Case(B=1, layout="single", L=2, bias="off", h_0="none"),
        *(
            case
            for cell in ("lstm", "gru")
            for case in (
                Case(B=1, layout="single", cell=cell, L=3, bidirectional=True),
                Case(B=1, layout="single", cell=cell, bias="off", h_0="none"),
            )
        ),
    ],
    ids=lambda case: case.id,
)
def test_ncnn_computes_what_the_reference_does(case: Case) -> None:
    layer: Any = load(NAME)
    call = case.call()
    found = layer.run(call)
    expected = Recurrence().run(call)
    for name in ("output", *(f"{part}_n" for part in call.options.parts)):
        wanted, got = getattr(expected, name), getattr(found, name)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5, strict=True)


def test_what_ncnn_does_not_take_is_an_error() -> None:
    layer: Any = load(NAME)
    case = Case(T=0, B=1, layout="single")
    with pytest.raises(RuntimeError, match=r": expected ncnn to return 0, got -\d+"):
        layer.run(case.call())


def test_ncnn_keeps_calls_apart() -> None:
    asked = ["memory_layouts", "threads", "no_steps_refused"]
    report = check(NAME, checks=asked)
    assert report.conforms
    assert {record.check for record in report.records} == {*asked}
