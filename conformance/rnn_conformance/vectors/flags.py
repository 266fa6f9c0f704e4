"""What is special about a case, in words that explain themselves."""

from collections.abc import Iterator, Mapping

from rnn_conformance.cases.case import Case

FLAGS: Mapping[str, str] = {
    "BatchFirst": "Inputs and output are (B, T, ...); h_0 and h_n keep the batch second.",
    "Bidirectional": "A second direction reads the steps from the last to the first.",
    "BiasZero": "Both biases are given, and zeros.",
    "EqualLengths": "There are lengths, all alike and less than T.",
    "Gradients": "upstream. has the gradients of results; those of what goes in are expected too.",
    "Gru": "The cell is a GRU; the rows of a weight are those of r, z, n.",
    "GruResetBefore": "The cell is a GRU whose r is in the product: n has W_hn (r h), as in ONNX.",
    "H0Omitted": "There is no h_0: the layer starts from zeros.",
    "H0Zeros": "h_0 is given, and zeros.",
    "LargeBatch": "There are more than 512 rows: the batch does not fit one block of a kernel.",
    "Lstm": "The cell is an LSTM, with c_0 and c_n; the rows of a weight are those of i, f, g, o.",
    "NoBias": "There are no biases.",
    "PaddingNaN": "NaN stands beyond the lengths; who does not promise to ignore it leaves it out.",
    "Relu": "The nonlinearity is max(a, 0) rather than tanh.",
    "SeveralLayers": "Each layer but the first reads what the one below it gives.",
    "Single": "One sequence without an axis for the batch.",
    "SizeOne": "T, I or H is 1, or B in a batch: an axis of length 1 must not be dropped.",
    "SizesCoincide": "Two of T, B, I, H are alike: exchanged axes or weights keep their shape.",
    "SortedLengths": "There are lengths, from the longest to the shortest.",
    "UnsortedLengths": "There are lengths in no order; row b is real for lengths[b] steps.",
    "WidthsOdd": "I and H are beyond 8 and no multiple of a vector's width.",
}


def flags_of(case: Case) -> tuple[str, ...]:
    """The flags of a case, in alphabetical order."""
    return tuple(sorted(_flags(case)))


def _flags(case: Case) -> Iterator[str]:
    single = case.layout == "single"
    sizes = [case.T, case.I, case.H] + [case.B] * (not single)
    given = {
        "BatchFirst": case.layout == "batch_first",
        "Bidirectional": case.bidirectional,
        "BiasZero": case.bias == "zeros",
        "Gradients": case.loss != "none",
        "Gru": case.cell == "gru",
        "GruResetBefore": case.cell == "gru_reset_before",
        "H0Omitted": case.h_0 == "none",
        "H0Zeros": case.h_0 == "zeros",
        "LargeBatch": case.B > 512,
        "Lstm": case.cell == "lstm",
        "NoBias": case.bias == "off",
        "PaddingNaN": case.padding_nan,
        "Relu": case.cell == "relu",
        "SeveralLayers": case.L > 1,
        "Single": single,
        "SizeOne": 1 in sizes,
        "SizesCoincide": len(set(sizes)) < len(sizes),
        "WidthsOdd": min(case.I, case.H) > 8 and case.I % 2 == case.H % 2 == 1,
    }
    yield from (flag for flag, applies in given.items() if applies)
    if case.lengths != "none":
        yield f"{case.lengths.capitalize()}Lengths"
