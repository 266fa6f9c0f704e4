"""First RNNs as people write them, from before the suite could read them: right ones conform."""

from pathlib import Path
from typing import Any

import pytest
from rnn_conformance import CannotBeJudged, check, weights_named
from rnn_conformance.run.smoke import smoke
from rnn_conformance.sources.loading import as_implementation, load, named

FOLDER = Path(__file__).parent / "first_rnns"
SINGLE, BATCHED, BATCH_FIRST = "single", "time_first", "batch_first"
# What plugs in unchanged, and what is found of it beside float64 and tanh.
AS_THEY_ARE = {
    "char_level.py:RNN": {SINGLE, "readout"},
    "concatenated.py:RNN": {BATCH_FIRST, "readout"},
    "encoder.py:Encoder": {BATCH_FIRST},
    "exercise_lists.py:VanillaRNN": {SINGLE, "readout", "h_0"},
    "row_vectors.py:RNNScratch": {BATCHED, "readout", "h_0"},
    "streaming.py:rnn_states": {SINGLE, "h_0"},
    "torch_scratch.py:RNN": {BATCHED, "readout", "h_0", "float32", "gradients"},
}
CHECKS = ["output", "shape_and_dtype", "readout", "calls_are_independent", "threads"]
pytestmark = pytest.mark.usefixtures("few_cases")


def of(name: str) -> Any:
    return named(f"{FOLDER}/{name}")


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_one_plugs_in_as_it_is(name: str) -> None:
    found = smoke(as_implementation(of(name)))
    assert found.claims == AS_THEY_ARE[name] | {"float64", "tanh"}
    report = check(of(name), checks=[*CHECKS[: 5 if name != "encoder.py:Encoder" else 2]])
    assert report.conforms
    assert report.notes[0].startswith("read by its shapes: ")


@pytest.mark.parametrize(
    ("name", "names"),
    [
        (
            "time_series.py:rnn_forward",
            {"W_in": "W_xh", "b_in": "b_xh", "W_rec": "W_hh", "b_rec": "b_hh", "W_out": "W_ho",
             "b_out": "b_ho"},
        ),
        (
            "jax_scan.py:rnn",
            {"wx": "W_xh.T", "bx": "b_xh", "wh": "W_hh.T", "bh": "b_hh", "wo": "W_ho.T",
             "bo": "b_ho"},
        ),
    ],
)  # fmt: skip
def test_one_with_names_of_its_own_says_them_in_a_line(name: str, names: dict[str, str]) -> None:
    if name.startswith("jax"):
        pytest.importorskip("jax")
    assert check(weights_named(**names)(of(name)), checks=CHECKS[:2]).conforms


@pytest.mark.parametrize("name", ["char_level.py", "encoder.py", "streaming.py"])
def test_a_file_says_what_is_in_it_where_that_is_one_thing(name: str) -> None:
    whole = load(f"{FOLDER}/{name}").name
    assert whole.removeprefix(f"{FOLDER}/") in AS_THEY_ARE
    with pytest.raises(CannotBeJudged, match=r"say what in it: .*:RNNCell or .*:RNN$"):
        load(f"{FOLDER}/concatenated.py")
    with pytest.raises(CannotBeJudged, match=r"say what in it: .*:init_params or .*:rnn_forward"):
        load(f"{FOLDER}/time_series.py")


def test_probabilities_are_refused_with_what_to_hand_out() -> None:
    with pytest.raises(CannotBeJudged, match="hand out the states or what goes into the softmax"):
        check(of("next_word.py:NextWordRNN"))
