"""What `forward` of the two classes computes: the equations, to a derived rounding error."""

import numpy as np
import pytest
from rnn_reference import WEIGHT_NAMES, BatchRNN, SingleSequenceRNN

from .equations import outside_bound
from .models import (
    StepRNN,
    bits,
    drawn_inputs,
    drawn_model,
    drawn_state,
    every_dtype,
    every_step_kind,
    results,
    with_entry,
)

SIZES = [  # I, H, O, T, B
    *((3, 5, 2, 6, 4), (4, 4, 4, 4, 4), (1, 5, 2, 6, 4), (3, 1, 2, 6, 4), (3, 5, 1, 6, 4)),
    *((3, 5, 2, 1, 4), (3, 5, 2, 6, 1), (1, 1, 1, 1, 1), (40, 70, 20, 3, 2)),
]
every_size = pytest.mark.parametrize("sizes", SIZES, ids=str)


@every_step_kind
@every_dtype
@every_size
def test_equations(kind: type[StepRNN], dtype: type[np.floating], sizes: tuple[int, ...]) -> None:
    """Every entry of every step, its key, shape and dtype, and the initial state bit for bit."""
    *layer, steps, batch_size = sizes
    model = drawn_model(kind, *layer, dtype=dtype)
    inputs, h_0 = drawn_inputs(model, steps, batch_size), drawn_state(model, batch_size)
    of_outputs, of_states = (((n, h_0.shape[1]), model.dtype) for n in (layer[2], layer[1]))
    for given, initial in (((h_0,), h_0), ((), np.zeros_like(h_0))):
        step_output, states = model.forward(inputs, *given)
        assert (list(step_output), list(states)) == ([*range(steps)], [*range(-1, steps)])
        assert {(y.shape, y.dtype) for y in step_output.values()} == {of_outputs}
        assert {(h.shape, h.dtype) for h in states.values()} == {of_states}
        assert bits({"": states[-1]}) == bits({"": initial})
        assert outside_bound(model, inputs, step_output, states) == []


@every_step_kind
@every_dtype
@pytest.mark.parametrize("name", WEIGHT_NAMES)
def test_comparison_can_fail(kind: type[StepRNN], dtype: type[np.floating], name: str) -> None:
    """A change of 2**14 unit roundoffs to any single entry of any weight is seen."""
    model = drawn_model(kind, 3, 4, 2, dtype=dtype)
    inputs = drawn_inputs(model)
    forward, right = model.forward(inputs, drawn_state(model)), model.weights[name]
    for entry in np.ndindex(right.shape):
        getattr(model, name)[entry] += 2**13 * np.finfo(dtype).eps
        assert outside_bound(model, inputs, *forward), f"{name}{entry}"
        setattr(model, name, right)
    assert not outside_bound(model, inputs, *forward)


SMALL = {"CACHE_BYTES": 100, "SMALL_PRODUCT": 100, "FEWEST_ROWS": 2}
ARRANGEMENTS = [{"BYTES_REPAID": 0}, {"BYTES_REPAID": 2**30}, SMALL]


@every_dtype
@pytest.mark.parametrize("constants", ARRANGEMENTS, ids=["unpaid", "repaid", "blocks and parts"])
@pytest.mark.parametrize("sizes", [(3, 7, 2), (7, 3, 2)], ids=["few inputs", "many inputs"])
def test_arrangements_of_the_loop(
    dtype: type[np.floating],
    constants: dict[str, int],
    sizes: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However the loop is arranged, it computes what is right, and refuses NaN in the last step.

    The four weights of a step are views of one array until one is assigned.
    """
    for name, value in constants.items():
        monkeypatch.setattr(f"rnn_reference.recurrence.{name}", value)
    model = drawn_model(BatchRNN, *sizes, dtype=dtype)
    inputs, h_0 = drawn_inputs(model), drawn_state(model)
    for arrays in (1, 2):
        held = {id(getattr(model, name).base) for name in ("W_hh", "W_xh", "b_xh", "b_hh")}
        assert len(held) == arrays
        assert outside_bound(model, inputs, *model.forward(inputs, h_0)) == []
        with pytest.raises(ValueError, match=r"got nan at \(5, 3, 1\)"):
            model.forward(with_entry(inputs, (5, 3, 1), np.nan), h_0)
        model.b_hh = -model.b_hh  # so that the old one would show


def test_a_sequence_may_come_as_an_array_vectors_columns_or_numbers() -> None:
    model = drawn_model(SingleSequenceRNN, 3, 5, 2)
    inputs = drawn_inputs(model)
    right = bits(results(model, inputs))
    for given in (list(inputs), tuple(inputs[..., np.newaxis]), inputs.tolist()):
        assert bits(results(model, given)) == right
