"""Results computed elsewhere: right ones pass, wrong ones fail, hostile files do no more."""

import json
import re
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rnn_conformance import Implementation, Report
from rnn_conformance.contract.call import GATED
from rnn_conformance.sources.adapters.reference import ReferenceLayer
from rnn_conformance.variants.differentiable import Differentiable
from rnn_conformance.variants.recurrence import Recurrence
from rnn_conformance.variants.wrong.cell import RecurrentWeightTransposed
from rnn_conformance.variants.wrong.direction import ReversedOverPadding
from rnn_conformance.variants.wrong.gradients import HandedBackNotTransposed
from rnn_conformance.variants.wrong.gradients_of_stacks import InputGradientReshaped
from rnn_conformance.variants.wrong.gradients_of_states import InitialHiddenDetached
from rnn_conformance.variants.wrong.gru import NeverReset, ResetAfterForBefore
from rnn_conformance.variants.wrong.lengths import FinalStateAfterPadding, PaddingNotCleared
from rnn_conformance.variants.wrong.lstm import (
    CellOfThePadding,
    FinalPartsExchanged,
    HiddenStateForBoth,
    InputForForget,
)
from rnn_conformance.vectors import cli, export, verify
from rnn_conformance.vectors.export import OF_GRADIENTS as GRADIENT_CHECKS
from rnn_conformance.vectors.manifest import read_manifest

from .damage import damaged_bytes, damaged_json, written_anew
from .miniatures import Command
from .vector_results import OF_GATES, OF_GRADIENTS, ONLY, compute, read, write

LENGTHS, NAN, ONE, TWO, RELU, TINY = ONLY
LSTM, SINGLE, BARE, GRU, RESET_BEFORE = OF_GATES
ROWS, ROW, CELLS, STEPS, BARE_GRU = OF_GRADIENTS
ASKED = (*ONLY[:3], LSTM, CELLS)
ROUNDS = 300  # for each case; a third each manifests, vectors and results


class EveryCell(Differentiable):
    claims = Differentiable.claims | {*GATED}


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A copy, to be spoiled."""
    return shutil.copytree(folder, tmp_path / "vectors")


@pytest.fixture
def results(folder: Path, tmp_path: Path) -> Path:
    return compute(ReferenceLayer(), folder, tmp_path / "mine")


def failures(report: Report) -> set[tuple[str, str]]:
    return {(record.check, record.case) for record in report.failures}


def test_right_results_conform(folder: Path, results: Path) -> None:
    report = verify(folder, results)
    assert report.conforms
    assert report.implementation == "mine"
    assert report.executed == len(report.records) == 3 * len(ONLY) + 3
    assert 0 < (report.worst_share or 0) < 1
    for case in read_manifest(folder).cases:
        of_case = (record for record in report.records if record.case == case.id)
        assert {clause for record in of_case for clause in record.clauses} == {*case.clauses}
    held = {clause for record in report.records for clause in record.clauses}
    assert {"RNN-CELL-1", "RNN-CELL-2", "RNN-LEN-1", "RNN-LEN-4", "RNN-LAYOUT-2"} <= held


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (RecurrentWeightTransposed(), {("output", case) for case in ONLY if case != TINY}),
        (FinalStateAfterPadding(), {("final_state", case) for case in (LENGTHS, NAN, RELU)}),
        (PaddingNotCleared(), {("padding_is_zero", case) for case in (LENGTHS, NAN, RELU)}),
        (ReversedOverPadding(), {("output", case) for case in (LENGTHS, NAN)}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_wrong_layer_is_rejected(
    wrong: Implementation, expected: set[tuple[str, str]], folder: Path, tmp_path: Path
) -> None:
    found = failures(verify(folder, compute(wrong, folder, tmp_path / "wrong")))
    assert expected <= found
    assert {case for _, case in found} == {case for _, case in expected}


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors of LSTM and GRU."""
    folder = tmp_path_factory.mktemp("gated")
    export(folder, only=OF_GATES)
    return folder


def test_right_results_of_gated_cells_conform(gated: Path, tmp_path: Path) -> None:
    report = verify(gated, compute(EveryCell(), gated, tmp_path / "mine"))
    assert report.conforms
    assert report.executed == len(report.records) == 3 * len(OF_GATES) + 3
    held = {clause for record in report.records for clause in record.clauses}
    assert {"LSTM-CELL-1", "GRU-CELL-1", "GRU-CELL-2", "RNN-STATE-2"} <= held
    assert not {"RNN-CELL-1", "RNN-CELL-2"} & held


@pytest.mark.parametrize(
    ("wrong", "check", "cases"),
    [
        (InputForForget, "output", {LSTM, SINGLE, BARE}),
        (HiddenStateForBoth, "output", {LSTM, SINGLE}),
        (CellOfThePadding, "final_state", {LSTM}),
        (FinalPartsExchanged, "final_state", {LSTM, SINGLE, BARE}),
        (NeverReset, "output", {GRU}),
        (ResetAfterForBefore, "output", {RESET_BEFORE}),
    ],
)
def test_a_wrong_gated_cell_is_rejected(
    wrong: type[Recurrence], check: str, cases: set[str], gated: Path, tmp_path: Path
) -> None:
    found = failures(verify(gated, compute(wrong(), gated, tmp_path / "wrong")))
    assert {case for _, case in found} == cases
    assert {case for name, case in found if name == check} == cases


def test_c_n_is_judged_beside_h_n(gated: Path, tmp_path: Path) -> None:
    results = compute(EveryCell(), gated, tmp_path / "mine")
    right = read(results, LSTM)
    write(results, LSTM, **{**right, "c_n": -right["c_n"]})
    (record,) = verify(gated, results).failures
    assert (record.check, record.case) == ("final_state", LSTM)
    assert record.message.startswith("c_n (step is layer·D + direction): step 0, row 0, unit 0")
    write(results, LSTM, **{name: right[name] for name in ("output", "h_n")})
    messages = {record.message for record in verify(gated, results).failures}
    assert messages == {f"{LSTM}.safetensors: expected c_n too"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"cell": "lstm"', '"cell": "other"', "cell: expected one of tanh, relu, lstm, gru, .*"),
        ('"cell": "gru"', '"cell": "lstm"', "no array 'expected.c_n'"),
        ('"cell": "gru"', '"cell": "gru", "nonlinearity": "tanh"', "is valid under each of"),
        ('"cell": "gru"', '"cell": "\\u001b"', "does not match"),
    ],
)
def test_a_cell_that_does_not_fit_the_numbers_is_refused(
    old: str, new: str, said: str, gated: Path, tmp_path: Path
) -> None:
    own = shutil.copytree(gated, tmp_path / "vectors")
    text = (own / "manifest.json").read_text()
    assert old in text
    (own / "manifest.json").write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=said) as refused:
        verify(own, compute(EveryCell(), gated, tmp_path / "mine"))
    assert str(refused.value).isprintable()


@pytest.fixture(scope="module")
def differentiated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors with gradients."""
    folder = tmp_path_factory.mktemp("gradients")
    export(folder, only=OF_GRADIENTS)
    return folder


def test_right_gradients_conform(differentiated: Path, tmp_path: Path) -> None:
    report = verify(differentiated, compute(EveryCell(), differentiated, tmp_path / "mine"))
    assert report.conforms
    assert 0 < (report.worst_share or 0) < 1
    assert report.executed == len(report.records) == 3 * 5 + 1 + 2 * 5 + 4
    held = {clause for record in report.records for clause in record.clauses}
    assert {"RNN-GRAD-2", "RNN-GRAD-3", "RNN-GRAD-4", "RNN-CELL-1", "LSTM-CELL-1"} <= held


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (HandedBackNotTransposed, {("gradient_of_weights", case) for case in OF_GRADIENTS}),
        (InputGradientReshaped, {("gradient_of_inputs", ROWS)}),
        (InitialHiddenDetached, {("gradient_of_states", c) for c in (ROWS, ROW, CELLS, STEPS)}),
    ],
)
def test_wrong_gradients_are_rejected(
    wrong: type[Differentiable],
    expected: set[tuple[str, str]],
    differentiated: Path,
    tmp_path: Path,
) -> None:
    of_every_cell = type(wrong.__name__, (wrong,), {"claims": EveryCell.claims})
    found = failures(
        verify(differentiated, compute(of_every_cell(), differentiated, tmp_path / "wrong"))
    )
    assert {check for check, _ in found} <= {*GRADIENT_CHECKS}
    assert {(check, case) for check, case in found if (check, case) in expected} == expected
    assert {case for _, case in found} == {case for _, case in expected}


def test_gradients_may_be_left_out_but_not_some_of_a_kind(
    differentiated: Path, tmp_path: Path
) -> None:
    results = compute(EveryCell(), differentiated, tmp_path / "mine")
    right = read(results, CELLS)
    kept = {name: right[name] for name in right if name not in ("gradient.h_0", "gradient.c_0")}
    write(results, CELLS, **kept)
    report = verify(differentiated, results)
    assert report.conforms
    assert [
        record.check
        for record in report.records
        if (record.case, record.outcome) == (CELLS, "not_claimed")
    ] == ["gradient_of_states"]
    write(results, CELLS, **{n: part for n, part in right.items() if n != "gradient.c_0"})
    (message,) = {record.message for record in verify(differentiated, results).failures}
    assert message == f"{CELLS}.safetensors: expected gradient.c_0 too"
    write(results, CELLS, **{n: part for n, part in right.items() if "." not in n})
    assert verify(differentiated, results).conforms


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"weight_hh_l0": (1, 1, 12, 3)},
            "weight_hh_l0: expected another shape, got (1, 1",
        ),
        ({"weight_hh_l0": (0, 3)}, "weight_hh_l0: expected another shape, got (0, 3)"),
        ({"h_0": (18,)}, "h_0: expected another shape, got (18,)"),
        ({"expected.gradient.h_0": None}, "no array 'expected.gradient.h_0'"),
        ({"bound.gradient.h_0": (2, 9)}, "bound.gradient.h_0: expected finite numbers of float64"),
    ],
)
def test_gradients_that_do_not_fit_the_call_are_refused(
    change: dict[str, tuple[int, ...] | None], said: str, differentiated: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(differentiated, tmp_path / "vectors")
    (vector,) = [case for case in read_manifest(folder).cases if case.id == CELLS]
    arrays = read(folder / "cases", CELLS)
    changed = {name: shape and np.zeros(shape) for name, shape in change.items()}
    kept = {name: array for name, array in (arrays | changed).items() if array is not None}
    write(folder / "cases", CELLS, **kept)
    path, hashed = folder / "manifest.json", sha256((folder / vector.file).read_bytes()).hexdigest()
    path.write_text(path.read_text().replace(vector.sha256, hashed))
    with pytest.raises(ValueError, match=re.escape(f"{vector.file}: {said}")):
        verify(folder, compute(EveryCell(), differentiated, tmp_path / "mine"))


def _moved(share: float) -> Callable[[dict[str, Any], Any], None]:
    def change(arrays: dict[str, Any], vector: Any) -> None:
        arrays["output"] = vector["expected.output"] + share * vector["bound.output"]

    return change


def _set(name: str, make: Callable[[Any], Any]) -> Callable[[dict[str, Any], Any], None]:
    return lambda arrays, _: arrays.update({name: make(arrays[name])})


@pytest.mark.parametrize(
    ("change", "failing", "said"),
    [
        (_moved(0.99), set(), ""),
        (_moved(-1.2), {"output"}, "180 of 180 numbers are outside"),
        (_set("h_n", lambda a: a * np.nan), {"final_state"}, "found nan"),
        (_set("output", np.float32), {"shape_and_dtype", "output"}, "got float32"),
        (_set("h_n", np.int64), None, "h_n: expected floating-point numbers, got dtype int64"),
        (lambda arrays, _: arrays.pop("h_n"), None, "safetensors: expected h_n too"),
        (lambda arrays, _: arrays.update(y=arrays["h_n"]), None, "output, h_n alone, got 'y'"),
        (_set("h_n", lambda a: np.zeros((99, 99, 99))), None, "bytes, got more"),
    ],
)  # fmt: skip
def test_a_changed_result_fails_where_it_was_changed(
    change: Callable[[dict[str, Any], Any], Any],
    failing: set[str] | None,
    said: str,
    folder: Path,
    results: Path,
) -> None:
    arrays = read(results, TWO)
    change(arrays, read(folder / "cases", TWO))
    write(results, TWO, **arrays)
    report = verify(folder, results)
    everything = {"shape_and_dtype", "output", "final_state"}
    assert failures(report) == {(c, TWO) for c in (everything if failing is None else failing)}
    assert all(said in record.message for record in report.failures[:1])


def test_what_was_not_computed_is_not_claimed(folder: Path, results: Path) -> None:
    for case in ONLY[1:]:
        (results / f"{case}.safetensors").unlink()
    report = verify(folder, results)
    assert report.conforms
    assert report.executed == 4
    assert {r.case for r in report.records if r.outcome == "not_claimed"} == {*ONLY[1:]}


def test_padding_that_is_undefined_is_not_looked_at(folder: Path, tmp_path: Path) -> None:
    results = compute(PaddingNotCleared(), folder, tmp_path / "wrong")
    for case in (LENGTHS, NAN):  # the layers above read the padding, which is another bug
        (results / f"{case}.safetensors").unlink()
    assert failures(verify(folder, results)) == {("padding_is_zero", RELU)}
    report = verify(folder, results, padding="undefined")
    assert report.conforms
    assert {r.outcome for r in report.records if r.check == "padding_is_zero"} == {"not_claimed"}
    with pytest.raises(ValueError, match=r"^padding: expected zeros or undefined, got 'none'"):
        verify(folder, results, padding="none")


def test_nothing_to_judge_and_unknown_files_are_errors(folder: Path, results: Path) -> None:
    (results / "notes.txt").write_text("")
    with pytest.raises(ValueError, match=r"^results: expected ID\.safetensors of a case, got"):
        verify(folder, results)
    for path in results.iterdir():
        path.unlink()
    with pytest.raises(ValueError, match=r"^results: expected a file for some of 6 cases"):
        verify(folder, results)
    with pytest.raises(ValueError, match=r"^results: No such file or directory"):
        verify(folder, results / "none")


def test_a_file_that_is_not_the_one_of_the_manifest_is_refused(
    folder: Path, results: Path, tmp_path: Path
) -> None:
    export(tmp_path / "other", only=ONLY, seed=1)
    (tmp_path / "other" / "manifest.json").write_bytes((folder / "manifest.json").read_bytes())
    with pytest.raises(ValueError, match=r"^cases/float32-.*: expected sha256 [0-9a-f]{64}, got "):
        verify(tmp_path / "other", results)


def test_the_command_judges(folder: Path, results: Path, tmp_path: Path, command: Command) -> None:
    arguments = (cli.main, "verify", folder, results, "--json", tmp_path / "report.json")
    status, out, _ = command(*arguments)
    assert status == 0
    assert "mine conforms: 21 checks passed" in out
    assert json.loads((tmp_path / "report.json").read_text())["conforms"] is True
    write(results, TWO, **{name: -array for name, array in read(results, TWO).items()})
    status, out, _ = command(*arguments)
    assert status == 1
    assert f"FAILED output[mine-{TWO}]" in out
    status, _, err = command(cli.main, "verify", folder, folder)
    assert status == 2
    assert err.startswith("rnn-conformance: results: expected ID.safetensors")


def test_links_are_not_followed_out_of_the_folder(results: Path, own: Path) -> None:
    out, loop = (results / f"{case}.safetensors" for case in ASKED[:2])
    out.rename(results.parent / "outside")
    out.symlink_to(results.parent / "outside")
    loop.unlink()
    loop.symlink_to(loop.name)
    said = {record.case: record.message for record in verify(own, results).failures}
    assert [*said] == sorted(ASKED[:2])
    assert said[ASKED[0]].endswith("got a way out of it")
    assert said[ASKED[1]].startswith(f"{loop.name}: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "format: expected 3, got 2; another version wrote it"),
        ({"more": 1}, "'more' was unexpected"),
        ({"index": "0" * 64 + "\n"}, "index: "),
        ({"flags": {}}, "is not explained"),
    ],
)
def test_a_manifest_that_breaks_the_schema_is_refused(
    change: dict[str, object], said: str, own: Path
) -> None:
    path = own / "manifest.json"
    fields = json.loads(path.read_text())
    path.write_text(json.dumps({**fields, **change}))
    with pytest.raises(ValueError, match=r"^manifest\.json: ") as refused:
        read_manifest(own)
    assert said in str(refused.value)


@pytest.mark.parametrize("field", ["file", "id"])
def test_a_path_out_of_the_folder_is_refused(field: str, own: Path, results: Path) -> None:
    (own.parent / "secret.safetensors").write_bytes(b"")
    path = own / "manifest.json"
    fields = json.loads(path.read_text())
    fields["cases"][0][field] = "../secret" + ".safetensors" * (field == "file")
    path.write_text(json.dumps(fields))
    with pytest.raises(ValueError, match=r"^manifest\.json: .*\.\./secret"):
        verify(own, results)


def fuzz(folder: Path, results: Path, case: str, rounds: int, seed: int) -> dict[str, int]:
    """Spoil a manifest, a vector or a result in each round; counts what came of it."""
    rng = np.random.default_rng(seed)
    file = f"{case}.safetensors"
    manifest, vector, result = folder / "manifest.json", folder / "cases" / file, results / file
    intact = {path: path.read_bytes() for path in (manifest, vector, result)}
    hashed = sha256(intact[vector]).hexdigest()
    counts = {"refused": 0, "failed": 0, "passed": 0}
    for i in range(rounds):
        path = (manifest, vector, result)[i % 3]
        spoil = damaged_json if path == manifest and i % 2 else damaged_bytes
        changed = {path: spoil(rng, intact[path])}
        if path == vector:  # past the hash, to the reader
            other = sha256(changed[vector]).hexdigest()
            changed[manifest] = intact[manifest].replace(hashed.encode(), other.encode())
        for each, content in changed.items():
            written_anew(each, content)
        try:
            report = verify(folder, results)
        except ValueError as error:
            if path == result or not str(error).isprintable():
                raise
            counts["refused"] += 1
        else:
            counts["passed" if report.conforms else "failed"] += 1
        for each in changed:
            written_anew(each, intact[each])
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("case", ASKED)
def test_spoiled_files_make_one_clear_error_or_failed_records(case: str, tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    export(folder, only=(case, TINY))
    results = compute(EveryCell(), folder, tmp_path / "mine")
    counts = fuzz(folder, results, case, ROUNDS, ASKED.index(case))
    assert sum(counts.values()) == ROUNDS
    assert min(counts.values()) > 0
    assert verify(folder, results).conforms
