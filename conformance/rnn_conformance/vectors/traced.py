"""Numbers that remember what they were computed from, for exact gradients by the chain rule.

Whatever a cell computes of them in decimal digits is differentiated as it is computed: no formula
of a gradient is written here, and none is shared with the judge.
"""

from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Any

ONE = Decimal(1)

Operand = Decimal | int
Slope = tuple[Operand, Operand]  # of what, and how steeply the result rises in it


class Traced(Decimal):
    """A number with its operands; what is not written here is that of a plain number."""

    __slots__ = ("depth", "operands")

    depth: int
    operands: tuple[tuple["Traced", Decimal], ...]

    def __new__(cls, value: Any, slopes: Iterable[Slope] = ()) -> "Traced":
        made = super().__new__(cls, value)
        made.operands = tuple((x, Decimal(s)) for x, s in slopes if isinstance(x, Traced))
        made.depth = 1 + max((x.depth for x, _ in made.operands), default=0)
        return made

    def __add__(self, other: Operand) -> "Traced":
        return Traced(Decimal.__add__(self, other), [(self, 1), (other, 1)])

    __radd__ = __add__

    def __sub__(self, other: Operand) -> "Traced":
        return Traced(Decimal.__sub__(self, other), [(self, 1), (other, -1)])

    def __rsub__(self, other: Operand) -> "Traced":
        return Traced(Decimal.__rsub__(self, other), [(self, -1), (other, 1)])

    def __mul__(self, other: Operand) -> "Traced":
        return Traced(Decimal.__mul__(self, other), [(self, other), (other, self)])

    __rmul__ = __mul__

    def __truediv__(self, other: Operand) -> "Traced":
        return _quotient(self, other)

    def __rtruediv__(self, other: Operand) -> "Traced":
        return _quotient(other, self)

    def __pow__(self, power: Operand, _: Operand | None = None) -> "Traced":
        plain = Decimal(self)
        return Traced(plain**power, [(self, power * plain ** (power - 1))])

    def __neg__(self) -> "Traced":
        return Traced(Decimal.__neg__(self), [(self, -1)])

    def __abs__(self) -> "Traced":
        return Traced(Decimal.__abs__(self), [(self, ONE.copy_sign(self))])

    def exp(self, context: Context | None = None) -> "Traced":
        value = Decimal.exp(self, context)
        return Traced(value, [(self, value)])


def _quotient(above: Operand, below: Operand) -> Traced:
    n, d = Decimal(above), Decimal(below)
    return Traced(n / d, [(above, 1 / d), (below, -n / d / d)])


def gradient(of: Decimal) -> dict[int, Decimal]:
    """How a number rises in each of those that it was computed from, by their `id`."""
    found, levels = dict[int, Decimal](), dict[int, dict[int, Traced]]()

    def reach(number: Decimal, d: Decimal) -> None:
        if isinstance(number, Traced):
            levels.setdefault(number.depth, {})[id(number)] = number
            found[id(number)] = found.get(id(number), Decimal(0)) + d

    reach(of, ONE)
    while levels:
        for number in levels.pop(max(levels)).values():
            for operand, slope in number.operands:
                reach(operand, found[id(number)] * slope)
    return found
