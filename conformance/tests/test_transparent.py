"""The bounds of a layer that shows through others enclose every error, and are little more.

Every layer errs by all that it may, in one direction; so do those that hand on, but in their sums,
which are exact: of one product, with 1/2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from flint import ctx
from rnn_conformance.bounds.balls import Precision, exactly
from rnn_conformance.bounds.judgement import share
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.cases.expected import through_transparent
from rnn_conformance.cases.order import in_direction
from rnn_conformance.cells import CELLS
from rnn_conformance.cells.cell import CellWeights
from rnn_conformance.cells.weights import handing_on, of_cell
from rnn_conformance.contract.call import DTYPES, Answer, Array, Dtype, Options

from .ball_oracle import (
    ARITHMETIC,
    Arithmetic,
    Balls,
    balls,
    computed_tanh,
    each,
    floats,
    preactivation,
)
from .gated_oracle import Adversary

EXACT = Arithmetic(0, 0)
SMALL = Case(4, 2, 3, 2, 3, weights="transparent")


@pytest.fixture(autouse=True)
def _bits() -> Iterator[None]:
    with ctx.workprec(256):
        yield


def step(by: Adversary, cell: str, w: CellWeights, x: Array, state: Array) -> Array:
    """The state (B, S·H) after a step, rounded as it is kept."""
    parts: tuple[Balls, ...]
    if cell == "lstm":
        parts = by.lstm(w, x, *np.split(state, 2, axis=-1))
    elif cell in ("tanh", "relu"):
        sums = preactivation(w, x, state)
        if cell == "relu":  # the last of the roundings is that of the state
            sums = replace(sums, roundings=sums.roundings - 1)
        error = sums.error(EXACT if by.exact_sums else by.arithmetic)
        a = sums.value + by.sign * error
        parts = (computed_tanh(a, by.arithmetic, by.sign) if cell == "tanh" else rectified(a),)
    else:
        parts = (by.gru(w, x, state, before=cell == "gru_reset_before"),)
    return np.hstack([floats(part) for part in parts]).astype(w.W_hh.dtype)


def rectified(a: Balls) -> Balls:
    return each(lambda v: v if v > 0 else 0 * v, a)


def states(by: Adversary, cell: str, w: CellWeights, inputs: Array, initial: Array) -> Array:
    """All states, (T, B, S·H)."""
    found = [initial]
    for x in inputs:
        found.append(step(by, cell, w, x, found[-1]))
    return np.stack(found[1:])


def adversarial(data: Data, dtype: Dtype, dense: int, signs: Sequence[int]) -> Answer:
    """What layers give that err in the directions of these signs."""
    o, read, h_n = data.options, data.inputs, list[Array]()
    for layer, sign in enumerate(signs):
        by, halves = Adversary(ARITHMETIC[dtype], sign, exact_sums=layer != dense), []
        for d, way in enumerate(o.ways):
            w, initial = of_cell(data.weights, layer, d, o), data.initial[len(h_n)]
            found = states(by, o.cell, w, in_direction(read, None, way), initial)
            h_n.append(found[-1])
            halves.append(in_direction(found[..., : o.hidden_size], None, way))
        read = np.concatenate(halves, axis=2)
    return Answer(read, np.stack(h_n))


@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", [cell.name for cell in CELLS.values() if cell.memoryless])
def test_bounds_enclose_every_error_at_its_largest_and_little_more(
    cell: str, dtype: Dtype, two: bool
) -> None:
    for dense in range(SMALL.L):
        worst = {"output": 0.0, "h_n": 0.0}
        case = replace(SMALL, cell=cell, dtype=dtype, bidirectional=two, dense=dense)
        for own, others in product((1, -1), repeat=2):
            signs = [own if layer == dense else others for layer in range(SMALL.L)]
            found = adversarial(case.data(), dtype, dense, signs)
            right = through_transparent(case.data(), Precision.of(dtype), found.output, dense)
            assert found.h_n is not None
            for name, expected, given, bound in (
                ("output", right.output, found.output, right.output_bound),
                ("h_n", right.h_n, found.h_n, right.h_n_bound),
            ):
                shares = share(expected, given.astype(np.float64), bound)
                assert shares.max() <= 1, (dense, name, shares.max())
                worst[name] = max(worst[name], float(shares.max()))
        # In float64 the judge rounds as much as what it judges, and is allowed for too.
        assert min(worst.values()) > (0.4 if dtype == "float32" else 0.2), (dense, worst)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", [cell.name for cell in CELLS.values() if cell.memoryless])
def test_what_is_read_from_a_layer_encloses_what_it_read_and_little_more(
    cell: str, dtype: Dtype, sign: int
) -> None:
    known, rng, H = CELLS[cell], np.random.default_rng(0), 2
    options, T, B = Options(H, H, cell=cell), 60, 2
    w = of_cell(handing_on(options, dtype, known.pins), 0, 0, options)
    numbers = rng.uniform(0 if known.can_rest else -1, 1, (T, B, H)).astype(dtype)
    initial = rng.standard_normal((B, H * len(known.parts))).astype(dtype)
    by = Adversary(ARITHMETIC[dtype], sign, exact_sums=True)
    x = balls(numbers) * (1 - sign * by.arithmetic.u)  # kept wider than a dtype can show
    found = states(by, cell, w, x, initial)
    precision = Precision.of(dtype)
    read = known.handed_on(exactly(found[..., :H], precision), exactly(initial, precision))
    shares = floats(abs(balls(read.value) - x) / balls(read.bound))
    assert shares.max() <= 1
    assert shares.max() > 0.3
