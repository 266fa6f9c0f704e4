"""What rules are made of: where a number stands, and what holds of its call."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnn_conformance.cases.order import turned
from rnn_conformance.cells.edits import Indices, Mask, Steps, for_each
from rnn_conformance.explain.calls import Asked
from rnn_conformance.explain.where import Features

WRONG, RIGHT = 40, 32  # of one result of one call
BLOCKS = (2, 4, 8, 16, 32)
BEYOND_FIRST = "the row is beyond those of the first call of these sizes"
READ = "the step read, from 0"
LAST = "it is the last of several layers"
NAN_GOES_IN = "NaN goes in"
Index = tuple[Indices, Indices, Indices]


def features_of(asked: Asked, number: int, d: int, index: Index, steps: Steps | None) -> Features:
    """What rules are made of."""
    case, (read, b, u) = asked.case, index
    way, one = case.options.ways[d], case.options.ways == (0,)
    t = turned(read, asked.data.steps[b]) if way else read
    found: dict[str, Any] = {
        "layer": number,
        **of_call(asked),
        "direction": "only one" if one else ("forward", "reverse")[way],
        "layers above": case.L - 1 - number,
        "step": t,
        "row": b,
        "unit": u,
        "steps before the end": asked.data.steps[b] - 1 - t,
        "rows before the end": case.B - 1 - b,
        "units before the end": case.H - 1 - u,
        BEYOND_FIRST: b >= asked.first_rows,
        "odd step": t % 2 == 1,
        "odd row": b % 2 == 1,
        "odd unit": u % 2 == 1,
        "row·T + step": b * case.T + t,
        "step·B + row": t * case.B + b,
        READ: read,
        "length of the row": asked.data.steps[b],
        "in the padding": t >= asked.data.steps[b],
        LAST: number == case.L - 1 > 0,
    }
    if steps is not None:
        found["the state before is 0"] = (steps.before == 0).all(axis=1)
        found["all inputs of the step are 0"] = (steps.x == 0).all(axis=1)
        found[NAN_GOES_IN] = np.isnan(steps.x).any(axis=1) | np.isnan(steps.before).any(axis=1)
    for k in BLOCKS:
        found[f"the step is beyond whole blocks of {k}"] = t >= case.T // k * k
        found[f"the row is beyond whole blocks of {k}"] = b >= case.B // k * k
        found[f"the unit is beyond whole blocks of {k}"] = u >= case.H // k * k
    return {name: for_each(t, value) for name, value in found.items()}


def of_call(asked: Asked) -> dict[str, Any]:
    """What holds of all numbers of a call."""
    case = asked.case
    return {
        "h_0": {"none": "omitted", "zeros": "zeros", "nonzero": "given"}[case.h_0],
        "dtype": case.dtype,
        "cell": case.cell,
        "lengths": "omitted" if case.lengths == "none" else "given",
        "layout": case.layout,
        "memory order": asked.memory,
        "bias": "off" if case.bias == "off" else "on",
        "bidirectional": case.bidirectional,
        "the call of these sizes, from 0": min(asked.number, 2),
        **{f"B is {B}, as in the first call": case.B == B for B in asked.rows_of_first},
        "B": case.B, "T": case.T, "H": case.H, "I": case.I, "O": case.O, "L": case.L,
        "B·T": case.B * case.T,
        "B·H": case.B * case.H,
        "B·T·H": case.B * case.T * case.H,
        "a size is 1": 1 in (case.T, case.B, case.H, case.O),
        "I = H": case.I == case.H,
        "T = B": case.T == case.B,
        "B = H": case.B == case.H,
        **{f"{n} is a multiple of {k}": getattr(case, n) % k == 0 for n in "TBIH" for k in BLOCKS},
        "the weights": case.weights,
        "the biases": case.bias,
    }  # fmt: skip


def joined(parts: Sequence[Features]) -> Features:
    """Those of all numbers, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def some_of(wrong: Mask, rng: np.random.Generator) -> Index:
    """Indices of some of the wrong and of the right numbers."""
    flat = wrong.ravel()
    groups = (np.flatnonzero(flat), np.flatnonzero(~flat))
    kept = [rng.permutation(g)[:n] for g, n in zip(groups, (WRONG, RIGHT), strict=True)]
    corners = np.unique(
        np.ravel_multi_index(np.indices((2, 2, 2)).reshape(3, -1) * -1, wrong.shape, mode="wrap")
    )
    chosen = np.unique(np.concatenate([*kept, corners]))
    t, b, u = np.unravel_index(chosen, wrong.shape)
    return t, b, u
