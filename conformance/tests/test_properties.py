"""Relations that need no reference, over the space of specifications: torch.nn.RNN, rnn_reference.

What each relation presumes of a case stands in `rnn_conformance.faces.soak.PRECONDITIONS`; the strategies
below only draw what fits, mostly.
"""

from functools import partial
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from rnn_conformance.cases.case import H0, Bias, Case, LengthsKind
from rnn_conformance.checks.every import CHECKS
from rnn_conformance.checks.subject import Subject
from rnn_conformance.contract.call import DTYPES, LAYOUTS, Implementation, Nonlinearity
from rnn_conformance.run import soak

EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=30)
NAMES = ("torch.nn.RNN", "rnn_reference.RNN")


def drawn_from(kind: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(get_args(kind))


@st.composite
def cases(draw: st.DrawFn, /, **changed: st.SearchStrategy[Any]) -> Case:
    """Small contractive cases; `changed` are the strategies of what a relation presumes."""
    options = {
        "T": st.integers(1, 8),
        "B": st.integers(1, 4),
        "I": st.integers(1, 6),
        "H": st.integers(1, 6),
        "L": st.integers(1, 3),
        "nonlinearity": drawn_from(Nonlinearity),
        "bias": drawn_from(Bias),
        "bidirectional": st.booleans(),
        "layout": st.sampled_from(LAYOUTS),
        "h_0": drawn_from(H0),
        "lengths": drawn_from(LengthsKind),
        "dtype": st.sampled_from(DTYPES),
        "padding_nan": st.booleans(),
        "seed": st.integers(0, 2**32 - 1),
    }
    found = {name: draw(strategy) for name, strategy in (options | changed).items()}
    if found["layout"] == "single":
        found |= {"B": 1, "lengths": "none"}
    found["padding_nan"] &= found["lengths"] != "none"
    return Case(**found)


ONE = st.just(1)
MORE = st.integers(2, 5)
BATCHES = st.sampled_from(("time_first", "batch_first"))
NONZERO = st.just("nonzero")

RELATIONS = {
    "split_and_carry": cases(
        T=st.integers(2, 9), bidirectional=st.just(False), lengths=st.just("none")
    ),
    "chain_of_layers": cases(L=st.integers(2, 4)),
    "directions_apart": cases(bidirectional=st.just(True), L=ONE),
    "rows_permuted": cases(B=MORE, layout=BATCHES),
    "units_permuted": cases(H=MORE),
    "negated": cases(nonlinearity=st.just("tanh")),
    "padding_added": cases(
        layout=BATCHES, lengths=st.sampled_from(("unsorted", "sorted", "equal"))
    ),
    "powers_of_two": cases(),
    "union_of_two": cases(L=ONE),
    "options_matter": cases(bias=NONZERO, h_0=NONZERO),
    "memory_layouts": cases(),
}
CONDUCT = (
    "inputs_unchanged",
    "earlier_results_kept",
    "calls_are_independent",
    "repeatable",
    "threads",
)


pytestmark = pytest.mark.usefixtures("one_thread_of_torch")


@pytest.fixture(scope="module", params=NAMES)
def implementation(request: pytest.FixtureRequest) -> Implementation:
    return soak.layer_named(request.param)


@pytest.mark.slow
@pytest.mark.parametrize("relation", RELATIONS)
@EXAMPLES
@given(data=st.data())
def test_relation(implementation: Implementation, relation: str, data: st.DataObject) -> None:
    case = data.draw(RELATIONS[relation].filter(partial(soak.holds, relation)))
    must_hold(implementation, relation, case)


@pytest.mark.slow
@pytest.mark.parametrize("check", CONDUCT)
@EXAMPLES
@given(case=cases())
def test_conduct(implementation: Implementation, check: str, case: Case) -> None:
    must_hold(implementation, check, case)


@EXAMPLES
@given(case=cases())
def test_values(implementation: Implementation, case: Case) -> None:
    for check in soak.VALUES:
        must_hold(implementation, check, case)


def test_every_relation_of_the_soak_that_needs_no_training_is_here() -> None:
    assert set(RELATIONS) == set(soak.PRECONDITIONS) - {"dropout_off_in_evaluation"}


@np.errstate(all="ignore")  # of what NumPy would warn, the judgement tells
def must_hold(implementation: Implementation, check: str, case: Case) -> None:
    note(repr(case))
    # An exception says what came instead of a result.
    for judgement in CHECKS[check].judge(Subject(implementation), case):
        place = judgement.first_outside()
        assert place is None, judgement.describe(place)
