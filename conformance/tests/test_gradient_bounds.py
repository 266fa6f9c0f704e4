"""The bounds of gradients enclose what a right backward pass can give, and little more."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from rnn_conformance.bounds.balls import Precision
from rnn_conformance.bounds.judgement import share
from rnn_conformance.cases.case import Case, Data
from rnn_conformance.cases.gradients import from_own_steps, whole
from rnn_conformance.cells.weights import of_cell, passing
from rnn_conformance.contract.call import DTYPES, Answer, Array, Dtype

from .gradient_adversary import GATES, Adversary, Sum, wide

# In float64 the judge rounds as much as what it judges, and is allowed for too.
LEAST = {"float32": 0.7, "float64": 0.35}  # the judge rounds as much as float64 does
ALONE = pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="no numbers beyond float64")


def biased(data: Data, by: float) -> Data:
    """With each σ near 1, or near 0, so that its slope is near 0."""
    o = data.options
    of_gates = np.repeat([by * (gate not in "dgn") for gate in GATES[o.cell]], o.hidden_size)
    weights = {
        name: (value + of_gates).astype(value.dtype) if name.startswith("bias_ih") else value
        for name, value in data.weights.items()
    }
    return replace(data, weights=weights)


def cases(cell: str, dtype: Dtype) -> Iterator[tuple[Case, Data]]:
    given = Case(cell=cell, dtype=dtype, loss="all")
    marked = replace(given, T=4, B=2, I=10, H=3, weights="marked")
    for by in (0, 8, -20) if len(GATES[cell]) > 1 else (0,):
        yield marked, biased(marked.data(), by)
    for case in (
        replace(marked, bidirectional=True),
        replace(marked, T=1, I=4, H=1),
        replace(marked, T=8, B=3, I=27, H=5),
        replace(marked, T=2, B=1, I=4, H=16),
        replace(given, T=6, B=2, I=3 * len(GATES[cell]) + 2, H=3, weights="passing"),
        replace(given, T=4, B=2, I=3, H=3),
    ):
        yield case, case.data()


def adversaries(cell: str, dtype: Dtype) -> Iterator[Adversary]:
    ways = {"tanh": ((False, False), (False, True)), "relu": ((False, False),)}
    gru = ((False, False), (False, True), (True, False), (True, True))
    for sign, target in product((1, -1), GATES[cell]):
        for by_parts, own in ways.get(cell, ways["tanh"] if cell == "lstm" else gru):
            yield Adversary(dtype, sign, target, by_parts, own)


def answer(case: Case, data: Data, by: Adversary) -> Answer:
    """What it gives: each direction apart, and the sum over them."""
    o, H, given = data.options, case.H, data.upstream
    assert given is not None
    assert given.output is not None
    x, passes, weights = wide(data.inputs), [], dict[str, Array]()
    for d, way in enumerate(o.ways):
        turned = np.s_[:: -1 if way else 1]
        last = np.concatenate([wide(getattr(given, f"{part}_n")[d]) for part in o.parts], axis=-1)
        d_output = wide(given.output[..., d * H : (d + 1) * H])[turned]
        w = of_cell(data.weights, 0, d, o)
        found = by.run(case.cell, w, x[turned], wide(data.initial[d]), d_output, last)
        inputs = Sum(*(np.broadcast_to(p, x.shape)[turned] for p in found.inputs))
        back = found._replace(output=found.output[turned], d=found.d[turned], inputs=inputs)
        passes.append(back)
        end = "l0_reverse" if d else "l0"
        weights |= {f"{name}_{end}": part for name, part in back.weights.items()}
        if case.weights == "marked":
            marks = back.d.reshape(case.T * case.B, -1).T
            weights[f"weight_ih_{end}"][:, : case.T * case.B] = marks
    dx = by.final(passes[0].inputs.and_also(*(one.inputs for one in passes[1:])))
    if case.weights == "passing":
        dx[..., passing(data.weights)] = passes[0].d
    output = np.concatenate([one.output for one in passes], axis=-1)
    initial = np.stack([one.initial for one in passes])
    gradients = {"inputs": dx, "h_0": initial, **weights}
    last = np.stack([one.last for one in passes])
    return Answer(output.astype(case.dtype), last.astype(case.dtype), gradients=gradients)


def shares(case: Case, data: Data, by: Adversary) -> Iterator[tuple[str, float]]:
    """The worst share of each kind of gradient, of d gate by gate."""
    found, precision = answer(case, data, by), Precision.of(case.dtype)
    assert found.gradients is not None
    if case.weights == "contractive":
        right = whole(data, precision)
    else:
        right = from_own_steps(data, precision, found, marked=case.weights == "marked")
    if right.adjoints is not None:
        expected, d = right.adjoints
        of_d = share(expected.value, d.astype(np.float64), expected.bound)
        by_gate = of_d.reshape(*of_d.shape[:2], -1, len(GATES[case.cell]), case.H)
        yield from zip(GATES[case.cell], by_gate.max(axis=(0, 1, 2, 4)).tolist(), strict=True)
    for name, part in right.parts.items():
        one = share(part.value, found.gradients[name].astype(np.float64), part.bound)
        parts = data.options.parts if name == "h_0" else ()
        for k, state in enumerate(parts):
            yield f"{state}_0", float(one[..., k * case.H : (k + 1) * case.H].max())
        if not parts:
            yield name.partition("_l0")[0], float(one.max())


def worst(cell: str, dtype: Dtype) -> dict[str, float]:
    """Of each kind of gradient; of those that are judged as a whole under names of their own."""
    found: dict[str, float] = defaultdict(float)
    for case, data in cases(cell, dtype):
        of_whole = "whole " * (case.weights == "contractive")
        for by in adversaries(cell, dtype):
            for name, one in shares(case, data, by):
                found[of_whole + name] = max(found[of_whole + name], one)
    return found


@ALONE
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", GATES)
def test_a_bound_encloses_every_error_at_its_largest_and_little_more(
    cell: str, dtype: Dtype
) -> None:
    found = worst(cell, dtype)
    assert max(found.values()) <= 1, found
    of_steps = {name: one for name, one in found.items() if not name.startswith("whole")}
    assert min(of_steps.values()) > LEAST[dtype], of_steps


def main() -> None:
    for cell, dtype in product(GATES, DTYPES):
        each = ", ".join(f"{name} {one:.2f}" for name, one in worst(cell, dtype).items())
        sys.stdout.write(f"{cell}, {dtype}: {each}\n")


if __name__ == "__main__":
    main()
