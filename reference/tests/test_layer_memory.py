"""Whose memory it is with `RNN`: nothing given is written to, nothing returned is shared."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from rnn_reference import RNN
from rnn_reference.weights import Array

from .drawn import bits
from .layer_cases import LENGTHS, drawn_batch, drawn_layers
from .test_layer import bytes_of
from .test_memory import LAYOUTS, read_only, reversed_strides

FORMS = [
    dict(zip(("batch_first", "bidirectional", "lengths", "one", "h_0"), values, strict=True))
    for values in product((False, True), repeat=5)
    if not (values[2] and values[3])  # one sequence has no lengths
]


def form_id(form: dict[str, bool]) -> str:
    return "-".join(name for name, there in form.items() if there) or "plain"


def arguments(form: dict[str, bool]) -> tuple[RNN, dict[str, Any]]:
    """A model of one or two directions, and what it is called with."""
    options = {name: form[name] for name in ("batch_first", "bidirectional")}
    model = drawn_layers(num_layers=2, dropout=0.5, **options)
    inputs, h_0 = drawn_batch(model)
    if form["one"]:
        inputs, h_0 = inputs[:, 0].copy(), h_0[:, 0].copy()
    elif form["batch_first"]:
        inputs = np.ascontiguousarray(inputs.swapaxes(0, 1))
    given = {"inputs": inputs, "h_0": h_0, "lengths": LENGTHS.copy()}
    return model, {name: a for name, a in given.items() if name == "inputs" or form[name]}


@pytest.mark.parametrize("form", FORMS, ids=form_id)
def test_results_are_independent(form: dict[str, bool]) -> None:
    """To overwrite a result changes no other result, argument, weight or later call."""
    model, given = arguments(form)
    results = dict(zip(("output", "h_n"), model.forward(**given), strict=True))
    before, right = bits(given | model.weights), bits(results)
    for name, array in results.items():
        kept = array.copy()
        array[...] = 7
        again = dict(zip(("output", "h_n"), model.forward(**given), strict=True))
        assert (bits(given | model.weights), bits(again)) == (before, right), name
        assert bits(results | {name: kept}) == right, name
        array[...] = kept
    for array in given.values():
        array[...] = 1
    assert bits(results) == right


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout: Callable[[Array], Array]) -> None:
    """Any strides are read rightly, for weights, inputs, h_0 and lengths; none is written to."""
    for form in FORMS:
        model, plain = arguments(form)
        given: dict[str, Any] = {
            name: layout(a.copy()) for name, a in plain.items() if name != "lengths"
        }
        if "lengths" in plain:
            given["lengths"] = read_only(reversed_strides(plain["lengths"]))
        weights = {name: layout(value) for name, value in model.weights.items()}
        other = RNN.from_weights(weights, batch_first=form["batch_first"], dropout=0.5)
        wanted = bytes_of(*model.forward(**plain, training=True, rng=1))
        assert bytes_of(*other.forward(**given, training=True, rng=1)) == wanted
        assert bits(given) == bits(plain)
        assert bits(weights) == bits(model.weights) == bits(other.weights)


def test_weights_are_copied() -> None:
    """What a caller does to arrays that it assigned, or got by name, does not reach the model."""
    given = drawn_layers(num_layers=2, bidirectional=True).weights
    model, before = RNN.from_weights(given), bits(given)
    for mapping in (given, model.weights):
        for array in mapping.values():
            array[:] = 7
    assert bits(model.weights) == before
    given = model.weights
    model.weights = given
    for array in given.values():
        array[:] = 7
    assert bits(model.weights) == before
