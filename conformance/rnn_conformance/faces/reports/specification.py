"""The clauses of the specification, each with its sentence."""

import re
from functools import cache
from importlib.resources import files

CLAUSE = re.compile(r"^\*\*(RNN-[A-Z]+-\d+)\*\*\s+(.+?)(?=\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)


@cache
def clauses() -> dict[str, str]:
    """The sentence of each clause of specification.md by its id, in the order of the file."""
    text = files("rnn_conformance.contract").joinpath("specification.md").read_text("utf-8")
    return clauses_in(text)


def clauses_in(text: str) -> dict[str, str]:
    """Of paragraphs that start with an id in bold; each sentence is brought into one line."""
    return {name: " ".join(sentence.split()) for name, sentence in CLAUSE.findall(text)}
