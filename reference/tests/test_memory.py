"""Whose memory it is: nothing given is written to, nothing returned is shared."""

import tracemalloc
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from rnn_reference import BatchRNN

from .models import (
    KINDS,
    LENGTHS,
    STACKS,
    AnyRNN,
    AnyStack,
    bits,
    drawn_inputs,
    drawn_layers,
    drawn_model,
    drawn_state,
    every_kind,
    in_parts,
    results,
)

OPTIONS: list[dict[str, Any]] = [{}, {"bidirectional": True}, {"batch_first": True}]
CALLS = [*product(KINDS, [{}], ["batch"]), *product(STACKS, OPTIONS, ["batch", "lengths", "one"])]


@pytest.mark.parametrize(("kind", "options", "form"), CALLS)
def test_every_result_is_independent(
    kind: type[AnyRNN], options: dict[str, Any], form: str
) -> None:
    """No result shares memory with another one, an argument, a weight or the next call's."""
    model = drawn_layers(kind, **options) if kind in STACKS else drawn_model(kind, 3, 5, 2)
    inputs, state = drawn_inputs(model), drawn_state(model)
    if form == "one":
        inputs = inputs[:, 0].copy()
        parts = tuple(part[:, 0].copy() for part in in_parts(state))
        state = parts if isinstance(state, tuple) else parts[0]
    elif isinstance(model, AnyStack) and model.batch_first:
        inputs = inputs.swapaxes(0, 1).copy()
    given = {"lengths": LENGTHS.copy()} if form == "lengths" else {}
    found, later = (list(results(model, inputs, state, **given).values()) for _ in range(2))
    others = [*later, inputs, *in_parts(state), *given.values(), *model._weights.values()]
    pairs = [*combinations(found, 2), *product(found, others)]
    assert not any(np.shares_memory(a, b) for a, b in pairs)


@every_kind
def test_weights_are_copied(kind: type[AnyRNN]) -> None:
    """What a caller does to arrays that it assigned, or got by name, does not reach the model."""
    made_of, assigned, alone = (drawn_model(kind, 3, 5, 2).weights for _ in range(3))
    before, twins = bits(made_of), [kind.from_weights(made_of), kind.from_weights(assigned)]
    twins[0].weights = assigned
    if kind not in STACKS:
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

    More is kept only where [h; x; 1; 1] is one array. A view of a step takes some 150 bytes.
    """
    input_size, hidden_size = sizes
    model = BatchRNN(input_size, hidden_size, 16, dtype=np.float32, rng=0)

    def peak(steps: int) -> int:
        inputs = drawn_inputs(model, steps, 64)
        tracemalloc.start()
        model.forward(inputs)
        _, found = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return found

    peak(2)  # what is made once
    steps = 400
    returned = steps * 64 * (hidden_size + 16) * 4
    assert peak(2 * steps) - peak(steps) <= most * returned + 4 * 150 * steps
