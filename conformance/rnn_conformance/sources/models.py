"""Models as people write them: how one is made, and which weight each of its arrays is."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from inspect import Parameter, isclass, isfunction, ismodule, signature
from itertools import combinations, product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import Array

I, H, O = 7, 5, 2  # of the first model: no two alike
INITIAL_STATE = (
    "h_0", "h0", "h", "hx", "h_prev", "h_init", "hidden", "state", "initial_state", "H",
)  # fmt: skip
HIDDEN = ("b_xh", "b_hh")
TOLD_BY = ("in", "hid", "out")  # in the names of sizes
MOST_CHOICES = 16
DEPTH = 3  # of objects, lists and mappings that hold each other
Made = dict[tuple[object, ...], Any]
Weights = Mapping[str, Array]


@dataclass(frozen=True)
class Slot:
    """What one array of a model is filled with.

    Attributes:
        of: weights by our names: one, two side by side, or two biases that are added; none for
            an array that is no weight, which is filled with NaN so that it shows if it is read.
        turned: whether it stands to the right of what it multiplies, as x @ W.
    """

    of: tuple[str, ...]
    turned: bool

    def filled(self, weights: Weights, shape: tuple[int, ...]) -> Array:
        if not self.of:
            return np.full(shape, np.nan)
        parts = [weights[name] for name in self.of]
        if self.of[0].startswith("b"):
            return sum(parts[1:], parts[0]).reshape(shape)
        whole = np.concatenate(parts, axis=1)
        return whole.T.copy() if self.turned else whole

    def __str__(self) -> str:
        if not self.of:
            return "no weight (NaN, so that it shows if it is read)"
        sign = " + " if self.of[0].startswith("b") else ", "
        whole = sign.join(self.of)
        whole = f"[{whole}]" if sign == ", " and len(self.of) > 1 else whole
        return f"{whole} transposed" if self.turned else whole


@dataclass(frozen=True)
class Model:
    """A class, and which weight each array of its objects is."""

    cls: type[Any]
    method: str
    slots: Mapping[str, Slot]
    made: Made = field(default_factory=dict, compare=False)

    @property
    def takes_a_state(self) -> bool:
        return takes_a_state(getattr(self.cls, self.method))

    @property
    def needs_a_state(self) -> bool:
        after_inputs = positional(getattr(self.cls, self.method))[2:3]
        return any(p.default is Parameter.empty for p in after_inputs)

    def __call__(self, weights: Weights, inputs: Array, state: Array | None) -> Any:
        sizes = sizes_of(weights, inputs)
        model = model_of(self.made, sizes, inputs.dtype, partial(constructed, self.cls))
        arrays = arrays_of(model)
        filled = {
            path: slot.filled(weights, np.shape(arrays[path])).astype(inputs.dtype)
            for path, slot in self.slots.items()
        }
        _fill(model, filled)
        given = [inputs] if state is None else [inputs, state]
        return getattr(model, self.method)(*(_as_theirs(model, array) for array in given))

    def __str__(self) -> str:
        return ", ".join(f"{path} is {slot}" for path, slot in self.slots.items())


def sizes_of(weights: Weights, inputs: Array) -> tuple[int, int, int]:
    """input_size, hidden_size and output_size of a call."""
    output_size, hidden_size = weights["W_ho"].shape
    return inputs.shape[-1], hidden_size, output_size


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


def slots_of(
    arrays: Mapping[str, Any], unread: Callable[[Sequence[str]], frozenset[str]]
) -> Iterator[dict[str, Slot]]:
    """What each array is filled with, by its shape.

    Args:
        unread: which of some arrays are not read; asked of those of which there are too many.

    Raises TypeError where the shapes do not say.
    """
    by_shape: dict[tuple[int, ...], list[str]] = {}
    for path, array in arrays.items():
        by_shape.setdefault(tuple(n for n in np.shape(array) if n != 1), []).append(path)
    of = {
        what: [path for shape in dict.fromkeys((wanted, wanted[::-1])) for path in
               by_shape.get(shape, [])]
        for what, wanted in {
            "W_xh": (H, I), "W_ho": (O, H), "W_hh": (H, H), "b_ho": (O,), "b": (H,),
            "W": (H, H + I),
        }.items()
    }  # fmt: skip
    of["b"] = [path for path in of["b"] if _last(path) not in INITIAL_STATE]
    sets = max(len(of["W_hh"]), len(of["W"]), 1)  # of weights, or their gradients
    most = {what: 2 if what == "b" and sets == 1 else 1 for what in of}
    many = [path for what, paths in of.items() if len(paths) > most[what] for path in paths]
    not_read = unread(many) if many else frozenset()
    choices = {what: _choices(what, of[what], not_read, sets) for what in of}
    if prod(map(len, choices.values())) > MOST_CHOICES:
        read = [path for path in many if path not in not_read]
        raise TypeError(f"{', '.join(read)}: several arrays of a shape are read, in too many ways")
    turned = {path for path in arrays if _is_turned(np.shape(arrays[path]))}
    for chosen in product(*choices.values()):
        taken = dict(zip(choices, chosen, strict=True))
        found = {path: Slot((), turned=False) for path in many}
        for what in ("W_xh", "W_ho", "b_ho"):
            found |= {path: Slot((what,), path in turned) for path in taken[what]}
        to_the_right = any(path in turned for path in taken["W_xh"])
        found |= {path: Slot(("W_hh",), to_the_right) for path in taken["W_hh"]}
        names = (HIDDEN,) if len(taken["b"]) == 1 else ((name,) for name in HIDDEN)
        found |= {p: Slot(name, turned=False) for p, name in zip(taken["b"], names, strict=False)}
        _refuse_lacking(found, arrays, merged=bool(taken["W"]))
        for order in (("W_hh", "W_xh"), ("W_xh", "W_hh")) if taken["W"] else ((),):
            yield {**found, **{path: Slot(order, path in turned) for path in taken["W"]}}


def _choices(
    what: str, paths: Sequence[str], not_read: frozenset[str], sets: int
) -> list[tuple[str, ...]]:
    """Which of some arrays are a weight, or both biases: those that are read, else the first."""
    read = [path for path in paths if path not in not_read]
    rest = [path for path in paths if path in not_read]
    two = what == "b" and len(paths) == 2 * sets
    able = [*read, *rest[: max(1 + two - len(read), 0)]]
    pairs = list(combinations(able, 2)) if what == "b" else []
    return [*pairs, *([] if two else [(path,) for path in able])] or [()]


def _refuse_lacking(found: Mapping[str, Slot], arrays: Mapping[str, Any], *, merged: bool) -> None:
    """Raises TypeError where no array is found for a weight."""
    whole = {name for slot in found.values() for name in slot.of}
    lacking = {"W_xh", "W_hh", *HIDDEN} - whole - ({"W_xh", "W_hh"} if merged else set())
    if lacking:
        shown = ", ".join(f"{path} {np.shape(array)}" for path, array in arrays.items())
        raise TypeError(
            f"of {', '.join(sorted(lacking))} no array is found by its shape; made with I = {I}, "
            f"H = {H}, O = {O}, the model has {shown or 'none'}"
        )


def _is_turned(shape: tuple[int, ...]) -> bool:
    """Whether a weight of this shape stands to the right of what it multiplies."""
    return tuple(n for n in shape if n != 1) in ((I, H), (H, O), (H + I, H))


def _last(path: str) -> str:
    """The last name in a path."""
    return re.split(r"\W+", path.rstrip("]'"))[-1]


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


def _as_theirs(model: Any, array: Array) -> Any:
    """An array of the library that the model computes with, whose arrays have no memory layouts."""
    if hasattr(model, "named_parameters"):
        return next(model.parameters()).data.new_tensor(array.copy())
    return array


def constructed(cls: type[Any], sizes: tuple[int, int, int], dtype: npt.DTypeLike) -> Any:
    """A model of these sizes. Raises TypeError where the constructor takes another number."""
    options = options_for(cls, dtype)
    given = [
        p
        for p in signature(cls).parameters.values()
        if p.default is Parameter.empty
        and p.kind is not Parameter.VAR_KEYWORD
        and p.name not in options
    ]
    anything = any(p.kind is Parameter.VAR_POSITIONAL for p in given)
    if not anything and len(given) not in (2, 3):
        names = ", ".join(p.name for p in given) or "none"
        raise TypeError(
            f"constructor: expected input_size, hidden_size and, for a readout, output_size; "
            f"it asks for {names}"
        )
    model = cls(*(sizes if anything else _in_order(given, sizes)), **options)
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
