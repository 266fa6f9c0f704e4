"""The verdict as a pytest module: `pytest --pyargs rnn_conformance --rnn-implementation NAME`."""

import pytest

from rnn_conformance.checks.plan import Planned
from rnn_conformance.faces.pytest_face import NoVerdict, judge


def test_conforms(rnn_check: Planned | NoVerdict, request: pytest.FixtureRequest) -> None:
    judge(rnn_check, request.node.user_properties)
