"""What can be named or passed, and the one line that tells why something cannot be judged."""

import json
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rnn_conformance import BASIC, Answer, Call, CannotBeJudged, as_implementation, claims, load
from rnn_conformance.contract.call import Implementation
from rnn_conformance.sources.adapters.catalogue import CATALOGUE
from rnn_conformance.sources.loading import names
from rnn_conformance.sources.plain import PlainFunction, StepByStepClass
from rnn_conformance.variants.recurrence import Recurrence
from rnn_reference import BatchRNN

MODULES = {
    "fine": """
        from rnn_conformance.variants.recurrence import Recurrence
        from rnn_reference import BatchRNN as Model
        right = Recurrence()
        def function(weights, inputs, h_0): ...
        value = 3
    """,
    "raising": "raise ValueError('two\\nlines')",
    "exiting": "import sys; sys.exit(0)",
    "unfinished": "def f(:",
    "needing_torch": "import torch",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with modules, of which nothing stays behind."""
    for name, text in MODULES.items():
        lines = [line.removeprefix(" " * 8) for line in text.splitlines()]
        (tmp_path / f"{name}.py").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield tmp_path
    for name in MODULES:
        sys.modules.pop(name, None)


def refusal(found: Callable[[], object]) -> str:
    """The message of a refusal, which is one line."""
    with pytest.raises(CannotBeJudged) as caught:
        found()
    message = str(caught.value)
    assert message.isprintable()
    return message


@pytest.mark.parametrize("name", ["nope", "", ":f", "fine:", "fine.right"])
def test_a_name_of_no_known_form(here: Path, name: str) -> None:
    assert refusal(lambda: load(name)) == (
        f"implementation {name!r}: expected module:object, or file.py:object, or one of "
        f"{', '.join(names())}"
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent:f", "importing absent failed: ModuleNotFoundError: No module named 'absent'"),
        ("raising:f", "importing raising failed: ValueError: two lines"),
        ("exiting:f", "importing exiting failed: SystemExit: 0"),
        ("unfinished.py:f", "importing unfinished.py failed: File *line 1 def f(: *SyntaxError: *"),
        ("fine:absent", "fine has no 'absent'"),
        ("absent.py:f", "importing absent.py failed: FileNotFoundError: no file absent.py"),
        ("fine:value", "expected a function (weights, inputs, h_0), a class with forward, or an *"),
    ],
)
def test_what_cannot_be_loaded(here: Path, name: str, reason: str) -> None:
    assert fnmatchcase(refusal(lambda: load(name)), f"implementation {name!r}: {reason}")


@pytest.mark.parametrize("name", ["torch.nn.RNN ", "torch.nn.RMN", "torch.nn.rnn"])
def test_a_near_miss_is_told(name: str) -> None:
    start = f"implementation {name!r}: torch.nn.RNN is meant? expected "
    assert refusal(lambda: load(name)).startswith(start)


@pytest.mark.parametrize("clone", [True, False])
@pytest.mark.parametrize("name", ["torch.nn.RNN", "needing_torch.py:f"])
def test_without_torch_the_line_says_how_to_install_it(
    here: Path, monkeypatch: pytest.MonkeyPatch, name: str, clone: bool
) -> None:
    said = SimpleNamespace(read_text=lambda _: json.dumps({"dir_info": {"editable": clone}}))
    monkeypatch.setattr("rnn_conformance.contract.refusal.distribution", lambda _: said)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "rnn_conformance.sources.adapters.torch_layer", raising=False)
    message = refusal(lambda: load(name))
    assert message.startswith(f"implementation {name!r}: importing ")
    what = '-e ".[torch]"' if clone else '"rnn-conformance[torch]"'
    assert message.endswith(f"; to install it: pip install {what}")


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("fine:right", Recurrence, "Recurrence"),
        ("fine:function", PlainFunction, "fine:function"),
        ("./fine.py:Model", StepByStepClass, "./fine.py:Model"),
        ("{here}/fine.py:function", PlainFunction, "{here}/fine.py:function"),
        ("rnn_conformance.variants.wrong.activation:AlwaysRelu", Recurrence, "AlwaysRelu"),
    ],
)
def test_what_can_be_loaded(here: Path, name: str, kind: type[Any], shown: str) -> None:
    found = load(name.format(here=here))
    assert isinstance(found, kind)
    assert found.name == shown.format(here=here)


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_built_in_goes_by_its_name(here: Path, name: str) -> None:
    framework = CATALOGUE[name].framework
    pytest.importorskip(framework, reason=f"{framework} is an extra")
    assert load(name).name == name
    assert "" not in sys.path


NARROW = frozenset(("batch_first", "float32", "tanh", "h_n"))


class WithoutForward:
    """Neither run nor forward."""


class WithoutClaims:
    name = "without claims"

    def run(self, call: Call) -> Answer: ...  # type: ignore[empty-body]


class Failing(Recurrence):
    name = "failing"

    def __init__(self) -> None:
        raise ValueError("no\nGPU")


class OfTorch:
    __module__ = "torch.nn.modules.rnn"

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None: ...


def having(**attributes: Any) -> Recurrence:
    found = Recurrence()
    vars(found).update(attributes)
    return found


def claiming(value: Any) -> Callable[..., Any]:
    def inner(weights: Any, inputs: Any, h_0: Any) -> Any: ...

    inner.claims = value  # type: ignore[attr-defined]
    return inner


SINGLE = BASIC - {"time_first", "h_n"} | {"single"}
LAYOUTS = "of single, time_first, batch_first, got "
EXPECTED = (
    "expected a function (weights, inputs, h_0), a class with forward, or an object with name, "
    "claims and run, got "
)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, f"'NoneType': {EXPECTED}an object of type NoneType"),
        (WithoutForward, f"{EXPECTED}the class WithoutForward, which has neither run nor forward"),
        (WithoutClaims, f"{EXPECTED}an object of type WithoutClaims, without claims"),
        (Failing, "'failing': ValueError: no GPU"),
        (type("Net", (OfTorch,), {}), "'Net': a module of torch with layers or directions; if it "
            "stands in for torch.nn.RNN, LSTM or GRU, say so: --like torch.nn.RNN"),
        (having(name=3), "name: expected str, got int"),
        (having(claims=frozenset({"tanh"})), f"claims: expected a layout, {LAYOUTS}tanh"),
        (having(known_failures=["output"]), "expected a tuple of KnownFailure, got ['output']"),
        (having(conventions={"T = 0": "x"}), "expected one of refused, empty, undefined, got 'x'"),
        (claiming({"tanh"}), "claims: expected frozenset, got set"),
        (claiming(BASIC | {"layers"}), "needs an object with name, claims and run(call)"),
        (claiming(BASIC | {"relu"}), "tanh or relu, got both, and is not told which it is"),
    ],
)  # fmt: skip
def test_what_is_no_implementation(given: Any, message: str) -> None:
    found = refusal(lambda: as_implementation(given))
    assert found.startswith("implementation '")
    assert found.endswith(message)


@pytest.mark.parametrize(
    ("given", "kind", "claimed"),
    [
        (claims(*NARROW)(claiming(None)), PlainFunction, NARROW),
        (BatchRNN, StepByStepClass, BASIC - {"h_n"}),
        (claims(*NARROW)(type("Mine", (BatchRNN,), {})), StepByStepClass, NARROW),
        ("rnn_reference.SingleSequenceRNN", StepByStepClass, SINGLE),
    ],
)
def test_what_is_an_implementation(given: Any, kind: type[Any], claimed: frozenset[str]) -> None:
    found = as_implementation(given)
    assert isinstance(found, Implementation)
    assert type(found) is kind
    assert found.claims == claimed
    assert as_implementation(found) is found


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (("time_first", "tanh", "float8"), "expected a selection of .*, got float8"),
        (("float32", "tanh"), "expected a layout, of single, .*, got float32, tanh"),
        (
            ("single", "float32"),
            "expected a cell, of tanh, relu, lstm, .*, got float32, single",
        ),
    ],
)
def test_bad_claims_are_refused(bad: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=f"^claims: {message}"):
        claims(*bad)
