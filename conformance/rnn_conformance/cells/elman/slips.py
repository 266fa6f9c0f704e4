"""Functions that stand for tanh or relu in ports of a plain RNN."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from rnn_conformance.bounds.balls import JUDGE_U, Float64
from rnn_conformance.cells.edits import Edit, Mask

Function = Callable[[Float64], Float64]


def relu(a: Float64) -> Float64:
    """The larger of a and 0."""
    return np.maximum(a, 0)


def logistic(a: Float64) -> Float64:
    """1 / (1 + e^-a)."""
    return 1 / (1 + np.exp(-a))


def clipped(f: Function) -> Function:
    """The function between -1 and 1."""
    return lambda a: np.clip(f(a), -1, 1)


def _continued(a: Float64, depth: int) -> Float64:
    """The continued fraction of tanh, cut off."""
    found = np.full_like(a, 2 * depth - 1)
    for k in range(depth - 1, 0, -1):
        found = 2 * k - 1 + a * a / found
    return a / found


EITHER: Mapping[str, Function] = {
    "the identity": lambda a: a,
    "the logistic function": logistic,
    "softplus": lambda a: np.logaddexp(a, 0),
    "a times the logistic function": lambda a: a * logistic(a),
    "elu": lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))),
    "softsign a / (1 + |a|)": lambda a: a / (1 + np.abs(a)),
    "sin": np.sin,
    "a clip to [-1, 1]": lambda a: np.clip(a, -1, 1),
    "a clip to [0, 1]": lambda a: np.clip(a, 0, 1),
}
FOR_TANH: Mapping[str, Function] = {
    **EITHER,
    "relu": relu,
    "tanh of tanh": lambda a: np.tanh(np.tanh(a)),
    "tanh(a / 2)": lambda a: np.tanh(a / 2),
    "tanh(2 a)": lambda a: np.tanh(2 * a),
    "1.7159 tanh(2 a / 3)": lambda a: 1.7159 * np.tanh(2 * a / 3),
    "arctan": np.arctan,
    "a logistic function from -1 to 1, without the 2 in its argument": lambda a: (
        2 * logistic(a) - 1
    ),
    "a clip of a / 5 + 1/2 to [0, 1]": lambda a: np.clip(a / 5 + 0.5, 0, 1),
    "its series up to a^3": lambda a: a - a**3 / 3,
    "its series up to a^5": lambda a: a - a**3 / 3 + 2 * a**5 / 15,
    **{
        f"a rational function, its continued fraction to a^2/{2 * depth - 1}{how}": change(
            partial(_continued, depth=depth)
        )
        for depth in range(2, 8)
        for how, change in (("", lambda f: f), (", clipped to [-1, 1]", clipped))
        if depth % 2 or not how  # of even depth it lies between them
    },
    **{
        f"a rational function, a (27 + a^2) / (27 + 9 a^2){how}": change(
            lambda a: a * (27 + a * a) / (27 + 9 * a * a)
        )
        for how, change in (("", lambda f: f), (", clipped to [-1, 1]", clipped))
    },
}
FOR_RELU: Mapping[str, Function] = {
    **EITHER,
    "tanh": np.tanh,
    "|a|": np.abs,
    "relu squared": lambda a: relu(a) ** 2,
    **{
        f"a relu that lets {slope:g} of a negative argument through": partial(
            lambda a, slope: np.where(a > 0, a, slope * a), slope=slope
        )
        for slope in (0.01, 0.1, 0.2)
    },
}


def activations() -> Iterator[Edit]:
    """Another function than was asked for."""
    for name, function in FOR_TANH.items():
        yield Edit(f"tanh is {name}", {"f": partial(_for_tanh, function)})
    for name, function in FOR_RELU.items():
        yield Edit(f"relu is {name}", {"f": partial(_for_relu, function)})
    says = "tanh loses its digits near 0, as 2σ(2a) - 1 and (e^2a - 1)/(e^2a + 1) do"
    yield Edit(says, {"allows": _cancelled}, last=1)


def _for_tanh(function: Function, a: Float64, of_relu: Mask) -> Float64:
    return np.where(of_relu, relu(a), function(a))


def _for_relu(function: Function, a: Float64, of_relu: Mask) -> Float64:
    return np.where(of_relu, function(a), np.tanh(a))


def _cancelled(found: Float64, _: Float64, radius: Float64, u: Float64) -> Float64:
    """What is subtracted lies near 1 and has its spacing: the state, or e^2a of which it comes."""
    grid = 2.0 ** np.round(np.log2(u - JUDGE_U))
    exponential = 2 * found / (1 - found)
    near = np.zeros(len(found), bool)
    for difference, off in ((found, 0 * u), (exponential, 8 * u * np.abs(found))):
        near |= np.abs(difference - np.rint(difference / grid) * grid) <= off
    return np.where(near & (np.abs(found) < 0.25), np.maximum(radius, 16 * u), radius)
