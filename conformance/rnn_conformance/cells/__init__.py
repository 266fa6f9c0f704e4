"""The cells: all that knows a weight, an activation or a gate."""

from collections.abc import Set

from rnn_conformance.cells.cell import Cell, CellWeights
from rnn_conformance.cells.elman import RELU, TANH
from rnn_conformance.contract.call import GATES, PARTS

__all__ = ["CELLS", "Cell", "CellWeights", "first_claimed", "register"]

CELLS: dict[str, Cell] = {}


def register(cell: Cell) -> None:
    """Make a cell known, as an option and as a claim."""
    CELLS[cell.name], GATES[cell.name], PARTS[cell.name] = cell, cell.gates, cell.parts


def first_claimed(claims: Set[str]) -> Cell:
    """The cell that is asked where one is enough."""
    return next(cell for name, cell in CELLS.items() if name in claims)


for known in (TANH, RELU):
    register(known)
