"""Models as people write them: how one is made, filled and called."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from inspect import Parameter, isclass, isfunction, ismodule, signature
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import GATED, Array
from rnn_conformance.sources.gates import NEW_SHARES, Gates
from rnn_conformance.sources.slots import (
    INITIAL_CELL,
    INITIAL_STATE,
    Slot,
    Weights,
    fillings,
    of_inputs,
    with_one,
)

SIZES = ("input_size", "hidden_size", "output_size")
NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
TOLD_BY = ("in", "hid", "out")  # in the names of sizes
DEPTH = 3  # of objects, lists and mappings that hold each other
Made = dict[tuple[object, ...], Any]
Filled = Callable[[Array, Sequence[Array]], Any]
Tape = list[tuple[Any, Any, Sequence[Any]]]


@dataclass(frozen=True)
class Model:
    """A class, and which weight each array of its objects is.

    Attributes:
        tape: gets each model that is called, with the inputs and the parts of a state that it is
            given; those of torch can be differentiated by then.
        of_weights: whether the gradients of the weights alone are asked for.
    """

    cls: type[Any]
    method: str
    slots: Mapping[str, Slot]
    gates: Gates = field(default_factory=Gates)
    made: Made = field(default_factory=dict, compare=False)
    tape: Tape | None = field(default=None, compare=False)
    of_weights: bool = field(default=False, compare=False)

    @property
    def cell(self) -> str:
        return self.gates.cell or "tanh"

    @property
    def ones(self) -> bool:
        """Whether it has no biases, which are the weight of one more input, 1, then."""
        known = with_one(of_inputs(self.gates))
        return any(name.startswith(known) for slot in self.slots.values() for name in slot.of)

    @property
    def reads_out(self) -> bool:
        """Whether it has both weights of a readout."""
        return {"W_ho", "b_ho"} <= {name for slot in self.slots.values() for name in slot.of}

    @cached_property
    def after_inputs(self) -> list[Parameter]:
        """The parameters of the method that follow its inputs."""
        return positional(getattr(self.cls, self.method))[2:]

    @property
    def takes_a_state(self) -> bool:
        return takes_a_state(getattr(self.cls, self.method))

    @property
    def needs_a_state(self) -> bool:
        return any(p.default is Parameter.empty for p in self.after_inputs[:1])

    @property
    def of_torch(self) -> bool:
        return hasattr(self.cls, "named_parameters")

    @property
    def weights(self) -> list[str]:
        """The arrays that are weights, but for those of a readout."""
        slots = self.slots.items()
        return [p for p, slot in slots if slot.of and not slot.of[0].endswith("_ho")]

    def __call__(self, weights: Weights, inputs: Array, state: Sequence[Array]) -> Any:
        return self.with_weights(weights, inputs.dtype)(inputs, state)

    def with_weights(self, weights: Weights, dtype: npt.DTypeLike) -> Filled:
        """What is called with inputs and the parts of a state."""
        input_size, hidden_size, output_size = sizes_of(weights)
        sizes = (input_size + self.ones, hidden_size, output_size)
        model = model_of(self.made, sizes, dtype, partial(constructed, self.cls))
        arrays = arrays_of(model)
        filled = self.filled(weights, {path: np.shape(arrays[path]) for path in self.slots})
        _fill(model, {path: array.astype(dtype) for path, array in filled.items()})
        return partial(self._called, model)

    def _called(self, model: Any, inputs: Array, state: Sequence[Array]) -> Any:
        x, *parts = (_as_theirs(model, array) for array in (inputs, *state))
        if self.tape is not None:
            given = parts if all(isinstance(part, np.ndarray) for part in state) else []
            self.tape.append((model, x, given))
            for leaf in (x, *given) if self.of_torch and not self.of_weights else ():
                leaf.requires_grad_()
        return getattr(model, self.method)(x, *self._as_given(parts))

    def filled(self, weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """What the arrays of these shapes are filled with."""
        full = fillings(weights, self.gates)
        return {path: self.slots[path].filled(full, shape) for path, shape in shapes.items()}

    def _as_given(self, parts: Sequence[Any]) -> Sequence[Any]:
        """The parts of a state in a parameter each where there are two; else in one, as a pair."""
        known = (*INITIAL_STATE, *INITIAL_CELL)
        two = self.after_inputs[:2]
        each = [p for p in two if p.default is Parameter.empty or p.name in known]
        return parts if len(parts) == len(each) or len(parts) < 2 else (tuple(parts),)

    def __str__(self) -> str:
        told = ", ".join(f"{path} is {slot}" for path, slot in self.slots.items())
        if not self.gates.cell:
            return told
        order = self.gates.order or GATED[self.gates.cell]
        in_order = f", gates in the order {order}" * self.stacked
        exchanged = ", h_t = (1 - z) h_{t-1} + z n" * (self.gates.new_share != NEW_SHARES[0])
        return f"{self.gates.cell}, {told}{in_order}{exchanged}"

    @property
    def stacked(self) -> bool:
        """Whether a weight has the rows of all gates."""
        names = {name for slot in self.slots.values() for name in slot.of}
        return bool(self.gates.cell) and "W_hh" in names


def sizes_of(weights: Weights) -> tuple[int, int, int]:
    """input_size, hidden_size and output_size of a call."""
    output_size, hidden_size = weights["W_ho"].shape
    (from_x,) = {"W_xh", "W_ih"} & weights.keys()
    return weights[from_x].shape[1], hidden_size, output_size


def model_of(
    made: Made, sizes: tuple[int, int, int], dtype: npt.DTypeLike, make: Callable[..., Any]
) -> Any:
    """The model of these sizes, kept from call to call as a user keeps it.

    Other threads than the main one have models of their own: weights are attributes.

    Args:
        make: makes one of sizes and a dtype.
    """
    other = threading.current_thread() is not threading.main_thread()
    key = (*sizes, np.dtype(dtype), threading.get_ident() if other else 0)
    if key not in made:
        made[key] = make(sizes, dtype)
    return made[key]


def takes_a_state(method: Callable[..., Any]) -> bool:
    """Whether a method has a parameter after the inputs that is, or is called, a state."""
    after_inputs = positional(method)[2:3]
    return any(p.default is Parameter.empty or p.name in INITIAL_STATE for p in after_inputs)


def options_for(cls: type[Any], dtype: npt.DTypeLike) -> dict[str, Any]:
    """`dtype` and `rng`, as far as the constructor takes them."""
    parameters = signature(cls).parameters
    anything = any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values())
    options = {"dtype": dtype, "rng": np.random.default_rng(0)}
    return {name: value for name, value in options.items() if anything or name in parameters}


def arrays_of(model: Any) -> dict[str, Any]:
    """Every array of a model, and of what it holds, by its path; the same array once."""
    if hasattr(model, "named_parameters"):
        return {path: value.detach().numpy() for path, value in model.named_parameters()}
    found = {path: holder[key] for path, holder, key in _places(model, "", DEPTH)}
    once = {id(array): path for path, array in reversed(found.items())}
    return {path: array for path, array in found.items() if once[id(array)] == path}


def _places(model: Any, path: str, depth: int) -> Iterator[tuple[str, Any, Any]]:
    """Where arrays are: their path, and the list or mapping and the key that holds each."""
    inside: list[tuple[str, Any, Any]]
    if isinstance(model, list):
        inside = [(f"{path}[{i}]", model, i) for i in range(len(model))]
    elif isinstance(model, dict):
        inside = [(f"{path}[{key!r}]", model, key) for key in model]
    else:
        inside = [(f"{path}.{name}".lstrip("."), vars(model), name) for name in vars(model)]
    for where, holder, key in inside:
        value = holder[key]
        if isinstance(value, np.ndarray):
            yield where, holder, key
        elif depth > 1 and (isinstance(value, list | dict) or _is_of_ones_own(value)):
            yield from _places(value, where, depth - 1)


def _is_of_ones_own(value: Any) -> bool:
    """Whether a value is an object that can hold weights."""
    return hasattr(value, "__dict__") and not (
        isclass(value) or isfunction(value) or ismodule(value)
    )


def _fill(model: Any, filled: Mapping[str, Array]) -> None:
    """Put other arrays in the place of those of a model, wherever it holds them."""
    if hasattr(model, "named_parameters"):
        for path, array in filled.items():
            parameter = model.get_parameter(path)
            parameter.data = parameter.data.new_tensor(array.copy())
        return
    places = [*_places(model, "", DEPTH)]
    new = {id(holder[key]): filled[path] for path, holder, key in places if path in filled}
    for _, holder, key in places:
        holder[key] = new.get(id(holder[key]), holder[key])


def _as_theirs(model: Any, array: Any) -> Any:
    """An array of the library that the model computes with, whose arrays have no memory layouts."""
    if hasattr(array, "new_tensor"):
        return array.clone()
    if hasattr(model, "named_parameters"):
        return next(model.parameters()).data.new_tensor(array.copy())
    return array


def constructed(cls: type[Any], sizes: tuple[int, int, int], dtype: npt.DTypeLike) -> Any:
    """A model of these sizes. Raises TypeError where the constructor takes another number."""
    options = options_for(cls, dtype)
    asked = [
        p
        for p in signature(cls).parameters.values()
        if (p.default is Parameter.empty or p.name in SIZES)
        and p.kind is not Parameter.VAR_KEYWORD
        and p.name not in options
    ]
    anything = any(p.kind is Parameter.VAR_POSITIONAL for p in asked)
    if not anything and len(asked) not in (2, 3):
        names = ", ".join(p.name for p in asked) or "none"
        raise TypeError(
            f"constructor: expected input_size, hidden_size and, for a readout, output_size; "
            f"it asks for {names}"
        )
    given = [] if anything else [*zip(asked, _in_order(asked, sizes), strict=True)]
    by_name = {p.name: size for p, size in given if p.kind in NAMED}
    by_place = sizes if anything else [size for p, size in given if p.kind not in NAMED]
    model = cls(*by_place, **by_name, **options)
    if hasattr(model, "named_parameters"):
        return (model.float() if dtype == np.float32 else model.double()).eval()
    return model


def _in_order(given: Sequence[Parameter], sizes: tuple[int, int, int]) -> Sequence[int]:
    """Sizes in the order of these parameters: by their names where all of these tell."""
    told = [[by for by in TOLD_BY if by in p.name.lower()] for p in given]
    if all(len(by) == 1 for by in told) and len({by for (by, *_) in told}) == len(told):
        return [sizes[TOLD_BY.index(by)] for (by, *_) in told]
    return sizes[: len(given)]


def method_of(cls: type[Any]) -> str | None:
    """What is called with inputs: forward, else __call__, else the only public method."""
    for name in ("forward", "__call__"):
        if any(name in vars(base) for base in cls.__mro__):
            return name
    public = [n for n, f in vars(cls).items() if callable(f) and not n.startswith("_")]
    return public[0] if len(public) == 1 else None


def positional(function: Callable[..., Any]) -> list[Parameter]:
    """The parameters that can be given by their place."""
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in signature(function).parameters.values() if p.kind in kinds]
