"""Gradients of functions as people write them: by their framework, or by a function for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

from rnn_conformance.contract.call import GRADIENTS, Answer, Array, Call
from rnn_conformance.contract.dtypes import as_numpy
from rnn_conformance.contract.refusal import Violation
from rnn_conformance.sources.adapters.autodiff import VJP
from rnn_conformance.sources.adapters.sizes import pulled_back, state_of, upstream_of

F = TypeVar("F", bound=Callable[..., Any])
RESULTS = ("hidden_states", "h_n", "c_n")
NOT_ALL = "gradients of the inputs and of h_0 are not judged: they are not all given"
OF_ITS_OWN = (
    'no "hidden_states" come with the gradients, so these are judged as those of another forward '
    "pass: as a whole, in short cases"
)
NOTES = {"gradients": NOT_ALL, "backward pass": OF_ITS_OWN}  # where a convention is followed


def gradients(by: str | Callable[..., Any] | None = None) -> Callable[[F], F]:
    """Decorate a function or class with what gives its gradients.

    Args:
        by: of a function, the one that gives them, `by(weights, inputs, h_0, d_hidden_states,
            d_h_n)`; of a class, the name of the method that does; None for a function in JAX or
            PyTorch, whose gradients the framework gives.
    """

    def decorate(written: F) -> F:
        written.gradients_by = by  # type: ignore[attr-defined]
        return written

    return decorate


def wants_gradients(written: Any) -> bool:
    """Whether a function or class says that it has them."""
    return hasattr(written, "gradients_by") or GRADIENTS in getattr(written, "claims", ())


class OfFunction:
    """A function, and what gives its gradients: another function, or the framework it is in.

    Attributes:
        own_pass: whether the gradients came without the states from which they were computed.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.by = function, getattr(function, "gradients_by", None)
        self.own_pass, self._framework = False, ""

    def answered(
        self,
        call: Call,
        weights: Mapping[str, Array],
        read: Callable[[Call, Any], Answer],
        theirs: Callable[[Call], Mapping[str, Array]],
    ) -> Answer:
        """The answer with gradients, as far as they are given.

        Args:
            weights: all that the function gets.
            read: the answer of results.
            theirs: the weights of a call by their names.
        """
        state = [part[0] for part in call.state.values()]
        found, gradients = self._both(call, weights, call.inputs, state)
        names = [*theirs(call)]
        by_name = in_our_words(call, names, lambda call: [*theirs(call).values()], gradients)
        return replace(read(call, found), gradients=by_name)

    def follows(self, call: Call, run: Callable[[Call], Answer]) -> Mapping[str, str] | None:
        """The conventions that the gradients of a call follow; None where nothing gives them."""
        try:
            own = {"gradients": "of weights alone"} if lacking(call, run(call)) else {}
        except Unsaid:
            return None
        return own | ({"backward pass": "of its own"} if self.own_pass else {})

    def _both(
        self, call: Call, weights: Mapping[str, Array], inputs: Array, state: Sequence[Array]
    ) -> tuple[Any, dict[str, Any]]:
        """The results, and the gradients by the names of the weights, "inputs" and "h_0"."""
        options = {"batch_first": True} if call.layout == "batch_first" else {}
        loss, *of_last = upstream_of(call).values()
        last = [None if part is None else part[0] for part in of_last]
        if self.by is None:
            return self._by_framework(weights, inputs, state, options, [loss, *last])
        d_last = state_of(last) if any(part is not None for part in last) else None
        found = self.by(weights, inputs, state_of(state), loss, d_last, **options)
        if not isinstance(found, Mapping):
            raise Violation(f"gradients: expected a mapping by name, got {type(found).__name__}")
        self.own_pass = "hidden_states" not in found
        if self.own_pass:
            return self.function(weights, inputs, state_of(state), **options), {**found}
        results = {name: found[name] for name in RESULTS if name in found}
        time = int(call.layout == "batch_first")
        results.setdefault("h_n", as_numpy(found["hidden_states"]).take(-1, time))
        return results, {**found}

    def _by_framework(
        self,
        weights: Mapping[str, Array],
        inputs: Array,
        state: Sequence[Array],
        options: Mapping[str, Any],
        losses: Sequence[Array | None],
    ) -> tuple[Any, dict[str, Any]]:
        names = list[str]()

        def run(given: Sequence[Any]) -> Sequence[Any]:
            by_name = dict(zip(weights, given, strict=False))
            x, *parts = given[len(weights) :]
            results = self.function(by_name, x, state_of(parts), **options)
            names[:] = [name for name in RESULTS if name in results]
            return [results[name] for name in names]

        given: list[Any] = [*weights.values(), inputs, *state]
        framework = self._framework = self._framework or framework_of(run(given)[0])
        if framework not in VJP:
            raise Unsaid(NOTHING)
        torch = import_module("torch") if framework == "torch" else None
        if torch is not None:
            given = [torch.from_numpy(array.copy()) for array in given]
        by_result = dict(zip(RESULTS, losses, strict=False))

        def of_results(results: Sequence[Any]) -> Sequence[Any]:
            each = [by_result[name] for name in names]
            pairs = zip(each, results, strict=True)
            arrays = [np.zeros(r.shape, inputs.dtype) if d is None else d for d, r in pairs]
            return arrays if torch is None else [torch.from_numpy(d) for d in arrays]

        found, gradients = VJP[framework](run, given, of_results)
        of_weights = dict(zip(weights, gradients, strict=False))
        x, *parts = gradients[len(weights) :]
        of_state = {"h_0": state_of(parts)} if state else {}
        return dict(zip(names, found, strict=True)), {**of_weights, "inputs": x, **of_state}


NO_GRADIENT = "its results have no gradient, as after detach() or in no_grad()"
NOTHING = (
    "gradients: it gives arrays of NumPy, so what gives its gradients is to be said: "
    "@rnn_conformance.gradients(my_gradients)"
)


class Unsaid(Violation):
    """Nothing gives gradients."""


def lacking(call: Call, answer: Answer) -> bool:
    """Whether some gradient of what is no weight is not given."""
    assert answer.gradients is not None
    return not {"inputs", *call.state} <= answer.gradients.keys()


def framework_of(array: Any) -> str:
    """The library of an array: "jax" or "torch", or another."""
    return type(array).__module__.split(".")[0].removesuffix("lib")


def in_our_words(
    call: Call, names: Sequence[str], theirs: Callable[[Call], Sequence[Array]], found: Any
) -> dict[str, Array]:
    """The gradients of a function by our names, as far as they are given.

    Args:
        names: of its weights.
        theirs: these weights for a call.

    Raises Violation where that of a weight is missing, or one has another shape.
    """
    if lacking := [name for name in names if name not in found]:
        raise Violation(f"gradients: {', '.join(lacking)} missing, got {', '.join(found)}")
    each = [shaped(name, found[name], like) for name, like in zip(names, theirs(call), strict=True)]
    gradients = pulled_back(call, theirs, each)
    if "inputs" in found:
        gradients["inputs"] = shaped("inputs", found["inputs"], call.inputs)
    if "h_0" in found and call.state:
        parts = found["h_0"] if len(call.state) > 1 else [found["h_0"]]
        for (name, like), part in zip(call.state.items(), parts, strict=True):
            gradients[name] = shaped(name, part, like[0])[np.newaxis]
    return gradients


def shaped(name: str, gradient: Any, like: Array) -> Array:
    """A gradient as an array. Raises Violation where its shape is another, but for sizes of 1."""
    array: Array = np.array(as_numpy(gradient))
    shapes = array.shape, np.shape(like)
    if len({tuple(size for size in shape if size != 1) for shape in shapes}) > 1:
        raise Violation(f"gradient of {name}: expected shape {shapes[1]}, got {shapes[0]}")
    return array.reshape(shapes[1])
