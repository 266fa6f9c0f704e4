"""Checks of dropout, judged by what can be judged of a random thing.

The docstring of a check is its title, and then advice for whoever fails it.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_conformance.certificate import Precision
from rnn_conformance.judgement import Judgement
from rnn_conformance.layer.cases import LayerCase, LayerData
from rnn_conformance.layer.conduct import usual
from rnn_conformance.layer.expected import whole
from rnn_conformance.layer.registry import check, relational
from rnn_conformance.layer.relations import same
from rnn_conformance.layer.subject import LayerSubject, ordered
from rnn_conformance.protocol import Array
from rnn_conformance.subject import Violation

P = 0.25
SIGMAS = 6


@check("RNN-DROP-1", applies=lambda c: relational(c) and c.L > 1, needs=("dropout",))
def dropout_off_in_evaluation(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """In evaluation, a layer with dropout computes what it does without."""
    data = case.data()
    with_dropout = replace(data, options=replace(data.options, dropout=0.5))
    yield from same(case, subject.result(case), subject.run(with_dropout, case.layout))


@check("RNN-DROP-2", applies=lambda c: usual(c) and c.L > 1, needs=("dropout", "relu"))
def dropout_between_layers(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """In training, a share p of what a layer hands on is zero, the rest is scaled by 1 / (1 - p).

    Two layers are built to show it: the first gives ones, the second hands on what it reads. The
    share of zeros may be six standard deviations off.
    """
    output = _training(subject, _show_the_mask(case), case)
    kept = 1 / (1 - P)
    expected = np.where(output == 0, 0, kept)
    bound = np.full(output.shape, 8 * np.finfo(output.dtype).eps * kept)
    yield Judgement("output", expected, output, bound, "zero, or 1 / (1 - p) and a few roundings")
    share, n = np.mean(output == 0), output.size
    limit = SIGMAS * np.sqrt(P * (1 - P) / n)
    one = np.full((1, 1, 1), share)
    reason = f"{SIGMAS} standard deviations of the mean of {n} draws"
    yield Judgement("share of zeros", np.full((1, 1, 1), P), one, limit, reason)
    if np.array_equal(output, _training(subject, _show_the_mask(case), case)):
        raise Violation("output: expected another mask in another call, got the same")


@check("RNN-DROP-2", applies=lambda c: relational(c) and c.L == 1, needs=("dropout",))
def dropout_not_on_the_inputs(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """In training, a single layer drops nothing: its inputs come from no layer."""
    data = case.data()
    data = replace(data, options=replace(data.options, dropout=0.5))
    call = replace(data.call(case.layout), training=True)
    found = ordered(subject.answer(call), data, case.layout)
    yield from same(case, subject.result(case), found)


@check("RNN-DROP-3", applies=lambda c: usual(c) and c.L > 1, needs=("dropout",))
def dropout_not_after_the_last_layer(subject: LayerSubject, case: LayerCase) -> Iterator[Judgement]:
    """Dropout never touches what the last layer gives.

    The last layer here does not look at what it reads: dropout between layers does not show.
    """
    data = case.data()
    blind = {
        name: np.zeros_like(value) if name.startswith(f"weight_ih_l{case.L - 1}") else value
        for name, value in data.weights.items()
    }
    data = replace(data, weights=blind, options=replace(data.options, dropout=0.5))
    in_training = ordered(
        subject.answer(replace(data.call(case.layout), training=True)), data, case.layout
    )
    limit = whole(data, Precision.of(case.dtype))
    yield Judgement("output", limit.output, in_training.output, limit.output_bound, limit.reason)


def _training(subject: LayerSubject, data: LayerData, case: LayerCase) -> Array:
    call = replace(data.call(case.layout), training=True)
    return ordered(subject.answer(call), data, case.layout).output


def _show_the_mask(case: LayerCase) -> LayerData:
    """Two layers of relu, 40 units: the first gives ones, the second its own inputs again."""
    H = 40
    options = replace(case.options, num_layers=2, hidden_size=H, nonlinearity="relu", dropout=P)
    data = case.data()
    weights: dict[str, Array] = {
        name: np.zeros(shape, case.dtype) for name, shape in options.weight_shapes().items()
    }
    for name, value in weights.items():
        if name.startswith("bias_ih_l0"):
            value[...] = 1
        elif name.startswith("weight_ih_l1"):
            value[:, :H] = np.eye(H)
    return replace(data, options=options, weights=weights, h_0=None, lengths=None)
