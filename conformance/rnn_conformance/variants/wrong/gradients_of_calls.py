"""Wrong gradients from one call to the next, and what is written to."""

from typing import Any

from rnn_conformance.contract.call import Answer, Array, Call, Lengths
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.step_backwards import Taped
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


@mutant("gradients", "gradients", caught_by="inputs_unchanged")
class LossWrittenOver(Differentiable):
    """dL/d of the output is multiplied in the caller's memory."""

    def run(self, call: Call) -> Answer:
        answer = super().run(call)
        if call.upstream is not None and call.upstream.output is not None:
            call.upstream.output[...] *= 0.5
        return answer
