"""The loops organised for speed beside the plain ones; `test_layer` has torch and all the rest."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from rnn_reference import GRU, LSTM, BatchGRU, BatchLSTM

from .models import LENGTHS, bits, drawn_inputs, drawn_layers, drawn_state, every_dtype, results

PAIRS: list[tuple[Any, Any]] = [(BatchLSTM, LSTM), (BatchGRU, GRU)]
SIZES = [(3, 5, 6, 4), (7, 3, 6, 1), (1, 1, 1, 1), (40, 70, 30, 33)]  # I, H, T, B
SMALL = {"gated.CACHE_BYTES": 300, "recurrence.SMALL_PRODUCT": 100, "recurrence.FEWEST_ROWS": 2}
every_pair = pytest.mark.parametrize(("fast", "plain"), PAIRS)


def apart(fast: Any, plain: Any, *sizes: int, scale: float = 1, **of: Any) -> float:
    """How far a fast model is from the plain one of the same weights, at most."""
    I, H, T, B = sizes
    model = plain(I, H, rng=1, **of)
    model.weights = {name: (scale * w).astype(model.dtype) for name, w in model.weights.items()}
    inputs, state = drawn_inputs(model, T, B), drawn_state(model, B)
    options = {name: getattr(model, name) for name in model.own}
    twin = fast.from_weights(model.weights, **options)
    found, wanted = results(twin, inputs, state), results(model, inputs, state)
    assert found.keys() == wanted.keys()
    return max(float(abs(found[name] - wanted[name]).max()) for name in wanted)


@every_pair
@every_dtype
@pytest.mark.parametrize("constants", [{}, SMALL], ids=["as is", "blocks and parts"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_plain_form(
    fast: Any,
    plain: Any,
    dtype: type[np.floating],
    constants: dict[str, int],
    sizes: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in constants.items():
        monkeypatch.setattr(f"rnn_reference.{name}", value)
    assert apart(fast, plain, *sizes, dtype=dtype) < 32 * np.finfo(dtype).eps


@every_pair
def test_gates_that_are_shut_give_no_warning(fast: Any, plain: Any) -> None:
    """exp(-a) overflows in both dtypes."""
    for dtype in (np.float64, np.float32):
        assert apart(fast, plain, 3, 5, 6, 4, scale=1e4, dtype=dtype) < 1e-3


@every_pair
def test_the_plain_loop_runs_where_lengths_differ_and_nowhere_else(
    fast: Any, plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, twin = (drawn_layers(kind, bidirectional=True) for kind in (fast, plain))
    inputs, state = drawn_inputs(model), drawn_state(model)
    cut = [bits(results(each, inputs, state, lengths=LENGTHS)) for each in (model, twin)]
    assert cut[0] == cut[1]

    def forbidden(*_: object) -> None:
        raise AssertionError("the plain loop")

    monkeypatch.setattr("rnn_reference.stack.run_direction", forbidden)
    whole = np.full_like(LENGTHS, len(inputs))
    for given in ({}, {"lengths": whole}):
        results(model, inputs, state, **given)
    with pytest.raises(AssertionError, match="the plain loop"):
        results(model, inputs, state, lengths=LENGTHS)


def test_reset_before_the_product_is_the_plain_loop() -> None:
    assert apart(BatchGRU, GRU, 3, 5, 6, 4, reset_after=False) == 0


@every_pair
@every_dtype
def test_the_comparison_can_fail(fast: Any, plain: Any, dtype: type[np.floating]) -> None:
    """A change of any weight by 2**-14, or 2**-40 in float64, is seen."""
    model = drawn_layers(plain, dtype)
    inputs, state = drawn_inputs(model), drawn_state(model)
    wanted, eps = results(model, inputs, state)["output"], np.finfo(dtype).eps
    for name, weight in model.weights.items():
        for row, gate in product([0, -1], range(model.gates)):
            changed = weight.copy()
            np.split(changed, model.gates)[gate][row] += 2**12 * eps
            twin = fast.from_weights(model.weights | {name: changed})
            assert abs(results(twin, inputs, state)["output"] - wanted).max() > 32 * eps
