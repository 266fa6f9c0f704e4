"""Classes and functions as people write them for themselves: read by trying.

A model is made with sizes that are all different, so that the shape of each of its arrays says
which weight it is, and the shape of each result which axis is which. What shapes leave open (the
order of [h, x] in one weight, how an initial state is given) is a reading each, of which the smoke
check takes the one that computes the right numbers.

Where outputs come back and no states, two calls are made: one with a readout that hands out the
states, one with the readout that is asked for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from rnn_reference import WEIGHT_NAMES

from rnn_conformance.contract.call import BASIC, DTYPES, Answer, Array, Call, Dtype
from rnn_conformance.contract.refusal import one_line
from rnn_conformance.sources.first_call import (
    STATES,
    USUAL_FIRST,
    Way,
    first_results,
    found_in,
    in_form,
    shows_nan,
    zeros,
)
from rnn_conformance.sources.functions import Function
from rnn_conformance.sources.models import (
    H,
    I,
    Model,
    O,
    Slot,
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
)
from rnn_conformance.sources.seed_model import CONVENTIONS, NAMES, Earlier, answer, seed_call


class AsWritten:
    """A class or function read in one way.

    Attributes:
        source: what gives results for weights, inputs and a state.
        parts: where in them the parts of an answer are, by kind.
        others: the shapes of what else is in them, or its types.
        notes: how it is read, and what is not asked of it.
    """

    called = MappingProxyType({**NAMES, "output": "hidden_states", "y": "outputs"})

    def __init__(
        self,
        name: str,
        source: Model | Function,
        way: Way,
        parts: Mapping[Kind, Found],
        others: Sequence[str] = (),
    ) -> None:
        self.name, self._source, self._parts = name, source, parts
        self._way, self._others = way, others
        by_step = {"states", "outputs"} & parts.keys()
        left_out = {"h_0"} if way.state == "none" else set()
        left_out |= set() if "last" in parts and by_step else {"h_n"}
        left_out |= set() if "outputs" in parts else {"readout"}
        left_out |= {*DTYPES} - {way.dtype} if way.dtype else set()
        self.claims = BASIC - {"time_first", *left_out} | {way.layout}
        alone = {} if by_step else {"states": "last alone"}
        self.conventions: Mapping[str, str] = {**CONVENTIONS, **alone}
        self.assumed = frozenset(("dtypes", "memory"))
        self.notes = tuple(self._notes())
        self._earlier = Earlier()
        self.reread = self._earlier.again

    def with_states(self) -> Iterator["AsWritten"]:
        """The same, given an initial state in each form that there is."""
        if self._source.takes_a_state:
            for state in STATES:
                way = replace(self._way, state=state)
                yield AsWritten(self.name, self._source, way, self._parts, self._others)

    def run(self, call: Call) -> Answer:
        asked, parts = seed_call(call), self._parts
        if "states" in parts or "outputs" in parts:
            found = self._given(self._with_states_as_outputs(asked), asked.inputs)
            again = "states" not in parts and call.options.output_size
            read_out = self._given(asked, asked.inputs) if again else found

            def read() -> Answer:
                return self._answer(call, found, read_out)
        else:
            time = 1 if call.layout == "batch_first" else 0
            steps = range(1, call.inputs.shape[time] + 1)
            each = [self._given(asked, asked.inputs.take(range(t), time)) for t in steps]

            def read() -> Answer:
                states = [self._part("last", found, call) for found in each]
                return answer(call, np.stack(states, time), None, None)

        return self._earlier.first(read)

    def _answer(self, call: Call, found: Any, read_out: Any) -> Answer:
        if "states" in self._parts:
            states = self._part("states", found, call)
        else:
            states = np.roll(self._part("outputs", found, call), -1, axis=-1)
        last = self._part("last", found, call) if "last" in self._parts else None
        asked = "outputs" in self._parts and call.options.output_size
        return answer(call, states, last, self._part("outputs", read_out, call) if asked else None)

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

    def _with_states_as_outputs(self, asked: Call) -> Call:
        """With a readout that hands out the states, if nothing else does, each moved by one unit.

        So a readout that is transposed, or outputs that are fed back for states, are seen.
        """
        if "states" in self._parts:
            return asked
        units, dtype = len(asked.weights["W_hh"]), asked.inputs.dtype
        readout = {"W_ho": np.eye(units, k=-1, dtype=dtype), "b_ho": np.zeros((units, 1), dtype)}
        readout["W_ho"][0, -1] = 1
        return replace(asked, weights={**asked.weights, **readout})

    def _given(self, asked: Call, inputs: Array) -> Any:
        """What comes for these inputs."""
        h_0 = asked.h_0
        if h_0 is None and self._source.needs_a_state:
            h_0 = zeros(asked, inputs)
        return kept(self._source(asked.weights, inputs, in_form(self._way.state, h_0)))

    def _notes(self) -> Iterator[str]:
        yield f"read by its shapes: {self._source}"
        if self._way.state == "none":
            yield "h_0 is never given"
        elif self._source.needs_a_state:
            yield "it asks for an initial state: zeros are given where a call has none"
        if self._way.dtype:
            (other,) = {*DTYPES} - {self._way.dtype}
            yield f"{other} is not claimed: inputs and weights of {other} are refused"
        if "states" not in self._parts:
            if "outputs" in self._parts:
                yield (
                    "only outputs come back: a call with W_ho a permutation and b_ho zero gives "
                    "the states, a second one the outputs, which are judged from these states"
                )
            else:
                yield "only a last state comes back: it is asked for after every step of a sequence"
        if self._others:
            yield f"what else comes back is not judged: {', '.join(self._others)}"


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


def of_own_form(written: Callable[..., Any]) -> bool:
    """Whether a class can be asked, and a function has other parameters than weights, inputs, h_0.

    A class has a method forward, __call__, or a single public one.
    """
    if isinstance(written, type):
        return method_of(written) is not None
    names = [p.name for p in positional(written)]
    return hasattr(written, "weights_named") or "W_hh" in names


def readings(name: str, written: Callable[..., Any]) -> Iterator[AsWritten]:
    """Every way in which a class or function can be read that fits the shapes, without a state.

    Raises TypeError, which says what came, where there is none.
    """
    whys: list[str] = []
    fitting = 0
    sources = [*_sources(written)]
    for dtype in (None, "float32"):
        for source in sources:
            for way in _ways(source, dtype):
                try:
                    parts, others = found_in(source, way)
                except Exception as error:  # noqa: BLE001, a stranger's code refuses as it likes
                    lacks = f"; say which weight it is: weights_named({error.args[0]}='W_xh')"
                    advice = lacks if isinstance(error, KeyError) and error.args else ""
                    whys.append(f"{way.layout}: {one_line(error)}{advice}")
                    continue
                fitting += 1
                yield AsWritten(name, source, way, parts, others)
        if fitting:
            return
    raise TypeError(f"no way to read {written.__qualname__}: {'; '.join(dict.fromkeys(whys))}")


def _ways(source: Model | Function, dtype: Dtype | None) -> Iterator[Way]:
    """Every way to call something without a state that is not zero."""
    for state in STATES if source.needs_a_state else ("none",):
        for layout in USUAL_FIRST:
            yield Way(layout, state, dtype)


def _sources(written: Callable[..., Any]) -> Iterator[Model | Function]:
    """Raises TypeError."""
    if isinstance(written, type):
        method = method_of(written)
        assert method is not None
        arrays = arrays_of(constructed(written, (I, H, O), "float64"))
        for slots in slots_of(arrays, partial(_unread, written, method)):
            yield Model(written, method, slots)
        return
    names = getattr(written, "weights_named", None) or {name: name for name in WEIGHT_NAMES}
    for flat in (True, False):
        yield Function(written, names, flat)


def _unread(cls: type[Any], method: str, paths: Sequence[str]) -> frozenset[str]:
    """Which arrays of a class do not matter: a NaN in them is not seen in the first results."""
    source = Model(cls, method, {})
    for dtype in (None, "float32"):
        for way in _ways(source, dtype):
            try:
                first_results(source, way)
            except Exception:  # noqa: BLE001, a stranger's code refuses as it likes
                continue
            marked = {path: Model(cls, method, {path: Slot((), turned=False)}) for path in paths}
            return frozenset(path for path in paths if not shows_nan(marked[path], way))
    return frozenset(paths)
