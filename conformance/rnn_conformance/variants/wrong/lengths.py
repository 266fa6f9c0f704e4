"""Wrong lengths: padding that is read, written or taken for the end."""

from functools import partial

import numpy as np

from rnn_conformance.contract.call import Answer, Array, Call, Lengths, Options
from rnn_conformance.variants.recurrence import Recurrence, real
from rnn_conformance.variants.wrong.registry import mutant

of_lengths = partial(mutant, "lengths", "lengths")


@of_lengths(caught_by="output", shipped_in="apache/mxnet#19323")
class LengthsIgnored(Recurrence):
    """Every row is taken to have T steps."""

    def steps(self, call: Call, x: Array) -> Lengths:
        return np.full(x.shape[1], len(x))


@of_lengths(caught_by="output")
class LengthOfLongestForAll(Recurrence):
    """Every row is taken to be as long as the longest."""

    def steps(self, call: Call, x: Array) -> Lengths:
        steps = super().steps(call, x)
        return np.full_like(steps, steps.max())


@of_lengths(caught_by="output")
class LengthsTakenAsSorted(Recurrence):
    """The lengths are put in descending order, and the rows are left as they are."""

    def steps(self, call: Call, x: Array) -> Lengths:
        return -np.sort(-super().steps(call, x))


@of_lengths(caught_by="final_state")
class OneStepOfPaddingRead(Recurrence):
    """Each shorter row has a step too many, the first one of its padding."""

    def steps(self, call: Call, x: Array) -> Lengths:
        return np.minimum(super().steps(call, x) + 1, len(x))


@of_lengths(caught_by="padding_is_zero", shipped_in="microsoft/onnxruntime#1361")
class PaddingNotCleared(Recurrence):
    """The output in the padding is what the recurrence went on to compute."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        return x


@of_lengths(caught_by="padding_is_zero")
class LastStateRepeatedInPadding(Recurrence):
    """The output in the padding repeats that of the row's last real step."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        return np.where(real(x, steps), x, x[steps - 1, np.arange(len(steps))])


@of_lengths(caught_by="padding_is_zero", shipped_in="microsoft/onnxruntime#1193 (GRU)")
class TailNotWritten(Recurrence):
    """The loop ends with the longest row, and the output beyond is never written."""

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        right = super().layer_output(x, steps, layer, o)
        right[steps.max() :] = 7.5
        return right


@of_lengths(caught_by="padding_is_zero", shipped_in="keras-team/keras#449")
class MaskedByMultiplication(Recurrence):
    """The padding is cleared by a product with zero, which leaves NaN as it is."""

    def without_padding(self, x: Array, steps: Lengths) -> Array:
        return x

    def layer_output(self, x: Array, steps: Lengths, layer: int, o: Options) -> Array:
        return x * real(x, steps).astype(x.dtype)


@of_lengths("h_n", caught_by="padding_added", shipped_in="keras-team/keras#1300")
class FinalStateAfterPadding(Recurrence):
    """h_n is the state after T steps, those of the padding included."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        last: Array = states[-1]
        return last


@of_lengths("h_n", caught_by="final_state", shipped_in="allenai/allennlp#1713")
class FinalStateOfShorterRowsIsZero(Recurrence):
    """h_n is read from the output at step T-1, where shorter rows have zeros."""

    def last(self, states: Array, h_0: Array, steps: Lengths, d: int) -> Array:
        last = super().last(states, h_0, steps, d)
        return np.where((steps == len(states))[:, None], last, 0).astype(last.dtype)


@of_lengths(caught_by="output")
class RowsLeftSorted(Recurrence):
    """The results are in the order of descending lengths."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        order = np.argsort(-self.steps(call, output), kind="stable")
        return super().answer(call, output[:, order], h_n[:, order])


@of_lengths(caught_by="rows_permuted")
class SortedTwiceInsteadOfBack(Recurrence):
    """Rows sorted by length are sorted back by the same permutation, not by its inverse."""

    def answer(self, call: Call, output: Array, h_n: Array) -> Answer:
        order = np.argsort(-self.steps(call, output), kind="stable")
        return super().answer(call, output[:, order[order]], h_n[:, order[order]])


@of_lengths("h_0", caught_by="rows_permuted")
class InitialStateNotSorted(Recurrence):
    """Rows are sorted by length for the loop, but h_0 is not."""

    def initial(self, call: Call, x: Array) -> Array:
        order = np.argsort(-self.steps(call, x), kind="stable")
        return super().initial(call, x)[:, np.argsort(order)]
