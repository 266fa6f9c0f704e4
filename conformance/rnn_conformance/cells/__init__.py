"""The cells: all that knows a weight, an activation or a gate."""

from rnn_conformance.cells.cell import Cell, CellWeights
from rnn_conformance.cells.elman import RELU, TANH
from rnn_conformance.contract.call import GATES

__all__ = ["CELLS", "Cell", "CellWeights", "register"]

CELLS: dict[str, Cell] = {}


def register(cell: Cell) -> None:
    """Make a cell known, as an option and as a claim."""
    CELLS[cell.name], GATES[cell.name] = cell, cell.gates


for known in (TANH, RELU):
    register(known)
