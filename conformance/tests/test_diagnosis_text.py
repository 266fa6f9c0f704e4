"""How a diagnosis reads: one cause, several that cannot be told apart, none."""

from rnn_conformance.checks.findings import Cause, Diagnosis, Finding

ONE = Cause(("A",), ("It forgets b_hh.",))
BOTH = Cause(("B", "C"), ("It forgets h_0.", "It adds b_ih twice."))
LEFT = ("3 of 9 wrong numbers of h_n",)
MISSING = Finding("states", "b_hh is missing", "h_0 = omitted", 96, 96, 0)
AGREE = (
    "(3 of 3 failing and 7 of 7 passing checks come out alike, 2 of them compared number by number)"
)


def text(*causes: Cause, repeated: bool = True) -> str:
    return str(Diagnosis(causes, 3, 10, 2, LEFT, repeated))


def test_one_cause() -> None:
    sentence = "it behaves exactly as if: It forgets b_hh. [A]"
    assert text(ONE) == f"{sentence}\n{AGREE}\nunexplained: 3 of 9 wrong numbers of h_n"


def test_several_causes() -> None:
    assert text(ONE, BOTH) == "\n".join(
        [
            "it behaves exactly as each of these does, which nothing here tells apart:",
            "  - It forgets b_hh. [A]",
            "  - It forgets h_0. And: It adds b_ih twice. [B + C]",
            AGREE,
            "unexplained: 3 of 9 wrong numbers of h_n",
        ]
    )


def test_no_cause_that_came_again() -> None:
    first, second, place = text(repeated=False).splitlines()
    assert first == "no known bug reproduces these results"
    assert second.startswith("the failures did not come again when asked anew")
    assert place == "unexplained: 3 of 9 wrong numbers of h_n"


def test_findings_come_first_each_with_its_place_and_counts() -> None:
    refused = Finding("calls", "raised ValueError", "everywhere", 2, 2, 0)
    assert str(Diagnosis((), 3, 10, 2, (), True, (MISSING, refused))).splitlines() == [
        "b_hh is missing, where h_0 = omitted: explains 96 of 96 wrong numbers of states, "
        "contradicts 0 right ones",
        "raised ValueError, everywhere: explains 2 of 2 refused calls, contradicts 0 right ones",
    ]


def test_json_and_back() -> None:
    diagnosis = Diagnosis((ONE, BOTH), 3, 10, 2, LEFT, False, (MISSING,))
    assert Diagnosis.from_json(diagnosis.to_json()) == diagnosis
