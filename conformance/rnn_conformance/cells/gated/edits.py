"""What ports do otherwise in the gates of an LSTM or a GRU, as edits of a step.

The slots: x, h, b_ih and b_hh are the terms of every gate, "h.i" is that of one; "f.i" is what the
sum of a gate goes through, "f.c" what c goes through in h. Of an LSTM, c_0 is the first c, c_from
is where c_{t-1} is taken from, "peep.i" what of it is added to a sum, c and out are the new c and
h. Of a GRU, before is the h_{t-1} that z multiplies, n the sum of n, out the new h. after, allows
and padding are as in the plain RNN.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import combinations, permutations
from typing import Any

import numpy as np

from rnn_conformance.cells.activations import sigmoid
from rnn_conformance.cells.cell import CellWeights
from rnn_conformance.cells.edits import Edit, Steps, Term, of_matrices, product
from rnn_conformance.cells.elman.edits import (
    CLIPS,
    WEIGHTS_OF,
    afterwards,
    inputs,
    products,
    states,
    weights_of_others,
)
from rnn_conformance.cells.elman.slips import FOR_TANH, Function, relu
from rnn_conformance.cells.elman.terms import (
    BIASES,
    MATRICES,
    NAMED,
    VECTORS,
    moved,
    right,
    shifted,
    times,
)
from rnn_conformance.cells.moves import OTHERS, USUAL

TERMS = {*MATRICES, *BIASES, "roughly"}
ADDED = (1, 2, -1, 5)  # to a pre-activation: biases that make a gate remember
MOVES = {**USUAL, **{where: of for where, of in OTHERS.items() if not re.search(r"\d", where)}}
GATE, EARLIER = "the gate {}", "an earlier call"
FACTORS = {"missing": 0, "added twice": 2, "halved": 0.5, "subtracted": -1}
FOR_SIGMOID: Mapping[str, Function] = {
    "a clip of a / 5 + 1/2 to [0, 1]": lambda a: np.clip(a / 5 + 0.5, 0, 1),
    "a clip of a / 6 + 1/2 to [0, 1]": lambda a: np.clip(a / 6 + 0.5, 0, 1),
    "a clip of a / 4 + 1/2 to [0, 1]": lambda a: np.clip(a / 4 + 0.5, 0, 1),
    "a clip of a to [0, 1]": lambda a: np.clip(a, 0, 1),
    "the identity": lambda a: a,
    "tanh": np.tanh,
    "relu": relu,
    "σ(-a), which is 1 - σ(a)": lambda a: sigmoid(-a),
    "σ(2 a)": lambda a: sigmoid(2 * a),
    "a step from 0 to 1": lambda a: np.where(a > 0, 1.0, 0.0),
    "missing (1)": np.ones_like,
    "0": np.zeros_like,
}


def gate_of(s: Steps, letters: str, letter: str) -> Steps:
    """The steps with the weights of one gate alone; those of the others are other weights too."""

    def sliced(w: CellWeights, letter: str) -> CellWeights:
        H, k = len(w.b_ih) // len(letters), letters.index(letter)
        return CellWeights(*(part[k * H : (k + 1) * H] for part in w))

    others = {GATE.format(other): sliced(s.weights, other) for other in letters}
    others |= {whose: sliced(w, letter) for whose, w in s.other_weights.items()}
    earlier = tuple((says, sliced(w, letter)) for says, w in s.earlier)
    return replace(s, weights=sliced(s.weights, letter), other_weights=others, earlier=earlier)


def of_every_gate(whose: str = "h_{t-1}") -> Iterator[Edit]:
    """Those of the plain RNN that are of a term of the sum.

    Args:
        whose: what they call h_{t-1} where nothing else that reads it is edited.
    """
    for edit in _of_every_gate():
        says = f"{whose}{edit.says.removeprefix('h_{t-1}')}"
        yield replace(edit, says=says) if edit.says.startswith("h_{t-1}") else edit


def _of_every_gate() -> Iterator[Edit]:
    for edit in (*products(), *inputs(), *states()):
        rare = "up to its" in edit.says or edit.says == "the step is made twice"
        if edit.does.keys() <= TERMS and not rare:
            yield edit
    for b in BIASES:
        for says, factor in FACTORS.items():
            yield Edit(f"{b} is {says}", {b: partial(times, b, factor=factor)})
    for says in ("missing", "added twice"):
        both = {b: partial(times, b, factor=FACTORS[says]) for b in BIASES}
        yield Edit(f"both biases are {says}", both)
    yield from weights_of_others(WEIGHTS_OF)
    for where, move in MOVES.items():
        if where not in USUAL:
            yield Edit(f"h_{{t-1}} is taken {where}", {"h": partial(moved, "h", move)})
    for call in ("the last call", "the first call"):
        for alike in ("", " of the same sizes", " of as many rows and units"):
            every = {slot: partial(_earlier, call + alike, slot) for slot in NAMED}
            yield Edit(f"all weights are those of {call}{alike}", every)
            for slot, name in NAMED.items():
                yield Edit(f"{name} is that of {call}{alike}", {slot: every[slot]})


def _earlier(whose: str, slot: str, s: Steps) -> Term | None:
    for says, w in s.earlier:
        shapes = [(of.W_ih.shape, of.W_hh.shape) for of in (w, s.weights)]
        if whose in says and shapes[0] == shapes[1]:
            return right(slot, replace(s, weights=w))
    return None


def of_each_gate(letters: str) -> Iterator[Edit]:
    """Of the terms of one gate."""
    for k in letters:
        for slot, W in MATRICES.items():
            for says, count in (("missing", 0), ("counted twice", 2), ("subtracted", -1)):
                does = {f"{slot}.{k}": partial(times, slot, factor=count)}
                yield Edit(f"{W} {VECTORS[slot]} of {k} is {says}", does)
            for says, change in of_matrices():
                if "bits" not in says and "blocks" not in says and "rows" not in says:
                    says = f"{W} of {k} {says}".replace(" ,", ",")
                    yield Edit(says, {f"{slot}.{k}": _with_matrix(slot, change)})
        for b, other in zip(BIASES, BIASES[::-1], strict=True):
            for says, factor in FACTORS.items():
                yield Edit(f"{b} of {k} is {says}", {f"{b}.{k}": partial(times, b, factor=factor)})
            yield Edit(f"{other} of {k} stands for {b}", {f"{b}.{k}": partial(right, other)})
        both = {f"{b}.{k}": partial(times, b, factor=0) for b in BIASES}
        yield Edit(f"both biases of {k} are missing", both)
        for c in ADDED:
            yield Edit(f"{c} is added to the sum of {k}", {f"b_ih.{k}": partial(shifted, c)})
        for where, move in USUAL.items():
            says = f"h_{{t-1}} of {k} is taken {where}"
            yield Edit(says, {f"h.{k}": partial(moved, "h", move)})


def _with_matrix(slot: str, change: Callable[..., Any]) -> Callable[[Steps], Term | None]:
    def term(s: Steps) -> Term | None:
        changed = change(getattr(s.weights, MATRICES[slot]))
        same = changed.shape == getattr(s.weights, MATRICES[slot]).shape
        return right(slot, replace(s, weights=_with(s.weights, slot, changed))) if same else None

    return term


def _with(w: CellWeights, slot: str, value: Any) -> CellWeights:
    return w._replace(**{NAMED[slot]: value})


def of_other_gates(letters: str) -> Iterator[Edit]:
    """The weights of one gate in another."""

    def of(pairs: Iterable[tuple[str, str]], slots: Iterable[str] = NAMED) -> Mapping[str, Any]:
        return {
            f"{slot}.{k}": partial(_of_gate, other, slot) for k, other in pairs for slot in slots
        }

    for k, other in combinations(letters, 2):
        both = ((k, other), (other, k))
        yield Edit(f"{k} and {other} are exchanged", of(both))
        for slot, name in NAMED.items():
            yield Edit(f"{name} of {k} and of {other} are exchanged", of(both, [slot]))
        yield Edit(f"both weights of {k} and of {other} are exchanged", of(both, MATRICES))
        yield Edit(f"both biases of {k} and of {other} are exchanged", of(both, BIASES))
    for k, other in permutations(letters, 2):
        yield Edit(f"all weights of {k} are those of {other}", of([(k, other)]))
        for slot in MATRICES:
            yield Edit(f"{NAMED[slot]} of {k} is that of {other}", of([(k, other)], [slot]))
    for order in permutations(letters):
        moved_gates = [(k, letters[n]) for n, k in enumerate(order) if letters[n] != k]
        if len(moved_gates) > 2:
            says = f"the gates are read in the order {', '.join(order)}"
            yield Edit(says, of(moved_gates))


def _of_gate(other: str, slot: str, s: Steps) -> Term:
    return right(slot, replace(s, weights=s.other_weights[GATE.format(other)]))


def activations(sigmoids: str, tanhs: str) -> Iterator[Edit]:
    """Another function than was asked for, of one gate or of all that have it."""
    for every, name, functions in (
        (sigmoids, "the sigmoid", FOR_SIGMOID), (tanhs, "tanh", {"σ(a)": sigmoid, **FOR_TANH}),
    ):  # fmt: skip
        some = [*every] if len(every) == 1 else [every, *every]
        for letters in some:
            whose = ", ".join(letters)
            for says, function in functions.items():
                if says != "the logistic function":
                    does = {f"f.{k}": function for k in letters}
                    yield Edit(f"{name} of {whose} is {says}", does)


def finally_(new: str) -> Iterator[Edit]:
    """What is done with a new state, and the precision."""
    for edit in afterwards():
        if edit.does.keys() <= {"after", "padding", "allows"}:
            yield edit
    for c in CLIPS:
        clip = partial(lambda c, s: np.clip(s.new, -c, c), c)
        yield Edit(f"{new} is clipped to ±{c:g}", {"after": clip})


def h_after(name: str, s: Steps) -> Term | None:
    """What another call left goes in for h_0."""
    if name not in s.other_states:
        return None
    rows = np.where((s.t == 0)[:, np.newaxis], s.other_states[name][s.b], s.before)
    return product(rows, s.weights.W_hh, s.u)
