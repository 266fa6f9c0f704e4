"""Wrong gradients as a model is trained: in training, or where the inputs want none."""

from rnn_conformance.contract.call import Answer, Array, Call
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.wrong.registry import mutant


@mutant("gradients", "gradients", caught_by="gradients_in_training")
class HalvedInTraining(Differentiable):
    """Gradients are half as large in training."""

    def gradients(self, call: Call) -> dict[str, Array]:
        part = call.inputs.dtype.type(0.5 if call.training else 1)
        return {name: part * found for name, found in super().gradients(call).items()}


@mutant("gradients", "gradients", caught_by="gradients_in_training")
class WeightsOfFirstLayerWithoutInputs(Differentiable):
    """Where no gradient of the inputs is asked for, the weights that they meet have none either."""

    def gradients(self, call: Call) -> dict[str, Array]:
        found = super().gradients(call)
        lost = [name for name in found if call.of_weights and name.startswith("weight_ih_l0")]
        return {**found, **{name: 0 * found[name] for name in lost}}


@mutant("gradients", "gradients", caught_by="gradients_in_training")
class OutputScaledInTraining(Differentiable):
    """The output is a thousandth larger in training."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        more = output.dtype.type(1.001 if call.training else 1)
        return super().answer(call, more * output, h_n)
