"""What the suite asks of any implementation, it asks of the reference, beside `torch.nn.RNN`.

Both conform, so with every option they agree to within their bounds. That each check sees what it
is for is shown by the suite's own wrong implementations.
"""

import pytest
from rnn_conformance import check
from rnn_conformance.sources.adapters.reference import BATCH, SINGLE, ReferenceLayer

LONG = [pytest.mark.slow, pytest.mark.weekly]
LAYER = pytest.param(ReferenceLayer(), id="rnn_reference.RNN", marks=LONG)


@pytest.mark.parametrize("implementation", [SINGLE, BATCH, LAYER], ids=lambda i: i.name)
def test_the_reference_conforms(implementation: object) -> None:
    """Values, options, lengths, layouts, dropout, memory, earlier calls, threads, wrong sizes."""
    report = check(implementation, diagnosed=False)
    assert report.conforms
    assert report.executed > 1000
