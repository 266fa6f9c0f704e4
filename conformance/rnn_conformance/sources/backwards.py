"""Gradients of classes that are read by trying: by torch.autograd, or by a method of the class.

What is read of results, and what is given, are selections of numbers. So where each number stands
is seen by numbers that count them, and gradients are taken the same way back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call
from rnn_conformance.contract.refusal import Violation
from rnn_conformance.sources.adapters.autodiff import torch_gradients
from rnn_conformance.sources.adapters.sizes import counts, gathered, upstream_of
from rnn_conformance.sources.derivatives import NO_GRADIENT, shaped
from rnn_conformance.sources.models import Model, Tape, arrays_of, positional
from rnn_conformance.sources.results import Key, part_at

# Of the weights in this order, of each input and of the parts of each state that was given; None
# where they do not come.
Found = tuple[Sequence[Array], Sequence[Array] | None, Sequence[Sequence[Array]] | None]


def by_autograd(model: Model, tape: Tape, found: Any, losses: Sequence[Array]) -> Found:
    """By torch.autograd. Raises Violation where no gradient reaches a weight.

    Args:
        found: the results, and `losses` dL/d of each array in them.
    """
    of, *_ = tape[0]
    weights = {path: of.get_parameter(path) for path in model.weights}
    inputs, states = [x for _, x, _ in tape], [parts for _, _, parts in tape if parts]
    leaves = [*weights.values(), *inputs, *(part for parts in states for part in parts)]
    pairs = [
        (array, array.new_tensor(loss))
        for array, loss in zip(arrays_in(found), losses, strict=True)
        if getattr(array, "requires_grad", False)
    ]
    if not pairs:
        raise Violation(NO_GRADIENT)
    wanted = iter(torch_gradients(pairs, [leaf for leaf in leaves if leaf.requires_grad]))
    gradients = [next(wanted) if leaf.requires_grad else None for leaf in leaves]
    if lost := [path for path, one in zip(weights, gradients, strict=False) if one is None]:
        raise Violation(f"no gradient reaches {', '.join(lost)}")
    each = iter(
        np.zeros(leaf.shape, losses[0].dtype) if one is None else one.numpy()
        for leaf, one in zip(leaves, gradients, strict=True)
    )
    return (
        [next(each) for _ in weights],
        [next(each) for _ in inputs],
        [[next(each) for _ in parts] for parts in states],
    )


def by_method(model: Model, tape: Tape, losses: Sequence[Any]) -> Found:
    """By a method of the class, which gets dL/d of what it gave, in the same form.

    Args:
        losses: what it is given: of the states, and of the final ones if it takes them.

    Raises Violation, which says what to write, where the gradient of a weight is not found.
    """
    of, x, parts = tape[0]
    name, arrays = backward_of(model.cls), arrays_of(of)
    returned = getattr(of, name)(*losses)
    given = returned if isinstance(returned, Mapping) else {}

    def found(*names: str) -> Any:
        ends = [end for n in names for end in (f"d{n}", f"d_{n}", f"{n}_grad", f"grad_{n}")]
        every = [given[one] for one in (*names, *ends) if one in given]
        return next(iter([*every, *(vars(of)[end] for end in ends if end in vars(of))]), None)

    weights = {path: found(path) for path in model.weights}
    if lost := [path for path, one in weights.items() if one is None]:
        raise Violation(
            f"{name}: no gradient of {', '.join(lost)}: return a mapping with "
            f"{', '.join(weights)}, and inputs and h_0 where it has them; or set attributes "
            f"such as d{lost[0]}"
        )
    read, *states = (p.name for p in positional(getattr(model.cls, model.method))[1:4])
    of_x = found("inputs", read)
    of_state = [found(*names) for names in zip(("h_0", "c_0"), states, strict=False)][: len(parts)]
    complete = not any(one is None for one in of_state) and len(of_state) == len(parts)
    return (
        [shaped(path, one, arrays[path]) for path, one in weights.items()],
        None if of_x is None else [shaped("inputs", of_x, x)],
        [[*map(shaped, ("h_0", "c_0"), of_state, parts)]] if complete else None,
    )


def losses_for(
    model: Model, found: Any, keys: Sequence[Key], read: Callable[[Any], Answer], call: Call
) -> list[Any]:
    """What the method gets: dL/d of the parts of the results with these keys, as many as it takes.

    Where it takes the states alone, dL/dh_n is added to that of the last step.

    Raises Violation where dL/dc_n would get lost.
    """
    name = backward_of(model.cls)
    if not hasattr(model.cls, name):
        raise Violation(
            f"it has no method {name}: @rnn_conformance.gradients says what it is called"
        )
    takes = len(positional(getattr(model.cls, name))) - 1

    def alone(found: Any) -> Answer:
        return replace(read(found), h_n=None)

    if takes < 2 and call.upstream is not None and call.upstream.c_n is not None:
        raise Violation(
            f'{name} takes no dL/dc: give it a second parameter, or leave "h_n" out of the claims'
        )
    losses = put_in(found, iter(losses_in(found, read if takes > 1 else alone, call)))
    return [part_at(losses, key) for key in keys][:takes]


def last_of(states: Array, call: Call) -> Array:
    """The last of the states of every step, (1, B, H) or (1, H)."""
    return np.asarray(states.take(-1, int(call.layout == "batch_first")))[np.newaxis]


def unasked(cls: type[Any]) -> Iterator[str]:
    """A note on a class that has a method for gradients, and does not ask for them."""
    if hasattr(cls, backward_of(cls)):
        yield (
            f"its method {backward_of(cls)} is not judged: decorate the class with "
            "@rnn_conformance.gradients to have it judged"
        )


def backward_of(cls: type[Any]) -> str:
    """What the method is called."""
    return getattr(cls, "gradients_by", None) or "backward"


def arrays_in(found: Any) -> list[Any]:
    """Every array in results, however they are nested."""
    if hasattr(found, "shape"):
        return [found]
    inside = found.values() if isinstance(found, Mapping) else found
    if not isinstance(found, Mapping | list | tuple):
        return []
    return [array for one in inside for array in arrays_in(one)]


def put_in(found: Any, arrays: Iterator[Any]) -> Any:
    """The same results with other arrays in their places."""
    if hasattr(found, "shape"):
        return next(arrays)
    if isinstance(found, Mapping):
        return {key: put_in(value, arrays) for key, value in found.items()}
    if isinstance(found, list | tuple):
        inside = [put_in(one, arrays) for one in found]
        return tuple(inside) if isinstance(found, tuple) else inside
    return found


def losses_in(found: Any, read: Callable[[Any], Answer], call: Call) -> list[Array]:
    """dL/d of each array in results, from that of the answer that is read of them.

    Where this has no h_n, that is the state of the last step.
    """
    shapes = [np.shape(array) for array in arrays_in(found)]
    ends = np.cumsum([0, *map(prod, shapes)])
    starts = [*zip(ends, shapes, strict=False)]
    numbers = [start + counts(np.empty(shape)) for start, shape in starts]
    answer = read(put_in(found, iter(numbers)))
    if answer.h_n is None:
        answer = replace(answer, h_n=last_of(answer.output, call))
    seen = {name: loss for name, loss in upstream_of(call).items() if loss is not None}
    places = [getattr(answer, name) for name in seen]
    losses = gathered(np.empty(ends[-1], call.dtype), places, [*seen.values()])
    return [losses[start : start + prod(shape)].reshape(shape) for start, shape in starts]
