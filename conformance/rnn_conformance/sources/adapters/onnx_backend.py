"""Whatever runs an ONNX model, as a layer: a backend of `onnx.backend.base`, a function, a session.

import my_backend  # has prepare(model, device), whose result has run(inputs)
from rnn_conformance.sources.adapters.onnx_backend import OnnxLayer, of_backend

MINE = OnnxLayer("mine", of_backend(my_backend), claims=frozenset({"tanh", ...}))
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import onnx

from rnn_conformance.contract.call import FEATURES, GATED, Answer, Call
from rnn_conformance.contract.conventions import UNDEFINED
from rnn_conformance.contract.declaration import KnownFailure
from rnn_conformance.sources.adapters.onnx_model import rnn_model

Feeds = Mapping[str, npt.NDArray[Any]]
Session = Callable[[Feeds], Sequence[npt.NDArray[Any]]]
Prepare = Callable[[bytes], Session]

SESSIONS = 8
# It leaves open what comes of no steps (onnx/onnx#1674).
OPEN = {"T = 0": UNDEFINED, "length 0": UNDEFINED}
# What `rnn_model` can say.
ONNX_FEATURES = FEATURES - {"dropout", "bfloat16", "readout"} | {*GATED}


@dataclass(eq=False)
class OnnxLayer:
    """A layer that is run as an ONNX model; see `rnn_model` for the model and its inputs.

    It keeps the last few sessions, as one who runs a model does.

    Attributes:
        prepare: from a serialized model to what runs it: takes the inputs by name, in the
            model's order, and returns output, h_n and, of an LSTM, c_n.
        claims, conventions, known_failures, can_crash: as of every layer. With `"sizes": "fixed"`
            each model is written for the T and B of its call.

    Raises ValueError for claims that no ONNX model of the suite has.
    """

    name: str
    prepare: Prepare
    claims: frozenset[str] = ONNX_FEATURES
    _: KW_ONLY
    conventions: Mapping[str, str] = field(default_factory=dict)
    known_failures: tuple[KnownFailure, ...] = ()
    can_crash: bool = False
    adapter: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.claims <= ONNX_FEATURES:
            raise ValueError(
                f"claims: expected a selection of {', '.join(sorted(ONNX_FEATURES))}, "
                f"got {', '.join(sorted(self.claims))}"
            )
        self._session = lru_cache(SESSIONS)(self.prepare)

    def run(self, call: Call) -> Answer:
        model = rnn_model(call, fixed=self.conventions.get("sizes") == "fixed")
        session = self._session(model.SerializeToString(deterministic=True))
        results = session(feeds_of(call))
        names = ["output", *(f"{part}_n" for part in call.options.parts)]
        if len(results) != len(names):
            expected = ", ".join(names)
            raise ValueError(f"results: expected {expected}, got {len(results)} of them")
        return Answer.of(dict(zip(names, results, strict=True)))


def feeds_of(call: Call) -> dict[str, npt.NDArray[Any]]:
    """The inputs of the model of a call, by name and in its order."""
    feeds: dict[str, npt.NDArray[Any]] = {"X": call.inputs, **call.state}
    if call.lengths is not None:
        feeds["lengths"] = call.lengths.astype(np.int32)  # the only type that RNN takes
    return feeds


def of_backend(backend: Any) -> Prepare:
    """How a class or module with the interface of `onnx.backend.base.Backend` prepares a model."""

    def prepare(model: bytes) -> Session:
        prepared = backend.prepare(onnx.load_from_string(model), "CPU")
        if not hasattr(prepared, "run"):
            raise TypeError(f"prepare: expected an object with run, got {type(prepared).__name__}")

        def session(feeds: Feeds) -> Sequence[npt.NDArray[Any]]:
            return tuple(prepared.run(list(feeds.values())))

        return session

    return prepare


def of_function(function: Callable[[Path, Feeds], Sequence[npt.NDArray[Any]]]) -> Prepare:
    """How a function of a model's file and its inputs by name, called anew each time, is one."""

    def prepare(model: bytes) -> Session:
        def session(feeds: Feeds) -> Sequence[npt.NDArray[Any]]:
            with TemporaryDirectory() as folder:
                path = Path(folder, "layer.onnx")
                path.write_bytes(model)
                return function(path, feeds)

        return session

    return prepare


def session_of(runner: Any) -> Session:
    """How what has `run(names of outputs or None, inputs by name)` is one."""
    return lambda feeds: list(runner.run(None, dict(feeds)))


def like_backend(backend: Any, name: str) -> OnnxLayer:
    """A layer that runs on an `onnx.backend.base.Backend`, asked for all that a model can say."""
    return OnnxLayer(name, of_backend(backend), conventions=OPEN)


def like_runner(function: Any, name: str) -> OnnxLayer:
    """A layer that runs by `function(path_of_the_model, inputs_by_name)`, likewise."""
    return OnnxLayer(name, of_function(function), conventions=OPEN)
