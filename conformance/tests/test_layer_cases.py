from itertools import combinations, product

from rnn_conformance.layer.cases import layer_catalogue

OPTIONS = {
    "dtype": ("float32", "float64"),
    "layout": ("single", "time_first", "batch_first"),
    "L": (1, 3),
    "nonlinearity": ("tanh", "relu"),
    "bias": ("off", "nonzero"),
    "bidirectional": (False, True),
    "h_0": ("none", "zeros", "nonzero"),
    "lengths": ("none", "unsorted"),
}
IMPOSSIBLE = {("layout", "single", "lengths", "unsorted")}  # a sequence alone has no lengths


def test_every_pair_of_options_comes_together() -> None:
    cases = [vars(case) for case in layer_catalogue()]
    wanted = {
        (one, a, other, b)
        for one, other in combinations(OPTIONS, 2)
        for a, b in product(OPTIONS[one], OPTIONS[other])
    }
    found = {
        (one, case[one], other, case[other])
        for case in cases
        for one, other in combinations(OPTIONS, 2)
    }
    assert wanted - found == IMPOSSIBLE
