"""The reference itself, as two implementations under test like any other."""

from rnn_reference import BatchRNN, SingleSequenceRNN

from rnn_conformance.contract.call import BASIC
from rnn_conformance.sources.plain import StepByStepClass

OF_A_BATCH = BASIC - {"h_n"}
OF_ONE_SEQUENCE = OF_A_BATCH - {"time_first"} | {"single"}
BATCH = StepByStepClass("rnn_reference.BatchRNN", BatchRNN, OF_A_BATCH)
SINGLE = StepByStepClass("rnn_reference.SingleSequenceRNN", SingleSequenceRNN, OF_ONE_SEQUENCE)
