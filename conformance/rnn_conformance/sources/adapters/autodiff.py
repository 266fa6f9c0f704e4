"""Vector-Jacobian products of the frameworks: results, and dL/d of what they came from.

Each function takes `run`, from a list of arrays to a list of results, the arrays themselves, and
`losses`, from the results to dL/d of each.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

Run = Callable[[Sequence[Any]], Sequence[Any]]
Losses = Callable[[Sequence[Any]], Sequence[Any]]
Both = tuple[Sequence[Any], Sequence[Any]]


def by_jax(run: Run, given: Sequence[Any], losses: Losses) -> Both:
    """By jax.vjp."""
    results, pull = import_module("jax").vjp(lambda given: [*run(given)], [*given])
    return results, pull([*losses(results)])[0]


def by_torch(run: Run, given: Sequence[Any], losses: Losses) -> Both:
    """By torch.autograd; what the results do not depend on has zeros."""
    torch = import_module("torch")
    leaves = [value.detach().requires_grad_() for value in given]
    results = [*run(leaves)]
    found = torch.autograd.grad(results, leaves, [*losses(results)], materialize_grads=True)
    return [result.detach() for result in results], found


def by_tensorflow(run: Run, given: Sequence[Any], losses: Losses) -> Both:
    """By tensorflow.GradientTape."""
    tensorflow = import_module("tensorflow")
    with tensorflow.GradientTape() as tape:
        for value in given:
            tape.watch(value)
        results = [*run(given)]
    zero = tensorflow.UnconnectedGradients.ZERO
    found = tape.gradient(results, [*given], [*losses(results)], unconnected_gradients=zero)
    return results, found


VJP: Mapping[str, Callable[[Run, Sequence[Any], Losses], Both]] = {
    "jax": by_jax,
    "torch": by_torch,
    "tensorflow": by_tensorflow,
}
