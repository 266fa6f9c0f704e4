"""What ports of a plain RNN do otherwise, as edits of a step.

The slots: place is where the steps were made; x, h, b_ih and b_hh are the terms of the
pre-activation; f is the activation, after what is done with a new state, padding what stands in
padding, allows how far off a number may be, roughly the roundoff of products; plus
are terms that are added after the activation, before_f and after_f changes of whole rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from rnn_conformance.bounds.balls import Float64
from rnn_conformance.cells import changes
from rnn_conformance.cells.edits import (
    NEVER,
    SHORT,
    Edit,
    Indices,
    State,
    Steps,
    Term,
    as_float32,
    of_matrices,
    of_vectors,
    product,
    rounded,
)
from rnn_conformance.cells.elman.slips import activations, relu
from rnn_conformance.cells.elman.terms import (
    BIASES,
    MATRICES,
    NAMED,
    TERMS,
    VECTORS,
    TermOf,
    bias,
    factors,
    in_float64,
    moved,
    right,
    times,
    with_matrix,
    with_vector,
)
from rnn_conformance.cells.moves import OTHERS, USUAL, Move, at
from rnn_conformance.contract.call import Array
from rnn_conformance.contract.dtypes import bfloat16

CLIPS = (0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 50, 100)
OTHER = "the other direction"
AFTER = (
    "the last call", "the last call of the same sizes", "the last call of as many rows and units",
    "the last call of this dtype and as many rows and units",
)  # fmt: skip
STATES_AFTER = tuple(
    f"the state after {call}{omitted}" for call in AFTER for omitted in ("", " with h_0 omitted")
)
STATES_OF = (
    f"h_0 of {OTHER}", "h_0 of the first layer", "h_0 of the layer below",
    "h_0 of the place with all layers of one direction first",
    "the last state of the layer below",
    "the state after the padding has been read",
)  # fmt: skip
WEIGHTS_OF = (OTHER, "the first layer", "the second layer", "the layer below")
FIXED = (*range(5, 17), 24, 31)  # binary digits after the point
ROUGH = {  # by how much they allow: the roundoff of a product
    1: ("float32", 2.0**-24), 2: ("TF32 or float16", 2.0**-11), 3: ("bfloat16", 2.0**-8),
}  # fmt: skip
PLACES: Mapping[str, Move] = {  # where states may stand by mistake
    "from the last step to the first": USUAL["from the other end"],
    "from the end of the padding to the first step": OTHERS["from the other end of the padding"],
    **{
        where: OTHERS[where]
        for where in (
            "with its rows in reverse order", "with its rows sorted by length",
            "with its rows put back from an order by length",
            "with its rows sorted by length and sorted again", "as (T, B), which is (B, T)",
            "as (B, T), which is (T, B)",
        )
    },
}  # fmt: skip
BACK: Mapping[str, Move] = {  # where steps may be made by mistake
    "the steps are made from the last to the first": USUAL["from the other end"],
    "a batch (B, T) is computed as (T, B)": OTHERS["as (B, T), which is (T, B)"],
    "a batch (T, B) is computed as (B, T)": OTHERS["as (T, B), which is (B, T)"],
}


def _placed(place: Move, s: Steps, *, read_there: bool) -> Steps:
    """The steps as they were made, of states that stand elsewhere than they should.

    Args:
        read_there: whether a step has read what stands where its state does.
    """
    T, B = s.inputs.shape[:2]
    t, b = np.indices((T, B)).reshape(2, -1)
    made = _made(place, t, b, s)
    inputs, states, off = (part.copy() for part in (s.inputs, s.states, s.off))
    states[1:][made], off[1:][made] = s.states[t + 1, b], s.off[t + 1, b]
    if read_there:
        inputs[made] = s.inputs[t, b]
    t, b = _made(place, s.t, s.b, s)
    padding = t >= s.lengths[b]
    return replace(s, inputs=inputs, states=states, off=off, t=t, b=b, padding=padding)


def _made(place: Move, t: Indices, b: Indices, s: Steps) -> tuple[Indices, Indices]:
    """At which step, of those that its direction reads, and in which row a state was made."""
    found, row = place(at(t, len(s.inputs), b, s.lengths, back=s.back))
    if s.back:  # what stands in another row alone stands at the same time
        time = _turned(t, s.lengths[b])
        found = np.where(found == t, _turned(time, s.lengths[row]), found)
    return found, row


def _turned(t: Indices, ends: Indices) -> Indices:
    return np.where(t < ends, ends - 1 - t, t)


def inputs() -> Iterator[Edit]:
    """Of what is read."""
    for where, move in USUAL.items():
        yield Edit(f"x_t is taken {where}", {"x": partial(moved, "x", move)})
    yield Edit("the inputs of (I, B, T) are read as (T, B, I)", {"x": _by_columns})
    for c in CLIPS:
        clip = partial(np.clip, a_min=-c, a_max=c)
        yield Edit(f"x_t is clipped to ±{c:g}", {"x": with_vector("x", clip)})
    for what, is_it in {"NaN": np.isnan, "infinity": np.isinf}.items():
        change = partial(lambda v, is_it: np.where(is_it(v), 0, v), is_it=is_it)
        yield Edit(f"{what} in x_t is read as 0", {"x": with_vector("x", change)})


def _by_columns(s: Steps) -> Term:
    read = s.inputs.transpose(2, 1, 0).reshape(s.inputs.shape)
    return product(read[s.t, s.b], s.weights.W_ih, s.u)


def _own_half(s: Steps) -> Term | None:
    H = s.states.shape[2]
    if s.inputs.shape[2] != 2 * H or "the layer below" not in s.other_weights:
        return None
    own = np.arange(2 * H) // H == s.direction
    return product(np.where(own, s.x, 0), s.weights.W_ih, s.u)


def states() -> Iterator[Edit]:
    """Of the state before."""
    for where, move in USUAL.items():
        yield Edit(f"h_{{t-1}} is taken {where}", {"h": partial(moved, "h", move)})
    yield Edit("h_0 of (H, B) is read as (B, H)", {"h": _state_by_columns})
    yield Edit("a row goes on from the last state of the row before", {"h": _row_after_row})
    yield Edit("the new states of the units before it go in for the old ones", {"h": _already_new})
    yield Edit("the step is made twice", {"h": _made_twice})
    yield from states_of_others(STATES_AFTER)
    for where, place in PLACES.items():
        yield Edit(
            f"the states stand {where}", {"place": partial(_placed, place, read_there=False)}
        )
    for says, place in BACK.items():
        yield Edit(says, {"place": partial(_placed, place, read_there=True)})
    weights = {slot: partial(_other, OTHER, slot, name) for slot, name in NAMED.items()}
    exchanged = {**weights, "h": _of_the_other_direction}
    yield Edit("the directions are exchanged in the output", exchanged)


def states_of_others(names: Sequence[str] = STATES_OF) -> Iterator[Edit]:
    """The state of another layer, direction or call."""
    for whose in names:
        yield Edit(f"{whose} goes in for h_{{t-1}}", {"h": partial(_state_of, whose)})


def _state_by_columns(s: Steps) -> Term:
    read = s.states[0].T.reshape(s.states[0].shape)
    return product(read[s.b], s.weights.W_hh, s.u)


def _row_after_row(s: Steps) -> Term:
    starts = (s.t == 0) & (s.b > 0)
    t, b = np.where(starts, len(s.inputs), s.t), s.b - starts
    return product(s.states[t, b], s.weights.W_hh, s.u)


def _already_new(s: Steps) -> Term:
    units = np.arange(s.states.shape[2])
    rows = np.where(units < s.u[:, np.newaxis], s.states[s.t + 1, s.b], s.before)
    return product(rows, s.weights.W_hh, s.u)


def _made_twice(s: Steps) -> Term:
    w = s.weights
    a = s.x @ w.W_ih.T.astype(np.float64) + s.before @ w.W_hh.T.astype(np.float64)
    a = a + w.b_ih + w.b_hh
    return product(np.tanh(a) if s.cell == "tanh" else relu(a), w.W_hh, s.u)


def _state_of(whose: str, s: Steps) -> Term | None:
    state = s.other_states.get(whose)
    return None if state is None else product(state[s.b], s.weights.W_hh, s.u)


def _of_the_other_direction(s: Steps) -> Term | None:
    state, weights = s.other_states.get(f"h_0 of {OTHER}"), s.other_weights.get(OTHER)
    if state is None or weights is None:
        return None
    after = s.states[np.minimum(s.t + 2, len(s.inputs)), s.b]
    ends = (s.t == s.lengths[s.b] - 1)[:, np.newaxis]
    return product(np.where(ends, state[s.b], after), weights.W_hh, s.u)


def changed() -> Iterator[Edit]:
    """Of what is multiplied, what is done to numbers, rows and sequences; of new states too."""
    rows = {says: of_rows.change for says, of_rows in changes.ROWS.items()}
    for slot, v in VECTORS.items():
        for says, change in {**changes.NUMBERS, **rows}.items():
            yield Edit(f"{v} {says}", {slot: with_vector(slot, change)})
        for says, change in changes.PASSED.items():
            yield Edit(f"{v} {says}", {slot: partial(_passed, slot, change)})
    for says, change in changes.STEPS.items():
        yield Edit(f"x_t {says}", {"x": with_vector("x", change)})
    for slot, W in MATRICES.items():
        for says, change in changes.MATRICES.items():
            does = {slot: with_matrix(slot, partial(_in_float64, change))}
            yield Edit(f"{W} {says}", does)
    joined = {slot: partial(_joined_otherwise, slot) for slot in MATRICES}
    yield Edit("W_ih and W_hh are joined in one order, x_t and h_{t-1} in the other", joined)
    alone = dict.fromkeys((*NAMED, "f"))  # what they are of is known where nothing else is changed
    for says, of_rows in changes.ROWS.items():
        yield Edit(f"the pre-activation {says}", {"before_f": of_rows, **alone})
        yield Edit(f"the new state {says}", {"after_f": of_rows, **alone})
    for says, change in changes.NUMBERS.items():
        after = partial(lambda s, change: change(s.new), change=change)
        yield Edit(f"the new state {says}", {"after": after})


def _in_float64(change: changes.Function, W: Array) -> Float64:
    return change(W.astype(np.float64))


def _joined_otherwise(slot: str, s: Steps) -> Term:
    every, H = np.concatenate([s.weights.W_ih, s.weights.W_hh], axis=1), len(s.weights.W_hh)
    return product(factors(slot, s)[0], every[:, H:] if slot == "x" else every[:, :H], s.u)


def _passed(slot: str, change: changes.Function, s: Steps) -> Term:
    of, W = (s.inputs, s.weights.W_ih) if slot == "x" else (s.states, s.weights.W_hh)
    value, _ = product(change(of)[s.t, s.b], W, s.u)
    _, size = product(np.abs(change(np.abs(of)))[s.t, s.b], W, s.u)
    return value, (1 + len(of) / W.shape[1]) * size  # it has been rounded once a step


def products() -> Iterator[Edit]:
    """Of either product."""
    for slot, W in MATRICES.items():
        v = VECTORS[slot]
        for factor, says in changes.COUNTED.items():
            yield Edit(f"{W} {v} {says}", {slot: partial(times, slot, factor=factor)})
        for says, of_matrix in of_matrices():
            yield Edit(f"{W} {says}".replace(" ,", ","), {slot: with_matrix(slot, of_matrix)})
        for says, of_vector in of_vectors():
            yield Edit(f"{v} {says}", {slot: with_vector(slot, of_vector)})
    for slot, W in MATRICES.items():
        for says, power in (
            ("the square root of its terms' number", 0.5),
            ("its terms' number", 1),
        ):
            of = partial(_divided, slot, power)
            yield Edit(f"{W} {VECTORS[slot]} is divided by {says}", {slot: of})
    for bits, name in SHORT.items():
        factors_short = {slot: partial(_rounded_product, slot=slot, bits=bits) for slot in MATRICES}
        for slot, short in factors_short.items():
            says = f"the factors of {MATRICES[slot]} {VECTORS[slot]} have {bits} bits ({name})"
            yield Edit(says, {slot: short})
        yield Edit(f"the factors of the products have {bits} bits ({name})", factors_short)
        kept = {slot: with_matrix(slot, partial(rounded, bits=bits)) for slot in MATRICES}
        yield Edit(f"both weights are kept with {bits} bits ({name})", kept)
    for most, (name, u) in ROUGH.items():
        for slot, W in MATRICES.items():
            says = f"{W} {VECTORS[slot]} is computed in {name}"
            yield Edit(says, {"roughly": {slot: u}}, last=2 * most)
        yield Edit(
            f"both products are computed in {name}",
            {"roughly": dict.fromkeys(MATRICES, u)},
            last=2 * most + 1,
        )


def _divided(slot: str, power: float, s: Steps) -> Term:
    return times(slot, s, factors(slot, s)[1].shape[1] ** -power)


def _weight_of(name: str, slot: str, s: Steps) -> Term | None:
    return with_matrix(slot, lambda _: getattr(s.weights, name))(s)


def _rounded_product(s: Steps, slot: str, bits: int) -> Term:
    rows, W = factors(slot, s)
    return product(rounded(rows, bits), rounded(W, bits), s.u)


def biases() -> Iterator[Edit]:
    """Of the biases."""
    along = {b: partial(_along_the_rows, b) for b in BIASES}
    factors = {"missing": 0, "added twice": 2, "halved": 0.5, "subtracted": -1}
    for b, other in zip(BIASES, BIASES[::-1], strict=True):
        for says, factor in factors.items():
            yield Edit(f"{b} is {says}", {b: partial(times, b, factor=factor)})
        yield Edit(f"{other} stands for {b}", {b: partial(right, other)})
        yield Edit(f"{b} is added along the rows", {b: along[b]})
        yield Edit(f"{b} of unit 0 is added to every unit", {b: partial(_of_unit_0, b)})
        for bits, name in SHORT.items():
            of = partial(_bias_kept, b, bits)
            yield Edit(f"{b} is kept with {bits} bits ({name})", {b: of})
    yield Edit("b_hh is added to h_{t-1} before the product", {**_none("b_hh"), "h": _biased_state})
    yield Edit("both biases are added along the rows", along)
    summed = {slot: partial(_summed, slot) for slot in NAMED}
    yield Edit("the pre-activations of the steps before are added", summed)
    for says in ("missing", "added twice"):
        both = {b: partial(times, b, factor=factors[says]) for b in BIASES}
        yield Edit(f"both biases are {says}", both)


def _bias_kept(b: str, bits: int, s: Steps) -> Term:
    return bias(rounded(getattr(s.weights, b), bits), s)


def _summed(slot: str, s: Steps) -> Term:
    """The term of this step and of all before it."""
    if slot in BIASES:
        value, size = right(slot, s)
        return value * (s.t + 1), size * (s.t + 1)
    of, W = (s.inputs, s.weights.W_ih) if slot == "x" else (s.states[:-1], s.weights.W_hh)
    signed, sizes = (np.cumsum(part, axis=0)[s.t, s.b] for part in (of, np.abs(of)))
    return (signed * W[s.u]).sum(axis=1), (sizes * np.abs(W[s.u])).sum(axis=1)


def _none(b: str) -> Mapping[str, TermOf]:
    return {b: partial(times, b, factor=0)}


def _biased_state(s: Steps) -> Term:
    return product(s.before + s.weights.b_hh, s.weights.W_hh, s.u)


def _along_the_rows(b: str, s: Steps) -> Term | None:
    value = getattr(s.weights, b)
    return in_float64(value[s.b]) if len(value) == s.inputs.shape[1] else None


def _of_unit_0(b: str, s: Steps) -> Term:
    return bias(getattr(s.weights, b), replace(s, u=0 * s.u))


def outside() -> Iterator[Edit]:
    """Terms that are added after the activation."""
    for n in range(1, len(NAMED)):
        for some in combinations(TERMS, n):
            terms = " and ".join(TERMS[slot] for slot in some)
            says = f"{terms} {'are' if n > 1 else 'is'} added after the activation"
            none = {slot: partial(times, slot, factor=0) for slot in some}
            yield Edit(says, {"plus": some, **none})


def of_other_layers() -> Iterator[Edit]:
    """What only layers and directions have, where it need not show."""
    halves = with_vector("x", lambda v: np.roll(v, v.shape[1] // 2, axis=1))
    yield Edit("the halves of x_t are exchanged", {"x": halves})
    yield Edit("what the other direction below gives is not read", {"x": _own_half})
    other = {"x": partial(_weight_of, "W_hh", "x"), "h": partial(_weight_of, "W_ih", "h")}
    yield Edit("W_ih and W_hh are exchanged", other)
    yield from weights_of_others(WEIGHTS_OF)


def weights_of_others(names: Sequence[str]) -> Iterator[Edit]:
    """Of other directions or layers."""
    for whose in names:
        others = {slot: partial(_other, whose, slot, name) for slot, name in NAMED.items()}
        yield Edit(f"all weights are those of {whose}", others)
        yield Edit(f"both biases are those of {whose}", {b: others[b] for b in BIASES})
        for slot, name in NAMED.items():
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
    yield Edit("every state is that of the last step", {"after": lambda s: s.ended})
    yield Edit("the state before is added to the new one", {"after": lambda s: s.new + s.before})
    yield Edit("the padding repeats the last state", {"padding": lambda s: s.before})
    yield Edit("the padding holds the state that is carried", {"padding": lambda s: s.carried})
    on = {"h": lambda s: product(s.running_on, s.weights.W_hh, s.u), "padding": lambda s: s.new}
    for of, before in (("the state", {}), ("what shows of it", {"h": _without_residual})):
        says = f"x_t is added to {of} after the activation"
        yield Edit(says, {"after": lambda s: s.new + s.read, **before})
    yield Edit("lengths are overlooked: padding is read as steps", on)
    for says, to in changes.DECIMALS.items():
        yield Edit(f"the new state {says}", {"after": partial(_in_decimals, to)})
    formats: Mapping[str, Callable[[Float64], Any]] = {
        "float32": np.float32,
        "float16": np.float16,
        "bfloat16": lambda new: bfloat16(new.astype(np.float32)),
    }
    for name, to in formats.items():
        yield Edit(f"the new state is rounded to {name}", {"after": partial(_kept_in, to)})
    for bits in FIXED:
        to = partial(_fixed, bits)
        says = f"the new state is rounded to multiples of 2^-{bits}"
        yield Edit(says, {"after": partial(_kept_in, to)})
    yield Edit("all is computed in float32", {"allows": as_float32}, last=9)


def _without_residual(s: Steps) -> Term | None:
    if s.own is None:
        return None
    read = s.inputs[np.maximum(s.t - 1, 0), s.b, s.own]
    return product(s.before - np.where(s.t[:, None] > 0, read, 0), s.weights.W_hh, s.u)


def _fixed(bits: int, values: Float64) -> Float64:
    return np.ldexp(np.rint(np.ldexp(values, bits)), -bits)


def _in_decimals(to: changes.Function, s: State) -> Float64:
    """Rounded, where it was found to be so, in float32 at least."""
    near = np.abs(s.found - to(s.found)) <= 2.0**-24 * np.abs(s.found)
    return np.where(near, to(s.new), NEVER)


def _kept_in(to: Callable[[Float64], Any], s: State) -> Float64:
    """Rounded, where it was found to be such a number."""
    return np.where(s.found == to(s.found), to(s.new).astype(np.float64), NEVER)


LIBRARY: tuple[Edit, ...] = (
    *products(), *inputs(), *states(), *biases(), *outside(), *changed(),
    *of_other_layers(), *states_of_others(), *activations(), *afterwards(),
)  # fmt: skip
