"""Functions of fifty decimal digits, on every machine the same.

Nothing but Python's `decimal`, written from specification.md.
"""

from decimal import Decimal

FLAT = 100  # from here on tanh is 1 to 86 digits
STRAIGHT = -13  # below 10^STRAIGHT tanh(a) is a - a^3/3 to 52 digits


def tanh(a: Decimal) -> Decimal:
    """tanh to some thirty-six digits or more, in a context of fifty."""
    if abs(a) > FLAT:
        return Decimal(1).copy_sign(a)
    if a.adjusted() < STRAIGHT:
        return a - a**3 / 3
    e = (2 * a).exp()
    return (e - 1) / (e + 1)


def sigmoid(a: Decimal) -> Decimal:
    """1 / (1 + exp(-a)), to as many."""
    e = (-abs(a)).exp()
    return (e if a < 0 else 1) / (1 + e)
