"""Classes and functions as people write them for themselves: read by trying.

A model is made with sizes that are all different, so that the shape of each of its arrays says
which weight it is, and the shape of each result which axis is which. What shapes leave open (the
order of [h, x] in one weight, how an initial state is given) is a reading each, of which the smoke
check takes the one that computes the right numbers.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, isgenerator, signature
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
from rnn_reference import WEIGHT_NAMES

from rnn_conformance.contract.call import BASIC, Answer, Array, Call, Layout
from rnn_conformance.contract.refusal import one_line
from rnn_conformance.sources.seed_model import CONVENTIONS, NAMES, answer, seed_call

T, B, I, H, O = 3, 6, 7, 5, 2  # of the first call: no two alike, nor T + 1 like any
INITIAL_STATE = (
    "h_0", "h0", "h", "hx", "h_prev", "h_init", "hidden", "state", "initial_state", "H",
)  # fmt: skip
LAYOUTS: tuple[Layout, ...] = ("time_first", "batch_first", "single")
State = Literal["none", "rows", "columns", "layers"]  # (B, H), (H, B), (1, B, H)
STATES: tuple[State, ...] = ("rows", "columns", "layers")
Kind = Literal["states", "outputs", "last"]
Weights = Mapping[str, Array]
MAPPINGS = ("weights", "params", "parameters", "theta")  # parameters that are all weights by name


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
class Found:
    """Where one part of an answer stands in what a model gives.

    Attributes:
        key: of a tuple or mapping.
        axes: those of the layout.
        initial: the slot of the initial state, 0 or -1, where there are T + 1; else None.
    """

    key: Any
    axes: tuple[int, ...]
    initial: int | None = None


@dataclass(frozen=True)
class Model:
    """A class, and which weight each array of its objects is."""

    cls: type[Any]
    method: str
    slots: Mapping[str, Slot]
    made: dict[tuple[object, ...], Any]

    @property
    def takes_a_state(self) -> bool:
        """Whether the method has a parameter after the inputs that is, or is called, a state."""
        _, *more = _positional(getattr(self.cls, self.method))[1:]
        return any(p.default is Parameter.empty or p.name in INITIAL_STATE for p in more[:1])

    def __call__(self, weights: Weights, inputs: Array, state: Array | None) -> Any:
        model = self._with(weights, inputs)
        given = [inputs] if state is None else [inputs, state]
        return getattr(model, self.method)(*(_as_theirs(model, array) for array in given))

    def _with(self, weights: Weights, inputs: Array) -> Any:
        """The model of these sizes, kept from call to call as a user keeps it, with new weights.

        Other threads than the main one have models of their own: weights are attributes.
        """
        sizes = inputs.shape[-1], *reversed(weights["W_ho"].shape)
        other = threading.current_thread() is not threading.main_thread()
        key = (*sizes, inputs.dtype, threading.get_ident() if other else 0)
        if key not in self.made:
            self.made[key] = _constructed(self.cls, *sizes, dtype=inputs.dtype)
        arrays = _arrays(self.made[key])
        for path, slot in self.slots.items():
            filled = slot.filled(weights, np.shape(arrays[path])).astype(inputs.dtype)
            _put(self.made[key], path, filled)
        return self.made[key]

    def __str__(self) -> str:
        return ", ".join(f"{path} is {slot}" for path, slot in self.slots.items())


@dataclass(frozen=True)
class Function:
    """A function, and what each of its parameters gets.

    Attributes:
        names: our names of weights, such as "W_xh" or "W_xh.T", by those that the function has.
        flat: whether biases are (H,); else columns (H, 1).
    """

    function: Callable[..., Any]
    names: Mapping[str, str]
    flat: bool

    @property
    def takes_a_state(self) -> bool:
        return any(p.name in INITIAL_STATE for p in _positional(self.function))

    def __call__(self, weights: Weights, inputs: Array, state: Array | None) -> Any:
        named = {theirs: self._weight(weights, ours) for theirs, ours in self.names.items()}
        given: dict[str, Any] = {}
        for p in _positional(self.function):
            if p.name in named:
                given[p.name] = named[p.name]
            elif p.name in MAPPINGS:
                given[p.name] = named
            elif p.name in INITIAL_STATE:
                given |= {} if state is None else {p.name: state}
            elif p.default is Parameter.empty:
                given[p.name] = inputs
        return self.function(**given)

    def _weight(self, weights: Weights, ours: str) -> Array:
        name, _, turned = ours.partition(".")
        value = weights[name][:, 0] if self.flat and name.startswith("b") else weights[name]
        return value.T.copy() if turned else value

    def __str__(self) -> str:
        other = [f"{theirs} is {ours}" for theirs, ours in self.names.items() if theirs != ours]
        return ", ".join([*other, f"biases are {'(H,)' if self.flat else '(H, 1)'}"])


F = TypeVar("F", bound=Callable[..., Any])


def weights_named(**names: str) -> Callable[[F], F]:
    """Decorate a function with what it calls the weights: `weights_named(W_in="W_xh", ...)`.

    `"W_xh.T"` is for a weight that stands to the right, as in x @ W. Raises ValueError for a name
    that is none of ours.
    """
    for ours in names.values():
        if ours.removesuffix(".T") not in WEIGHT_NAMES:
            known = ", ".join(WEIGHT_NAMES)
            raise ValueError(
                f"weights_named: expected some of {known}, or one with .T; got {ours!r}"
            )

    def decorate(function: F) -> F:
        function.weights_named = names  # type: ignore[attr-defined]
        return function

    return decorate


def of_own_form(written: Callable[..., Any]) -> bool:
    """Whether a class can be asked, and a function has other parameters than weights, inputs, h_0.

    A class has a method forward, __call__, or a single public one.
    """
    if isinstance(written, type):
        return _method(written) is not None
    names = [p.name for p in _positional(written)]
    return hasattr(written, "weights_named") or "W_hh" in names


class AsWritten:
    """A class or function read in one way.

    Attributes:
        source: what gives results for weights, inputs and a state.
        parts: where in them the parts of an answer are, by kind.
        state: how an initial state is given.
        notes: how it is read, and what is not asked of it.
    """

    called = MappingProxyType({**NAMES, "output": "hidden_states", "y": "outputs"})

    def __init__(
        self,
        name: str,
        source: Model | Function,
        layout: Layout,
        parts: Mapping[Kind, Found],
        state: State = "none",
    ) -> None:
        self.name, self._source, self._parts = name, source, parts
        self._layout, self._state = layout, state
        left_out = {"h_0"} if state == "none" else set()
        left_out |= set() if {"last", "states"} <= parts.keys() else {"h_n"}
        left_out |= set() if {"outputs", "states"} <= parts.keys() else {"readout"}
        self.claims = BASIC - {"time_first", *left_out} | {layout}
        alone = {"states": "last alone"} if parts.keys() == {"last"} else {}
        self.conventions: Mapping[str, str] = {**CONVENTIONS, **alone}
        self.assumed = frozenset(("dtypes",))
        self.notes = tuple(self._notes())
        self._behind: list[tuple[Answer, Callable[[], Answer]]] = []

    def with_states(self) -> Iterator["AsWritten"]:
        """The same, given an initial state in each form that there is."""
        if self._source.takes_a_state:
            for state in STATES:
                yield AsWritten(self.name, self._source, self._layout, self._parts, state)

    def run(self, call: Call) -> Answer:
        asked, parts = seed_call(call), self._parts
        if "states" in parts or "outputs" in parts:
            found = self._given(asked, asked.inputs)

            def read() -> Answer:
                return self._answer(call, found)
        else:
            time = 1 if call.layout == "batch_first" else 0
            steps = range(1, call.inputs.shape[time] + 1)
            each = [self._given(asked, asked.inputs.take(range(t), time)) for t in steps]

            def read() -> Answer:
                states = [self._part("last", found, call) for found in each]
                return answer(call, np.stack(states, time), None, None)

        given = read()
        self._behind = [*self._behind[-8:], (given, read)]
        return given

    def reread(self, earlier: Answer) -> Answer:
        """What the results behind an earlier answer hold now."""
        return next(read for given, read in self._behind if given.output is earlier.output)()

    def _answer(self, call: Call, found: Any) -> Answer:
        got = {kind: self._part(kind, found, call) for kind in self._parts}
        if "states" not in got:
            return answer(call, got["outputs"], None, None)
        outputs = got.get("outputs") if call.options.output_size else None
        return answer(call, got["states"], got.get("last"), outputs)

    def _part(self, kind: Kind, found: Any, call: Call) -> Array:
        """One part of the results, its axes in the order of the layout."""
        place, time = self._parts[kind], 1 if call.layout == "batch_first" else 0
        steps = call.inputs.shape[time]
        array = _array(_elements(found)[place.key], steps if kind != "last" else None)
        rest = [axis for axis in range(array.ndim) if axis not in place.axes]
        if array.ndim <= max(place.axes) or any(array.shape[axis] != 1 for axis in rest):
            raise TypeError(f"{kind}: got shape {array.shape}, other axes than at first")
        wanted: Array = array.transpose(*place.axes, *rest)
        wanted = wanted.reshape(wanted.shape[: len(place.axes)])
        if place.initial is not None:
            wanted = np.delete(wanted, place.initial, axis=time)
        return wanted.copy()

    def _given(self, asked: Call, inputs: Array) -> Any:
        """What comes for these inputs."""
        weights = dict(asked.weights)
        if "states" not in self._parts and "outputs" in self._parts:
            units = len(weights["W_hh"])  # the outputs are the states
            weights["W_ho"] = np.eye(units, dtype=inputs.dtype)
            weights["b_ho"] = np.zeros((units, 1), inputs.dtype)
        h_0 = None if self._state == "none" else asked.h_0
        if h_0 is not None and self._state != "rows":
            h_0 = np.atleast_2d(h_0).T if self._state == "columns" else h_0[np.newaxis]
        return _kept(self._source(weights, inputs, h_0))

    def _notes(self) -> Iterator[str]:
        yield f"read by its shapes: {self._source}"
        if self._state == "none":
            yield "h_0 is never given"
        if "states" not in self._parts:
            if "outputs" in self._parts:
                yield "only outputs come back: W_ho is the identity, so that they are the states"
            else:
                yield "only a last state comes back: it is asked for after every step of a sequence"


class Unread:
    """A class or function of which nothing is known before the smoke check has read it."""

    claims = BASIC
    assumed = frozenset(("readings", "nothing"))

    def __init__(self, name: str, written: Callable[..., Any]) -> None:
        self.name, self._written = name, written

    def readings(self) -> Iterator[AsWritten]:
        """As the function of this name."""
        return readings(self.name, self._written)

    def run(self, _: Call) -> Answer:
        raise TypeError("it is not read yet: the smoke check does that, as `check` calls it")


def readings(name: str, written: Callable[..., Any]) -> Iterator[AsWritten]:
    """Every way in which a class or function can be read that fits the shapes, without a state.

    Raises TypeError, which says what came, where there is none.
    """
    whys: list[str] = []
    fitting = 0
    for source in _sources(written):
        for layout in LAYOUTS:
            try:
                parts = _found(source, layout)
            except Exception as error:  # noqa: BLE001, a stranger's code refuses as it likes
                lacks = f"; say which weight it is: weights_named({error.args[0]}='W_xh')"
                advice = lacks if isinstance(error, KeyError) and error.args else ""
                whys.append(f"{layout}: {one_line(error)}{advice}")
                continue
            fitting += 1
            yield AsWritten(name, source, layout, parts)
    if not fitting:
        raise TypeError(f"no way to read {written.__qualname__}: {'; '.join(dict.fromkeys(whys))}")


def _sources(written: Callable[..., Any]) -> Iterator[Model | Function]:
    """Raises TypeError."""
    if isinstance(written, type):
        method = _method(written)
        assert method is not None
        for slots in _slots(_arrays(_constructed(written, I, H, O))):
            yield Model(written, method, slots, {})
        return
    names = getattr(written, "weights_named", None) or {name: name for name in WEIGHT_NAMES}
    for flat in (True, False):
        yield Function(written, names, flat)


def _drawn() -> dict[str, Array]:
    """Weights of the first call."""
    rng = np.random.default_rng(0)
    shapes = {
        "W_xh": (H, I), "b_xh": (H, 1), "W_hh": (H, H), "b_hh": (H, 1),
        "W_ho": (O, H), "b_ho": (O, 1),
    }  # fmt: skip
    return {name: rng.standard_normal(shape) / 4 for name, shape in shapes.items()}


def _found(source: Model | Function, layout: Layout) -> Mapping[Kind, Found]:
    """Where the parts of an answer are for inputs of this layout. Raises TypeError if nowhere."""
    sizes = {"time_first": (T, B), "batch_first": (B, T), "single": (T,)}[layout]
    inputs = np.random.default_rng(1).standard_normal((*sizes, I)) / 4
    found = _kept(source(_drawn(), inputs, None))
    rows = () if layout == "single" else (B,)
    wanted: Mapping[Kind, tuple[int, ...]] = {
        "states": (*sizes, H),
        "outputs": (*sizes, O),
        "last": (*rows, H),
    }
    parts: dict[Kind, Found] = {}
    shapes = []
    for key, value in _elements(found).items():
        for kind, shape in wanted.items():
            array = _array(value, None if kind == "last" else T)
            shapes.append(str(array.shape))
            place = _place(key, array, shape, sizes.index(T) if kind == "states" else None)
            if place is not None:
                parts.setdefault(kind, place)
    chance = _of_chance(found)
    if not parts or (chance and parts.keys() == {"outputs"}):
        softmax = ", each summing to 1: hand out the states or what goes into the softmax"
        raise TypeError(
            f"gave shapes {', '.join(dict.fromkeys(shapes))}{softmax * chance}; here T = {T}, "
            f"B = {B}, I = {I}, H = {H}, O = {O}"
        )
    return parts


def _of_chance(found: Any) -> bool:
    """Whether a result is probabilities, as a softmax gives them."""
    arrays = [np.asarray(_array(value, None)) for value in _elements(found).values()]
    return any(a.ndim > 1 and np.allclose(a.sum(axis=-1), 1) for a in arrays if a.dtype.kind == "f")


def _place(key: Any, array: Array, wanted: tuple[int, ...], time: int | None) -> Found | None:
    """Where the axes wanted are, all others being of size 1; None if they are not there.

    Args:
        time: the axis that may have a slot more, for the initial state, which is zero.
    """
    for slots in (0, 1) if time is not None else (0,):
        sizes = [size + slots * (axis == time) for axis, size in enumerate(wanted)]
        if sorted(size for size in array.shape if size != 1) == sorted(sizes):
            axes = tuple(array.shape.index(size) for size in sizes)
            if not slots:
                return Found(key, axes)
            first = not array.take(0, axes[time or 0]).any()
            return Found(key, axes, 0 if first else -1)
    return None


def _kept(found: Any) -> Any:
    """What a generator gives, as a list, which can be read again."""
    if isinstance(found, tuple):
        return tuple(map(_kept, found))
    return list(found) if isgenerator(found) else found


def _elements(found: Any) -> dict[Any, Any]:
    """The parts of a result by key: of a tuple, a mapping by name; else it is one part itself."""
    if isinstance(found, tuple):
        return dict(enumerate(found))
    if isinstance(found, Mapping) and all(isinstance(key, str) for key in found):
        return dict(found)
    return {0: found}


def _array(value: Any, steps: int | None) -> Array:
    """An array of NumPy; with `steps`, those in a mapping, list or generator one on the other."""
    if steps is not None and isinstance(value, Mapping):
        value = [value[t] for t in range(steps)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return np.stack([_array(one, None) for one in value]) if value else np.zeros(0)
    array: Array = np.asarray(value.detach() if hasattr(value, "detach") else value)
    return array


def _slots(arrays: Mapping[str, Any]) -> Iterator[dict[str, Slot]]:
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


HIDDEN = ("b_xh", "b_hh")


def _arrays(model: Any) -> dict[str, Any]:
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


def _constructed(cls: type[Any], *sizes: int, dtype: npt.DTypeLike = "float64") -> Any:
    """A model of these sizes. Raises TypeError where the constructor takes another number."""
    given = [
        p
        for p in signature(cls).parameters.values()
        if p.default is Parameter.empty and p.kind is not Parameter.VAR_KEYWORD
    ]
    anything = any(p.kind is Parameter.VAR_POSITIONAL for p in given)
    if not anything and len(given) not in (2, 3):
        names = ", ".join(p.name for p in given) or "none"
        raise TypeError(
            f"constructor: expected input_size, hidden_size and, for a readout, output_size; "
            f"it asks for {names}"
        )
    model = cls(*sizes[: 3 if anything else len(given)])
    if hasattr(model, "named_parameters"):
        return model.float() if dtype == np.float32 else model.double()
    return model


def _method(cls: type[Any]) -> str | None:
    """What is called with inputs: forward, else __call__, else the only public method."""
    for name in ("forward", "__call__"):
        if any(name in vars(base) for base in cls.__mro__):
            return name
    public = [n for n, f in vars(cls).items() if callable(f) and not n.startswith("_")]
    return public[0] if len(public) == 1 else None


def _positional(function: Callable[..., Any]) -> list[Parameter]:
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in signature(function).parameters.values() if p.kind in kinds]
