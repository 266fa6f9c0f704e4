"""Plain functions, and classes like those of the reference, as implementations."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnn_conformance.protocol import Answer, Array, Call, Claims


class PlainFunction:
    """A function `f(weights, inputs, h_0)`, or `f(weights, inputs, h_0, batch_first=True)`.

    `weights`, `inputs` and `h_0` are those of `Call`; it returns a mapping with "hidden_states",
    and "h_n" and "outputs" where it has them, in the shapes of `Answer`. `batch_first` is passed
    only in that layout, which only a function that claims it is asked for.
    """

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.claims: Claims = getattr(function, "claims", Claims())
        self.claims_by_default = not hasattr(function, "claims")
        self._function = function

    def run(self, call: Call) -> Answer:
        options = {"batch_first": True} if call.layout == "batch_first" else {}
        found = self._function(call.weights, call.inputs, call.h_0, **options)
        if not isinstance(found, Mapping):
            raise TypeError(
                f'expected a mapping with "hidden_states", "h_n", "outputs", '
                f"got {type(found).__name__}"
            )
        unknown = set(found) - {"hidden_states", "h_n", "outputs"}
        if unknown or "hidden_states" not in found:
            raise TypeError(
                f'expected a mapping with "hidden_states", and "h_n" and "outputs" where given, '
                f"got {', '.join(map(repr, found)) or 'an empty one'}"
            )
        return Answer(**{name: _as_numpy(value) for name, value in found.items()})


def _as_numpy(value: Any) -> Any:
    """The array of another library as one of NumPy; whatever else, a list too, as it is."""
    if isinstance(value, np.ndarray) or not hasattr(value, "__array__"):
        return value
    return np.asarray(value)


class StepByStepClass:
    """A class with the constructor, attributes and `forward` of the reference classes.

    Batched, states and outputs are columns: h_0 goes in as (H, B), and `forward` gives two mappings
    by time step, outputs (O, B) and hidden states (H, B). In the layout "single", B is 1, and what
    `forward` gives may be without it. The final state is the last of them, so there is none to
    judge of its own.
    """

    def __init__(self, name: str, cls: type[Any], claims: Claims | None = None) -> None:
        self.name = name
        self.claims: Claims = getattr(cls, "claims", Claims()) if claims is None else claims
        self.claims_by_default = claims is None and not hasattr(cls, "claims")
        self._class = cls
        self._models: dict[tuple[object, ...], Any] = {}
        self._behind: list[tuple[Answer, Call, tuple[Any, Any]]] = []

    def run(self, call: Call) -> Answer:
        model = self._model(call)
        for name, value in call.weights.items():
            setattr(model, name, value)
        single = call.layout == "single"
        columns = None if call.h_0 is None else call.h_0[:, np.newaxis] if single else call.h_0.T
        found = model.forward(call.inputs, columns)
        if not isinstance(found, tuple) or len(found) != 2:
            got = f"{len(found)} results" if isinstance(found, tuple) else type(found).__name__
            raise TypeError(f"forward: expected (step_output, hidden_states), got {got}")
        answer = _answer(call, *found)
        self._behind = [*self._behind[-8:], (answer, call, found)]
        return answer

    def reread(self, answer: Answer) -> Answer:
        """What the mappings behind an earlier answer hold now."""
        call, found = next((c, f) for a, c, f in self._behind if a is answer)
        return _answer(call, *found)

    def _model(self, call: Call) -> Any:
        """One model for all calls of the same sizes, as a user would keep one."""
        output_size, hidden_size = call.weights["W_ho"].shape
        sizes = (call.inputs.shape[-1], hidden_size, output_size)
        key = (*sizes, call.dtype)
        if key not in self._models:
            self._models[key] = self._class(*sizes, dtype=call.dtype, rng=np.random.default_rng(0))
        return self._models[key]


def _answer(call: Call, step_output: Any, hidden_states: Any) -> Answer:
    output_size, hidden_size = call.weights["W_ho"].shape
    single = call.layout == "single"
    steps, width = len(call.inputs), 1 if single else call.inputs.shape[1]
    outputs = _stacked("step_output", step_output, steps, (output_size, width), single=single)
    states = _stacked("hidden_states", hidden_states, steps, (hidden_size, width), single=single)
    if single:
        return Answer(states[:, 0], outputs=outputs[:, 0])
    return Answer(states, outputs=outputs)


def _stacked(name: str, by_step: Any, steps: int, shape: tuple[int, int], *, single: bool) -> Array:
    """(T, B, units), of a mapping from each time step to columns (units, B)."""
    if not isinstance(by_step, Mapping) or not set(range(steps)) <= set(by_step):
        got = list(by_step) if isinstance(by_step, Mapping) else type(by_step).__name__
        raise TypeError(f"{name}: expected a mapping of the time steps 0 … {steps - 1}, got {got}")
    allowed = (shape, shape[:1]) if single else (shape,)
    for t in range(steps):
        if np.shape(by_step[t]) not in allowed:
            raise TypeError(f"{name}[{t}]: expected shape {shape}, got {np.shape(by_step[t])}")
    columns = [np.reshape(by_step[t], shape) for t in range(steps)]
    return np.stack(columns).swapaxes(1, 2)
