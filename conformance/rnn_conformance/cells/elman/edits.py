"""What ports of a plain RNN do otherwise, as edits of a step.

The slots: x, h, b_ih and b_hh are the terms of the pre-activation; f is the activation, after what
is done with a new state, padding what stands in padding, allows how far off a number may be.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from rnn_conformance.bounds.balls import Float64
from rnn_conformance.cells.edits import Edit, Steps, Term, as_float32, product
from rnn_conformance.cells.elman.slips import activations
from rnn_conformance.contract.call import Array
from rnn_conformance.contract.dtypes import bfloat16

BLOCKS = (4, 8, 16, 32, 64, 128)
CLIPS = (1.0, 3.0, 5.0, 6.0, 10.0, 100.0)
OTHER_STATES = (
    "after the last call", "after the last call of as many rows and units",
    "of the other direction", "of the first layer", "of the layer below",
)  # fmt: skip
OTHER_WEIGHTS = (
    "the other direction", "the first layer", "the layer below", "the first call", "the last call",
)  # fmt: skip
NEVER = 1e300  # a number that is not found
TermOf = Callable[[Steps], Term | None]  # None where an edit cannot be made
MATRICES = {"x": "W_ih", "h": "W_hh"}
VECTORS = {"x": "x_t", "h": "h_{t-1}"}
BIASES = ("b_ih", "b_hh")


class State(NamedTuple):
    """What a new state is made of: what is new, the state before, the biases; what was found."""

    new: Float64
    before: Float64
    biases: Mapping[str, Float64]
    found: Float64


def right(slot: str, s: Steps) -> Term:
    """The term as it should be."""
    return bias(getattr(s.weights, slot), s) if slot in BIASES else product(*factors(slot, s), s.u)


def factors(slot: str, s: Steps) -> tuple[Float64, Array]:
    """The vectors and the weight of a product."""
    return (s.x, s.weights.W_ih) if slot == "x" else (s.before, s.weights.W_hh)


def bias(b: Array, s: Steps) -> Term:
    """One unit of a bias for each number."""
    value = b[s.u].astype(np.float64)
    return value, np.abs(value)


def times(slot: str, s: Steps, factor: float) -> Term:
    """The right term, so many times."""
    value, size = right(slot, s)
    return factor * value, abs(factor) * size


def with_vector(slot: str, change: Callable[[Float64], Float64]) -> TermOf:
    """What the weight multiplies is changed first."""

    def term(s: Steps) -> Term:
        rows, W = factors(slot, s)
        return product(change(rows), W, s.u)

    return term


def with_matrix(slot: str, change: Callable[[Array], Array]) -> TermOf:
    """The weight is changed, where its shape stays."""

    def term(s: Steps) -> Term | None:
        rows, W = factors(slot, s)
        changed = change(W)
        return product(rows, changed, s.u) if changed.shape == W.shape else None

    return term


def reading(says: str, where: Callable[[Steps, int, int], tuple[Any, Any]]) -> Edit:
    """The inputs of another step or row are read: of (steps, T, B)."""

    def term(s: Steps) -> Term:
        t, b = where(s, *s.inputs.shape[:2])
        rows = np.where((t >= 0)[:, np.newaxis], s.inputs[t, b], 0)
        return product(rows, s.weights.W_ih, s.u)

    return Edit(says, {"x": term})


def going_on(says: str, where: Callable[[Steps, int, int], tuple[Any, Any]]) -> Edit:
    """The state of another step or row goes in: of (steps, T, B); index 0 is the initial one."""

    def term(s: Steps) -> Term:
        return product(s.states[where(s, *s.inputs.shape[:2])], s.weights.W_hh, s.u)

    return Edit(says, {"h": term})


def inputs() -> Iterator[Edit]:
    """Of what is read."""
    yield reading("x_{t-1} is read for x_t", lambda s, *_: (np.maximum(s.t - 1, 0), s.b))
    yield reading("x_{t-1} is read for x_t, zeros at first", lambda s, *_: (s.t - 1, s.b))
    yield reading("x_{t+1} is read for x_t", lambda s, T, _: (np.minimum(s.t + 1, T - 1), s.b))
    yield reading("every step reads x_0", lambda s, *_: (0 * s.t, s.b))
    yield reading("the inputs are read from the other end", lambda s, T, _: (T - 1 - s.t, s.b))
    yield reading("x_t of the row before is read", lambda s, *_: (s.t, s.b - 1))
    yield reading("x_t of the next row is read", lambda s, _, B: (s.t, (s.b + 1) % B))
    yield reading("x_t of row 0 is read for every row", lambda s, *_: (s.t, 0 * s.b))
    for k in (128, 256):
        yield reading(f"x_t is read at t modulo {k}", lambda s, _, __, k=k: (s.t % k, s.b))  # type: ignore[misc]
    yield Edit("what the other direction below gives is not read", {"x": _own_half})
    for c in CLIPS:
        clip = partial(np.clip, a_min=-c, a_max=c)
        yield Edit(f"x_t is clipped to ±{c:g}", {"x": with_vector("x", clip)})
    zero = {"NaN": np.isnan, "infinity": np.isinf}
    for what, is_it in zero.items():
        change = partial(lambda v, is_it: np.where(is_it(v), 0, v), is_it=is_it)
        yield Edit(f"{what} in x_t is read as 0", {"x": with_vector("x", change)})


def _own_half(s: Steps) -> Term | None:
    H = s.states.shape[2]
    if s.inputs.shape[2] != 2 * H or "the layer below" not in s.other_weights:
        return None
    own = np.arange(2 * H) // H == s.direction
    return product(np.where(own, s.x, 0), s.weights.W_ih, s.u)


def states() -> Iterator[Edit]:
    """Of the state before."""
    yield going_on("h_0 stands for h_{t-1}", lambda s, *_: (0 * s.t, s.b))
    yield going_on("h_{t-2} stands for h_{t-1}", lambda s, *_: (np.maximum(s.t - 1, 0), s.b))
    yield going_on("h_{t-1} of the row before goes in", lambda s, *_: (s.t, s.b - 1))
    yield going_on("h_{t-1} of the next row goes in", lambda s, _, B: (s.t, (s.b + 1) % B))
    yield going_on("h_{t-1} of row 0 goes in for every row", lambda s, *_: (s.t, 0 * s.b))
    yield going_on("a row goes on from the last state of the row before", _row_after_row)
    yield Edit("tanh is applied to h_{t-1}", {"h": with_vector("h", np.tanh)})
    yield Edit("ones stand for h_{t-1}", {"h": with_vector("h", np.ones_like)})
    diagonal = with_matrix("h", lambda W: np.diag(np.diag(W)))
    yield Edit("only the diagonal of W_hh is used", {"h": diagonal})
    yield Edit("the new states of the units before it go in for the old ones", {"h": _already_new})
    for whose in OTHER_STATES:
        yield Edit(f"the state {whose} goes in for h_{{t-1}}", {"h": partial(_state_of, whose)})


def _row_after_row(s: Steps, T: int, _: int) -> tuple[Any, Any]:
    starts = (s.t == 0) & (s.b > 0)
    return np.where(starts, T, s.t), s.b - starts


def _already_new(s: Steps) -> Term:
    units = np.arange(s.states.shape[2])
    rows = np.where(units < s.u[:, np.newaxis], s.states[s.t + 1, s.b], s.before)
    return product(rows, s.weights.W_hh, s.u)


def _state_of(whose: str, s: Steps) -> Term | None:
    state = s.other_states.get(whose)
    return None if state is None else product(state[s.b], s.weights.W_hh, s.u)


def products() -> Iterator[Edit]:
    """Of either product."""
    for slot, W in MATRICES.items():
        v = VECTORS[slot]
        for says, factor in (("is missing", 0), ("counts twice", 2), ("is subtracted", -1)):
            yield Edit(f"{W} {v} {says}", {slot: partial(times, slot, factor=factor)})
        yield Edit(f"{W} is transposed", {slot: with_matrix(slot, np.transpose)})
        by_column = with_matrix(slot, lambda W: W.reshape(W.shape[::-1]).T)
        yield Edit(f"{W}, stored by columns, is read by rows", {slot: by_column})
        for says, change in _parts():
            yield Edit(f"{v} {says}", {slot: with_vector(slot, change)})
    other = {"x": partial(_weight_of, "W_hh", "x"), "h": partial(_weight_of, "W_ih", "h")}
    yield Edit("W_ih and W_hh are exchanged", other)
    for bits, name in ((8, "bfloat16"), (11, "TF32 or float16")):
        factors_short = {slot: partial(_rounded_product, slot=slot, bits=bits) for slot in MATRICES}
        yield Edit(f"the factors of the products have {bits} bits ({name})", factors_short)
        short = with_vector("h", partial(rounded, bits=bits))
        yield Edit(f"h_{{t-1}} is read with {bits} bits ({name})", {"h": short})


def _parts() -> Iterator[tuple[str, Callable[[Float64], Float64]]]:
    """A vector of which not all is read."""
    yield "is read in reverse order of units", lambda v: v[:, ::-1]
    yield "is read without its last number", lambda v: _first(v, v.shape[1] - 1)
    yield "is read without its first number", lambda v: np.where(np.arange(v.shape[1]), v, 0)
    for k in BLOCKS:
        yield f"is read in whole blocks of {k} alone", partial(_whole_blocks, k)
        yield f"is read up to its {k}th number alone", lambda v, k=k: _first(v, k)  # type: ignore[misc]


def _whole_blocks(k: int, v: Float64) -> Float64:
    return _first(v, v.shape[1] // k * k)


def _first(v: Float64, count: int) -> Float64:
    return np.where(np.arange(v.shape[1]) < count, v, 0)


def _weight_of(name: str, slot: str, s: Steps) -> Term | None:
    return with_matrix(slot, lambda _: getattr(s.weights, name))(s)


def _rounded_product(s: Steps, slot: str, bits: int) -> Term:
    rows, W = factors(slot, s)
    return product(rounded(rows, bits), rounded(W.astype(np.float64), bits), s.u)


def rounded(values: Float64, bits: int) -> Float64:
    """To so many bits."""
    mantissa, exponent = np.frexp(values)
    result: Float64 = np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)
    return result


def biases() -> Iterator[Edit]:
    """Of the biases."""
    for b in BIASES:
        for says, factor in (
            ("missing", 0),
            ("added twice", 2),
            ("halved", 0.5),
            ("subtracted", -1),
        ):
            yield Edit(f"{b} is {says}", {b: partial(times, b, factor=factor)})
    for says, factor in (("missing", 0), ("added twice", 2)):
        yield Edit(f"both biases are {says}", {b: partial(times, b, factor=factor) for b in BIASES})
    for some, says in (((b,), b) for b in BIASES):
        yield Edit(f"{says} is added after the activation", _outside(some))
    yield Edit("the biases are added after the activation", _outside(BIASES))


def _outside(some: tuple[str, ...]) -> Mapping[str, Callable[..., Any]]:
    after = partial(lambda s, some: s.new + sum(s.biases[b] for b in some), some=some)
    return {"after": after, **{b: partial(times, b, factor=0) for b in some}}


def weights_of_others() -> Iterator[Edit]:
    """The weights of another layer, direction or call."""
    names = {**MATRICES, **{b: b for b in BIASES}}
    for whose in OTHER_WEIGHTS:
        others = {slot: partial(_other, whose, slot, name) for slot, name in names.items()}
        yield Edit(f"all weights are those of {whose}", others)
        yield Edit(f"both biases are those of {whose}", {b: others[b] for b in BIASES})
        for slot, name in names.items():
            yield Edit(f"{name} is that of {whose}", {slot: others[slot]})


def _other(whose: str, slot: str, name: str, s: Steps) -> Term | None:
    weights = s.other_weights.get(whose)
    if weights is None:
        return None
    value: Array = getattr(weights, name)
    return bias(value, s) if slot in BIASES else with_matrix(slot, lambda _: value)(s)


def afterwards() -> Iterator[Edit]:
    """Of what is done with a new state, and of the precision."""
    yield Edit("the state stays as it was", {"after": lambda s: s.before})
    yield Edit("the state before is added to the new one", {"after": lambda s: s.new + s.before})
    yield Edit("the padding repeats the state", {"padding": lambda s: s.before})
    on = {"h": lambda s: product(s.running_on, s.weights.W_hh, s.u), "padding": lambda s: s.new}
    yield Edit("lengths are overlooked: padding is read as steps", on)
    formats: Mapping[str, Callable[[Float64], Any]] = {
        "float32": np.float32,
        "float16": np.float16,
        "bfloat16": lambda new: bfloat16(new.astype(np.float32)),
    }
    for name, to in formats.items():
        yield Edit(f"the new state is rounded to {name}", {"after": partial(_kept_in, to)})
    yield Edit("all is computed in float32", {"allows": as_float32}, last=True)


def _kept_in(to: Callable[[Float64], Any], s: State) -> Float64:
    """Rounded, where it was found to be such a number."""
    return np.where(s.found == to(s.found), to(s.new).astype(np.float64), NEVER)


LIBRARY: tuple[Edit, ...] = (
    *products(), *inputs(), *states(), *biases(), *weights_of_others(), *activations(),
    *afterwards(),
)  # fmt: skip
