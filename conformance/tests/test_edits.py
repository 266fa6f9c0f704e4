"""Every edit of a step and of the readout does something, and no two of them the same.

All that a number can have come from is drawn by itself, in sizes that together tell edits apart.
"""

from collections.abc import Sequence

import numpy as np
import pytest
from rnn_conformance.bounds.balls import Float64, Precision
from rnn_conformance.cells.cell import CellWeights
from rnn_conformance.cells.edits import Edit, Steps, Trials, combinable
from rnn_conformance.cells.elman.edits import STATES_AFTER, STATES_OF, WEIGHTS_OF
from rnn_conformance.cells.elman.trials import ElmanTrials
from rnn_conformance.cells.gated.edits import TERMS
from rnn_conformance.cells.gated.gru_edits import LIBRARY as OF_GRU
from rnn_conformance.cells.gated.gru_trials import GruTrials
from rnn_conformance.cells.gated.lstm_edits import LIBRARY as OF_LSTM
from rnn_conformance.cells.gated.lstm_trials import LstmTrials
from rnn_conformance.cells.readout_edits import FIRST, PREACTIVATION, Outputs, ReadoutTrials
from rnn_conformance.contract.call import GATES

NUMBERS = 250
WITH_NAN = (9, 7, 4, 3)  # T, B, I, H
SIZES = ((270, 260, 3, 3), (3, 4, 511, 511), (6, 4, 8, 4), WITH_NAN)
GATED_SIZES = ((9, 7, 5, 4), (8, 6, 4, 5), (7, 5, 4, 4))
DOUBLE = Precision.of("float64")


def weights(rng: np.random.Generator, I: int, H: int, gates: int = 1) -> CellWeights:
    n = gates * H
    W_ih, W_hh = (rng.normal(size=(n, m)) * 10 ** rng.uniform(-4, 0, (n, m)) for m in (I, H))
    return CellWeights(W_ih, W_hh, rng.normal(size=n), rng.normal(size=n))


def found(rng: np.random.Generator) -> Float64:
    """Numbers of few digits, so that some of them are numbers of every format."""
    result: Float64 = rng.integers(-16, 16, NUMBERS) / 2.0 ** rng.integers(4, 40, NUMBERS)
    return result


def steps(cell: str, T: int, B: int, I: int, H: int) -> Steps:
    rng = np.random.default_rng(T)
    t, b, u = (rng.integers(0, n, NUMBERS) for n in (T, B, H))
    lengths = rng.integers(1, T + 1, B)
    inputs = rng.normal(size=(T, B, I)) * 10 ** rng.uniform(-4, 2.5, (T, B, I))
    if (T, B, I, H) == WITH_NAN:
        inputs[0, 0], inputs[1, 1] = np.nan, np.inf
    return Steps(
        cell=cell,
        precision=DOUBLE,
        direction=0,
        back=T % 2 == 0,
        weights=weights(rng, I, H, GATES[cell]),
        inputs=inputs,
        radius=np.zeros((T, B, I)),
        states=rng.uniform(-1, 1, (T + 1, B, H)),
        off=np.zeros((T + 1, B, H)),
        t=t,
        b=b,
        u=u,
        padding=t >= lengths[b],
        ended=rng.normal(size=NUMBERS),
        carried=rng.normal(size=NUMBERS),
        lengths=lengths,
        running_on=rng.normal(size=(NUMBERS, H)),
        other_weights={whose: weights(rng, I, H, GATES[cell]) for whose in WEIGHTS_OF},
        earlier=(),
        other_states={
            f"{rest}{whose}": rng.normal(size=(B, H))
            for whose in (*STATES_AFTER, *STATES_OF)
            for rest in ("", "the rest of ")
        },
        found=found(rng),
        hidden=rng.normal(size=(B, H)),
    )


def outputs(T: int, B: int, O: int, H: int) -> Outputs:
    rng = np.random.default_rng(T)
    t, row, u = (rng.integers(0, n, NUMBERS) for n in (T, B, O))
    return Outputs(
        W=weights(rng, H, O).W_ih,
        b=rng.normal(size=O),
        states=rng.uniform(-1, 1, (T + 1, B, H)),
        off=np.zeros((T + 1, B, H)),
        others={
            name: (rng.normal(size=(NUMBERS, H)), np.zeros((NUMBERS, H)))
            for name in (PREACTIVATION, FIRST)
        },
        t=t,
        row=row,
        u=u,
        lengths=rng.integers(1, T + 1, B),
        before=rng.normal(size=NUMBERS),
        found=found(rng),
        precision=DOUBLE,
    )


def alike(trials: Trials, edits: Sequence[Edit]) -> list[list[str]]:
    """Those of the edits, and no edit at all, with which the same is expected of every number."""
    every, groups = np.arange(len(trials.found)), dict[bytes, list[str]]()
    for edit in (None, *edits):
        with np.errstate(all="ignore"):
            value, radius = trials.values(frozenset([edit] if edit else []), every)
        groups.setdefault(value.tobytes() + radius.tobytes(), []).append(edit.says if edit else "")
    return [says for says in groups.values() if len(says) > 1]


def test_edits_of_a_step() -> None:
    trials = ElmanTrials([steps(cell, *sizes) for cell in ("tanh", "relu") for sizes in SIZES])
    assert len({edit.says for edit in trials.edits}) == len(trials.edits)
    assert alike(trials, trials.edits) == [  # since W_hh is square
        ["W_hh is transposed", "W_hh, stored by columns, is read by rows"]
    ]


def test_edits_that_are_tried_at_once_give_what_each_gives_alone() -> None:
    trials = ElmanTrials([steps(cell, *SIZES[2]) for cell in ("tanh", "relu")])
    at = np.arange(0, len(trials.found), 40)
    one_a_kind = {tuple(edit.does): edit for edit in trials.edits}
    for made in [frozenset[Edit](), *(frozenset([edit]) for edit in one_a_kind.values())]:
        each = [edit for edit in trials.edits if combinable((*made, edit))][::3]
        with np.errstate(all="ignore"):
            at_once = trials.values_each(made, each, at)
            alone = Trials.values_each(trials, made, each, at)
        assert each
        np.testing.assert_array_equal(at_once, alone)


def own_edits(library: Sequence[Edit]) -> list[Edit]:
    """Those that are not of a term of every gate, as the plain RNN has them, nor clips.

    No number here is large enough for most of those.
    """
    return [e for e in library if not e.does.keys() <= TERMS and "is clipped" not in e.says]


def test_edits_of_an_lstm() -> None:
    assert len({edit.says for edit in OF_LSTM}) == len(OF_LSTM)
    trials = LstmTrials([steps("lstm", *sizes) for sizes in GATED_SIZES], OF_LSTM)
    assert all(  # c of this size lies between the bounds of most rational functions
        all(edit.startswith("tanh of c is a rational function") for edit in group)
        for group in alike(trials, own_edits(OF_LSTM))
    )


@pytest.mark.parametrize("cell", ["gru", "gru_reset_before"])
def test_edits_of_a_gru(cell: str) -> None:
    assert len({edit.says for edit in OF_GRU}) == len(OF_GRU)
    trials = GruTrials([steps(cell, *sizes) for sizes in GATED_SIZES], OF_GRU)
    own = {"gru": "after", "gru_reset_before": "before"}[cell]
    says = f"r multiplies h_{{t-1}} {own} the product with W_hh"
    assert alike(trials, own_edits(OF_GRU)) == [["", says]]


def test_edits_of_the_readout() -> None:
    trials = ReadoutTrials([outputs(*sizes) for sizes in SIZES])
    assert len({edit.says for edit in trials.edits}) == len(trials.edits)
    assert alike(trials, trials.edits) == []
