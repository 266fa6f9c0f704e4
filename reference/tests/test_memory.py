"""Whose memory it is: nothing given is written to, nothing returned is shared."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from rnn_reference import WEIGHT_NAMES, BatchRNN
from rnn_reference.weights import Array

from .drawn import DTYPES, RNNS, AnyRNN, bits, drawn_inputs, drawn_model, drawn_state
from .one_step import outside_bound


def slice_of_larger(a: Array) -> Array:
    """`a` as every second entry, along each axis, of an array of NaN."""
    larger = np.full([2 * n + 1 for n in a.shape], np.nan, a.dtype)
    part = larger[(slice(1, None, 2),) * a.ndim]
    part[:] = a
    return part


def reversed_strides(a: Array) -> Array:
    """`a` with a negative stride along each axis."""
    backwards = (slice(None, None, -1),) * a.ndim
    return a[backwards].copy()[backwards]


def read_only(a: Array) -> Array:
    """`a`, not to be written to."""
    a.flags.writeable = False
    return a


LAYOUTS = [read_only, np.asfortranarray, reversed_strides, slice_of_larger]
every_kind = pytest.mark.parametrize("kind", RNNS)


@every_kind
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(
    kind: type[AnyRNN], dtype: type[np.floating], layout: Callable[[Array], Array]
) -> None:
    """Any strides are read rightly, for inputs, h_0 and weights, and none is written to."""
    model = drawn_model(kind, 3, 5, 2, dtype=dtype)
    plain = {"inputs": drawn_inputs(model), "h_0": drawn_state(model), **model.weights}
    given = {name: layout(value.copy()) for name, value in plain.items()}
    assert bits(given) == bits(plain)

    for name in WEIGHT_NAMES:
        setattr(model, name, given[name])
    step_output, states = model.forward(given["inputs"], given["h_0"])
    assert bits(given) == bits(plain)
    assert bits(model.weights) == bits({name: plain[name] for name in WEIGHT_NAMES})
    assert outside_bound(model, plain["inputs"], step_output, states) == []
    assert bits({"h_0": states[-1]}) == bits({"h_0": plain["h_0"]})


@every_kind
@pytest.mark.parametrize("given", [True, False], ids=["h_0", "no h_0"])
def test_every_result_is_independent(kind: type[AnyRNN], given: bool) -> None:
    """To overwrite one output or state changes nothing else: result, argument, model, next call."""
    model = drawn_model(kind, 3, 5, 2)
    inputs, h_0 = drawn_inputs(model), drawn_state(model) if given else None
    arguments = {"inputs": inputs} if h_0 is None else {"inputs": inputs, "h_0": h_0}

    def call() -> dict[tuple[str, int], Array]:
        step_output, states = model.forward(inputs, h_0)
        return {("y", t): y for t, y in step_output.items()} | {
            ("h", t): h for t, h in states.items()
        }

    results = call()
    before = bits(results), bits(arguments), bits(model.weights)
    for key, array in results.items():
        kept = array.copy()
        array[:] = 7
        others = bits({k: kept if k == key else a for k, a in results.items()})
        assert (others, bits(arguments), bits(model.weights)) == before, key
        assert bits(call()) == before[0], key
        array[:] = kept
    inputs[:] = 7
    assert bits(results) == before[0]


@every_kind
def test_weights_are_copied(kind: type[AnyRNN]) -> None:
    """What a caller does to arrays that it assigned, or got by name, does not reach the model."""
    given = drawn_model(kind, 3, 5, 2).weights
    model, twin = kind.from_weights(given), kind.from_weights(given)
    before = bits(given)
    for mapping in (given, model.weights):
        for array in mapping.values():
            array[:] = 7
    assert bits(model.weights) == before

    given = model.weights
    model.weights = given
    for name in WEIGHT_NAMES:
        setattr(twin, name, given[name])
        given[name][:] = 7
    assert bits(model.weights) == bits(twin.weights) == before

    model.W_hh[0, 0] += 1  # in place, by its attribute: this model's weight alone
    assert bits(twin.weights) == before != bits(model.weights)


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
        inputs = drawn_inputs(model, steps, 64)
        tracemalloc.start()
        try:
            results = model.forward(inputs)
            assert len(results) == 2
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)  # what is made once
    steps = 400
    returned = steps * 64 * (hidden_size + 16) * 4
    assert peak(2 * steps) - peak(steps) <= most * returned + 4 * 150 * steps
