"""Wrong gradients from one call to the next, and what is written to."""

from dataclasses import replace
from typing import Any

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.step_backwards import Taped
from rnn_conformance.variants.wrong.memory import contiguous
from rnn_conformance.variants.wrong.registry import mutant


class RemembersGradients(Differentiable):
    """Keeps things from one call to the next, by sizes."""

    def __init__(self) -> None:
        self.kept: dict[object, Any] = {}

    def key(self, call: Call) -> object:
        return call.options, call.inputs.shape, call.dtype, call.layout, *call.state


@mutant("gradients", "gradients", caught_by="gradients_of_calls")
class GradientsAddUp(RemembersGradients):
    """The gradients of a later call of the same sizes are added to those of the first ones."""

    def gradients(self, call: Call) -> dict[str, Array]:
        found = super().gradients(call)
        kept = self.kept.get(self.key(call), {})
        found = {name: kept.get(name, 0) + part for name, part in found.items()}
        self.kept[self.key(call)] = found
        return found


@mutant("gradients", "gradients", caught_by="gradients_of_calls")
class GradientsOfFirstCall(RemembersGradients):
    """A later call of the same sizes gives the gradients of the first one."""

    def gradients(self, call: Call) -> dict[str, Array]:
        first: dict[str, Array] = self.kept.setdefault(self.key(call), super().gradients(call))
        return first


@mutant(
    "gradients",
    "gradients",
    caught_by="gradients_of_calls",
    shipped_in="tensorflow/tensorflow#26331 (LSTM)",
)
class TapeOfFirstCall(RemembersGradients):
    """A later call of the same sizes goes back through the forward pass of the first one."""

    def taped(self, call: Call, x: Array, steps: Lengths) -> list[Taped]:
        first: list[Taped] = self.kept.setdefault(self.key(call), super().taped(call, x, steps))
        return first


@mutant("gradients", "gradients", caught_by="gradients_from_memory_layouts")
class StridedLossReadAsContiguous(Differentiable):
    """dL/d of the output is read from the memory behind a view, as if that were contiguous."""

    def of_output(self, call: Call, x: Array, steps: Lengths) -> Array:
        assert call.upstream is not None
        as_read = call.upstream.each(contiguous)
        return super().of_output(replace(call, upstream=as_read), x, steps)


@mutant("gradients", "gradients", caught_by="gradients_from_memory_layouts")
class LossOfStrideZeroReadAsContiguous(Differentiable):
    """dL/d of a result that has no memory for each number: zeros stand for what lies beyond."""

    def gradients(self, call: Call) -> dict[str, Array]:
        assert call.upstream is not None
        return super().gradients(replace(call, upstream=call.upstream.each(self.as_read)))

    def as_read(self, d: Array) -> Array:
        if any(d.strides) or d.size == 1:
            return d
        once = np.zeros_like(d)
        once.flat[0] = d.flat[0]
        return once


@mutant("gradients", "gradients", caught_by="inputs_unchanged")
class LossWrittenOver(Differentiable):
    """dL/d of the output is multiplied in the caller's memory."""

    def run(self, call: Call) -> Answer:
        answer = super().run(call)
        if call.upstream is not None and call.upstream.output is not None:
            call.upstream.output[...] *= 0.5
        return answer
