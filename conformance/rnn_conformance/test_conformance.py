"""The verdict as a pytest module: `pytest --pyargs rnn_conformance --rnn-implementation NAME`."""

from collections.abc import Callable

from rnn_conformance.pytest_face import NoVerdict, judge
from rnn_conformance.run import Planned


def test_conforms(
    rnn_check: Planned | NoVerdict, record_property: Callable[[str, object], None]
) -> None:
    judge(rnn_check, record_property)
