"""How a diagnosis reads: one cause, several that cannot be told apart, none."""

from rnn_conformance.checks.findings import Cause, Diagnosis

ONE = Cause(("A",), ("It forgets b_hh.",))
BOTH = Cause(("B", "C"), ("It forgets h_0.", "It adds b_ih twice."))
AGREE = (
    "(3 of 3 failing and 7 of 7 passing checks come out alike, 2 of them compared number by number)"
)


def text(*causes: Cause, repeated: bool = True) -> str:
    return str(Diagnosis(causes, 3, 10, 2, ("only in row 1",), repeated))


def test_one_cause() -> None:
    sentence = "it behaves exactly as if: It forgets b_hh. [A]"
    assert text(ONE) == f"{sentence}\n{AGREE}\nwrong numbers lie only in row 1"


def test_several_causes() -> None:
    assert text(ONE, BOTH) == "\n".join(
        [
            "it behaves exactly as each of these does, which nothing here tells apart:",
            "  - It forgets b_hh. [A]",
            "  - It forgets h_0. And: It adds b_ih twice. [B + C]",
            AGREE,
            "wrong numbers lie only in row 1",
        ]
    )


def test_no_cause_that_came_again() -> None:
    first, second, place = text(repeated=False).splitlines()
    assert first == "no known bug reproduces these results"
    assert second.startswith("the failures did not come again when asked anew")
    assert place == "wrong numbers lie only in row 1"


def test_json_and_back() -> None:
    diagnosis = Diagnosis((ONE, BOTH), 3, 10, 2, ("only in row 1",), False)
    assert Diagnosis.from_json(diagnosis.to_json()) == diagnosis
