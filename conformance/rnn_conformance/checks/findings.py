"""What a diagnosis finds, and how it reads."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

OF_CALLS = {
    "calls": "refused calls",
    "answers": "calls that are not refused",
    "dropout": "failing checks of dropout",
    "memory": "failing checks of memory",
}


@dataclass(frozen=True)
class Cause:
    """A known bug that reproduces everything.

    Attributes:
        names: that of the mutant.
        sentences: what it does wrong.
        shipped_in: where it was shipped, as far as known.
    """

    names: tuple[str, ...]
    sentences: tuple[str, ...]
    shipped_in: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " And: ".join(self.sentences) + f" [{' + '.join(self.names)}]"


@dataclass(frozen=True)
class Finding:
    """One thing that is done otherwise, and where.

    Attributes:
        result: what it shows in: "states", "h_n", "y", "calls" that are refused, "answers" to
            calls that should be, or the checks of "dropout" or "memory".
        what, where: in words.
        explains, wrong: how many wrong numbers of the result come out with it, of how many.
        contradicts: for how many right ones it would have to be otherwise.
        points: where another activation was found, some pre-activations, each with the state that
            was found and the right one.
    """

    result: str
    what: str
    where: str
    explains: int
    wrong: int
    contradicts: int
    points: tuple[tuple[float, float, float], ...] = ()

    def __str__(self) -> str:
        where = "everywhere" if self.where == "everywhere" else f"where {self.where}"
        of = OF_CALLS.get(self.result, f"wrong numbers of {self.result}")
        return (
            f"{self.what}, {where}: explains {self.explains} of {self.wrong} {of}, "
            f"contradicts {self.contradicts} right ones"
        )


@dataclass(frozen=True)
class Diagnosis:
    """What explains the failures.

    Attributes:
        causes: each reproduces every failing and every passing check alone; the checks cannot tell
            them apart. Empty where no known bug does.
        failing, checks: how many checks fail, of how many that were compared.
        with_numbers: in how many of them the numbers themselves were compared, not only which
            results are wrong.
        unexplained: how many wrong numbers of which result no finding explains, and where they lie.
        repeated: whether the failures came again when the implementation was asked anew.
        findings: what is done otherwise in single steps or calls, each with its place.
    """

    causes: tuple[Cause, ...]
    failing: int
    checks: int
    with_numbers: int
    unexplained: tuple[str, ...] = ()
    repeated: bool = True
    findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        return "\n".join([*map(str, self.findings), *self.further()])

    def further(self) -> list[str]:
        """What is said beside the findings, line by line."""
        lines = self._explanation() if self.causes else []
        if not lines and not self.findings:
            lines = ["no known bug reproduces these results"]
        if not self.repeated:
            lines.append(
                "the failures did not come again when asked anew: it depends on the earlier calls, "
                "or on chance"
            )
        return lines + [f"unexplained: {numbers}" for numbers in self.unexplained]

    def _explanation(self) -> list[str]:
        passing = self.checks - self.failing
        agree = (
            f"{self.failing} of {self.failing} failing and {passing} of {passing} passing checks "
            f"come out alike, {self.with_numbers} of them compared number by number"
        )
        if len(self.causes) == 1:
            return [f"it behaves exactly as if: {self.causes[0]}", f"({agree})"]
        return [
            "it behaves exactly as each of these does, which nothing here tells apart:",
            *(f"  - {cause}" for cause in self.causes),
            f"({agree})",
        ]

    def to_json(self) -> dict[str, Any]:
        """Plain data; findings without points do not have the word."""
        data = asdict(self)
        for one in data["findings"]:
            if not one["points"]:
                del one["points"]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Diagnosis":
        """The diagnosis that `to_json` was called on."""
        causes = tuple(
            Cause(**{name: tuple(texts) for name, texts in cause.items()})
            for cause in data["causes"]
        )
        found = (
            Finding(**{**one, "points": tuple(map(tuple, one.get("points", ())))})
            for one in data["findings"]
        )
        lists = {
            "causes": causes,
            "unexplained": tuple(data["unexplained"]),
            "findings": tuple(found),
        }
        return cls(**{**data, **lists})
