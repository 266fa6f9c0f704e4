"""Gates as people write them: in which order a weight has them, and by which names."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, TypeVar

import numpy as np

from rnn_conformance.contract.call import GATED, Array

NEW_SHARES = ("1 - z", "z")  # of a GRU: the first as torch has it
NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ifgo": {
        "i": ("i", "in", "input"),
        "f": ("f", "forget"),
        "g": ("g", "c", "cell", "cand", "candidate", "new", "c_tilde", "c_hat", "c_bar"),
        "o": ("o", "out", "output"),
    },
    "rzn": {
        "r": ("r", "reset"),
        "z": ("z", "u", "update"),
        "n": ("n", "h", "c", "new", "cand", "candidate", "hidden", "h_tilde", "h_hat"),
    },
}


class Undeclared(ValueError):
    """Neither shapes nor names say which gate is which; the message has the line that would."""


@dataclass(frozen=True)
class Gates:
    """What a function or class says of its gates; "" where it says nothing.

    Attributes:
        cell: a key of `GATED`.
        order: that of the rows of a weight that has all gates, such as "iofg"; else torch's.
        new_share: the share of the new state in a GRU, of `NEW_SHARES`.
        names: by the letter of each gate, what in the name of an array tells it.
    """

    cell: str = ""
    order: str = ""
    new_share: str = NEW_SHARES[0]
    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, cell: str) -> "Gates":
        """The same, of this cell. Raises TypeError where something else is said."""
        letters = GATED[cell]
        for said in filter(None, (self.order, "".join(self.names))):
            if sorted(said) != sorted(letters):
                raise TypeError(f"gates: expected the letters of {letters!r}, got {said!r}")
        if self.cell not in ("", cell):
            raise TypeError(f"gates: {self.cell} is said, and {cell} is claimed")
        if self.new_share != NEW_SHARES[0] and "z" not in letters:
            raise TypeError(f"gates: new_share is said, which {cell} does not have")
        return replace(self, cell=cell)

    def rows(self, weight: Array) -> dict[str, Array]:
        """The rows of a weight by gate, those of z negated where z is the share of the new state.

        σ(-a) = 1 - σ(a), so what exchanges z and 1 - z computes with them what we do with z's.
        """
        letters = GATED[self.cell]
        found = dict(zip(letters, np.split(weight, len(letters)), strict=True))
        return found | ({"z": -found["z"]} if self.new_share == NEW_SHARES[1] else {})

    def stacked(self, weight: Array) -> Array:
        """A weight with its gates in this order. Raises ValueError for other numbers of rows."""
        found = self.rows(weight)
        return np.concatenate([found[gate] for gate in self.order or GATED[self.cell]])

    def others(self, *, stacked: bool) -> Iterator["Gates"]:
        """Everything else that could be meant: another kind of GRU; of what is stacked, the order.

        Orders are no choice where each gate has a name.
        """
        letters = GATED[self.cell]
        orders = ["".join(order) for order in permutations(letters)] if stacked else [self.order]
        cells = [cell for cell, gates in GATED.items() if gates == letters]
        for order in orders:
            for cell in cells:
                for share in NEW_SHARES if "z" in letters else NEW_SHARES[:1]:
                    other = replace(self, cell=cell, order=order, new_share=share)
                    if (cell, order or letters, share) != (
                        self.cell, self.order or letters, self.new_share
                    ):  # fmt: skip
                        yield other

    def __str__(self) -> str:
        letters = GATED[self.cell]
        said = [repr(self.order)] if self.order not in ("", letters) else []
        said += [f"cell={self.cell!r}"] if self.cell == "gru_reset_before" else []
        said += [f"new_share={self.new_share!r}"] if self.new_share != NEW_SHARES[0] else []
        said += [f"{gate}={name!r}" for gate, name in self.names.items()]
        return f"@rnn_conformance.gates({', '.join(said)})".replace("'", '"')


F = TypeVar("F", bound=Callable[..., Any])


def gates(
    order: str = "", *, cell: str = "", new_share: str = NEW_SHARES[0], **names: str
) -> Callable[[F], F]:
    """Decorate a function or class with what it calls the gates, and in which order it has them.

    Args:
        order: of the rows of a weight with all gates, such as "iofg" as ONNX has them. The letters
            are those of torch: i, f, g, o of an LSTM and r, z, n of a GRU.
        cell: "gru_reset_before" if the reset comes before the product.
        new_share: "z" if h_t = (1 - z) h_{t-1} + z n; as torch has it, the new state has 1 - z.
        names: of a class with an array for each gate, what in the name tells it: i="in_", ....

    Raises ValueError for other letters, cells and shares.
    """
    known = [sorted(letters) for letters in GATED.values()]
    for letters in filter(None, (order, "".join(names))):
        if sorted(letters) not in known:
            raise ValueError(f"gates: expected the letters of 'ifgo' or 'rzn', got {letters!r}")
        if cell in GATED and sorted(letters) != sorted(GATED[cell]):
            raise ValueError(f"gates: {cell} has the letters of {GATED[cell]!r}, got {letters!r}")
    if cell and cell not in GATED:
        raise ValueError(f"gates: cell: expected one of {', '.join(GATED)}, got {cell!r}")
    if new_share not in NEW_SHARES:
        raise ValueError(f"gates: new_share: expected '1 - z' or 'z', got {new_share!r}")

    def decorate(written: F) -> F:
        written.gates = Gates(cell, order, new_share, names)  # type: ignore[attr-defined]
        return written

    return decorate


def families(
    shapes: Mapping[str, tuple[int, ...]], names: Mapping[str, Iterable[str]]
) -> dict[str, dict[str, str]]:
    """Arrays that differ in the name of the gate alone: by a name with * for it, a path a gate.

    Of two that share a path, neither is taken unless they say the same of every path.

    Args:
        shapes: of arrays by path.
        names: by gate, what may stand for it in a path.
    """
    found: dict[tuple[str, tuple[int, ...]], dict[str, set[str]]] = {}
    for path, shape in shapes.items():
        for gate, pieces in names.items():
            for piece in pieces:
                for at in re.finditer(re.escape(piece), path, re.IGNORECASE):
                    name = f"{path[: at.start()]}*{path[at.end() :]}"
                    found.setdefault((name, shape), {}).setdefault(gate, set()).add(path)
    whole = {
        name: {gate: paths.pop() for gate, paths in of.items()}
        for (name, _), of in found.items()
        if of.keys() == {*names} and all(len(paths) == 1 for paths in of.values())
    }
    gates_of = [(path, gate) for of in whole.values() for gate, path in of.items()]
    unclear = {path for path, gate in gates_of for p, g in gates_of if p == path and g != gate}
    once: dict[frozenset[str], str] = {}
    for name, of in whole.items():
        if len({*of.values()}) == len(of) and not unclear & {*of.values()}:
            once.setdefault(frozenset(of.values()), name)
    return {name: whole[name] for name in once.values()}
