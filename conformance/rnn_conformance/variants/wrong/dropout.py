"""Wrong dropout: where, when, how much, and what becomes of the rest."""

from dataclasses import replace
from functools import partial

import numpy as np

from rnn_conformance.contract.call import Array, Call, Lengths, Options
from rnn_conformance.variants.per_call import Dropping, Mask
from rnn_conformance.variants.recurrence import Weights
from rnn_conformance.variants.wrong.registry import mutant

in_layers = partial(mutant, "dropout", "dropout", "layers")
between_layers = partial(in_layers, caught_by="dropout_between_layers")


@in_layers(caught_by="dropout_not_after_the_last_layer", shipped_in="OpenNMT/OpenNMT-py#29")
class AlsoAfterTheLastLayer(Dropping):
    """The last layer's output goes through dropout too."""

    def drops(self, layer: int, o: Options) -> bool:
        return self.call.training and o.dropout > 0


@in_layers(caught_by="dropout_not_after_the_last_layer")
class AfterTheLastLayerInstead(Dropping):
    """The last layer's output goes through dropout, and no other."""

    def drops(self, layer: int, o: Options) -> bool:
        return self.call.training and o.dropout > 0 and layer == o.num_layers - 1


@in_layers(caught_by="dropout_not_after_the_last_layer")
class StateDroppedToo(Dropping):
    """In training, the state goes through dropout at every step."""

    def step(self, call: Call, w: Weights, x: Array, h: Array) -> Array:
        new = super().step(call, w, x, h)
        return self.dropped(new, call.options) if call.training else new


@in_layers(caught_by="dropout_off_in_evaluation", shipped_in="espnet/espnet#3539")
class OnInEvaluation(Dropping):
    """Dropout is on in evaluation too."""

    def drops(self, layer: int, o: Options) -> bool:
        return o.dropout > 0 and layer < o.num_layers - 1


@in_layers(caught_by="dropout_off_in_evaluation")
class ScaledInEvaluationToo(Dropping):
    """What is scaled by 1 / (1 - p) in training is scaled by 1 - p in evaluation."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        inner = not self.call.training and layer < o.num_layers - 1
        return (right * (1 - o.dropout)).astype(x.dtype) if inner else right


@between_layers()
class NotScaled(Dropping):
    """What is not dropped is not scaled."""

    def scale(self, o: Options) -> float:
        return 1.0


@between_layers(shipped_in="karpathy/convnetjs#61")
class ScaledByRate(Dropping):
    """What is not dropped is scaled by 1 / p."""

    def scale(self, o: Options) -> float:
        return 1 / o.dropout


@between_layers(shipped_in="espnet/espnet#1780")
class NeverOn(Dropping):
    """The rate reaches no layer: nothing is dropped."""

    def drops(self, layer: int, o: Options) -> bool:
        return False


@between_layers(shipped_in="jihunchoi/recurrent-batch-normalization-pytorch#13")
class StoredAndNotUsed(Dropping):
    """What went through dropout is stored, and the next layer reads what did not."""

    def dropped(self, x: Array, o: Options) -> Array:
        self.stored = super().dropped(x, o)
        return x


@between_layers(shipped_in="tensorforce/tensorforce#111")
class RateTakenForKeepRate(Dropping):
    """p is the share that is kept, the scaling with it."""

    def zeroed(self, x: Array, o: Options) -> Mask:
        return ~super().zeroed(x, o)

    def scale(self, o: Options) -> float:
        return 1 / o.dropout


@between_layers()
class AppliedTwice(Dropping):
    """What a layer hands on goes through dropout where it is given, and where it is read."""

    def dropped(self, x: Array, o: Options) -> Array:
        return super().dropped(super().dropped(x, o), o)


@between_layers()
class SameMaskInEveryCall(Dropping):
    """The generator starts anew in every call."""

    def zeroed(self, x: Array, o: Options) -> Mask:
        self.rng = np.random.default_rng(0)
        return super().zeroed(x, o)


@between_layers()
class RateInSixteenths(Dropping):
    """The rate is rounded up to sixteenths, as random numbers have four bits."""

    def zeroed(self, x: Array, o: Options) -> Mask:
        mask: Mask = self.rng.integers(16, size=x.shape) < 16 * o.dropout
        return mask


@between_layers()
class RepeatsAfter256(Dropping):
    """256 random numbers are drawn and repeated."""

    def zeroed(self, x: Array, o: Options) -> Mask:
        mask: Mask = np.resize(self.rng.random(256), x.shape) < o.dropout
        return mask


@between_layers()
class WholeStepsDropped(Dropping):
    """All units of a row and step are dropped together."""

    def zeroed(self, x: Array, o: Options) -> Mask:
        return np.broadcast_to(super().zeroed(x[..., :1], o), x.shape)


@between_layers()
class SameMaskForAllRows(Dropping):
    """One mask is drawn for all rows of the batch."""

    def zeroed(self, x: Array, o: Options) -> Mask:
        return np.broadcast_to(super().zeroed(x[:, :1], o), x.shape)


@between_layers()
class SameMaskForAllSteps(Dropping):
    """One mask is drawn for all steps."""

    def zeroed(self, x: Array, o: Options) -> Mask:
        return np.broadcast_to(super().zeroed(x[:1], o), x.shape)


@between_layers()
class UnitsDropped(Dropping):
    """A unit is dropped in all rows and steps, or in none."""

    def zeroed(self, x: Array, o: Options) -> Mask:
        return np.broadcast_to(super().zeroed(x[:1, :1], o), x.shape)


@between_layers("bidirectional")
class SameMaskForBothDirections(Dropping):
    """One mask is drawn for both directions."""

    def zeroed(self, x: Array, o: Options) -> Mask:
        return np.tile(super().zeroed(x[..., : o.hidden_size], o), o.directions)


@between_layers(shipped_in="PaddlePaddle/Paddle#28435")
class SameMaskForAllLayers(Dropping):
    """One mask is drawn for all layers."""

    def zeroed(self, x: Array, o: Options) -> Mask:
        if not hasattr(self, "mask"):
            self.mask = super().zeroed(x, o)
        return self.mask


@between_layers()
class OnAfterTheFirstLayerOnly(Dropping):
    """What layers above the first hand on is not dropped."""

    def drops(self, layer: int, o: Options) -> bool:
        return super().drops(layer, o) and layer == 0


@between_layers()
class OnBelowTheLastLayerOnly(Dropping):
    """Only what the last layer reads is dropped."""

    def drops(self, layer: int, o: Options) -> bool:
        return super().drops(layer, o) and layer == o.num_layers - 2


@between_layers()
class RateFallsWithTheLayers(Dropping):
    """What layers above the first hand on is dropped at a lower rate."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        return super().layer_output(x, steps, layer, replace(o, dropout=o.dropout / (1 + layer)))


@between_layers()
class NoiseForDropout(Dropping):
    """Numbers are multiplied by normal noise of the same variance instead of being dropped."""

    def dropped(self, x: Array, o: Options) -> Array:
        noise = self.rng.normal(1, np.sqrt(o.dropout / (1 - o.dropout)), x.shape)
        return (x * noise).astype(x.dtype)


@mutant("dropout", "dropout", caught_by="dropout_not_on_the_inputs")
class InputsDropped(Dropping):
    """In training, the inputs of the first layer go through dropout too."""

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        right, o = super().without_padding(x, steps), self.call.options
        return self.dropped(right, o) if self.call.training and o.dropout > 0 else right


@between_layers("relu")
class DropsNothingOfRelu(Dropping):
    """Layers of relu drop nothing."""

    def drops(self, layer: int, o: Options) -> bool:
        return super().drops(layer, o) and o.nonlinearity == "tanh"


@between_layers("float64")
class DropsNothingInFloat64(Dropping):
    """In float64 nothing is dropped."""

    def drops(self, layer: int, o: Options) -> bool:
        return super().drops(layer, o) and self.call.dtype == np.float32


@mutant("dropout", "dropout", caught_by="training_without_dropout")
class BiasTwiceInTraining(Dropping):
    """In training, where there is no dropout, b_hh counts twice."""

    def preactivation(self, w: Weights, x: Array, h: Array) -> Array:
        more = w["b_hh"] if self.call.training and not self.call.options.dropout else 0
        return super().preactivation(w, x, h) + more
