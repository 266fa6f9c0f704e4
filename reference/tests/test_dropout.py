"""Dropout between layers, beyond what the suite judges: what a seed decides."""

from typing import Any

import numpy as np
import pytest
from rnn_reference.through_time import dropped

from .models import (
    LENGTHS,
    AnyStack,
    bits,
    drawn_inputs,
    drawn_layers,
    drawn_state,
    every_dtype,
    every_stack,
    results,
)


@every_dtype
@pytest.mark.parametrize("p", [0.0, 0.75, 1.0])
def test_share_and_scale(p: float, dtype: type[np.floating]) -> None:
    """An entry is 0 where the generator's next number, from 0 to 1, is below p; or over 1 - p."""
    x = np.arange(1, 1001, dtype=dtype).reshape(10, 4, 25)
    found, kept = dropped(x, p, np.random.default_rng(1)), np.random.default_rng(1).random(x.shape)
    assert bits({"": found}) == bits({"": np.where(kept >= p, x * (4 if p else 1), 0)})


@every_stack
def test_seed_decides(kind: type[AnyStack]) -> None:
    """One seed, one result, in either layout; a generator goes on, in training alone."""
    model = drawn_layers(kind, num_layers=2, dropout=0.5)
    inputs, h_0 = drawn_inputs(model), drawn_state(model)

    def run(rng: Any, training: bool = True) -> dict[Any, tuple[Any, ...]]:
        return bits(results(model, inputs, h_0, training=training, rng=rng))

    rng = np.random.default_rng(1)
    assert run(rng, training=False) == run(None, training=False) != run(1)
    assert run(1) == run(rng) == run(np.int64(1)) != run(2)
    assert run(rng) != run(1)
    turned = drawn_layers(kind, num_layers=2, dropout=0.5, batch_first=True)
    found = results(turned, inputs.swapaxes(0, 1), h_0, training=True, rng=1)
    assert bits(found | {"output": found["output"].swapaxes(0, 1)}) == run(1)
    output, _ = model.forward(inputs, h_0, lengths=LENGTHS, training=True, rng=1)
    padding = np.arange(len(inputs))[:, np.newaxis] >= LENGTHS
    assert not output[padding].any()
