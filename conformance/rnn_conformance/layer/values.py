"""Checks of values: what a layer computes, number by number.

The docstring of a check is its title, and then advice for whoever fails it.
"""

from collections.abc import Iterator

from rnn_conformance.judgement import Judgement
from rnn_conformance.layer import expected
from rnn_conformance.layer.cases import LayerCase
from rnn_conformance.layer.registry import check
from rnn_conformance.layer.subject import LayerSubject, expected_shapes, ordered
from rnn_conformance.subject import in_the_dtype


@check("RNN-SHAPE-1", "RNN-SHAPE-2")
def layer_shape_and_dtype(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """Output and h_n have the documented shape and the dtype of the input.

    h_n keeps the batch second, whatever batch_first says; a missing axis of size 1 is a squeeze()
    without an axis.
    """
    data, answer = case.data(), subject.raw(case)
    ordered(answer, data, case.layout)
    for name, shape in expected_shapes(data, case.layout).items():
        in_the_dtype(f"{name} {shape}", getattr(answer, name), case.dtype)
    return iter(())


@check(
    "RNN-CELL-1", "RNN-CELL-2", "RNN-CELL-3", "RNN-STATE-1", "RNN-DIR-1", "RNN-DIR-2",
    "RNN-LAYER-1", "RNN-LAYER-2", "RNN-LAYOUT-1", "RNN-LAYOUT-2", "RNN-LEN-3",
    "RNN-LEN-4", "RNN-PREC-1",
)  # fmt: skip
def layer_output(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """Every number of the output is right: step by step for one layer, as a whole for several.

    Which cases fail tells where to look: only those with `relu`, `bidirectional`, L above 1,
    `unsorted` lengths, `no_bias`, one layout, or one kind of h0.
    """
    yield next(expected.judge(expectation(subject, case), subject.result(case)))


@check("RNN-STATE-2", "RNN-STATE-3", "RNN-LEN-2")
def layer_h_n(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """h_n holds the last state of every layer and direction, in that order.

    The last state of the reverse direction is the one at step 0; with lengths, that of the forward
    direction is at the row's own last step.
    """
    _, h_n = expected.judge(expectation(subject, case), subject.result(case))
    yield h_n


def expectation(subject: LayerSubject, case: LayerCase) -> expected.Expectation:
    """From the layer's own states where all of them show, else the reference's results."""
    if case.L == 1:
        return expected.from_own_states(case, subject.result(case))
    return expected.as_a_whole(case)
