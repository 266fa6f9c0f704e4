"""The verdict on torch.nn.RNN, as `rnn-conformance check torch.nn.RNN` gives it."""

import pytest
from rnn_conformance import check
from rnn_conformance.faces.terminal import describe, first_failures, verdict


def test_torch_conforms() -> None:
    pytest.importorskip("torch")
    report = check("torch.nn.RNN")
    shown = "\n".join(map(describe, first_failures(report.records)))
    assert report.conforms, f"{verdict(report)}\n{shown}"
    assert report.executed > 7000
    known = [record for record in report.records if record.outcome == "known_failure"]
    assert {record.check for record in known} == {"wrong_rows_refused", "lengths_refused"}
