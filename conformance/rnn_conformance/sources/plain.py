"""Plain functions, and classes as they are written in a first notebook, as implementations."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from rnn_reference import WEIGHT_NAMES

from rnn_conformance.contract.call import (
    BASIC,
    GRADIENTS,
    Answer,
    Array,
    Call,
    Implementation,
)
from rnn_conformance.sources.backwards import unasked
from rnn_conformance.sources.derivatives import OfFunction, wants_gradients
from rnn_conformance.sources.models import (
    Made,
    constructed,
    model_of,
    options_for,
    sizes_of,
    takes_a_state,
)
from rnn_conformance.sources.readings import readings
from rnn_conformance.sources.seed_model import (
    CONVENTIONS,
    NAMES,
    Earlier,
    answer,
    results_of,
    seed_call,
    seed_claims,
    weights_of,
)


class PlainFunction:
    """A function `f(weights, inputs, h_0)`, or `f(weights, inputs, h_0, batch_first=True)`.

    `weights`, `inputs` and `h_0` are those of `seed_call`. It returns a mapping with
    "hidden_states", (T, H), (T, B, H) or (B, T, H) by layout, and "h_n", (H,) or (B, H), and
    "outputs", like the states, where it has them. `batch_first` is passed only in that layout,
    which only a function that claims it is asked for.

    Attributes:
        claims: those of the function, else `BASIC`.
        assumed: what was assumed and may be narrowed by the smoke check.
        called: what its results and weights are called in messages.
    """

    called = MappingProxyType({**NAMES, "output": "hidden_states", "y": "outputs"})

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.conventions: Mapping[str, str] = getattr(function, "conventions", CONVENTIONS)
        self.claims = seed_claims(getattr(function, "claims", BASIC))
        self.assumed = frozenset(
            () if hasattr(function, "claims") else ("layouts", "parts", "readings where refused")
        )
        self.assumed |= frozenset(() if hasattr(function, "conventions") else ("memory",))
        if wants_gradients(function):
            self.claims |= {GRADIENTS}
        if wants_gradients(function) or not hasattr(function, "claims"):
            self.assumed |= {"gradients"}
        self._function = function
        self._derivative = OfFunction(function)

    def readings(self) -> Iterator[Implementation]:
        """Other ways to read the function, where it gives no such mapping."""
        return readings(self.name, self._function)

    def run(self, call: Call) -> Answer:
        options = {"batch_first": True} if call.layout == "batch_first" else {}
        asked = seed_call(call)
        if call.upstream is not None:
            return self._derivative.answered(call, asked.weights, self._answer, weights_of)
        return self._answer(call, self._function(asked.weights, asked.inputs, asked.h_0, **options))

    def gradients_follow(self, call: Call) -> Mapping[str, str] | None:
        """The conventions that the gradients of a first call follow; None where there are none."""
        return self._derivative.follows(call, self.run)

    def _answer(self, call: Call, found: Any) -> Answer:
        parts = results_of(found, ("h_n", "outputs"))
        return answer(call, parts["hidden_states"], parts.get("h_n"), parts.get("outputs"))


class StepByStepClass:
    """A class whose `forward` gives outputs and hidden states by time step.

    The constructor gets input_size, hidden_size and output_size, and `dtype` and `rng` if it takes
    them. The six weights are assigned as attributes, each bias in the shape that the constructor
    gave it. `forward` gets inputs (T, B, I), or (T, I) in the layout "single", and h_0 as columns
    (H, B) if it takes one. It returns outputs and hidden states, each a mapping by time step, or an
    array or list with a slot a step. A step is columns (O, B) and (H, B); in "single" it may also
    be (O,) and (H,). Of T + 1 slots, the last one is the initial state, as `hidden_states[-1]` is,
    or the first one, if that is what it holds. The final state is the last of the states, so `h_n`
    is not judged.

    Attributes:
        claims: those of the class, else `BASIC` without h_n, and without h_0 if `forward` takes
            none.
        assumed: what was assumed and may be narrowed by the smoke check: layouts, and dtypes if
            the constructor takes no `dtype`.
        notes: what is not asked of the class, and why.
        called: what its results and weights are called in messages.
    """

    called = MappingProxyType({**NAMES, "output": "hidden_states", "y": "step_output"})

    def __init__(self, name: str, cls: type[Any], claims: frozenset[str] | None = None) -> None:
        self.name = name
        self._class = cls
        self._takes_h_0 = takes_a_state(cls.forward)
        self.conventions: Mapping[str, str] = getattr(cls, "conventions", CONVENTIONS)
        self.notes = tuple(unasked(cls))
        self.assumed: frozenset[str] = frozenset()
        if claims is None and not hasattr(cls, "claims"):
            claims = BASIC - {"h_n"}
            self.assumed = frozenset(
                ("layouts", "readings", *["dtypes"] * ("dtype" not in options_for(cls, "float64")))
            )
            if not self._takes_h_0:
                claims -= {"h_0"}
                self.notes += ("h_0 is never given: `forward` takes no initial state",)
        self.assumed |= frozenset(() if hasattr(cls, "conventions") else ("memory",))
        self.claims = seed_claims(cls.claims if claims is None else claims)
        self._models: Made = {}
        self._earlier = Earlier()
        self.reread = self._earlier.again

    def readings(self) -> Iterator[Implementation]:
        """Other ways to read the class, where what is said here does not hold of it."""
        return readings(self.name, self._class)

    def run(self, call: Call) -> Answer:
        asked = seed_call(call)
        model, h_0 = self._model(asked), asked.h_0
        single = call.layout == "single"
        columns = None if h_0 is None else h_0[:, np.newaxis] if single else h_0.T
        found = model.forward(asked.inputs, *[columns] * self._takes_h_0)
        if not isinstance(found, tuple) or len(found) != 2:
            got = f"{len(found)} results" if isinstance(found, tuple) else type(found).__name__
            raise TypeError(f"forward: expected (step_output, hidden_states), got {got}")
        return self._earlier.first(partial(_answer, call, *found))

    def _model(self, asked: Call) -> Any:
        """The model for a call, with its weights."""
        make = partial(constructed, self._class)
        model = model_of(self._models, sizes_of(asked.weights), asked.inputs.dtype, make)
        _refuse_other_names(model)
        for name, value in asked.weights.items():
            setattr(model, name, _as_made(name, value, getattr(model, name, None)))
        return model


def _refuse_other_names(model: Any) -> None:
    """Raises TypeError if it has other names for the weights."""
    lacking = [name for name in WEIGHT_NAMES if not hasattr(model, name)]
    own = [name for name, value in vars(model).items() if isinstance(value, np.ndarray)]
    if lacking and own:
        raise TypeError(
            f"the model has no attribute {', '.join(lacking)}; its arrays are {', '.join(own)}; "
            f"expected the weights {', '.join(WEIGHT_NAMES)}"
        )


def _as_made(name: str, value: Array, made: object) -> Array:
    """A weight in the shape that the constructor gave it, which only a bias may choose."""
    if not isinstance(made, np.ndarray) or made.shape == value.shape:
        return value
    if name.startswith("b_") and made.size == value.size:
        return value.reshape(made.shape)
    raise TypeError(f"{name}: expected shape {value.shape}, the constructor makes {made.shape}")


def _answer(call: Call, step_output: Any, hidden_states: Any) -> Answer:
    asked = seed_call(call)
    output_size, hidden_size = asked.weights["W_ho"].shape
    single = call.layout == "single"
    steps, width = len(call.inputs), 1 if single else call.inputs.shape[1]
    outputs = _stacked("step_output", step_output, steps, (output_size, width), single=single)
    by_step = _without_initial(hidden_states, steps, asked.h_0)
    states = _stacked("hidden_states", by_step, steps, (hidden_size, width), single=single)
    if single:
        outputs, states = outputs[:, 0], states[:, 0]
    return answer(call, states, None, outputs)


def _stacked(name: str, by_step: Any, steps: int, shape: tuple[int, int], *, single: bool) -> Array:
    """(T, B, units), of columns (units, B) by time step."""
    found = _steps(by_step)
    if not set(range(steps)) <= found.keys() or len(found) > steps + 1:
        got = f"steps {', '.join(map(str, found))}" if found else type(by_step).__name__
        raise TypeError(
            f"{name}: expected a mapping, list or array of time steps 0 … {steps - 1}, got {got}"
        )
    allowed = (shape, shape[:1]) if single else (shape,)
    for t in range(steps):
        if np.shape(found[t]) not in allowed:
            turned = ", rows for columns" * (np.shape(found[t]) == shape[::-1])
            got = f"{np.shape(found[t])}{turned}"
            raise TypeError(f"{name}[{t}]: expected shape {shape}, got {got}")
    columns = [np.reshape(found[t], shape) for t in range(steps)]
    return np.stack(columns).swapaxes(1, 2)


def _without_initial(states: Any, steps: int, h_0: Array | None) -> Any:
    """The slots 1 … T of T + 1, if the first holds the initial state and the last does not."""
    if not isinstance(states, Sequence | np.ndarray) or len(states) != steps + 1:
        return states
    initial = np.zeros(1) if h_0 is None else np.ravel(h_0.T)
    holds_it = [
        np.size(states[t]) % initial.size == 0 and bool((np.ravel(states[t]) == initial).all())
        for t in (0, steps)
    ]
    return states[1:] if holds_it == [True, False] else states


def _steps(by_step: Any) -> Mapping[int, Any]:
    """What stands for each time step; empty if it is no mapping, list or array."""
    if isinstance(by_step, Mapping):
        return by_step
    if isinstance(by_step, Sequence | np.ndarray) and not isinstance(by_step, str):
        return dict(enumerate(by_step))
    return {}
