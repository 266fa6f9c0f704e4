"""Whatever an implementation does, the run goes on, and a record says in one line what came."""

import re
from collections.abc import Callable
from math import inf, nan
from operator import methodcaller
from typing import Any

import numpy as np
import pytest
from rnn_conformance import BASIC, Answer, Call, Report, check, plan
from rnn_conformance.contract.call import Array

from .miniatures import (
    BARE,
    PARTS,
    Miniature,
    Mute,
    Raising,
    Subclass,
    at_step,
    by_check,
    in_every_part,
    in_one_case,
    in_part,
    instead,
    read_only,
)

TURNED = ", the same axes in another order"
ASKED = {
    "shape_and_dtype", "output", "final_state", "readout", "nan_is_propagated", "inputs_unchanged",
    "earlier_results_kept", "calls_are_independent", "changes_in_place_are_seen",
}  # fmt: skip


def judged(implementation: Any) -> Report:
    """Every check in the main case."""
    report = in_one_case(implementation)
    assert {record.check for record in report.records} == ASKED
    return report


def batch_first(array: Array) -> Array:
    return array.swapaxes(0, 1)


def part(name: str, change: Callable[[Any], Any], message: str) -> Any:
    return pytest.param(in_part(name, change), f"{name}: {message}", id=f"{name}: {message}")


@pytest.mark.parametrize(
    ("implementation", "message"),
    [
        pytest.param(instead(None), "expected Answer, got NoneType", id="None"),
        pytest.param(instead((1, 2)), "expected Answer, got tuple", id="tuple"),
        part("output", lambda a: None, "expected a NumPy array, got NoneType"),
        part("output", np.ndarray.tolist, "expected a NumPy array, got list"),
        part("h_n", lambda a: a[0, 0, 0], "expected a NumPy array, got float32"),
        part("y", tuple, "expected a NumPy array, got tuple"),
        part("output", lambda a: np.array(0.5), "expected shape (7, 3, 4), got ()"),
        part("output", lambda a: a[:-1], "expected shape (7, 3, 4), got (6, 3, 4)"),
        part("output", batch_first, f"expected shape (7, 3, 4), got (3, 7, 4){TURNED}"),
        part("h_n", lambda a: a[0], "expected shape (1, 3, 4), got (3, 4)"),
        part("h_n", np.transpose, f"expected shape (1, 3, 4), got (4, 3, 1){TURNED}"),
        part("y", lambda a: a[..., :0], "expected shape (7, 3, 2), got (7, 3, 0)"),
        *(
            part(name, methodcaller("astype", t), f"expected floating-point numbers, got dtype {t}")
            for name in PARTS
            for t in ("int64", "complex64")
        ),
    ],
)  # fmt: skip
def test_what_is_no_answer_fails_every_check_that_reads_it(
    implementation: Miniature, message: str
) -> None:
    records = by_check(judged(implementation).records)
    whole = "Answer" in message  # else the inputs can be looked at nevertheless
    assert records.pop("inputs_unchanged").outcome == ("failed" if whole else "passed")
    assert records.pop("calls_are_independent").outcome == "failed"  # of a larger case
    for record in records.values():
        assert (record.outcome, record.message) == ("failed", message)
        assert record.worst_share is None
        assert "Case(T=7, B=3, I=5, H=4, L=1, " in record.reproduction


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no such thing"), "ValueError: no such thing"),
        (SystemExit(0), "SystemExit: 0"),
        (ValueError("two\n\n  lines"), "ValueError: two lines"),
        (ValueError("\x1b[31mred\x07 \udc80"), r"ValueError: \x1b[31mred\x07 \udc80"),
        (ValueError("x" * 1000), f"ValueError: {'x' * 288}"),
        (Mute(), f"{Mute.__module__}.Mute: <exception str() failed>"),
        (pytest.skip.Exception("a skip of its own"), "Skipped: a skip of its own"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_an_exception_is_told_in_one_line(error: BaseException, message: str) -> None:
    for record in judged(Raising(error)).records:
        assert record.outcome == "failed"
        assert re.fullmatch(
            rf"raised {re.escape(message)} \(\w+\.py, line \d+, in \w+\)", record.message
        )


def test_every_check_is_executed_whatever_fails() -> None:
    implementation = Raising(SystemExit(0))
    report = check(implementation, diagnosed=False)
    assert len(report.records) == len(plan(implementation))
    passed = {record.check for record in report.records if record.outcome == "passed"}
    assert passed == {name for name in passed if "_refused" in name}
    assert {record.check for record in report.failures} >= ASKED
    assert report.complete
    assert not report.conforms


def test_one_failing_call_fails_one_check() -> None:
    report = check(Raising(OSError("gone"), at_call=5), checks=["shape_and_dtype"], diagnosed=False)
    assert [record.outcome for record in report.records].index("failed") == 4
    assert (len(report.failures), report.executed) == (1, len(report.records))
    assert report.failures[0].message.startswith("raised OSError: gone (miniatures.py, line ")
    assert not report.conforms


def test_an_answer_is_asked_for_once_for_several_checks() -> None:
    report = judged(Raising(OSError("gone"), at_call=5))  # the second call of this check
    assert [record.check for record in report.failures] == ["earlier_results_kept"]


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e38])
@pytest.mark.parametrize("step", [0, 3])
def test_garbage_is_found_at_its_first_step(value: float, step: int) -> None:
    (record,) = in_one_case(at_step(step, value), ["output"]).records
    assert record.outcome == "failed"
    found = re.escape(repr(float(np.float32(value))))
    place = rf"step {step}, row 0, unit 0: expected -?0\.\d+, found {found}, bound .*"
    assert re.fullmatch(f"output: {place}; {84 - 12 * step} of 84 .*", record.message)
    assert record.worst_share is not None
    assert record.worst_share > 1e38


@pytest.mark.parametrize(
    "garbage",
    [
        lambda a: np.full_like(a, nan),
        lambda a: np.full_like(a, inf),
        lambda a: np.full(a.shape, np.finfo(np.longdouble).max),
        lambda a: np.ma.array(np.zeros_like(a), mask=True),
    ],
    ids=["nan", "inf", "longdouble", "masked"],
)
def test_garbage_everywhere_passes_no_check_of_numbers(garbage: Callable[[Array], Array]) -> None:
    of_numbers = ("output", "final_state", "readout", "calls_are_independent")
    records = in_one_case(in_every_part(garbage), of_numbers).records
    assert [record.outcome for record in records] == ["failed"] * 4


@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4", np.longdouble])
def test_another_precision_fails_the_check_of_the_dtype(dtype: Any) -> None:
    wrong = in_every_part(lambda a: a.astype(dtype))
    (found,) = in_one_case(wrong, ["shape_and_dtype"]).records
    assert found.outcome == "failed"
    assert found.message == f"output (7, 3, 4): expected dtype float32, got {np.dtype(dtype)}"


@pytest.mark.parametrize(("name", "check_name"), [("y", "readout"), ("h_n", "final_state")])
def test_a_part_that_is_claimed_and_not_given_is_a_failure(name: str, check_name: str) -> None:
    report = judged(in_part(name, lambda a: None))
    (failed,) = report.failures
    assert (failed.check, failed.message) == (check_name, f"{name}: claimed, but not given")


def test_a_part_that_is_given_and_not_claimed_is_not_looked_at() -> None:
    def garbage(answer: Answer, call: Call) -> Answer:
        return Answer(answer.output, np.zeros(1), "y")  # type: ignore[arg-type]

    bare = Miniature(garbage, BASIC - {"h_n", "readout"})
    report = in_one_case(bare, case=BARE)
    assert report.conforms
    assert {record.check for record in report.records} == ASKED - {"final_state", "readout"}


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a,
        read_only,
        np.asfortranarray,
        lambda a: a.view(Subclass),
        lambda a: np.ma.array(a, mask=True),
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        lambda a: a[::-1].copy()[::-1],
    ],
    ids=["as it is", "read-only", "fortran", "subclass", "masked", "strided", "reversed"],
)
def test_an_array_of_whatever_kind_is_accepted(change: Callable[[Array], Array]) -> None:
    assert judged(in_every_part(change)).conforms


@pytest.mark.parametrize("value", [0.0, nan, inf])
def test_the_same_garbage_twice_is_unchanged(value: float) -> None:
    (record,) = in_one_case(at_step(0, value), ["earlier_results_kept"]).records
    assert record.outcome == "passed"


def test_settings_of_numpy_neither_reach_the_implementation_nor_outlive_it() -> None:
    seen = []

    def strict(answer: Answer, call: Call) -> Answer:
        seen.append(np.geterr())
        np.seterr(all="raise")
        return answer

    with np.errstate(all="raise"):
        usual = dict.fromkeys(("divide", "over", "under", "invalid"), "ignore")
        assert judged(Miniature(strict)).conforms
        assert judged(at_step(1, nan)).failures
    assert seen
    assert all(settings == usual for settings in seen)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        *(
            ({"checks": some}, "checks: expected a selection of shape_and_dtype, .*")
            for some in ([], (), ["states"], ["output", "hidden_states"], "output")
        ),
        *(({"seed": seed}, "seed: expected an integer from 0 on") for seed in (-1, 1.5, "1", None)),
    ],
)
def test_unknown_checks_and_bad_seeds_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}, got "):
        check(instead(None), **wrong)
