"""Vector-Jacobian products of the frameworks: results, and dL/d of what they came from.

Each function takes `run`, from a list of arrays to a list of results, the arrays themselves, and
`losses`, from the results to dL/d of each.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

Run = Callable[[Sequence[Any]], Sequence[Any]]
Losses = Callable[[Sequence[Any]], Sequence[Any]]
Both = tuple[Sequence[Any], Sequence[Any]]


def by_jax(run: Run, given: Sequence[Any], losses: Losses) -> Both:
    """By jax.vjp."""
    results, pull = import_module("jax").vjp(lambda given: [*run(given)], [*given])
    return results, pull([*losses(results)])[0]


def torch_gradients(pairs: Iterable[tuple[Any, Any]], leaves: Sequence[Any]) -> Sequence[Any]:
    """Those of tensors, from pairs of a result and dL/d of it; None where it depends on none."""
    torch = import_module("torch")
    hands_back = _loss().apply
    loss = torch.stack([hands_back(result, given) for result, given in pairs]).sum()
    found: Sequence[Any] = torch.autograd.grad(loss, leaves, allow_unused=True)
    return found


@cache
def _loss() -> Any:
    """A loss of torch, which hands dL/d of a result back in the memory in which it is given.

    It is one number, as what `grad` does with dL/d of others imports SymPy.
    """
    torch = import_module("torch")

    class Loss(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, result: Any, given: Any) -> Any:
            ctx.given = given
            return result.new_zeros(())

        @staticmethod
        def backward(ctx: Any, *_: Any) -> tuple[Any, None]:
            return ctx.given, None

    return Loss


def by_torch(run: Run, given: Sequence[Any], losses: Losses) -> Both:
    """By torch.autograd; what the results do not depend on has zeros."""
    leaves = [value.detach().requires_grad_() for value in given]
    results = [*run(leaves)]
    found = torch_gradients(zip(results, losses(results), strict=True), leaves)
    gradients = [
        leaf.new_zeros(leaf.shape) if gradient is None else gradient
        for leaf, gradient in zip(leaves, found, strict=True)
    ]
    return [result.detach() for result in results], gradients


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
