"""RNN, LSTM and GRU beyond what the suite judges: torch's numbers, and bits that lengths leave."""

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from rnn_reference import GRU, LSTM
from rnn_reference.cells import sigmoid
from rnn_reference.weights import Array

from .models import (
    LENGTHS,
    STACKS,
    STEPS,
    AnyStack,
    bits,
    drawn_inputs,
    drawn_layers,
    drawn_state,
    every_dtype,
    every_stack,
    in_parts,
    results,
    torch_name,
)

FORMS = [(form, given) for form in ("batch", "lengths", "one") for given in (True, False)]
OPTIONS = ("bias", "batch_first", "bidirectional")


@every_stack
def test_lengths_of_every_kind_and_whatever_padding(kind: type[AnyStack]) -> None:
    """Any kind of integer will do, all T change no bit, nor does what stands after a sequence."""
    model = drawn_layers(kind, num_layers=2, bidirectional=True)
    inputs, h_0 = drawn_inputs(model), drawn_state(model)
    whole, cut = (bits(results(model, inputs, h_0, lengths=n)) for n in (None, LENGTHS))
    for dtype in (np.int64, np.int32, np.uint8, np.uint64, ">i4"):
        full = np.full_like(LENGTHS, STEPS, dtype)
        assert bits(results(model, inputs, h_0, lengths=full)) == whole
        assert bits(results(model, inputs, h_0, lengths=LENGTHS.astype(dtype))) == cut != whole
    for filler in (np.nan, np.inf, -np.inf, 1e308):
        padding = np.arange(STEPS)[:, np.newaxis, np.newaxis] >= LENGTHS[:, np.newaxis]
        padded = np.where(padding, filler, inputs)
        assert bits(results(model, padded, h_0, lengths=LENGTHS)) == cut


def of_torch(
    model: AnyStack, weights: dict[str, Array], inputs: Array, state: Any, lengths: Any
) -> tuple[Array, ...]:
    """What `forward` returns, in parts, as torch's class of the same name computes it."""
    torch = pytest.importorskip("torch")
    packing, options = torch.nn.utils.rnn, {name: getattr(model, name) for name in OPTIONS}
    theirs = getattr(torch.nn, torch_name(type(model)))(3, 4, model.num_layers, **options)
    theirs.to(torch.from_numpy(inputs).dtype)
    theirs.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    x, h = torch.from_numpy(inputs), state
    if state is not None:
        parts = [torch.from_numpy(part) for part in in_parts(state)]
        h = tuple(parts) if isinstance(model, LSTM) else parts[0]
    if lengths is not None:
        x = packing.pack_padded_sequence(
            x, torch.from_numpy(lengths), model.batch_first, enforce_sorted=False
        )
    output, last = theirs(x, h)
    if lengths is not None:
        output, _ = packing.pad_packed_sequence(output, model.batch_first)
    return tuple(a.detach().numpy() for a in (output, *in_parts(last)))


def apart(
    model: AnyStack, weights: dict[str, Array], form: str = "batch", given: bool = True
) -> float:
    """How far torch with these weights is from the model, at most, in anything returned."""
    inputs, state = drawn_inputs(model), drawn_state(model)
    if form == "one":
        inputs, parts = inputs[:, 0].copy(), [part[:, 0].copy() for part in in_parts(state)]
        state = tuple(parts) if isinstance(model, LSTM) else parts[0]
    elif model.batch_first:
        inputs = inputs.swapaxes(0, 1).copy()
    lengths, state = LENGTHS if form == "lengths" else None, state if given else None
    found = results(model, inputs, state, lengths=lengths).values()
    wanted = of_torch(model, weights, inputs, state, lengths)
    assert [(a.shape, a.dtype) for a in found] == [(a.shape, a.dtype) for a in wanted]
    return max(float(abs(a - b).max()) for a, b in zip(found, wanted, strict=True))


@every_stack
@every_dtype
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("flags", [*product([True, False], repeat=3)], ids=str)
def test_torch(
    kind: type[AnyStack], dtype: type[np.floating], num_layers: int, flags: tuple[bool, ...]
) -> None:
    options = dict(zip(OPTIONS, flags, strict=True))
    model = drawn_layers(kind, dtype, num_layers=num_layers, **options)
    for form, given in FORMS:
        assert apart(model, model.weights, form, given) < (1e-12 if dtype is np.float64 else 1e-5)


@every_stack
def test_weights_as_they_are_drawn(kind: type[AnyStack]) -> None:
    """Those of `drawn_layers` are small; torch draws as the constructor does."""
    model = kind(3, 4, 2, bidirectional=True, rng=1)
    assert apart(model, model.weights) < 1e-12


EXCHANGED = [(kind, a, b) for kind in STACKS for a, b in combinations(range(kind.gates), 2)]


@every_dtype
@pytest.mark.parametrize(("kind", "a", "b"), EXCHANGED)
def test_exchanged_gates_are_seen(
    kind: type[AnyStack], a: int, b: int, dtype: type[np.floating]
) -> None:
    """In any one weight, or in all."""
    model = drawn_layers(kind, dtype)
    order = [*range(kind.gates)]
    order[a], order[b] = b, a
    exchanged = {
        name: np.concatenate([np.split(w, kind.gates)[gate] for gate in order])
        for name, w in model.weights.items()
    }
    for changes in (exchanged, *({name: w} for name, w in exchanged.items())):
        assert apart(model, model.weights | changes) > 1e-3


@every_dtype
def test_reset_before_the_product(dtype: type[np.floating]) -> None:
    """The equations once more, and not those of `reset_after`."""
    model = drawn_layers(GRU, dtype, reset_after=False)
    W_ih, W_hh, b_ih, b_hh = model.weights.values()
    x, h_0, apart_by = drawn_inputs(model), drawn_state(model), []
    output, h_n = model.forward(x, h_0)
    (h,) = h_0
    for t in range(STEPS):
        a = x[t] @ W_ih.T + (b_ih + b_hh)
        r, z = sigmoid(a[:, :4] + h @ W_hh[:4].T), sigmoid(a[:, 4:8] + h @ W_hh[4:8].T)
        h = (1 - z) * np.tanh(a[:, 8:] + (r * h) @ W_hh[8:].T) + z * h
        apart_by.append(abs(output[t] - h).max())
    assert max(apart_by) < (1e-14 if dtype is np.float64 else 1e-6)
    assert bits({"": h_n[0]}) == bits({"": output[-1]})
    assert apart(model, model.weights) > 1e-3


@every_dtype
def test_sigmoid(dtype: type[np.floating]) -> None:
    """As accurate near 0 as elsewhere, 0 and 1 at the ends, without a warning."""
    a = np.array([-np.inf, -2000, -40, -1, 0, 1, 40, 2000, np.inf], dtype)
    wanted = [0, 0, 4.248354255291589e-18, 0.2689414213699951, 0.5, 0.7310585786300049, 1, 1, 1]
    np.testing.assert_allclose(sigmoid(a), wanted, rtol=4 * float(np.finfo(dtype).eps), atol=0)
    assert sigmoid(a).dtype == dtype
