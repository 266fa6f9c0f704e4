"""The cells: all that knows a weight, an activation or a gate."""

from collections.abc import Set

from rnn_conformance.cells.cell import Cell, CellWeights
from rnn_conformance.cells.elman import RELU, TANH
from rnn_conformance.cells.gru import GRU, GRU_RESET_BEFORE
from rnn_conformance.cells.lstm import LSTM
from rnn_conformance.contract.call import GATES, PARTS

__all__ = ["CELLS", "Cell", "CellWeights", "alike", "first_claimed", "register"]

CELLS: dict[str, Cell] = {}


def register(cell: Cell) -> None:
    """Make a cell known, as an option and as a claim."""
    CELLS[cell.name], GATES[cell.name], PARTS[cell.name] = cell, cell.gates, cell.parts


def alike(cell: str) -> tuple[str, ...]:
    """The cells, this one among them, whose weights and states have its shapes."""
    shapes = GATES[cell], PARTS[cell]
    return tuple(name for name in CELLS if (GATES[name], PARTS[name]) == shapes)


def first_claimed(claims: Set[str]) -> Cell:
    """The cell that is asked where one is enough."""
    return next(cell for name, cell in CELLS.items() if name in claims)


for known in (TANH, RELU, LSTM, GRU, GRU_RESET_BEFORE):
    register(known)
