"""Classes and functions as people write them for themselves: read by trying.

A model is made with sizes that are all different, so that the shape of each of its arrays says
which weight it is, and the shape of each result which axis is which. What shapes leave open (the
order of [h, x] in one weight, how an initial state is given) is a reading each, of which the smoke
check takes the one that computes the right numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import numpy as np
from rnn_reference import WEIGHT_NAMES

from rnn_conformance.contract.call import BASIC, Answer, Array, Call, Layout
from rnn_conformance.contract.refusal import one_line
from rnn_conformance.sources.models import (
    INITIAL_STATE,
    H,
    I,
    Model,
    O,
    Weights,
    arrays_of,
    constructed,
    method_of,
    positional,
    slots_of,
)
from rnn_conformance.sources.results import (
    Found,
    Kind,
    array_of,
    elements,
    kept,
    of_chance,
    place_of,
)
from rnn_conformance.sources.seed_model import CONVENTIONS, NAMES, Earlier, answer, seed_call

T, B = 3, 6  # of the first call: no two of all sizes are alike, nor is T + 1 like any
USUAL_FIRST: tuple[Layout, ...] = ("time_first", "batch_first", "single")
State = Literal["none", "rows", "columns", "layers"]  # (B, H), (H, B), (1, B, H)
STATES: tuple[State, ...] = ("rows", "columns", "layers")
MAPPINGS = ("weights", "params", "parameters", "theta")  # parameters that are all weights by name


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
        return any(p.name in INITIAL_STATE for p in positional(self.function))

    def __call__(self, weights: Weights, inputs: Array, state: Array | None) -> Any:
        named = {theirs: self._weight(weights, ours) for theirs, ours in self.names.items()}
        given: dict[str, Any] = {}
        for p in positional(self.function):
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
        return method_of(written) is not None
    names = [p.name for p in positional(written)]
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
        self._earlier = Earlier()
        self.reread = self._earlier.again

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

        return self._earlier.first(read)

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
        array = array_of(elements(found)[place.key], steps if kind != "last" else None)
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
        return kept(self._source(weights, inputs, h_0))

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
        for layout in USUAL_FIRST:
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
        method = method_of(written)
        assert method is not None
        for slots in slots_of(arrays_of(constructed(written, (I, H, O), "float64"))):
            yield Model(written, method, slots)
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
    found = kept(source(_drawn(), inputs, None))
    rows = () if layout == "single" else (B,)
    wanted: Mapping[Kind, tuple[int, ...]] = {
        "states": (*sizes, H),
        "outputs": (*sizes, O),
        "last": (*rows, H),
    }
    parts: dict[Kind, Found] = {}
    shapes = []
    for key, value in elements(found).items():
        for kind, shape in wanted.items():
            array = array_of(value, None if kind == "last" else T)
            shapes.append(str(array.shape))
            place = place_of(key, array, shape, sizes.index(T) if kind == "states" else None)
            if place is not None:
                parts.setdefault(kind, place)
    chance = of_chance(found)
    if not parts or (chance and parts.keys() == {"outputs"}):
        softmax = ", each summing to 1: hand out the states or what goes into the softmax"
        raise TypeError(
            f"gave shapes {', '.join(dict.fromkeys(shapes))}{softmax * chance}; here T = {T}, "
            f"B = {B}, I = {I}, H = {H}, O = {O}"
        )
    return parts
