"""Whose memory it is: nothing given is written to, nothing returned is shared."""

import tracemalloc
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from rnn_reference import RNN, BatchRNN
from rnn_reference.weights import Array

from . import models
from .equations import outside_bound
from .models import KINDS, LENGTHS, AnyRNN, bits, drawn_layers, drawn_model, every_kind, results

LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "read-only": lambda a: np.broadcast_to(a, a.shape),
    "Fortran": np.asfortranarray,
    "backwards": lambda a: np.flip(np.flip(a).copy()),
    "part of a larger": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
}
OPTIONS: list[dict[str, Any]] = [{}, {"bidirectional": True}, {"batch_first": True}]
CALLS = [*product(KINDS, [{}], ["batch"]), *product([RNN], OPTIONS, ["batch", "lengths", "one"])]


def made(kind: type[AnyRNN], options: dict[str, Any], form: str) -> tuple[AnyRNN, dict[str, Any]]:
    """A model, and what it is called with."""
    if kind is not RNN:
        model = drawn_model(kind, 3, 5, 2)
        return model, {"inputs": models.drawn_inputs(model), "h_0": models.drawn_state(model)}
    layers = drawn_layers(num_layers=2, dropout=0.5, **options)
    given: dict[str, Any] = {"lengths": LENGTHS.copy()} if form == "lengths" else {}
    given |= {"inputs": models.drawn_inputs(layers), "h_0": models.drawn_state(layers)}
    if form == "one":
        given = {name: array[:, 0].copy() for name, array in given.items()}
    elif layers.batch_first:
        given["inputs"] = given["inputs"].swapaxes(0, 1).copy()
    return layers, given


every_call = pytest.mark.parametrize(
    "call", CALLS, ids=lambda c: "-".join([c[0].__name__, *c[1], c[2]])
)


@every_call
def test_every_result_is_independent(call: Any) -> None:
    """To overwrite one result changes nothing else: result, argument, model, next call."""
    model, given = made(*call)
    found = results(model, **given)
    before, right = bits(given | model.weights), bits(found)
    for name, array in found.items():
        kept = array.copy()
        array[:] = 7
        assert bits(found | {name: kept}) == right, name
        assert bits(given | model.weights) == before, name
        assert bits(results(model, **given)) == right, name
        array[:] = kept
    for array in given.values():
        array[:] = 1
    assert bits(found) == right


@every_call
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout(call: Any, layout: Callable[[Array], Array]) -> None:
    """Any strides are read rightly, for arguments and weights, and none is written to.

    Strides decide no bit of what `RNN` gives, dropout included.
    """
    model, plain = made(*call)
    training = {"training": True, "rng": 1} if isinstance(model, RNN) else {}
    right, weights = bits(results(model, **plain, **training)), model.weights
    given = {name: layout(value.copy()) for name, value in plain.items()}
    new = {name: layout(value.copy()) for name, value in weights.items()}
    model.weights = new
    if isinstance(model, RNN):
        assert bits(results(model, **given, **training)) == right
    else:
        assert outside_bound(model, plain["inputs"], *model.forward(**given)) == []
    assert bits(given) == bits(plain)
    assert bits(model.weights) == bits(new) == bits(weights)


@every_kind
def test_weights_are_copied(kind: type[AnyRNN]) -> None:
    """What a caller does to arrays that it assigned, or got by name, does not reach the model."""
    made_of, assigned, alone = (drawn_model(kind, 3, 5, 2).weights for _ in range(3))
    before, twins = bits(made_of), [kind.from_weights(made_of), kind.from_weights(assigned)]
    twins[0].weights = assigned
    if kind is not RNN:
        for name, array in alone.items():
            setattr(twins[1], name, array)
    for mapping in (made_of, assigned, alone, twins[0].weights):
        for array in mapping.values():
            array[:] = 7
    assert bits(twins[0].weights) == bits(twins[1].weights) == before


@pytest.mark.parametrize(
    ("sizes", "most"), [((9, 32), 1.5), ((64, 128), 1.5), ((64, 32), 1.05), ((64, 4), 1.05)]
)
def test_peak_grows_with_what_is_returned(sizes: tuple[int, int], most: float) -> None:
    """From T to 2 T steps, the peak grows by no more than so many times the results, and views.

    1.5 times where [h; x; 1; 1] is one array for I <= H / 2 (it is too where there is little to
    copy); elsewhere nothing is kept beside the results but a block of fixed size. A view of a step
    takes some 150 bytes.
    """
    input_size, hidden_size = sizes
    model = BatchRNN(input_size, hidden_size, 16, dtype=np.float32, rng=0)

    def peak(steps: int) -> int:
        inputs = models.drawn_inputs(model, steps, 64)
        tracemalloc.start()
        try:
            returned = model.forward(inputs)
            assert len(returned) == 2
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)  # what is made once
    steps = 400
    returned = steps * 64 * (hidden_size + 16) * 4
    assert peak(2 * steps) - peak(steps) <= most * returned + 4 * 150 * steps
