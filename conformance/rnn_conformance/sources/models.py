"""Models as people write them: how one is made, and which weight each of its arrays is."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import Parameter, signature
from typing import Any

import numpy as np
import numpy.typing as npt

from rnn_conformance.contract.call import Array

I, H, O = 7, 5, 2  # of the first model: no two alike
INITIAL_STATE = (
    "h_0", "h0", "h", "hx", "h_prev", "h_init", "hidden", "state", "initial_state", "H",
)  # fmt: skip
HIDDEN = ("b_xh", "b_hh")
Made = dict[tuple[object, ...], Any]
Weights = Mapping[str, Array]


@dataclass(frozen=True)
class Slot:
    """What one array of a model is filled with.

    Attributes:
        of: weights by our names: one, two side by side, or two biases that are added.
        turned: whether it stands to the right of what it multiplies, as x @ W.
    """

    of: tuple[str, ...]
    turned: bool

    def filled(self, weights: Weights, shape: tuple[int, ...]) -> Array:
        parts = [weights[name] for name in self.of]
        if self.of[0].startswith("b"):
            return sum(parts[1:], parts[0]).reshape(shape)
        whole = np.concatenate(parts, axis=1)
        return whole.T.copy() if self.turned else whole

    def __str__(self) -> str:
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

    def __call__(self, weights: Weights, inputs: Array, state: Array | None) -> Any:
        sizes = sizes_of(weights, inputs)
        model = model_of(self.made, sizes, inputs.dtype, partial(constructed, self.cls))
        arrays = arrays_of(model)
        for path, slot in self.slots.items():
            filled = slot.filled(weights, np.shape(arrays[path])).astype(inputs.dtype)
            _put(model, path, filled)
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


def slots_of(arrays: Mapping[str, Any]) -> Iterator[dict[str, Slot]]:
    """What each array is filled with, by its shape. Raises TypeError where that does not say."""
    by_shape: dict[tuple[int, ...], list[str]] = {}
    for path, array in arrays.items():
        by_shape.setdefault(tuple(n for n in np.shape(array) if n != 1), []).append(path)
    found: dict[str, Slot] = {}
    for name, shape in (("W_xh", (H, I)), ("W_ho", (O, H))):
        for path in by_shape.get(shape, []):
            found[path] = Slot((name,), turned=False)
        for path in by_shape.get(shape[::-1], []):
            found[path] = Slot((name,), turned=True)
    turned = any(slot.turned for slot in found.values() if slot.of == ("W_xh",))
    for path in by_shape.get((H, H), []):
        found[path] = Slot(("W_hh",), turned)
    for paths, names in (
        ([p for p in by_shape.get((H,), []) if p.split(".")[-1] not in INITIAL_STATE], HIDDEN),
        (by_shape.get((O,), []), ("b_ho",)),
    ):
        if len(paths) == 1:
            found[paths[0]] = Slot(names, turned=False)
        elif len(paths) == len(names):
            found |= {p: Slot((name,), turned=False) for p, name in zip(paths, names, strict=True)}
        elif paths:
            raise TypeError(f"{', '.join(paths)}: more arrays of one shape than biases")
    merged = dict.fromkeys(by_shape.get((H, H + I), []), False)
    merged |= dict.fromkeys(by_shape.get((H + I, H), []), True)
    whole = {name for slot in found.values() for name in slot.of}
    lacking = {"W_xh", "W_hh", *HIDDEN} - whole - ({"W_xh", "W_hh"} if len(merged) == 1 else set())
    if lacking:
        shown = ", ".join(f"{path} {np.shape(array)}" for path, array in arrays.items())
        raise TypeError(
            f"of {', '.join(sorted(lacking))} no array is found by its shape; made with I = {I}, "
            f"H = {H}, O = {O}, the model has {shown or 'none'}"
        )
    for order in (("W_hh", "W_xh"), ("W_xh", "W_hh")) if merged else ((),):
        yield {**found, **{path: Slot(order, right) for path, right in merged.items()}}


def arrays_of(model: Any) -> dict[str, Any]:
    """Every array of a model, and of the objects that it holds, by its path."""
    if hasattr(model, "named_parameters"):
        return {path: value.detach().numpy() for path, value in model.named_parameters()}
    found: dict[str, Any] = {}
    for name, value in vars(model).items():
        if isinstance(value, np.ndarray):
            found[name] = value
        elif hasattr(value, "__dict__") and not callable(getattr(value, "bit_generator", None)):
            inside = vars(value).items()
            found |= {f"{name}.{n}": v for n, v in inside if isinstance(v, np.ndarray)}
    return found


def _put(model: Any, path: str, array: Array) -> None:
    """Fill an array of a model."""
    if hasattr(model, "named_parameters"):
        parameter = model.get_parameter(path)
        parameter.data = parameter.data.new_tensor(array)
        return
    *owners, name = path.split(".")
    for owner in owners:
        model = getattr(model, owner)
    setattr(model, name, array)


def _as_theirs(model: Any, array: Array) -> Any:
    """An array of the library that the model computes with."""
    if hasattr(model, "named_parameters"):
        return next(model.parameters()).data.new_tensor(array)
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
    model = cls(*sizes[: 3 if anything else len(given)], **options)
    if hasattr(model, "named_parameters"):
        return model.float() if dtype == np.float32 else model.double()
    return model


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
