"""What `backward` of RNN, LSTM and GRU computes: the slopes of a loss, found in three other ways.

Differences of `forward` and slopes in balls know every cell, differences and torch every option.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
import pytest
from rnn_reference import GRU, LSTM, RNN, BatchGRU, BatchLSTM
from rnn_reference.adjoints import ADJOINTS, Adjoint
from rnn_reference.cells import CellWeights
from rnn_reference.gradients import BackwardResult
from rnn_reference.weights import Array

from .models import (
    AnyStack,
    bits,
    drawn_inputs,
    drawn_state,
    in_parts,
    results,
    torch_name,
)
from .slopes_in_balls import EQUATIONS, slopes

CELLS: dict[str, tuple[type[AnyStack], dict[str, Any]]] = {
    "tanh": (RNN, {"nonlinearity": "tanh"}),
    "relu": (RNN, {"nonlinearity": "relu"}),
    "lstm": (LSTM, {}),
    "gru": (GRU, {}),
    "gru_reset_before": (GRU, {"reset_after": False}),
}
IN_TORCH = [cell for cell in CELLS if cell != "gru_reset_before"]
OPTIONS = ("bias", "batch_first", "bidirectional")
every_cell = pytest.mark.parametrize("cell", CELLS)
every_option = pytest.mark.parametrize("flags", [*product([True, False], repeat=3)], ids=str)
LAYERS_AND_FORMS = [*product([1, 2], ["batch", "lengths", "one"])]
FORMS = [(*each, k % 2 == 0) for k, each in enumerate(LAYERS_AND_FORMS)]  # h_0 given in every other
FEW = FORMS[len(FORMS) // 2 :]  # enough where torch judges all
LENGTHS = np.array([2, 4, 1])
STEPS = 4


class Case(NamedTuple):
    """A model, what its `forward` is given, and dL/d of each of its results, by their names."""

    model: Any
    inputs: Array
    state: Any
    options: dict[str, Any]
    d: dict[str, Array]

    def backward(self, **changes: Any) -> BackwardResult:
        given = {f"d_{name}": value for name, value in self.d.items()} | self.options | changes
        found: BackwardResult = self.model.backward(self.inputs, self.state, **given)
        return found


def drawn(
    cell: str, num_layers: int = 1, form: str = "batch", given: bool = True, **options: Any
) -> Case:
    """A case of this form, whose initial state is given or not, with weights as they are drawn."""
    kind, own = CELLS[cell]
    model = kind(3, 4, num_layers, rng=1, **own, **options)
    inputs, state = drawn_inputs(model, STEPS, len(LENGTHS)), drawn_state(model, len(LENGTHS))
    if form == "one":
        inputs, parts = inputs[:, 0].copy(), [part[:, 0].copy() for part in in_parts(state)]
        state = tuple(parts) if isinstance(state, tuple) else parts[0]
    elif model.batch_first:
        inputs = inputs.swapaxes(0, 1).copy()
    call = {"lengths": LENGTHS} if form == "lengths" else {}
    width = model.hidden_size * (1 + model.bidirectional)
    shapes = [(*inputs.shape[:-1], width), *(part.shape for part in in_parts(state))]
    return Case(model, inputs, state if given else None, call, upstream(shapes, model.dtype))


def upstream(shapes: list[tuple[int, ...]], dtype: Any) -> dict[str, Array]:
    """dL/d of results of these shapes."""
    rng = np.random.default_rng(4)
    drawn = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    return dict(zip(("output", "h_n", "c_n"), drawn, strict=False))


def by_name(found: BackwardResult) -> dict[str, Array]:
    """All gradients."""
    g = found.gradients
    states = {name: a for name, a in (("h_0", g.h_0), ("c_0", g.c_0)) if a is not None}
    assert g.inputs is not None
    return {**g.weights, "inputs": g.inputs, **states}


def off_by(found: Mapping[str, Array], wanted: Mapping[str, Array]) -> float:
    """How far a gradient is from what it should be, at most, where its largest number is 1."""
    shapes = [{name: a.shape for name, a in of.items()} for of in (found, wanted)]
    assert shapes[0] == shapes[1]
    return max(float(abs(found[n] - a).max() / abs(a).max()) for n, a in wanted.items())


def off_differences(case: Case) -> float:
    """How far the slope of L in a drawn direction, in all arguments at once, is from a difference.

    The direction has length 1. With |L| and |L'''| below 100, a difference over 2^-15 errs by
    2^-32 L'''/6 < 4e-9, and by 100 u 2^16 < 1e-9.
    """
    model, inputs, state, options, d = case
    found = by_name(case.backward())
    rng = np.random.default_rng(5)
    v = {name: rng.standard_normal(a.shape) for name, a in found.items()}
    length = float(np.sqrt(sum((a**2).sum() for a in v.values())))
    parts = [name for name in ("h_0", "c_0") if name in found]
    start = in_parts(state) if state is not None else [np.zeros_like(found[n]) for n in parts]
    held = model.weights

    def loss(e: float) -> float:
        model.weights = {name: w + e * v[name] for name, w in held.items()}
        moved = tuple(a + e * v[name] for name, a in zip(parts, start, strict=True))
        given = moved if isinstance(model, LSTM) else moved[0]
        at = results(model, inputs + e * v["inputs"], given, **options)
        return sum(float((at[name] * d[name]).sum()) for name in d)

    e = 2**-16 / length
    slope = (loss(e) - loss(-e)) / 2**-15
    model.weights = held
    ours = sum(float((found[name] * v[name]).sum()) for name in v) / length
    return abs(slope - ours)


def off_balls(cell: str, case: Case) -> float:
    """How far gradients are from those of balls."""
    names = ("h_0", "c_0")
    states = dict(zip(names, in_parts(case.state), strict=False))
    arguments = {**case.model.weights, "inputs": case.inputs, **states}
    wanted = slopes(EQUATIONS[cell], arguments, case.d, case.options["lengths"])
    return off_by(by_name(case.backward()), wanted)


def off_autograd(case: Case) -> float:
    """How far results and gradients are from those of torch."""
    torch = pytest.importorskip("torch")
    model, inputs, state, options, d = case
    packing = torch.nn.utils.rnn
    flags = {
        name: getattr(model, name) for name in (*OPTIONS, "nonlinearity") if name in vars(model)
    }
    theirs = getattr(torch.nn, torch_name(type(model)))(3, 4, model.num_layers, **flags)
    theirs.to(torch.from_numpy(inputs).dtype)
    theirs.load_state_dict({name: torch.from_numpy(w) for name, w in model.weights.items()})

    def leaf(a: Array) -> Any:
        return torch.from_numpy(a.copy()).requires_grad_()

    found = case.backward()
    ours = by_name(found)
    parts = [name for name in ("h_0", "c_0") if name in ours]
    start = in_parts(state) if state is not None else [np.zeros_like(ours[n]) for n in parts]
    x, h = leaf(inputs), [leaf(part) for part in start]
    read = x
    if options:
        lengths = torch.from_numpy(options["lengths"])
        read = packing.pack_padded_sequence(x, lengths, model.batch_first, enforce_sorted=False)
    output, last = theirs(read, tuple(h) if len(h) > 1 else h[0])
    if options:
        output, _ = packing.pad_packed_sequence(output, model.batch_first)
    values = dict(zip(("output", "h_n", "c_n"), (output, *in_parts(last)), strict=False))
    sum((value * torch.from_numpy(d[name])).sum() for name, value in values.items()).backward()
    wanted = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    wanted |= {"inputs": x.grad.numpy()} | {
        name: part.grad.numpy() for name, part in zip(parts, h, strict=True)
    }
    result = {name: getattr(found, name) for name in values}
    assert {a.dtype for a in (*ours.values(), *result.values())} == {model.dtype}
    return max(
        off_by(result, {name: value.detach().numpy() for name, value in values.items()}),
        off_by(ours, wanted),
    )


@every_cell
@every_option
def test_differences(cell: str, flags: tuple[bool, ...]) -> None:
    for form in FEW if cell in IN_TORCH else FORMS:
        options: dict[str, Any] = dict(zip(OPTIONS, flags, strict=True))
        case = drawn(cell, *form, **options)
        assert off_differences(case) < 1e-8


@pytest.mark.parametrize("cell", IN_TORCH)
@every_option
def test_autograd(cell: str, flags: tuple[bool, ...]) -> None:
    for form in FORMS:
        options: dict[str, Any] = dict(zip(OPTIONS, flags, strict=True))
        case = drawn(cell, *form, **options)
        assert off_autograd(case) < 1e-12


@pytest.mark.parametrize("cell", IN_TORCH)
def test_float32(cell: str) -> None:
    case = drawn(cell, 2, "lengths", dtype=np.float32, bidirectional=True)
    assert 1e-9 < off_autograd(case) < 1e-5


def small(cell: str) -> Case:
    """Two units, two sequences, of three steps and two."""
    kind, own = CELLS[cell]
    model, rng = kind(2, 2, rng=1, **own), np.random.default_rng(6)
    state = drawn_state(model, 2)
    d = upstream([(3, 2, 2), *(part.shape for part in in_parts(state))], model.dtype)
    return Case(model, rng.standard_normal((3, 2, 2)), state, {"lengths": np.array([3, 2])}, d)


@every_cell
def test_balls(cell: str) -> None:
    assert off_balls(cell, small(cell)) < 1e-12


def transposed(right: Adjoint, w: CellWeights, *given: Any) -> Any:
    gates = np.split(w.W_hh, w.W_hh.shape[0] // w.W_hh.shape[1])
    return right(w._replace(W_hh=np.concatenate([gate.T for gate in gates])), *given)


def no_bias(right: Adjoint, *given: Any) -> Any:
    weights, *others = right(*given)
    return weights._replace(b_ih=0 * weights.b_ih), *others


def no_inputs(right: Adjoint, *given: Any) -> Any:
    weights, dx, before = right(*given)
    return weights, 0 * dx, before


def one_step(right: Adjoint, *given: Any) -> Any:
    weights, dx, before = right(*given)
    return weights, dx, tuple(0 * part for part in before)


@every_cell
@pytest.mark.parametrize("wrong", [transposed, no_bias, no_inputs, one_step])
def test_every_comparison_can_fail(
    cell: str, wrong: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = drawn(cell)
    step = case.model._step
    monkeypatch.setitem(ADJOINTS, step, partial(wrong, ADJOINTS[step]))
    assert off_differences(case) > 1e-4
    assert off_balls(cell, small(cell)) > 1e-2
    assert cell not in IN_TORCH or off_autograd(case) > 1e-2


def test_the_slope_of_relu_at_0_is_0() -> None:
    """As in torch: where a unit has no weights, its pre-activation is 0."""
    case = drawn("relu", 2)
    weights = case.model.weights
    for w in weights.values():
        w[0] = 0
    case.model.weights = weights
    assert off_autograd(case) < 1e-12
    found = case.backward().gradients.weights
    assert not any(g[0].any() for g in found.values())
    assert all(g[1:].any() for g in found.values())


@every_cell
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_dropout(cell: str, share: float) -> None:
    """What is dropped on the way to the next layer has no slope; one rng has one result."""
    case = drawn(cell, 3, "lengths", dropout=share, bidirectional=True)
    case.options.update(training=True, rng=7)
    assert off_differences(case) < 1e-8
    of_output_alone = case.backward(**{f"d_{name}": None for name in case.d if name != "output"})
    assert of_output_alone.gradients.weights["weight_ih_l1"].any() == (share < 1)
    other = by_name(case.backward(rng=8))
    assert (bits(other) == bits(by_name(case.backward()))) == (share == 1)
    ours, theirs = (np.random.default_rng(7) for _ in range(2))
    case.backward(rng=ours)
    results(case.model, case.inputs, case.state, **case.options | {"rng": theirs})
    assert ours.random() == theirs.random()


def everything(found: BackwardResult) -> dict[str, Array]:
    """All arrays of it."""
    of_forward = {name: getattr(found, name) for name in ("output", "h_n", "c_n")}
    return by_name(found) | {name: a for name, a in of_forward.items() if a is not None}


@every_cell
@pytest.mark.parametrize("form", ["batch", "lengths", "one"])
def test_results_are_those_of_forward(cell: str, form: str) -> None:
    """Bit for bit; the fast classes give what the plain ones give."""
    case = drawn(cell, 2, form, batch_first=True, bidirectional=True, dropout=0.5)
    case.options.update(training=True, rng=7)
    model, inputs, state, options, _ = case
    found = everything(case.backward())
    wanted = bits(results(model, inputs, state, **options))
    assert {name: of for name, of in bits(found).items() if name in wanted} == wanted
    fast: Any = {LSTM: BatchLSTM, GRU: BatchGRU}.get(type(model))
    if fast:
        own = {name: getattr(model, name) for name in (*model.own, "batch_first", "dropout")}
        twin = fast.from_weights(model.weights, **own)
        assert bits(everything(case._replace(model=twin).backward())) == bits(found)


@every_cell
def test_what_is_omitted_counts_as_zeros(cell: str) -> None:
    """dL/d of any result; what is not omitted is not."""
    case = drawn(cell, 2)
    names = [f"d_{name}" for name in case.d]
    for name in names:
        zeros = bits(everything(case.backward(**{name: np.zeros_like(case.d[name[2:]])})))
        assert bits(everything(case.backward(**{name: None}))) == zeros
        assert zeros != bits(everything(case.backward()))
    none = by_name(case.backward(**dict.fromkeys(names)))
    assert not any(gradient.any() for gradient in none.values())


@every_cell
@pytest.mark.parametrize("form", ["batch", "lengths", "one"])
def test_an_omitted_state_is_zeros(cell: str, form: str) -> None:
    """It has a gradient all the same."""
    case = drawn(cell, 2, form)
    parts = tuple(np.zeros_like(part) for part in in_parts(case.state))
    zeros = case._replace(state=parts if isinstance(case.state, tuple) else parts[0])
    found = bits(everything(case._replace(state=None).backward()))
    assert found == bits(everything(zeros.backward())) != bits(everything(case.backward()))


@every_cell
@pytest.mark.parametrize("batch_first", [True, False])
def test_padding_is_not_looked_at(cell: str, batch_first: bool) -> None:
    """Neither that of inputs nor that of dL/d(output); the gradient there is 0."""
    case = drawn(cell, 2, "lengths", bidirectional=True, batch_first=batch_first)
    padding = np.arange(STEPS)[:, np.newaxis] >= LENGTHS
    padding = padding.T if batch_first else padding
    found = everything(case.backward())
    assert not found["inputs"][padding].any()
    assert found["inputs"][~padding].all() or cell == "relu"
    for filler in (np.nan, np.inf, 1e308):
        inputs, d_output = case.inputs.copy(), case.d["output"].copy()
        inputs[padding] = d_output[padding] = filler
        padded = case._replace(inputs=inputs).backward(d_output=d_output)
        assert bits(everything(padded)) == bits(found)


@every_cell
@pytest.mark.parametrize("form", ["batch", "lengths", "one"])
def test_memory(cell: str, form: str) -> None:
    """Nothing given is written to, nothing returned is shared."""
    case = drawn(cell, 1, form, batch_first=True)
    arguments = [case.inputs, *in_parts(case.state), *case.options.values(), *case.d.values()]
    given = dict(enumerate([*arguments, *case.model._weights.values()]))
    before = bits(given)
    found, later = (list(everything(case.backward()).values()) for _ in range(2))
    pairs = [*combinations(found, 2), *product(found, [*later, *given.values()])]
    assert not any(np.shares_memory(a, b) for a, b in pairs)
    assert bits(given) == before


@every_cell
def test_gates_that_are_shut_give_no_warning(cell: str) -> None:
    case = drawn(cell, dtype=np.float32)
    case.model.weights = {name: 1e4 * w for name, w in case.model.weights.items()}
    gradients = by_name(case.backward()).values()
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert {gradient.dtype for gradient in gradients} == {case.model.dtype}
