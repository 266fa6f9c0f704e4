"""The reference itself, as two implementations under test like any other."""

from rnn_reference import BatchRNN, SingleSequenceRNN

from rnn_conformance.implementations.plain import StepByStepClass
from rnn_conformance.protocol import Claims

BATCH = StepByStepClass("rnn_reference.BatchRNN", BatchRNN, Claims(("time_first",)))
SINGLE = StepByStepClass("rnn_reference.SingleSequenceRNN", SingleSequenceRNN, Claims(("single",)))
