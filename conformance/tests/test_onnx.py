"""A layer as an ONNX model, and what runs one as a layer; each runtime comes with an extra."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_conformance import FEATURES, Call, CannotBeJudged, check, load
from rnn_conformance.cases.case import Case
from rnn_conformance.contract.call import GATED, LAYOUTS, Answer
from rnn_conformance.run.smoke import smoke
from rnn_conformance.sources.source import Source
from rnn_conformance.variants.recurrence import Recurrence

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")

from onnx.reference import ReferenceEvaluator  # noqa: E402
from rnn_conformance.sources.adapters.onnx_backend import (  # noqa: E402
    ONNX_FEATURES,
    SESSIONS,
    OnnxLayer,
    feeds_of,
    of_backend,
    of_function,
)
from rnn_conformance.sources.adapters.onnx_model import rnn_model  # noqa: E402
from rnn_conformance.sources.adapters.onnx_reference import ONNX_REFERENCE, session  # noqa: E402

GATES = (
    Case(cell="lstm"),
    Case(cell="lstm", L=2, bidirectional=True, layout="batch_first"),
    Case(cell="lstm", B=1, layout="single", bias="off", h_0="none"),
    Case(cell="gru", L=2, bidirectional=True),
    Case(cell="gru_reset_before", reverse=True),
)
TANH = (
    Case(),
    Case(bias="off", h_0="none"),
    Case(L=3, bidirectional=True),
    Case(L=2, layout="batch_first", dtype="float64"),
    Case(B=1, L=2, bidirectional=True, layout="single"),
    Case(layout="single", B=1, h_0="none", dtype="float64"),
    Case(reverse=True),
)
LENGTHS = (
    Case(lengths="unsorted"),
    Case(lengths="unsorted", reverse=True, layout="batch_first"),
    Case(L=2, bidirectional=True, lengths="unsorted", layout="batch_first"),
)


def assert_same(call: Call, found: Answer) -> None:
    expected = Recurrence().run(call)
    for name in ("output", *(f"{part}_n" for part in call.options.parts)):
        wanted, got = getattr(expected, name), getattr(found, name)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5, strict=True)


@pytest.mark.parametrize("case", [*TANH, *GATES], ids=lambda case: case.id)
def test_a_model_computes_what_the_reference_does(case: Case) -> None:
    onnx.checker.check_model(rnn_model(case.call()), full_check=True)
    assert_same(case.call(), ONNX_REFERENCE.run(case.call()))


@pytest.mark.parametrize(
    "case",
    [
        *TANH[:3],
        *LENGTHS,
        *GATES,
        Case(L=2, cell="relu", bidirectional=True),
        Case(L=2, cell="lstm", bidirectional=True, lengths="unsorted"),
    ],
    ids=lambda case: case.id,
)
@pytest.mark.parametrize("name", ["onnxruntime_rnn:ONNXRUNTIME", "openvino_rnn:OPENVINO_FIXED"])
def test_runtimes_compute_it_with_lengths_and_relu_too(name: str, case: Case) -> None:
    module = name.split("_")[0]
    pytest.importorskip(module, reason=f"the extra {module} is not installed")
    layer: Any = load(f"rnn_conformance.sources.adapters.{name}")
    assert_same(case.call(), layer.run(case.call()))


def test_a_model_has_the_inputs_of_its_call_and_no_weight_among_them() -> None:
    call = Case(L=2, lengths="unsorted").call()
    graph = rnn_model(call).graph
    assert [value.name for value in graph.input] == list(feeds_of(call)) == ["X", "h_0", "lengths"]
    assert feeds_of(call)["lengths"].dtype == np.int32
    both = Case(L=2, cell="lstm").call()
    assert [value.name for value in rnn_model(both).graph.input] == ["X", "h_0", "c_0"]
    assert [value.name for value in rnn_model(both).graph.output] == ["output", "h_n", "c_n"]
    bare = Case(bias="off", h_0="none").call()
    assert [value.name for value in rnn_model(bare).graph.input] == ["X"]
    assert {i.name for i in rnn_model(bare).graph.initializer} == {"W_l0", "R_l0", "flat"}


def test_bfloat16_is_refused() -> None:
    call = replace(Case().call(), bfloat16=True)
    with pytest.raises(ValueError, match="call: expected float32, float64 or float16, got bfloat"):
        rnn_model(call)


def test_sessions_are_kept_and_few_of_them() -> None:
    prepared: list[bytes] = []

    def counting(model: bytes) -> Any:
        prepared.append(model)
        return session(model)

    layer = OnnxLayer("counting", counting, frozenset({"tanh"}))
    first, longer = Case(), Case(T=9, B=2)
    calls = [replace(longer.call(), weights=first.call().weights), first.call(), first.call()]
    for call in calls:
        assert_same(call, layer.run(call))
    assert len(prepared) == 1
    for seed in range(1, SESSIONS + 1):
        layer.run(Case(seed=seed).call())
    layer.run(first.call())
    assert len(prepared) == SESSIONS + 2


class Backend:
    """The interface of onnx.backend.base, around the reference evaluator."""

    @classmethod
    def prepare(cls, model: Any, device: str = "CPU") -> Any:
        assert device == "CPU"
        found = cls()
        found.evaluator = ReferenceEvaluator(model)  # type: ignore[attr-defined]
        return found

    def run(self, inputs: Sequence[Any]) -> tuple[Any, ...]:
        evaluator: Any = self.evaluator  # type: ignore[attr-defined]
        return tuple(evaluator.run(None, dict(zip(evaluator.input_names, inputs, strict=True))))


class Unprepared(Backend):
    @classmethod
    def prepare(cls, model: Any, device: str = "CPU") -> Any:
        return None


def from_file(path: Path, feeds: Mapping[str, Any]) -> list[Any]:
    results: list[Any] = ReferenceEvaluator(str(path)).run(None, dict(feeds))
    return results


def strict(path: Path, feeds: Mapping[str, Any]) -> list[Any]:
    """A runtime that needs every size, and knows no activations."""
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        if any(axis.dim_param for axis in value.type.tensor_type.shape.dim):
            raise ValueError(f"{value.name}: a size is free")
    if any(one.name == "activations" for node in model.graph.node for one in node.attribute):
        raise ValueError("an attribute is not known")
    return from_file(path, feeds)


def test_a_runtime_that_needs_fixed_sizes_and_takes_no_activations_is_judged(
    tmp_path: Path,
) -> None:
    claims = ["tanh", "float32", *LAYOUTS, "layers", "bidirectional", "reverse", "h_0", "h_n"]
    said = f"claims = {claims!r}\n[conventions]\nsizes = "
    sources = {}
    for sizes in ("fixed", "free"):
        path = tmp_path / f"{sizes}.toml"
        path.write_text(f'{said}"{sizes}"\n"T = 0" = "undefined"\n')
        sources[sizes] = Source(f"{__file__}:strict", "onnx.runner", str(path))
    fixed = sources["fixed"].implementation()
    report = check(fixed, checks=["output", "calls_are_independent"])
    assert report.conforms, report.failures
    with pytest.raises(CannotBeJudged, match="X: a size is free"):
        smoke(sources["free"].implementation())


@pytest.mark.parametrize("case", [*TANH, *LENGTHS, *GATES], ids=lambda case: case.id)
def test_a_model_of_fixed_sizes_is_valid_and_has_those_of_its_call(case: Case) -> None:
    model = rnn_model(case.call(), fixed=True)
    onnx.checker.check_model(model, full_check=True)
    feeds = feeds_of(case.call())
    for value in model.graph.input:
        shape = tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
        assert shape == feeds[value.name].shape


def test_a_gru_says_before_or_after_what_it_resets() -> None:
    for cell, given in (("gru", [1]), ("gru_reset_before", [])):
        (node,) = (n for n in rnn_model(Case(cell=cell).call()).graph.node if n.op_type == "GRU")
        assert [one.i for one in node.attribute if one.name == "linear_before_reset"] == given


def test_tanh_is_what_there_is_without_an_attribute() -> None:
    for cell, given in (("tanh", False), ("relu", True)):
        (node,) = (n for n in rnn_model(Case(cell=cell).call()).graph.node if n.op_type == "RNN")
        assert ("activations" in {one.name for one in node.attribute}) == given


@pytest.mark.parametrize("prepare", [of_backend(Backend), of_function(from_file)])
def test_a_backend_and_a_function_of_a_file_are_layers(prepare: Any) -> None:
    layer = OnnxLayer("mine", prepare, ONNX_REFERENCE.claims)
    assert_same(TANH[2].call(), layer.run(TANH[2].call()))
    asked = ["shape_and_dtype", "split_and_carry"]
    report = check(layer, checks=asked, diagnosed=False)
    assert report.conforms
    assert {r.check for r in report.records if r.outcome == "passed"} == set(asked)


# ONNX Runtime imports it; nothing of ours does.
@pytest.mark.filterwarnings("ignore:onnx.version is deprecated:DeprecationWarning")
def test_the_backend_of_onnx_runtime_is_a_layer() -> None:
    pytest.importorskip("onnxruntime", reason="the extra onnxruntime is not installed")
    from onnxruntime import backend

    layer = OnnxLayer("backend", of_backend(backend))
    assert_same(LENGTHS[-1].call(), layer.run(LENGTHS[-1].call()))


def test_what_is_no_backend_or_gives_too_much_is_refused() -> None:
    call = Case().call()
    with pytest.raises(TypeError, match="prepare: expected an object with run, got NoneType"):
        OnnxLayer("none", of_backend(Unprepared)).run(call)
    three = OnnxLayer("three", of_function(lambda path, feeds: [*from_file(path, feeds), 0]))
    with pytest.raises(ValueError, match="results: expected output, h_n, got 3 of them"):
        three.run(call)
    with pytest.raises(ValueError, match=r"claims: expected a selection of .*, got bfloat16"):
        OnnxLayer("too much", session, frozenset({"bfloat16"}))
    assert FEATURES - {"bfloat16", "dropout", "readout"} | {*GATED} == ONNX_FEATURES


def test_that_the_evaluator_ignores_lengths_is_seen() -> None:
    claiming = OnnxLayer("claiming", session, ONNX_REFERENCE.claims | {"lengths"})
    report = check(claiming, checks=["final_state"], diagnosed=False)
    failed = {r.case for r in report.failures}
    assert failed
    assert all("sorted" in case or "equal" in case for case in failed)
    assert "float32-T7-B4-I5-H3-L1-tanh-h0" not in failed


def test_its_known_failures_fail_and_nothing_else_of_them() -> None:
    refusals = {"wrong_states_refused", "wrong_rows_refused", "wrong_weights_refused"}
    asked = [*refusals, "wrong_inputs_refused", "options_matter", "repeatable"]
    report = check(ONNX_REFERENCE, checks=asked)
    assert report.conforms
    known = {r.check for r in report.records if r.outcome == "known_failure"}
    assert known == refusals
