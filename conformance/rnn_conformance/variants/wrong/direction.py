"""Wrong directions: what each of two reads, starts from, and where its states end up."""

from dataclasses import replace
from functools import partial

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.recurrence import Recurrence, Weights
from rnn_conformance.variants.wrong.registry import mutant

two_directions = partial(mutant, "direction", "bidirectional")
reverse_alone = partial(mutant, "direction", "reverse")


@two_directions(caught_by="directions_apart", shipped_in="keras-team/keras#1431")
class ReverseNotTurnedBack(Recurrence):
    """The states of the reverse direction are given in the order in which they are computed."""

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        return states


@two_directions("lengths", caught_by="output")
class TurnedBackOverPadding(Recurrence):
    """The reverse direction reads each row from its end, but its states are turned over T steps."""

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        return states[::-1] if d else states


@two_directions(caught_by="output", shipped_in="stanfordmlgroup/nlc#8")
class ReverseReadsForward(ReverseNotTurnedBack):
    """The reverse direction reads the sequence forward, as the other one does."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        return x


@two_directions("lengths", caught_by="directions_apart", shipped_in="NervanaSystems/ngraph#3176")
class ReversedOverPadding(TurnedBackOverPadding):
    """The reverse direction starts at step T-1, in the padding of shorter rows."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        return x[::-1] if d else x

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        return states[-1] if d else super().last(states, h_0, steps, d)


@two_directions(caught_by="output", shipped_in="apache/mxnet#15062")
class OneStepNotReversed(Recurrence):
    """The reversal of a row of one step gives zeros."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        right = super().read(x, steps, d)
        return np.where((steps == 1)[:, None], 0, right).astype(x.dtype) if d else right


@two_directions(caught_by="output", shipped_in="kraiskil/onnx2c#95 (LSTM)")
class FeaturesReversedForTime(ReverseNotTurnedBack):
    """The reverse direction reads the features backwards, and the steps forward."""

    def read(self, x: Array, steps: Lengths, d: int) -> Array:
        return x[..., ::-1] if d else x


@two_directions(caught_by="output")
class ReverseOneStepLate(Recurrence):
    """The reverse direction's state at a step is the one before that step was read."""

    def turned_back(self, states: Array, steps: Lengths, d: int) -> Array:
        late = np.concatenate([np.zeros_like(states[:1]), states[:-1]]) if d else states
        return super().turned_back(late, steps, d)


@two_directions(caught_by="output")
class DirectionsExchanged(Recurrence):
    """The output holds the reverse direction's numbers, then the forward one's."""

    def joined(self, halves: list[Array]) -> Array:
        return super().joined(halves[::-1])


@two_directions(caught_by="output", shipped_in="pytorch/pytorch#11368")
class DirectionsInterleaved(Recurrence):
    """The output holds both directions of the first unit, then of the second, and so on."""

    def joined(self, halves: list[Array]) -> Array:
        T, B, _ = halves[0].shape
        return np.stack(halves, axis=-1).reshape(T, B, -1)


@two_directions("h_0", caught_by="output", shipped_in="microsoft/onnxruntime#1607")
class InitialStatesExchanged(Recurrence):
    """Each direction starts from the h_0 of the other."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        return super().start(initial, layer, o.directions - 1 - d, o)


@two_directions("h_0", caught_by="output", shipped_in="PaddlePaddle/Paddle#27644")
class OneInitialStateForBoth(Recurrence):
    """The reverse direction starts from the h_0 of the forward one."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        return super().start(initial, layer, 0, o)


@two_directions("h_0", caught_by="output", shipped_in="onnx/onnx-tensorflow#409 (LSTM)")
class InitialStateLostWithTwoDirections(Recurrence):
    """A layer of two directions starts from zeros, whatever h_0 is."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        right = super().start(initial, layer, d, o)
        return np.zeros_like(right) if o.bidirectional else right


@two_directions(caught_by="output", shipped_in="PaddlePaddle/PaddleSpeech#802")
class ForwardWeightsForBoth(Recurrence):
    """The reverse direction uses the weights of the forward one."""

    def weights_of(self, layer: int, d: int) -> str:
        return super().weights_of(layer, 0)


@two_directions(caught_by="output")
class ForwardBiasesForBoth(Recurrence):
    """The reverse direction adds the biases of the forward one."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        own, forward = super().cell(call, layer, d), super().cell(call, layer, 0)
        return {**own, "b_ih": forward["b_ih"], "b_hh": forward["b_hh"]}


@two_directions("h_n", caught_by="final_state", shipped_in="tflearn/tflearn#522")
class FinalStateOfForwardTwice(Recurrence):
    """h_n of the reverse direction is that of the forward one."""

    def stacked(self, h_n: list[Array], o: Options) -> Array:
        return super().stacked([h_n[i - i % o.directions] for i in range(len(h_n))], o)


@two_directions("h_n", caught_by="final_state", shipped_in="yunjey/pytorch-tutorial#174")
class FinalStateOfReverseAtItsStart(Recurrence):
    """h_n of the reverse direction is its state at the last step of the sequence."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        return states[0] if d else super().last(states, h_0, steps, d)


@two_directions("layers", caught_by="chain_of_layers", shipped_in="tensorlayer/TensorLayer#294")
class DirectionsNeverMixed(Recurrence):
    """A direction of a layer above the first reads only its own direction below."""

    def cell(self, call: Call, layer: int, d: int) -> Weights:
        w, H = super().cell(call, layer, d), call.options.hidden_size
        if layer == 0 or not call.options.bidirectional:
            return w
        own = np.zeros_like(w["W_ih"])
        own[:, d * H : (d + 1) * H] = w["W_ih"][:, d * H : (d + 1) * H]
        return {**w, "W_ih": own}


class ReverseAlone(Recurrence):
    """Right in two directions; a reverse direction alone is that of another layer."""

    alone: type[Recurrence] = Recurrence

    def run(self, call: Call) -> Answer:
        return self.alone().run(call) if call.options.reverse else super().run(call)


@reverse_alone(caught_by="output")
class ReverseAloneIgnored(Recurrence):
    """A layer that is asked for the reverse direction alone reads forward."""

    def run(self, call: Call) -> Answer:
        return super().run(replace(call, options=replace(call.options, reverse=False)))


@reverse_alone(caught_by="directions_apart")
class ReverseAloneNotTurnedBack(ReverseAlone):
    """The states of a reverse direction alone are given in the order in which they are computed."""

    alone = ReverseNotTurnedBack


@reverse_alone("lengths", caught_by="directions_apart")
class ReverseAloneOverPadding(ReverseAlone):
    """A reverse direction alone starts at step T-1, in the padding of shorter rows."""

    alone = ReversedOverPadding


@reverse_alone("lengths", caught_by="output")
class ReverseAloneTurnedBackOverPadding(ReverseAlone):
    """A reverse direction alone reads each row from its end; its states are turned over T steps."""

    alone = TurnedBackOverPadding


@reverse_alone("lengths", caught_by="output")
class LengthsIgnoredInReverseAlone(Recurrence):
    """A reverse direction alone computes as if there were no lengths."""

    def steps(self, call: Call, x: Array) -> Lengths:
        right = super().steps(call, x)
        return np.full_like(right, len(x)) if call.options.reverse else right


@reverse_alone("h_n", caught_by="final_state")
class FinalStateOfReverseAloneAtItsStart(ReverseAlone):
    """h_n of a reverse direction alone is its state at the last step of the sequence."""

    alone = FinalStateOfReverseAtItsStart


@reverse_alone("h_0", caught_by="output")
class InitialStateLostInReverseAlone(Recurrence):
    """A layer of the reverse direction alone starts from zeros, whatever h_0 is."""

    def start(self, initial: Array, layer: int, d: int, o: Options) -> Array:
        right = super().start(initial, layer, d, o)
        return np.zeros_like(right) if o.reverse else right
