"""Classes and functions as people write them for themselves: read by trying.

A model is made with sizes that are all different, so that the shape of each of its arrays says
which weight it is, and the shape of each result which axis is which. What shapes leave open (the
order of [h, x] in one weight, how an initial state is given) is a reading each, of which the smoke
check takes the one that computes the right numbers.

Where outputs come back and no states, two calls are made: one with a readout that hands out the
states, one with the readout that is asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from rnn_conformance.contract.call import (
    BASIC,
    DTYPES,
    GATED,
    GRADIENTS,
    Answer,
    Array,
    Call,
)
from rnn_conformance.contract.refusal import Violation
from rnn_conformance.sources.adapters.sizes import counts, gathered, pulled_back
from rnn_conformance.sources.backwards import (
    by_autograd,
    by_method,
    losses_for,
    losses_in,
    unasked,
)
from rnn_conformance.sources.derivatives import lacking, wants_gradients
from rnn_conformance.sources.first_call import (
    AXES,
    STATES,
    Way,
    Written,
    as_asked,
    called,
    in_form,
    zeros,
)
from rnn_conformance.sources.functions import Function
from rnn_conformance.sources.models import (
    Model,
    Tape,
    arrays_of,
)
from rnn_conformance.sources.one_step import OneStep
from rnn_conformance.sources.results import Found, Kind, array_of, part_at
from rnn_conformance.sources.seed_model import (
    CONVENTIONS,
    GATED_NAMES,
    NAMES,
    Earlier,
    answer,
    seed_call,
)


class AsWritten:
    """A class or function read in one way.

    Attributes:
        source: what gives results for weights, inputs and a state.
        parts: where in them the parts of an answer are, by kind.
        others: the shapes of what else is in them, or its types.
        notes: how it is read, and what is not asked of it.
    """

    called: Mapping[str, str] = MappingProxyType(
        {**NAMES, "output": "hidden_states", "y": "outputs"}
    )

    def __init__(
        self,
        name: str,
        source: Written,
        way: Way,
        parts: Mapping[Kind, Found],
        others: Sequence[str] = (),
    ) -> None:
        self.name, self._source, self._parts = name, source, parts
        self._way, self._others = way, others
        if source.cell in GATED:
            self.called = {**self.called, **GATED_NAMES}
        self._whole = bool({"states", "outputs"} & parts.keys())
        self._of_state: Kind = "states" if self._whole else "last"
        self._of_output: Kind = "outputs" if self._whole else "last outputs"
        last = {"last"} if source.cell != "lstm" else {"cells", "last cells"}
        left_out = {"h_0"} if way.state == "none" else set()
        left_out |= set() if last & parts.keys() and self._whole else {"h_n"}
        left_out |= set() if self._of_output in parts and source.reads_out else {"readout"}
        left_out |= {*DTYPES} - {way.dtype} if way.dtype else set()
        self.claims = BASIC - {"time_first", "tanh", *left_out} | {way.layout, source.cell}
        alone = {} if self._whole else {"states": "last alone"}
        self.conventions: Mapping[str, str] = {**CONVENTIONS, **alone}
        self.assumed = frozenset(("dtypes", "memory"))
        model = self._model
        if isinstance(model, Model) and (model.of_torch or wants_gradients(model.cls)):
            self.assumed |= {"gradients"}
            self.claims |= frozenset(() if model.of_torch else (GRADIENTS,))
        self.notes = tuple(self._notes())
        self._earlier = Earlier()
        self.reread = self._earlier.again

    def with_states(self) -> Iterator["AsWritten"]:
        """The same, given an initial state in each form that there is."""
        if self._source.takes_a_state:
            for state in STATES:
                way = replace(self._way, state=state)
                yield AsWritten(self.name, self._source, way, self._parts, self._others)

    def otherwise(self) -> Iterator["AsWritten"]:
        """What it is if another kind of gates is meant."""
        if isinstance(self._source, Model) and self._source.gates.cell:
            for gates in self._source.gates.others(stacked=self._source.stacked):
                source = replace(self._source, gates=gates)
                yield AsWritten(self.name, source, self._way, self._parts, self._others)

    @property
    def line(self) -> str:
        """The line that says so, above the class."""
        return str(self._source.gates) if isinstance(self._source, Model) else ""

    def run(self, call: Call) -> Answer:
        asked = seed_call(call)
        if call.upstream is not None:
            return self._differentiated(call)
        found = self._given(self._with_states_as_outputs(asked))
        again = self._of_state not in self._parts and call.options.output_size
        read_out = self._given(asked) if again else found
        return self._earlier.first(partial(self._answer, call, found, read_out))

    def gradients_follow(self, call: Call) -> Mapping[str, str] | None:
        """The conventions that the gradients of a first call follow; None where there are none."""
        if not isinstance(self._model, Model):
            return None
        follow = {"gradients": "of weights alone"} if lacking(call, self.run(call)) else {}
        # Of each state in a call of its own, none is the state that a backward pass goes through.
        return follow if self._whole else {**follow, "backward pass": "of its own"}

    @property
    def _model(self) -> Model | Function:
        return self._source.of if isinstance(self._source, OneStep) else self._source

    def _differentiated(self, call: Call) -> Answer:
        """The answer with its gradients. Raises Violation where they do not come."""
        model, tape = self._model, Tape()
        assert isinstance(model, Model)
        taped = replace(model, tape=tape, of_weights=call.of_weights)
        stepwise = isinstance(self._source, OneStep)
        source = OneStep(taped, self._source.next) if isinstance(self._source, OneStep) else taped
        found = self._given(self._with_states_as_outputs(seed_call(call)), source)

        def read(found: Sequence[Any]) -> Answer:
            return self._answer(call, found, found)

        if model.of_torch:
            each, of_x, of_state = by_autograd(model, tape, found, losses_in(found, read, call))
        elif self._whole and not stepwise:
            kinds: tuple[Kind, ...] = ("last", "cells", "last cells")
            first = self._of_state if self._of_state in self._parts else self._of_output
            keys = [(0, *self._parts[k].key) for k in (first, *kinds) if k in self._parts]
            losses = losses_for(model, found, keys, read, call)
            each, of_x, of_state = by_method(model, tape, losses)
        else:
            raise Violation("only a class that takes whole sequences is asked for gradients")
        arrays = arrays_of(tape[0][0])
        shapes = {path: np.shape(arrays[path]) for path in model.weights}

        def theirs(call: Call) -> list[Array]:
            return [*model.filled(seed_call(call).weights, shapes).values()]

        gradients = pulled_back(call, theirs, each)
        if of_x is not None:
            numbers = [
                as_asked(source, self._way, x) - 1 for x in self._each(counts(call.inputs) + 1)
            ]
            numbers = [x for one in numbers for x in one] if stepwise else numbers
            gradients["inputs"] = gathered(call.inputs, numbers, of_x)
        for k, (name, part) in enumerate(call.state.items()):
            places = [*in_form(self._way.state, [counts(part[0])])]
            if of_state is not None:
                of_part = [parts[k] for parts in of_state]
                gradients[name] = gathered(part, places * len(of_part), of_part)
        return self._earlier.first(lambda: replace(read(found), gradients=gradients))

    def _answer(self, call: Call, found: Sequence[Any], read_out: Sequence[Any]) -> Answer:
        if self._of_state in self._parts:
            states = self._part(self._of_state, found, call)
        else:
            states = np.roll(self._part(self._of_output, found, call), -1, axis=-1)
        h_n = self._part("last", found, call) if self._whole and "last" in self._parts else None
        c_n = None
        if "h_n" in self.claims and call.options.cell == "lstm":
            h_n = self._last_of(states) if h_n is None else h_n
            c_n = self._last_cells(found, call)
        asked = self._of_output in self._parts and call.options.output_size
        outputs = self._part(self._of_output, read_out, call) if asked else None
        return answer(call, states, h_n, outputs, c_n)

    def _last_cells(self, found: Sequence[Any], call: Call) -> Array:
        if "last cells" in self._parts:
            return self._part("last cells", found, call)
        return self._last_of(self._part("cells", found, call))

    def _last_of(self, steps: Array) -> Array:
        return np.asarray(steps.take(-1, self._time))

    @property
    def _time(self) -> int:
        """The axis of time."""
        return int(self._way.layout == "batch_first")

    def _part(self, kind: Kind, results: Sequence[Any], call: Call) -> Array:
        """One part of the results, its axes in the order of the layout."""
        each = [self._part_of(kind, found, call) for found in results]
        return each[0] if self._whole else np.stack(each, self._time)

    def _part_of(self, kind: Kind, found: Any, call: Call) -> Array:
        place, steps = self._parts[kind], call.inputs.shape[self._time]
        array = array_of(part_at(found, place.key), None if kind.startswith("last") else steps)
        rest = [axis for axis in range(array.ndim) if axis not in place.axes]
        if array.ndim <= max(place.axes) or any(array.shape[axis] != 1 for axis in rest):
            raise TypeError(f"{kind}: got shape {array.shape}, other axes than at first")
        wanted: Array = array.transpose(*place.axes, *rest)
        wanted = wanted.reshape(wanted.shape[: len(place.axes)])
        if place.initial is not None:
            wanted = np.delete(wanted, place.initial, axis=self._time)
        return wanted.copy()

    def _with_states_as_outputs(self, asked: Call) -> Call:
        """With a readout that hands out the states, if nothing else does, each moved by one unit.

        So a readout that is transposed, or outputs that are fed back for states, are seen.
        """
        if self._of_state in self._parts:
            return asked
        units, dtype = asked.options.hidden_size, asked.inputs.dtype
        readout = {"W_ho": np.eye(units, k=-1, dtype=dtype), "b_ho": np.zeros((units, 1), dtype)}
        readout["W_ho"][0, -1] = 1
        return replace(asked, weights={**asked.weights, **readout})

    def _given(self, asked: Call, source: Written | None = None) -> Sequence[Any]:
        """What comes for the inputs; where only a last step comes, for each number of steps."""
        return [
            called(source or self._source, self._way, asked, inputs, self._state(asked, inputs))
            for inputs in self._each(asked.inputs)
        ]

    def _each(self, inputs: Array) -> Sequence[Array]:
        """The inputs of each call."""
        steps = range(1, inputs.shape[self._time] + 1)
        return [inputs] if self._whole else [inputs.take(range(t), self._time) for t in steps]

    def _state(self, asked: Call, inputs: Array) -> Sequence[Array]:
        """The parts of the initial state that are given."""
        given = tuple(asked.state.values())
        return given or (zeros(asked, inputs) if self._source.needs_a_state else ())

    def _notes(self) -> Iterator[str]:
        yield f"read by its shapes: {self._source}"
        if self._way.state == "none":
            yield "h_0 is never given"
        elif self._source.needs_a_state:
            yield "it asks for an initial state: zeros are given where a call has none"
        if self._way.dtype:
            (other,) = {*DTYPES} - {self._way.dtype}
            yield f"{other} is not claimed: inputs and weights of {other} are refused"
        if self._way.axes not in AXES.values():
            yield f"it is given {self._way}"
        if self._source.ones:
            yield "it has no biases: they are given as the weight of one more input, which is 1"
        if self._of_output in self._parts and not self._source.reads_out:
            yield "outputs have no bias b_ho, so they are not judged"
        if not self._whole:
            last = "state" if self._of_state in self._parts else "output"
            yield f"only a last {last} comes back: it is asked for after every step of a sequence"
        if self._of_state not in self._parts:
            yield (
                "only outputs come back: a call with W_ho a permutation and b_ho zero gives "
                "the states, a second one the outputs, which are judged from these states"
            )
        model = self._model
        if isinstance(model, Model) and not (model.of_torch or GRADIENTS in self.claims):
            yield from unasked(model.cls)
        if self._others:
            yield f"what else comes back is not judged: {', '.join(self._others)}"
