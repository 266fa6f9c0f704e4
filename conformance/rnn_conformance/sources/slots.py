"""Which weight each array of a model is: told by its shape, and which gate's by its name."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations, product, takewhile
from math import prod
from typing import Any

import numpy as np

from rnn_conformance.contract.call import GATED, Array
from rnn_conformance.sources.gates import NAMES, Gates, Undeclared, families

I, H, O = 7, 5, 2  # of the first model: no two alike
INITIAL_STATE = (
    "h_0", "h0", "h", "hx", "h_prev", "h_init", "hidden", "state", "initial_state", "H",
    "states", "init_state", "init_states", "initial_states", "hidden_state", "H_C",
)  # fmt: skip
INITIAL_CELL = ("c_0", "c0", "c", "cx", "c_prev", "c_init", "cell", "cell_state", "C")
MOST_CHOICES = 16
MERGED = ({H, H + I}, {H, H + I + 1})  # of a weight of both, the second with a column for ones
Weights = Mapping[str, Array]
Unread = Callable[[Sequence[str]], frozenset[str]]


@dataclass(frozen=True)
class Slot:
    """What one array of a model is filled with.

    Attributes:
        of: some of `fillings`, side by side; none for an array that is no weight, which is filled
            with NaN so that it shows if it is read.
        turned: whether it stands to the right of what it multiplies, as x @ W.
    """

    of: tuple[str, ...]
    turned: bool = False

    def filled(self, fillings: Weights, shape: tuple[int, ...]) -> Array:
        if not self.of:
            return np.full(shape, np.nan)
        whole = np.concatenate([fillings[name] for name in self.of], axis=1)
        if len(self.of) == 1 and self.of[0].startswith("b"):
            return whole.reshape(shape)
        return whole.T.copy() if self.turned else whole

    def __str__(self) -> str:
        if not self.of:
            return "no weight (NaN, so that it shows if it is read)"
        whole = ", ".join(self.of)
        whole = f"[{whole}]" if len(self.of) > 1 else whole
        return f"{whole} transposed" if self.turned else whole


def fillings(weights: Weights, gates: Gates) -> dict[str, Array]:
    """All that an array can be filled with: weights, rows of a gate such as "W_ih of f", sums."""
    found = dict(weights)
    for name, weight in weights.items() if gates.cell else ():
        if not name.endswith("ho"):
            found[name] = gates.stacked(weight)
            found |= {f"{name} of {gate}": rows for gate, rows in gates.rows(weight).items()}
    x = of_inputs(gates)
    for end in ("", *(f" of {gate}" for gate in GATED.get(gates.cell, ""))):
        both = found[f"b_{x}{end}"] + found[f"b_hh{end}"]
        found[f"{summed(x)}{end}"] = both
        found[f"{with_one(x)}{end}"] = np.hstack([found[f"W_{x}{end}"], both])
    return found


def summed(x: str) -> str:
    """What one bias is that holds the sum of both."""
    return f"b_{x} + b_hh"


def with_one(x: str) -> str:
    """What a weight of the inputs is where the last of these is 1, for want of a bias."""
    return f"[W_{x}, {summed(x)}]"


def of_inputs(gates: Gates) -> str:
    """What ends the names of weights of the inputs."""
    return "ih" if gates.cell else "xh"


def gates_of(said: Gates, arrays: Mapping[str, Any]) -> tuple[Gates, dict[str, dict[str, str]]]:
    """The cell that arrays are of, and those of one weight with a gate each, by a common name.

    A cell that is no LSTM and no GRU is "". Raises Undeclared if gates are declared and not found.
    """
    shapes = {path: np.shape(array) for path, array in arrays.items()}
    for letters, usual in (("ifgo", "lstm"), ("rzn", "gru")):
        try:
            gates = said.of(said.cell if GATED.get(said.cell) == letters else usual)
        except TypeError:
            continue
        names = {gate: (name,) for gate, name in said.names.items()} or NAMES[letters]
        split = families(shapes, names)
        if any({*shapes[min(of.values())]} in ({H, I}, *MERGED) for of in split.values()):
            return gates, split
        rows = len(letters) * H
        if any({*shape} in ({rows, n} for n in (I, H + I, H + I + 1)) for shape in shapes.values()):
            return gates, {}
    if said != Gates():
        shown = ", ".join(f"{path} {shape}" for path, shape in shapes.items())
        raise Undeclared(f"gates are declared, and no weight of all gates or of each: {shown}")
    return said, {}


def slots_of(
    arrays: Mapping[str, Any], unread: Unread, said: Gates | None = None
) -> Iterator[tuple[dict[str, Slot], Gates]]:
    """What each array is filled with, by its shape; and what is known of the gates.

    Args:
        unread: which of some arrays are not read; asked of those of which there are too many.

    Raises TypeError where the shapes do not say, and Undeclared where a line is to.
    """
    gates, split = gates_of(said or Gates(), arrays)
    if not split:
        rows = len(GATED.get(gates.cell, "h")) * H
        for found in _slots_of(arrays, unread, rows, gates):
            yield found, gates
        return
    members = {name: [*of.values()] for name, of in split.items()}
    taken = {path for paths in members.values() for path in paths}
    rest = {path: array for path, array in arrays.items() if path not in taken}
    stray = [path for path, array in rest.items() if _is_like_a_gate(path, array)]
    no_weights = unread(stray) if stray else frozenset()
    if read := [path for path in stray if path not in no_weights]:
        raise Undeclared(
            f"{', '.join(read)}: of which gate? name all its arrays as in {', '.join(split)}"
        )

    def unread_of(names: Sequence[str]) -> frozenset[str]:
        not_read = unread([path for name in names for path in members.get(name, [name])])
        return frozenset(n for n in names if not_read.issuperset(members.get(n, [n])))

    one_each = {name: arrays[paths[0]] for name, paths in members.items()}
    one_each |= {path: array for path, array in rest.items() if path not in stray}
    for found in _slots_of(one_each, unread_of, H, gates):
        every = {path: Slot(()) for path in stray}
        for name, slot in found.items():
            if name in split:
                for gate, path in split[name].items():
                    every[path] = replace(slot, of=tuple(f"{one} of {gate}" for one in slot.of))
            else:
                every[name] = slot
        yield every, gates


def _is_like_a_gate(path: str, array: Any) -> bool:
    sizes = {n for n in np.shape(array) if n != 1}
    of_a_gate = sizes in ({H}, {H, I}, *MERGED)
    return of_a_gate and last_name(path) not in (*INITIAL_STATE, *INITIAL_CELL)


def _slots_of(
    arrays: Mapping[str, Any], unread: Unread, rows: int, gates: Gates
) -> Iterator[dict[str, Slot]]:
    """By the shapes of weights of so many rows. Raises TypeError."""
    x = of_inputs(gates)
    by_shape: dict[tuple[int, ...], list[str]] = {}
    for path, array in arrays.items():
        by_shape.setdefault(tuple(n for n in np.shape(array) if n != 1), []).append(path)
    wanted: dict[str, list[tuple[int, ...]]] = {
        "W_x": [(rows, I)], "W_ho": [(O, H)], "W_hh": [(rows, H)], "b_ho": [(O,)],
        "b": [(rows,)], "W": [(rows, H + I), (rows, H + I + 1)],
    }  # fmt: skip
    of = {
        what: [path for shape in dict.fromkeys(s for one in shapes for s in (one, one[::-1]))
               for path in by_shape.get(shape, [])]
        for what, shapes in wanted.items()
    }  # fmt: skip
    states = (*INITIAL_STATE, *INITIAL_CELL) if gates.cell else INITIAL_STATE
    of["b"] = [path for path in of["b"] if last_name(path) not in states]
    sets = max(len(of["W_hh"]), len(of["W"]), 1)  # of weights, or their gradients
    most = {what: 2 if what == "b" and sets == 1 else 1 for what in of}
    many = [path for what, paths in of.items() if len(paths) > most[what] for path in paths]
    not_read = unread(many) if many else frozenset()
    if not gates.cell:
        _refuse_unnamed_gates([p for p in (*of["W_x"], *of["W"]) if p not in not_read])
    if not of["b"] and not any(H + I + 1 in np.shape(arrays[path]) for path in of["W"]):
        _refuse_other_biases(
            {*arrays} - {p for paths in of.values() for p in paths}, arrays, unread
        )
    choices = {what: _choices(what, of[what], not_read, sets) for what in of}
    if prod(map(len, choices.values())) > MOST_CHOICES:
        read = [path for path in many if path not in not_read]
        raise TypeError(f"{', '.join(read)}: several arrays of a shape are read, in too many ways")
    turned = {path for path in arrays if _is_turned(np.shape(arrays[path]), rows)}
    for chosen in product(*choices.values()):
        taken = dict(zip(choices, chosen, strict=True))
        found = {path: Slot(()) for path in many}
        for what in ("W_ho", "b_ho"):
            found |= {path: Slot((what,), path in turned) for path in taken[what]}
        own_column = any(H + I + 1 in np.shape(arrays[path]) for path in taken["W"])
        from_x = f"W_{x}" if taken["b"] or own_column else with_one(x)
        found |= {path: Slot((from_x,), path in turned) for path in taken["W_x"]}
        square = turned & {*taken["W_x"]} if rows == H else ()
        found |= {p: Slot(("W_hh",), bool(square) or p in turned) for p in taken["W_hh"]}
        found |= {path: Slot((name,)) for path, name in _biases(taken, list(arrays), x).items()}
        _refuse_lacking(taken, arrays, gates)
        beside = permutations(("W_hh", from_x, *[summed(x)] * own_column) if taken["W"] else ())
        for order in beside:
            if len(order) < 3 or order[1] != summed(x):
                yield {**found, **{path: Slot(order, path in turned) for path in taken["W"]}}


def _biases(taken: Mapping[str, Sequence[str]], order: list[str], x: str) -> dict[str, str]:
    """Which bias each array is: of two, that of the weight whose name it shares more with.

    Where the names do not tell, they stand in the order of the weights.
    """
    paths = taken["b"]
    if len(paths) < 2:
        return dict.fromkeys(paths, summed(x))
    as_listed = dict(zip(paths, (f"b_{x}", "b_hh"), strict=True))
    if not (taken["W_x"] and taken["W_hh"]):
        return as_listed
    exchanged = dict(zip(paths, ("b_hh", f"b_{x}"), strict=True))
    (of_x,), (of_h,) = taken["W_x"], taken["W_hh"]
    told = [
        sum(_shared(path, of_h if name == "b_hh" else of_x) for path, name in way.items())
        for way in (as_listed, exchanged)
    ]
    in_order = order.index(of_x) < order.index(of_h) if told[0] == told[1] else told[0] > told[1]
    return as_listed if in_order else exchanged


def _shared(one: str, other: str) -> int:
    """How many letters two names share at both their ends."""
    ends = (zip(one, other, strict=False), zip(one[::-1], other[::-1], strict=False))
    return sum(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], end)) for end in ends)


def _choices(
    what: str, paths: Sequence[str], not_read: frozenset[str], sets: int
) -> list[tuple[str, ...]]:
    """Which of some arrays are a weight, or both biases: those that are read, else the first."""
    read = [path for path in paths if path not in not_read]
    rest = [path for path in paths if path in not_read]
    two = what == "b" and len(paths) == 2 * sets
    able = [*read, *rest[: max(1 + two - len(read), 0)]]
    pairs = list(combinations(able, 2)) if what == "b" else []
    return [*pairs, *([] if two else [(path,) for path in able])] or [()]


def _refuse_unnamed_gates(read: Sequence[str]) -> None:
    """Raises Undeclared for three or four weights of the inputs, not named by gates."""
    for letters in NAMES:
        if len(read) == len(letters):
            said = ", ".join(f'{gate}="{path}"' for gate, path in zip(letters, read, strict=True))
            raise Undeclared(
                f"{', '.join(read)}: which gate is each? say what in the names tells it, "
                f"for example @rnn_conformance.gates({said})"
            )


def _refuse_other_biases(paths: Collection[str], arrays: Mapping[str, Any], unread: Unread) -> None:
    """Raises TypeError where no array has the shape of a bias, and another one is read."""
    others = [p for p in arrays if p in paths and np.size(arrays[p]) > 1]
    others = [path for path in others if last_name(path) not in (*INITIAL_STATE, *INITIAL_CELL)]
    not_read = unread(others) if others else frozenset()
    if read := [f"{p} {np.shape(arrays[p])}" for p in others if p not in not_read]:
        raise TypeError(f"{', '.join(read)}: read, and no weight or bias by its shape")


def _refuse_lacking(
    taken: Mapping[str, Sequence[str]], arrays: Mapping[str, Any], gates: Gates
) -> None:
    """Raises TypeError where no array is found for a weight, Undeclared for one bias of a GRU."""
    names = {f"W_{of_inputs(gates)}": "W_x", "W_hh": "W_hh"}
    lacking = [name for name, what in names.items() if not taken["W"] and not taken[what]]
    if lacking:
        shown = ", ".join(f"{path} {np.shape(array)}" for path, array in arrays.items())
        raise TypeError(
            f"of {', '.join(lacking)} no array is found by its shape; made with I = {I}, "
            f"H = {H}, O = {O}, the model has {shown or 'none'}"
        )
    if gates.cell == "gru" and len(taken["b"]) < 2:
        raise Undeclared(
            "a GRU that resets after the product needs a b_hh of its own for n = tanh(W_ih x + "
            "b_ih + r (W_hh h + b_hh)), and no second bias is found; if yours resets before it, "
            f"as n = tanh(W_ih x + W_hh (r h) + b), write {replace(gates, cell='gru_reset_before')}"
            " above it"
        )


def _is_turned(shape: tuple[int, ...], rows: int) -> bool:
    """Whether a weight of this shape stands to the right of what it multiplies."""
    turned = ((I, rows), (H, O), (H + I, rows), (H + I + 1, rows))
    whole = tuple(n for n in shape if n != 1)
    return whole in turned or (rows != H and whole == (H, rows))


def last_name(path: str) -> str:
    """The last name in a path."""
    return re.split(r"\W+", path.rstrip("]'"))[-1]
